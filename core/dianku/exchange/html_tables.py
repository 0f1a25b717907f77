"""Tables of a web page: what many back offices hand out under the name of an .xls file.

Every cell is text. A cell that spans columns or rows leaves the places it covers empty, as a
spreadsheet does with merged cells. A table inside a table belongs to the cell it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser

_PAGE = re.compile(
    r"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|meta|style|table)\b", re.IGNORECASE
)
SPAN_MAX = 1_000
"""A spreadsheet has no wider merged cells here; what claims more is cut."""


def is_page(text: str) -> bool:
    """Whether a text is a web page that has a table."""
    return _PAGE.match(text[:4_000]) is not None and "<table" in text.lower()


class TooMany(Exception):
    """The tables have more cells than there is room for."""


def tables_of(text: str, *, most: int) -> list[list[list[str]]]:
    """The tables of a page, each as rows of cells. Raises `TooMany` above `most` cells."""
    reader = _Reader(most)
    reader.feed(text)
    reader.close()
    return reader.tables


class _Reader(HTMLParser):
    def __init__(self, most: int) -> None:
        super().__init__(convert_charrefs=True)
        self._most = most
        self._cells = 0
        self.tables: list[list[list[str]]] = []
        self._depth = 0
        self._cell: list[str] | None = None
        self._span = (1, 1)
        self._covered: dict[int, int] = {}

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._depth += 1
            if self._depth == 1:
                self.tables.append([])
                self._covered = {}
        elif self._depth != 1:
            return
        elif tag == "tr":
            self._end_cell()
            self.tables[-1].append([])
            self._skip_covered()
        elif tag in {"td", "th"}:
            self._end_cell()
            given = dict(attrs)
            self._span = (_span(given.get("colspan")), _span(given.get("rowspan")))
            self._cell = []
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table" and self._depth:
            if self._depth == 1:
                self._end_cell()
            self._depth -= 1
        elif tag in {"td", "th", "tr"} and self._depth == 1:
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is None:
            return
        text, self._cell = "".join(self._cell).strip(), None
        if not self.tables[-1]:
            self.tables[-1].append([])
        row = self.tables[-1][-1]
        wide, high = self._span
        self._cells += wide
        if self._cells > self._most:
            raise TooMany
        self._covered |= {len(row) + i: high - 1 for i in range(wide)}
        row += [text, *[""] * (wide - 1)]
        self._skip_covered()

    def _skip_covered(self) -> None:
        """Leave empty what a cell of a row above reaches into."""
        row = self.tables[-1][-1]
        while self._covered.get(len(row), 0) > 0:
            self._covered[len(row)] -= 1
            row.append("")


def _span(text: str | None) -> int:
    plain = (text or "").strip()
    return min(max(int(plain), 1), SPAN_MAX) if plain.isascii() and plain.isdecimal() else 1
