"""Pictures of the pages for the documentation: ``python -m tests.evaluation.pages.pictures WORKSPACE FOLDER``."""

import io
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.evaluation.pages.chromium import Browser, running

_COLOURS = 64  # the most frequent ones as they are: a third of the bytes
_TALLEST = 6_000


@dataclass(frozen=True)
class Picture:
    """A file of the run's folder as a browser of that width shows it; height: None for all of it."""

    page: str
    name: str
    width: int
    scheme: str
    height: int | None = None


PICTURES = (
    Picture("card.html", "card-top.png", 1280, "light", 1_120),
    Picture("card.html", "card-wide.png", 1280, "light"),
    Picture("card.html", "card-wide-dark.png", 1280, "dark", 2_400),
    Picture("card.html", "card-narrow.png", 390, "light", 4_800),
    Picture("card.html", "card-narrow-dark.png", 390, "dark", 2_400),
    Picture("compare.html", "compare-wide.png", 1280, "light", 2_400),
    Picture("validation.html", "validation-wide.png", 1280, "light", 1_600),
    Picture("drift.html", "drift-wide.png", 1280, "light", 2_400),
)


def main(workspace: Path, folder: Path) -> None:
    """Picture the newest page of each kind in a workspace. Replaces what the folder holds."""
    folder.mkdir(parents=True, exist_ok=True)
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("chromium is not installed: apt-get install chromium")
    with tempfile.TemporaryDirectory() as profile, running(Path(program), Path(profile)) as browser:
        for picture in PICTURES:
            found = sorted((workspace.absolute() / "runs").glob(f"*/{picture.page}"))
            if not found:
                print(f"no {picture.page} in {workspace}")
                continue
            content = take(browser, found[-1], picture)
            (folder / picture.name).write_bytes(content)
            print(f"{folder / picture.name}: {len(content):,} bytes")


def take(browser: Browser, page: Path, picture: Picture) -> bytes:
    """A small PNG. Raises SystemExit where the page asks for anything, or says anything on the console."""
    visit = browser.visit(page, width=picture.width, scheme=picture.scheme)
    if visit.requests != (page.as_uri(),) or visit.messages:
        raise SystemExit(f"{page} must be silent: {visit.requests[1:]} {visit.messages}")
    shown = Image.open(io.BytesIO(visit.png)).convert("RGB")
    cut = shown.crop((0, 0, shown.width, min(shown.height, picture.height or _TALLEST)))
    content = io.BytesIO()
    cut.quantize(palette=_palette(cut), dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
    return content.getvalue()


def _palette(shown: Image.Image) -> Image.Image:
    """The most frequent colours, exactly: a page has a few, and many shades between them at the edges of letters."""
    found = sorted(shown.getcolors(shown.width * shown.height) or [], reverse=True)[:_COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, colour in found for part in colour])
    return palette


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
