"""Lines of text on a label: as long as there is room for, and never longer.

Widths are those of the typeface that the PDF carries. The page is told the same widths, so that
whatever font a device has, a line takes the room it was given.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from attrs import frozen

from dianku_console.labels.typeface import typeface

MORE = "…"
_JOINER = "\N{ZERO WIDTH JOINER}"
_TONES = range(0x1F3FB, 0x1F400)
"""Colours of skin, which are no sign of their own."""
_WITHOUT_WIDTH = frozenset({"Mn", "Me", "Cf", "Cc"})


@frozen
class Line:
    """One line: where its baseline begins, the size of an em, how wide it is; all in dots."""

    text: str
    x: float
    y: float
    size: float
    width: float
    strong: bool = False


def width_of(text: str) -> float:
    """How wide a text is, in em."""
    return sum(_width(one) for one in _clusters(text))


def fitted(text: str, room: float, *, size: float, least: float) -> tuple[str, float]:
    """A text and the size it is set in: smaller where it is too long, down to `least`, then cut."""
    wide = width_of(text)
    if wide * size <= room:
        return text, size
    if wide * least <= room:
        return text, room / wide
    return cut(text, room / least), least


def cut(text: str, room: float) -> str:
    """A text of at most `room` em; what is left out is told by `…`."""
    if width_of(text) <= room:
        return text
    room -= width_of(MORE)
    kept, used = "", 0.0
    for one in _clusters(text):
        used += _width(one)
        if used > room:
            break
        kept += one
    return kept.rstrip() + MORE


def broken(text: str, room: float, *, lines: int) -> list[str]:
    """A text as lines of at most `room` em, broken at a space where there is one near the end."""
    found: list[str] = []
    left = unicodedata.normalize("NFC", text).strip()
    while left and len(found) < lines - 1:
        kept = _that_fits(left, room)
        if kept == len(left):
            break
        space = left.rfind(" ", kept // 2, kept + 1)
        end = space if space > 0 else kept
        found.append(left[:end].rstrip())
        left = left[end:].lstrip()
    return [*found, cut(left, room)] if left else found


def shown(text: str) -> Iterator[str]:
    """The signs of a text that are drawn: of several joined to one picture, the first."""
    return (one[0] for one in _clusters(text) if visible(one[0]))


def unknown(text: str) -> Sequence[str]:
    """The signs of a text that the typeface has no picture of, each once."""
    known = typeface()
    return list(dict.fromkeys(one for one in shown(text) if not known.has(one)))


def visible(sign: str) -> bool:
    """Whether a sign takes room: marks that join, turn or stand above others do not."""
    return unicodedata.category(sign) not in _WITHOUT_WIDTH and ord(sign) not in _TONES


def _that_fits(text: str, room: float) -> int:
    """How many signs of a text fit, one at least."""
    end, used = 0, 0.0
    for one in _clusters(text):
        used += _width(one)
        if used > room and end:
            break
        end += len(one)
    return end


def _width(cluster: str) -> float:
    return typeface().width(cluster[0]) if visible(cluster[0]) else 0.0


def _clusters(text: str) -> Iterator[str]:
    """Signs with what belongs to them, which no line may part: accents, joined emoji."""
    cluster = ""
    for sign in text:
        if cluster and visible(sign) and not cluster.endswith(_JOINER):
            yield cluster
            cluster = ""
        cluster += sign
    if cluster:
        yield cluster
