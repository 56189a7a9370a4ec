"""The two pages of the service, each one file without outside parts: what is served, and how to call it."""

from functools import cache
from html import escape
from pathlib import Path
from string import Template

from serving.describe import Column, ModelAnswer
from serving.pages.reference import reference


def render_home(about: tuple[ModelAnswer, list[float]] | None, error: str, root: str) -> bytes:
    """The page at ``root``: the model with an ordinary row (d,) of it, None before one is loaded."""
    if about is None:
        reason = escape(error) or "It is loading."
        return _page("vigia: nothing is served yet", f'<p class="card note">No bundle is loaded. {reason}</p>', root)
    model, centre = about
    name = f"{model.model.name or 'unnamed model'}, version {model.model.version or 'unknown'}"
    inputs = [_number(column, value) for column, value in zip(model.schema, centre, strict=True)]
    if model.strata:
        inputs.append(_text("series_ids", "series, empty for an unknown one", []))
    if model.regimes:
        inputs.append(_text("regime", "operating state", model.regimes))
    body = _template("form.html").substitute(
        notes="".join(f'<p class="card note">{escape(note)}</p>' for note in _notes(model)),
        tiles="\n".join(f"<div><dt>{escape(term)}</dt><dd>{escape(text)}</dd></div>" for term, text in _tiles(model)),
        inputs="\n".join(inputs),
        remark=_remark(model),
        past=model.history.rows if model.history else 0,
        root=escape(root),
    )
    return _page(f"vigia: {name}", body, root)


def render_docs(description: dict[str, object], address: str, root: str) -> bytes:
    """The page of an OpenAPI description, with a call of each endpoint at ``address``."""
    return _page("vigia: how to call the service", reference(description, address), root)


def _page(title: str, body: str, root: str) -> bytes:
    style = _template("style.css").template
    page = _template("frame.html").substitute(title=escape(title), body=body, root=escape(root), style=style)
    return page.encode("utf-8", "replace")


@cache
def _template(name: str) -> Template:
    return Template((Path(__file__).parent / name).read_text(encoding="utf-8").rstrip("\n"))


def _notes(model: ModelAnswer) -> list[str]:
    notes = ["Trained on a SIMULATED fleet: no machine produced its rows."] if model.simulated else []
    if model.desired != model.served:
        why = model.error or "it is loading"
        notes.append(f"Asked to serve {model.desired[:12] or 'nothing'}, still serves {model.served[:12]}: {why}.")
    return notes


def _tiles(model: ModelAnswer) -> list[tuple[str, str]]:
    budget = model.budget
    unit = "of the rows" if budget.kind == "row_rate" else "alerts per series and day"
    amount = f"{budget.limit:.3g}" if budget.kind != "row_rate" else f"{budget.limit:.2%}"
    past = f"{model.history.rows} past rows ({', '.join(model.history.reducers)})" if model.history else "single rows"
    thresholds = f"{model.threshold:.6g}"
    if model.strata:
        thresholds = ", ".join(f"{name} {of.threshold:.4g}" for name, of in model.strata.items())
    return [
        ("Detector", model.family.replace("_", " ")),
        ("Alert at a score of", thresholds),
        ("Alert budget", f"{amount} {unit}"),
        ("Looks at", past),
        ("Features", f"{len(model.features)}"),
        ("Bundle", f"sha256:{model.served[:12]}"),
    ]


def _remark(model: ModelAnswer) -> str:
    start = "It starts from an ordinary row."
    return (
        f"{start} The {model.history.rows} rows before it are taken to have been the same." if model.history else start
    )


def _number(column: Column, value: float) -> str:
    unit = f" <small>{escape(column.unit)}</small>" if column.unit not in ("", "1") else ""
    hint = "" if column.low is None else f"<small>plausible: {column.low:g} to {column.high:g}</small>"
    box = f'<input type="number" step="any" required data-feature value="{value:.6g}">'
    return f"<label>{escape(column.name)}{unit}{box}{hint}</label>"


def _text(name: str, label: str, choices: list[str]) -> str:
    if not choices:
        return f'<label>{label}<input type="text" data-name="{name}"></label>'
    options = "".join(f"<option>{escape(choice)}</option>" for choice in ["", *choices, "off"])
    return f'<label>{label}<select data-name="{name}">{options}</select></label>'
