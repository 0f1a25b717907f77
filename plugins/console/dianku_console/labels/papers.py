"""What labels are printed on: rolls of one label a page, A4 sheets of stickers, A4 paper to cut.

A dot is an eighth of a millimetre: what a label printer of 203 dots an inch can do. All that is
drawn lies on dots, so that no bar is a fraction of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Literal, TypeVar

from attrs import frozen

T = TypeVar("T")
Place = tuple[float, float]
"""A label's upper left corner on its page, in dots."""
DOTS_PER_MM = 8
A4_MM = (210.0, 297.0)
EDGE_MM = 8.0
"""What office printers leave white on paper that is to be cut."""


@frozen
class Paper:
    """One kind of paper, in millimetres.

    Attributes:
        name: As it stands in an address.
        kind: How labels come on it: a roll, a sheet of stickers, a sheet to cut apart.
        width: Of one label.
        height: Of one label.
        page: Width and height of what the printer takes in.
        columns: Labels side by side.
        rows: Labels one below the other.
        left: From the page's edge to the first label.
        top: Likewise.
        gap: Between two columns; rows have none.
    """

    name: str
    kind: Literal["roll", "stickers", "cut"]
    width: float
    height: float
    page: tuple[float, float]
    columns: int = 1
    rows: int = 1
    left: float = 0.0
    top: float = 0.0
    gap: float = 0.0

    @property
    def per_page(self) -> int:
        """Labels on a page."""
        return self.columns * self.rows

    @property
    def page_kind(self) -> str:
        """What the page is called in the style sheet, which bears its size."""
        return self.name if self.kind == "roll" else "a4"

    def places(self) -> Iterator[Place]:
        """The upper left corners of a page's labels, in dots, row by row."""
        for row in range(self.rows):
            for column in range(self.columns):
                yield (
                    (self.left + column * (self.width + self.gap)) * DOTS_PER_MM,
                    (self.top + row * self.height) * DOTS_PER_MM,
                )

    def sheets(self, queue: Iterable[T], *, first: int = 1) -> Iterator[list[tuple[T, Place]]]:
        """What is printed with the place of each, page by page.

        `first` is where the first page begins, from 1: the places before it are used already.
        """
        left, free = iter(queue), list(self.places())[first - 1 :]
        while page := list(islice(left, len(free))):
            yield list(zip(page, free, strict=False))
            free = list(self.places())


def _roll(width: float, height: float) -> Paper:
    return Paper(f"{width:g}x{height:g}", "roll", width, height, (width, height))


def _stickers(width: float, height: float, columns: int, rows: int, gap: float = 0.0) -> Paper:
    """A sheet of stickers as it is sold: the same white left and right, above and below."""
    left = (A4_MM[0] - columns * width - (columns - 1) * gap) / 2
    top = (A4_MM[1] - rows * height) / 2
    name = f"a4-{columns * rows}"
    return Paper(name, "stickers", width, height, A4_MM, columns, rows, left, top, gap)


def _cut(width: float, height: float) -> Paper:
    """As many as there is room for on plain paper, edge to edge, so that one cut parts two."""
    columns = int((A4_MM[0] - 2 * EDGE_MM) // width)
    rows = int((A4_MM[1] - 2 * EDGE_MM) // height)
    left = (A4_MM[0] - columns * width) / 2
    name = f"cut-{width:g}x{height:g}"
    return Paper(name, "cut", width, height, A4_MM, columns, rows, left, EDGE_MM)


_ALL = (
    _roll(40, 30),
    _roll(50, 30),
    _roll(60, 40),
    _roll(70, 38),
    _stickers(63.5, 38.1, 3, 7, gap=2.5),
    _stickers(70, 36, 3, 8),
    _stickers(52.5, 29.7, 4, 10),
    _stickers(38.1, 21.2, 5, 13, gap=2.5),
    _cut(40, 30),
    _cut(50, 30),
    _cut(60, 40),
    _cut(70, 38),
)
PAPERS: Mapping[str, Paper] = {paper.name: paper for paper in _ALL}
USUAL = "50x30"
