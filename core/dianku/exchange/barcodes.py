"""Barcodes of a cell: one or several, and zeros that a spreadsheet dropped, put back if proved.

A GTIN's last figure proves the others. So 11 figures that check are a UPC without its zero, and a
long run of figures is several codes only if every one of them checks. Everything else is kept as
written: shops stick codes of their own on goods.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import frozen

from dianku.catalog.codes import has_check_digit
from dianku.exchange.cells import CellRefused, code_of
from dianku.exchange.reading import Raw

CODE_MAX = 128
_SURE = re.compile(r"[,，;；、\r\n\t]+")
_MAYBE = re.compile(r"[/|\\\s]+")
_SIZES = (13, 12, 8, 14)


@frozen
class Codes:
    """The codes of a cell, and what was done to it: `zeros_restored`, `codes_split`, or None."""

    codes: tuple[str, ...]
    mended: str | None = None


def is_gtin(code: str) -> bool:
    """Whether a code has a GTIN's length and its check digit."""
    return len(code) in {8, 12, 13, 14} and has_check_digit(code)


def codes_of(raw: Raw, *, mend_text: bool) -> Codes:
    """The barcodes in a cell.

    `mend_text`: also text that lost its zeros is mended, as in a CSV that went through a
    spreadsheet; say so only for a column that is mostly GTINs.

    Raises:
        CellRefused: `figures_lost`, `too_long`.
    """
    text = raw.strip() if isinstance(raw, str) else raw
    parts = _split(text) if isinstance(text, str) else [text]
    found: list[str] = []
    mended = "codes_split" if len(parts) > 1 else None
    for part in parts:
        code = code_of(part)
        if code is None:
            continue
        for one in _apart(code):
            whole = zeros_restored(one) if mend_text or not isinstance(raw, str) else one
            if whole != one:
                mended = "zeros_restored"
            if len(whole) > CODE_MAX:
                raise CellRefused("too_long", max=CODE_MAX)
            found.append(whole)
    if len(found) > 1 and mended is None:
        mended = "codes_split"
    return Codes(tuple(dict.fromkeys(found)), mended)


def _split(text: str) -> list[str]:
    parts = [part.strip() for part in _SURE.split(text) if part.strip()]
    if len(parts) != 1:
        return parts
    parts = [part for part in _MAYBE.split(text) if part]
    if len(parts) > 1 and all(part.isascii() and part.isdigit() for part in parts):
        if all(len(part) >= 8 for part in parts):
            return parts
        joined = "".join(parts)
        if is_gtin(joined):  # printed in groups: 6 901234 567892
            return [joined]
    return [text]


def _apart(code: str) -> Sequence[str]:
    """Codes run together without anything between, where each of them checks."""
    if len(code) < 16 or not (code.isascii() and code.isdigit()):
        return (code,)
    for size in _SIZES:
        if len(code) % size == 0:
            parts = [code[i : i + size] for i in range(0, len(code), size)]
            if all(is_gtin(part) for part in parts):
                return parts
    return (code,)


def zeros_restored(code: str) -> str:
    """A code with the zeros a spreadsheet dropped, where its check digit proves them."""
    if not (code.isascii() and code.isdigit()) or not has_check_digit(code):
        return code
    if len(code) in {10, 11}:
        return code.zfill(12)
    if len(code) == 7:
        return code.zfill(8)
    return code
