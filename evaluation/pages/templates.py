"""The templates of the pages: one frame and style for all; every text that came with data is escaped and visible."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from evaluation.pages import figures, histogram


@cache
def template(name: str) -> Template:
    """The template of that file."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("evaluation.pages", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
        "clip": figures.clip,
        "count": figures.count,
        "figure": figures.figure,
        "path": histogram.path,
        "share": figures.share,
    }
    environment.globals |= {
        "bars": histogram.bars,
        "box": f"0 0 {histogram.WIDTH:.0f} {histogram.HEIGHT:.0f}",
        "fullest": histogram.fullest,
    }
    return environment


def _shown(value: object) -> object:
    """What a template prints of a value: texts with hidden characters made visible; its own markup as it is."""
    return figures.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
