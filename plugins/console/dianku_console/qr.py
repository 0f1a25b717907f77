"""QR codes as one path of squares, drawn by the page itself: no picture is fetched or inlined."""

from __future__ import annotations

import segno
from attrs import frozen

QUIET = 4
"""Modules that must stay white around it (ISO/IEC 18004)."""


@frozen
class QrCode:
    """A code: modules along each side with the white around, and the dark ones as an SVG path."""

    side: int
    path: str


def qr_of(text: str) -> QrCode:
    """The code of a text, with a quarter of it to spare for a scratched or dim screen."""
    rows = segno.make(text, error="q", micro=False, boost_error=False).matrix
    drawn = []
    for y, row in enumerate(rows):
        at = 0
        while at < len(row):
            end = at + 1
            while end < len(row) and row[end] == row[at]:
                end += 1
            if row[at]:
                width = end - at
                drawn.append(f"M{at + QUIET} {y + QUIET}h{width}v1h-{width}z")
            at = end
    return QrCode(len(rows) + 2 * QUIET, "".join(drawn))
