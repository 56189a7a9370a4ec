"""`vigia compare`: two versions beside each other, from the cards that were made when they were judged."""

from pathlib import Path

from evaluation.pages.card.comparison import Named, compare_figures, render_comparison, same_rows
from evaluation.pages.card.files import CARD_JSON, parse_card, read_json
from features.errors import InputError
from features.storage import write_text
from flows.adapters.registry import ModelVersion, Registry
from flows.outcome import Outcome
from flows.steps.usual_model import usual_model
from flows.workspace import Workspace

COMPARE_PAGE = "compare.html"


def compare_cards(asked: tuple[str, str], model: str | None, registry: Registry, workspace: Workspace) -> Outcome:
    """Write the page of both into a new run's folder. asked: numbers or aliases of versions, runs, or folders.

    Raises InputError where one of them has no card.
    """
    one, other = (find_card(name, model, registry, workspace) for name in asked)
    page = workspace.new_run("compare") / COMPARE_PAGE
    write_text(page, render_comparison(one, other))
    rows = [("Compared", one.name, other.name)]
    rows += [(row[0], _value(row[1], row[2]), _value(row[3], row[4])) for row in compare_figures(one, other).rows]
    names, values = (max(len(row[k]) for row in rows) for k in (0, 1))
    lines = tuple((f"{name:<{names}} ", f"{first:<{values}}  {second}") for name, first, second in rows)
    judged = (f"{'Rows':<{names}} ", same_rows(one.card, other.card))
    return Outcome(lines=(*lines, judged), paths={"page": str(page)})


def find_card(asked: str, model: str | None, registry: Registry, workspace: Workspace) -> Named:
    """The card of a run of the workspace, of a folder, or of a version of the model by number or alias."""
    for folder in (workspace.root / "runs" / asked, Path(asked)):
        if (folder / CARD_JSON).is_file():
            return Named(folder.name, read_json(folder / CARD_JSON))
    version = _version(asked, model, registry)
    content = registry.read(version.run_id, CARD_JSON)
    named = f"{version.name} version {version.version}"
    if content is None:
        rule = f"{named} must have a {CARD_JSON} with its run: only `vigia train` makes one"
        raise InputError("compare", rule, asked)
    return Named(named, parse_card(content, f"{CARD_JSON} of {named}"))


def _version(asked: str, model: str | None, registry: Registry) -> ModelVersion:
    model = model or usual_model(registry)
    if asked.isascii() and asked.isdigit():
        return registry.by_version(model, asked)
    found = registry.by_alias(model, asked)
    if found is None:
        rule = (
            f"must be a version or an alias of {model!r}, a run of this workspace, or a folder that holds a {CARD_JSON}"
        )
        raise InputError("compare", rule, asked)
    return found


def _value(value: str, interval: str) -> str:
    return f"{value} ({interval})" if " to " in interval else value
