"""A label as it is drawn: each text and each bar at its place, in dots from the upper left corner.

What there is no room for is cut where one sees it (`…`), never beyond the edge; a price is made
smaller instead, for a price that is cut is another price.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from dianku_console.barcodes import Bars
from dianku_console.labels.codes import (
    SQUARE_LEAST,
    SQUARE_MOST,
    Mark,
    Square,
    Wanted,
    bars_across,
    square_of,
    standing,
)
from dianku_console.labels.papers import DOTS_PER_MM, Paper
from dianku_console.labels.texts import MORE, Line, broken, cut, fitted, width_of

POINT = DOTS_PER_MM * 25.4 / 72
ASCENT, LEADING = 0.88, 1.2
"""Of an em: from a line's top to its baseline, and from one line to the next."""
EDGE = DOTS_PER_MM // 2
"""White that is left beside a code, for a printer that is a little off."""
GAP = DOTS_PER_MM // 2
LEAST = 4.5 * POINT
"""Below this nobody reads it."""
STRONG_LEAST = 3 * DOTS_PER_MM
"""A smaller sign that is made strong runs together on a screen."""
UNIT_SHARE = 0.35
"""Of the room for a price, what its unit may take."""
SQUARE_SHARES = ((2, 0.5), (1, 0.65))
"""Lines of a name and the part of the width a QR code may have; the second is for long codes."""


@frozen
class Tag:
    """What stands on a label.

    Attributes:
        name: The product's name with its specification.
        code: What a scan of the label gives.
        price: The price with its currency's sign; empty without one.
        per: The unit the price is for.
        also: Further prices with what they are for: of the larger unit, of packs.
    """

    name: str
    code: str
    price: str = ""
    per: str = ""
    also: Sequence[str] = ()


@frozen
class Drawn:
    """A label: its size in dots, its texts, its code where there is room for one."""

    tag: Tag
    width: float
    height: float
    lines: Sequence[Line]
    mark: Mark | None


@frozen
class _Style:
    """How large things are on a label: text in dots, its margin, how many lines of what."""

    width: float
    height: float
    margin: float
    name: float
    lines: int
    price: float
    small: float
    also: int


def drawn(tag: Tag, paper: Paper, *, wanted: Wanted) -> Drawn:
    """Lay a label out; bars that there is no room for give way to a QR code."""
    style = _style(paper)
    mark: Mark | None
    across = bars_across(tag.code, int(style.width) - 2 * EDGE) if wanted == "bars" else None
    if across is not None:
        lines, mark = _with_bars(tag, style, *across)
    else:
        lines, mark = _with_square(tag, style, square_of(tag.code))
    return Drawn(tag, style.width, style.height, lines, mark)


def _style(paper: Paper) -> _Style:
    """Of a paper: the larger it is, the larger what stands on it."""
    if paper.height >= 35:
        margin, name, lines, price, small, also = 16, 10.0, 2, 20.0, 7.5, 2
    elif paper.height >= 28:
        margin, name, lines, price, small, also = 12, 9.0, 2, 14.0, 6.5, 1
    else:
        margin, name, lines, price, small, also = 10, 7.0, 1, 10.0, 6.0, 1
    width, height = paper.width * DOTS_PER_MM, paper.height * DOTS_PER_MM
    sizes = (name * POINT, lines, price * POINT, small * POINT, also)
    return _Style(width, height, margin, *sizes)


def _with_bars(tag: Tag, style: _Style, bars: Bars, module: int) -> tuple[list[Line], Mark]:
    """Name, prices, bars, and what the bars say below them."""
    x, room = style.margin, style.width - 2 * style.margin
    lines, y = _named(tag.name, style, lines=style.lines)
    priced, y = _priced(tag, style, x=x, y=y, room=room, beside=True)
    also, y = _also(tag.also, style, x=x, y=y, room=room, rows=style.also)
    text, size = fitted(tag.code, room, size=style.small, least=LEAST)
    wide = width_of(text) * size
    below = style.height - style.margin * 0.75
    lines += [*priced, *also, Line(text, (style.width - wide) / 2, below, size, wide)]
    top = int(y + GAP) + 1
    tall = int(below - ASCENT * size - GAP / 2) - top
    mark = standing(bars, module=module, middle=int(style.width) // 2, y=top, height=tall)
    return lines, mark


def _with_square(tag: Tag, style: _Style, square: Square) -> tuple[list[Line], Mark | None]:
    """Name above; the code at the left, prices and the code's text beside it."""
    for rows, share in SQUARE_SHARES:
        lines, y = _named(tag.name, style, lines=min(rows, style.lines))
        room = min(style.height - EDGE - y, share * (style.width - 2 * EDGE))
        module = min(int(room) // square.side, SQUARE_MOST)
        if module >= SQUARE_LEAST:
            break
    side = square.side * module if module >= SQUARE_LEAST else 0
    x = EDGE + side + GAP if side else style.margin
    beside = style.width - style.margin - x
    priced, y = _priced(tag, style, x=x, y=y, room=beside, beside=False)
    bottom = style.height - style.margin * 0.75
    free = int((bottom - y) / (style.small * LEADING))
    also, y = _also(tag.also, style, x=x, y=y, room=beside, rows=min(style.also, free - 1))
    free = max(1, int((bottom - y) / (style.small * LEADING)))
    texts = broken(tag.code, beside / style.small, lines=min(free, 4))
    for row, text in enumerate(reversed(texts)):
        at = bottom - row * style.small * LEADING
        lines.append(Line(text, x, at, style.small, width_of(text) * style.small))
    lines += [*priced, *also]
    if not side:
        return lines, None
    return lines, square.at(EDGE, int(style.height) - EDGE - side, module=module)


def _named(name: str, style: _Style, *, lines: int) -> tuple[list[Line], float]:
    """The lines of a name, and where the next thing begins."""
    y, size = float(style.margin) * 0.75, style.name
    found = []
    for text in broken(name, (style.width - 2 * style.margin) / size, lines=lines):
        found.append(Line(text, style.margin, y + ASCENT * size, size, width_of(text) * size))
        y += LEADING * size
    return found, y


def _priced(
    tag: Tag, style: _Style, *, x: float, y: float, room: float, beside: bool
) -> tuple[list[Line], float]:
    """The price and its unit: beside it, or below where it would take the price's room."""
    if not tag.price:
        return [], y
    unit, unit_size = fitted(
        f"/{tag.per}", room * (UNIT_SHARE if beside else 1), size=style.small, least=LEAST
    )
    unit_wide = width_of(unit) * unit_size
    wide = width_of(tag.price) * style.price
    beside = beside or wide + unit_wide <= room
    left = room - unit_wide if beside else room
    size = min(style.price, left / width_of(tag.price))
    y += GAP
    wide, base = width_of(tag.price) * size, y + ASCENT * style.price
    lines = [Line(tag.price, x, base, size, wide, strong=size >= STRONG_LEAST)]
    y += style.price
    if beside:
        return [*lines, Line(unit, x + wide, base, unit_size, unit_wide)], y
    lines.append(Line(unit, x, y + ASCENT * unit_size, unit_size, unit_wide))
    return lines, y + LEADING * unit_size


def _also(
    also: Sequence[str], style: _Style, *, x: float, y: float, room: float, rows: int
) -> tuple[list[Line], float]:
    """Further prices, a row for each while there are rows, the last row for all the others."""
    if rows < 1 or not also:
        return [], y
    groups = [[one] for one in also] if len(also) <= rows else [[one] for one in also[: rows - 1]]
    if len(also) > rows:
        groups.append(list(also[rows - 1 :]))
    lines = []
    for group in groups:
        text, size = _together(group, room, size=style.small)
        lines.append(Line(text, x, y + ASCENT * style.small, size, width_of(text) * size))
        y += LEADING * style.small
    return lines, y


def _together(texts: Sequence[str], room: float, *, size: float) -> tuple[str, float]:
    """As many of some prices as fit side by side; none is cut in its middle while one fits."""
    whole, size = fitted("  ".join(texts), room, size=size, least=LEAST)
    for count in range(len(texts), 0, -1):
        text = "  ".join(texts[:count]) + ("" if count == len(texts) else f" {MORE}")
        if width_of(text) * size <= room * 1.0001:
            return text, size
    short = cut(whole, room / size)
    amount, _, _ = texts[0].partition("/")
    return (short if short.startswith(f"{amount}/") else MORE), size
