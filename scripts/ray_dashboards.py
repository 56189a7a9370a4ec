"""Writes the Grafana dashboards that the installed Ray makes: `.venv/bin/python scripts/ray_dashboards.py`."""

import json
from pathlib import Path

from ray.dashboard.modules.metrics.grafana_dashboard_factory import (
    generate_default_grafana_dashboard,
    generate_serve_grafana_dashboard,
)

FOLDER = Path(__file__).parents[1] / "manifests" / "base" / "monitoring" / "dashboards" / "ray"
TITLES = {"nodes": "Ray: nodes", "serve": "Ray: Serve"}


def texts() -> dict[str, str]:
    """The files by name. A panel a line: indented, `kubectl apply` could not keep its copy of it in an annotation."""
    made = {"nodes": generate_default_grafana_dashboard, "serve": generate_serve_grafana_dashboard}
    return {name: _text(json.loads(make()[0]) | {"title": TITLES[name]}) for name, make in made.items()}


def _text(board: dict[str, object]) -> str:
    panels = board.pop("panels")
    assert isinstance(panels, list)
    fields = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in board.items()]
    lines = ",\n".join(json.dumps(panel, separators=(",", ":")) for panel in panels)
    return "{\n" + ",\n".join([*fields, f'"panels": [\n{lines}\n]']) + "\n}\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in texts().items():
        (FOLDER / f"{name}.json").write_text(text)
