"""What a browser makes of a page, as far as the tests ask."""

from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "input", "link"}
BLOCKS = {"td", "th", "dt", "dd", "li", "p", "figcaption", "title", "h1", "h2", "h3", "h4", "text"}


class Page(HTMLParser):
    """Tags, attributes and text of a page. Raises AssertionError where a tag is not closed in its turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.styles: list[str] = []
        self._texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    @property
    def text(self) -> str:
        return " ".join("".join(self._texts).split())

    def attributes(self, name: str) -> list[str | None]:
        return [attributes[name] for _, attributes in self.tags if name in attributes]

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open[-1:] == [tag], f"</{tag}> closes nothing"
        self._open.pop()
        if tag in BLOCKS:
            self._texts.append(" ")

    def handle_data(self, data):
        (self.styles if self._open and self._open[-1] == "style" else self._texts).append(data)


def with_class(page: Page, name: str) -> list[dict[str, str | None]]:
    """The attributes of the elements of this class."""
    return [attributes for _, attributes in page.tags if attributes.get("class") == name]
