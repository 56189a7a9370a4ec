"""Generated manifests: everything that a person could write around the values, and the values as slots to fill."""

import json
import textwrap
from dataclasses import dataclass

from hypothesis import strategies as st

from flows.promotion.values import write_value

KEYS = ("uri", "digest", "model", "version")
SLOTS = {
    (section, key): chr(0xE000 + 4 * i + j)
    for i, section in enumerate(("bundle", "previous"))
    for j, key in enumerate(KEYS)
}
_ODD = [
    "",
    "12",
    "1e3",
    "0x1f",
    "null",
    "~",
    "on",
    "2026-11-01",
    "12:30",
    " a ",
    "a: b",
    "a #b",
    "- a",
    "'",
    '"',
    "\\",
    "\n",
]
VALUES = st.sampled_from(_ODD) | st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="{" + "".join(SLOTS.values())), max_size=12
)
WORDS = st.text("abcdef0123456789", min_size=1, max_size=8).map("s3://b/".__add__)
NOTES = st.sampled_from(["", "", "  # note", " #\ttab: {x}", " # größer 😀 \"'", " # applications:"])
STYLES = st.sampled_from([None, "'", '"'])


@dataclass(frozen=True)
class Manifest:
    """``template`` with a character for each value; ``styles`` and ``values`` of the ones there; how the file ends."""

    template: str
    outer: str
    styles: dict[tuple[str, str], str | None]
    values: dict[tuple[str, str], str]

    @property
    def parts(self) -> list[str]:
        """What stands between the values, in order."""
        text = self.template
        for path in self.styles:
            text = text.replace(SLOTS[path], "\0")
        return text.split("\0")

    @property
    def text(self) -> str:
        """The manifest."""
        text = self.template
        for path, style in self.styles.items():
            text = text.replace(SLOTS[path], self.spelled(write_value(self.values[path], style)))
        return text

    def spelled(self, inner: str) -> str:
        """Inner text as it stands in the file."""
        if self.outer == '"':
            return json.dumps(inner, ensure_ascii=False)[1:-1].replace("\x7f", "\\x7f").replace("\ufeff", "\\ufeff")
        return inner.replace("'", "''") if self.outer == "'" else inner


@st.composite
def manifests(draw: st.DrawFn, missing: bool = False, values: st.SearchStrategy[str] = VALUES) -> Manifest:
    """With every value there, or with some, or whole sections, missing."""
    outer = draw(st.sampled_from(["|", "|-", "|+", "|2", "|2-", ">", ">-", "'", '"']))
    paths = [path for path in SLOTS if not missing or draw(st.booleans())]
    styles = {path: draw(STYLES) for path in paths}
    old = {path: draw(values) for path in paths}
    inner = _inner(draw, paths, draw(st.booleans()), outer)
    bom, newline = draw(st.sampled_from(["", "\ufeff"])), draw(st.sampled_from(["\n", "\r\n"]))
    head = draw(
        st.sampled_from(["", "# first\n", "---\n", "kind: ConfigMap\ndata: {digest: d, 'uri': &u u}\n--- # next\n"])
    )
    head += "apiVersion: ray.io/v1\nkind: RayService" + draw(NOTES) + "\nmetadata: {name: x}\nspec:\n"
    tail = draw(
        st.sampled_from(["", "  rayClusterConfig: {a: &a [1, '2'], b: *a} # end\n", "---\nkind: Service\n", "...\n"])
    )
    manifest = Manifest("", outer, styles, old)
    if outer in "'\"":
        body = f"  serveConfigV2: {outer}{manifest.spelled(inner)}{outer}{draw(NOTES)}\n"
    else:
        lines = textwrap.indent(inner, "    " if "2" in outer else " " * draw(st.integers(3, 7)))
        body = f"  serveConfigV2: {outer}{draw(NOTES)}\n{lines}"
    text = head + body + tail
    text = text if tail or draw(st.booleans()) else text.rstrip("\n")
    return Manifest(bom + text.replace("\n", newline), outer, styles, old)


def _inner(draw: st.DrawFn, paths: list[tuple[str, str]], flow: bool, outer: str) -> str:
    flow = flow or outer == "'"
    step = draw(st.integers(1, 4))
    config = _flow(draw, paths) if flow else _block(draw, paths, step)
    if outer[0] in ">'":  # lines at the left would be folded into one
        line = "applications: [{name: anomaly-detector, deployments: [{name: AnomalyDetector, user_config: %s}]}]"
        return line % config.strip() + "\n" * (outer != "'") if flow else _deployments(draw, config, step)
    before = draw(st.sampled_from(["", "# about: {it}\n", "proxy_location: HeadOnly\n", "---\n", "\n"]))
    after = draw(st.sampled_from(["", "# end\n", "logging_config: {encoding: JSON}\n", "\n"]))
    return before + _deployments(draw, config, step) + after


def _deployments(draw: st.DrawFn, config: str, step: int) -> str:
    space = "" if config.startswith("\n") or not config else " "
    config = textwrap.indent(config, "  ").lstrip(" ")
    lines = f"- num_replicas: 1{draw(NOTES)}\n  name: AnomalyDetector\n  user_config:{space}{config}\n"
    other = draw(st.sampled_from(["", "- name: Other\n  user_config: {bundle: {digest: d}}\n"]))
    deployments = textwrap.indent((other + lines) if draw(st.booleans()) else lines + other, " " * step)
    application = f"- name: anomaly-detector\n  deployments:{draw(NOTES)}\n{textwrap.indent(deployments, '  ')}"
    return "applications:\n" + textwrap.indent(application, " " * step)


def _block(draw: st.DrawFn, paths: list[tuple[str, str]], step: int) -> str:
    text = ""
    for section in ("bundle", "previous"):
        keys = draw(st.permutations([key for name, key in paths if name == section]))
        lines = "".join(f"\n{key}:{' ' * draw(st.integers(1, 3))}{SLOTS[section, key]}{draw(NOTES)}" for key in keys)
        comment = draw(st.sampled_from(["", "\n# between", "\n"]))
        text += f"{comment}\n{section}:{draw(NOTES)}{textwrap.indent(lines, ' ' * step)}" if keys else ""
    return textwrap.indent(text, " " * step)


def _flow(draw: st.DrawFn, paths: list[tuple[str, str]]) -> str:
    quote, comma = draw(st.sampled_from(["", '"'])), draw(st.sampled_from([", ", " ,  "]))
    sections = []
    for section in ("bundle", "previous"):
        keys = draw(st.permutations([key for name, key in paths if name == section]))
        pairs = comma.join(f"{quote}{key}{quote}: {SLOTS[section, key]}" for key in keys)
        if keys or draw(st.booleans()):
            sections.append(f"{quote}{section}{quote}: {{{pairs}}}")
    return "{" + comma.join(sections) + "}"
