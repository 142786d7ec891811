"""Text of HTML, DocBook-HTML and Mallard pages."""

import re
from html.parser import HTMLParser

from open_desktop_corpus.documents import join_lines, word_set

_VOID = word_set("area base br col embed hr img input keygen link meta param source track wbr")
_SKIPPED = word_set("head script style nav header footer aside button form select noscript svg")
_UNSEEN = word_set("head script style noscript svg")
_SKIPPED_MALLARD = frozenset({"mal:credit", "credit", "revision"})
_SKIPPED_NAMES: frozenset[str | None] = frozenset(
    ["navheader", "navfooter", "nav_table", "footer", "toc", "languages", "search", "SearchFrame", "DonationFrame"]
)
_BLOCKS = word_set(
    """
    address article blockquote body br caption cite dd desc div dl dt example figure h1 h2 h3 h4 h5 h6 hr item
    li list listing main note ol p page pre section screen steps synopsis table tbody td terms th title tr ul
    """
)


class _TextParser(HTMLParser):
    def __init__(self, mallard: bool, whole: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._mallard = mallard
        self._skipped = _UNSEEN if whole else _SKIPPED_MALLARD if mallard else _SKIPPED
        self._skipped_names = frozenset[str | None]() if whole else _SKIPPED_NAMES
        self._skipping: list[str] = []
        self._verbatim = 0
        self._pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._skipping:
            if tag == self._skipping[0]:
                self._skipping.append(tag)
            return
        names = {value for key, value in attrs if key in ("class", "id")}
        void = tag in _VOID and not self._mallard
        if not void and (tag in self._skipped or names & self._skipped_names):
            self._skipping.append(tag)
            return
        self._verbatim += tag == "pre"
        if tag in _BLOCKS:
            self._pieces.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS and not self._skipping:
            self._pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._skipping:
            if tag == self._skipping[0]:
                self._skipping.pop()
            return
        if tag == "pre":
            self._verbatim = max(0, self._verbatim - 1)
        if tag in _BLOCKS:
            self._pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if self._skipping:
            return
        if self._verbatim:
            self._pieces.append(data)
            return
        lead = " " if data[:1].isspace() else ""
        trail = " " if data[-1:].isspace() else ""
        lines = (" ".join(line.split()) for line in data.split("\n"))
        self._pieces.append(lead + join_lines(line for line in lines if line) + trail)

    def text(self) -> str:
        lines = "".join(self._pieces).split("\n")
        return "\n".join(re.sub(" {2,}", " ", line).strip() for line in lines if line.strip())


def page_text(source: str, *, mallard: bool, whole: bool = False) -> str:
    """Return the readable text of a page, one block a line, without its navigation unless it is wanted whole."""
    parser = _TextParser(mallard, whole)
    parser.feed(source)
    parser.close()
    return parser.text()
