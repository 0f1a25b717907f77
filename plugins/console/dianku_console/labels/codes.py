"""The code of a label as dark boxes of whole dots, with the white that must stay around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import segno
from attrs import frozen

from dianku_console.barcodes import Bars, bars_of
from dianku_console.qr import QUIET

Wanted = Literal["bars", "qr"]
BAR_LEAST, BAR_MOST = 2, 4
"""Dots a module of bars is wide: 0.25 mm is what hand scanners read, 0.5 mm is plenty."""
SQUARE_LEAST, SQUARE_MOST = 2, 8


@frozen
class Mark:
    """A code where it stands.

    Attributes:
        kind: `ean13`, `ean8`, `code128` or `qr`.
        text: What a scan of it gives.
        x: Left edge of its first dark module, in whole dots; the white lies before it.
        y: Its upper edge.
        module: Dots a module is wide.
        width: Of all that is dark, from the first to the last.
        height: Likewise.
        boxes: Left, top, width, height of each dark box from `x` and `y`, in whole dots.
    """

    kind: str
    text: str
    x: int
    y: int
    module: int
    width: int
    height: int
    boxes: Sequence[tuple[int, int, int, int]]


@frozen
class Square:
    """A QR code before it has its size: dark modules in runs, `side` modules with the white."""

    text: str
    side: int
    runs: Sequence[tuple[int, int, int]]

    def at(self, x: int, y: int, *, module: int) -> Mark:
        """The code with the corner of its white at a place."""
        dark = (self.side - 2 * QUIET) * module
        boxes = [(c * module, r * module, wide * module, module) for c, r, wide in self.runs]
        white = QUIET * module
        return Mark("qr", self.text, x + white, y + white, module, dark, dark, boxes)


def bars_across(code: str, room: int) -> tuple[Bars, int] | None:
    """The bars of a code and how many dots a module is; None where `room` dots are too few.

    None too for what has no bars: other signs than ASCII, or too many.
    """
    bars = bars_of(code)
    if bars is None:
        return None
    module = min(room // (bars.width + sum(bars.quiet)), BAR_MOST)
    return (bars, module) if module >= BAR_LEAST else None


def standing(bars: Bars, *, module: int, middle: int, y: int, height: int) -> Mark:
    """Bars around the middle of a label, white and all."""
    left, right = bars.quiet
    x = middle - (bars.width + left + right) * module // 2 + left * module
    boxes = [(at * module, 0, wide * module, height) for at, wide in bars.runs]
    return Mark(bars.kind, bars.text, x, y, module, bars.width * module, height, boxes)


def square_of(code: str) -> Square:
    """The QR code of any text; a scratch may take a seventh of it."""
    rows = segno.make(code, error="m", micro=False, boost_error=False, eci=False).matrix
    runs = []
    for y, row in enumerate(rows):
        at = 0
        while at < len(row):
            end = at + 1
            while end < len(row) and row[end] == row[at]:
                end += 1
            if row[at]:
                runs.append((at, y, end - at))
            at = end
    return Square(code, len(rows) + 2 * QUIET, runs)
