r"""Lists inside one cell: all barcodes of a product, all its components, and back again exactly.

`6901234567892; 16901234567899*12@240.00`: codes, each with the base units of its pack and the
pack's own price where it has them. `SUGAR*0.250; EGG*2`: components and how much of each. The
four marks `; * @ \` inside a code are written with a backslash before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from dianku.exchange.cells import CellRefused

_SPECIAL = re.compile(r"[\\;*@]")
_TOKEN = re.compile(r"\\(.)|([;*@])|([^\\;*@]+)", re.DOTALL)
_NUMBER = re.compile(r"^\d{1,12}(?:\.\d{1,4})?$")


def join_packs(packs: Iterable[tuple[str, int, str | None]]) -> str:
    """Write (code, factor, price or None) as one text."""
    parts = []
    for code, factor, price in packs:
        text = _escaped(code)
        if factor != 1:
            text += f"*{factor}"
        if price is not None:
            text += f"@{price}"
        parts.append(text)
    return "; ".join(parts)


def join_components(components: Iterable[tuple[str, str]]) -> str:
    """Write (sku, quantity) as one text."""
    return "; ".join(f"{_escaped(sku)}*{quantity}" for sku, quantity in components)


def split_packs(text: str) -> list[tuple[str, int, Decimal | None]]:
    """Read what `join_packs` wrote. Raises `CellRefused` with `not_a_list`."""
    packs = []
    for code, values in _entries(text):
        factor, price = values.get("*", "1"), values.get("@")
        if not factor.isascii() or not factor.isdigit() or not 1 <= int(factor) <= 1_000_000:
            raise CellRefused("not_a_list")
        if price is not None and not _NUMBER.match(price):
            raise CellRefused("not_a_list")
        packs.append((code, int(factor), Decimal(price) if price is not None else None))
    return packs


def split_components(text: str) -> list[tuple[str, Decimal]]:
    """Read what `join_components` wrote. Raises `CellRefused` with `not_a_list`."""
    components = []
    for sku, values in _entries(text):
        quantity = values.get("*", "1")
        if "@" in values or not _NUMBER.match(quantity):
            raise CellRefused("not_a_list")
        components.append((sku, Decimal(quantity)))
    return components


def _escaped(code: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", code)


def _entries(text: str) -> list[tuple[str, dict[str, str]]]:
    entries: list[tuple[str, dict[str, str]]] = []
    parts: dict[str, str] = {"": ""}
    mark = ""
    for escaped, special, plain in _TOKEN.findall(text):
        if special == ";":
            _close(entries, parts)
            parts, mark = {"": ""}, ""
        elif special:
            if special in parts:
                raise CellRefused("not_a_list")
            mark = special
            parts[mark] = ""
        else:
            parts[mark] += escaped or plain
    _close(entries, parts)
    return entries


def _close(entries: list[tuple[str, dict[str, str]]], parts: dict[str, str]) -> None:
    # One blank after the semicolon is the list's; any other belongs to the code.
    code = parts[""][1:] if entries and parts[""].startswith(" ") else parts[""]
    values = {mark: value.strip() for mark, value in parts.items() if mark}
    if not code.strip():
        if values or entries:
            raise CellRefused("not_a_list")
        return
    entries.append((code, values))
