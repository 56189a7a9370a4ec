"""A page as elements and texts, and text that tries to be markup."""

from html.parser import HTMLParser

HOSTILE = (
    "<script>alert('x')</script>",
    '"><img src=http://elsewhere.example/x onerror=alert(1)>',
    "{{ 7 * 7 }} &amp; </style>",
)
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """Texts by enclosing elements, attributes by element; refuses elements that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((tuple(self._open), data))

    def text(self, *inside: str) -> str:
        """What is written within all of the named elements, spaces joined."""
        found = "".join(data for path, data in self.texts if set(inside) <= set(path) and "style" not in path)
        return " ".join(found.split())

    def rows(self) -> list[str]:
        """The text of each table row of the body."""
        rows: list[str] = []
        inside = False
        for path, data in self.texts:
            if "tbody" in path and "tr" in path:
                rows = rows if inside else [*rows, ""]
                rows[-1] += data
            inside = "tr" in path
        return [" ".join(row.split()) for row in rows]


def references(page: Page) -> list[str]:
    """Whatever could make a browser ask for something, or run something."""
    anchors = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    found = [tag for tag, _ in page.elements if tag in ("script", "iframe", "object", "embed", "form")]
    for tag, attributes in page.elements:
        asking = attributes.keys() & {"src", "srcset", "action", "data", "xlink:href"}
        found += [f"{tag} {name}" for name in asking | {name for name in attributes if name.startswith("on")}]
        if "href" in attributes and attributes["href"].removeprefix("#") not in anchors:
            found.append(attributes["href"])
    style = "".join(data for path, data in page.texts if "style" in path)
    return found + [sign for sign in ("url(", "@import") if sign in style]
