"""What an HTML mail says, as text. Nothing of the markup is kept, so that nothing has to be made safe.

The standard library's parser walks; a sanitiser builds the whole tree, and a tree of a hundred thousand nested elements
took minutes.
"""

from __future__ import annotations

from html.parser import HTMLParser

MOST_MARKUP = 96 * 1024  # characters read; a program's own head of styles is some thousands
_SILENT = frozenset({"script", "style", "head", "title", "template"})
_BREAKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "blockquote", "table"})


def words_of(markup: str) -> str:
    """The text of a page, a line for each block."""
    reader = _Reader()
    reader.feed(markup[:MOST_MARKUP])
    return reader.words()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._silent = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":  # its head was never closed
            self._silent = ""
        elif tag in _SILENT and not self._silent:
            self._silent = tag
        elif tag in _BREAKS:
            self._pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""
        elif tag in _BREAKS:
            self._pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._pieces.append(data)

    def words(self) -> str:
        lines = (" ".join(line.split()) for line in "".join(self._pieces).splitlines())
        return "\n".join(line for line in lines if line)
