"""One data row as the import understands it: its cells cleaned, and what is wrong with each."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from attrs import define, field

from dianku.exchange.cells import (
    FORMULA_ERRORS,
    CellRefused,
    code_of,
    number_of,
    shown,
    text_of,
    without_unit,
)
from dianku.exchange.layout import Table
from dianku.exchange.reading import Raw, is_empty
from dianku.exchange.records import CellRemark

T = TypeVar("T")
VALUE_SHOWN = 80
SKU_MAX = 64
CODES = ("sku", "barcode", "barcodes", "platform_id")
"""Fields by which goods are known without their name."""
_SKU = re.compile(r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f]$")
_ESCAPED = re.compile(r"^'+[=+\-@\t\r＝＋－＠]")


@define
class Row:
    """A row, read cell by cell; every wrong cell is noted and the next is read all the same."""

    table: Table
    number: int
    cells: Sequence[Raw]
    escaped: bool = False
    errors: list[CellRemark] = field(factory=list)
    notes: list[CellRemark] = field(factory=list)

    def raw(self, name: str) -> Raw:
        """The cell of a field, without the apostrophe that an export put before a formula."""
        cell = self.table.cell(name, self.cells)
        if self.escaped and isinstance(cell, str) and _ESCAPED.match(cell):
            return cell[1:]
        return cell

    def read(self, name: str, clean: Callable[[Raw], T | None]) -> T | None:
        """The cleaned cell; None where it is empty or wrong (which is noted)."""
        raw = self.raw(name)
        if is_empty(raw):
            return None
        if isinstance(raw, str) and raw.strip() in FORMULA_ERRORS:
            self.wrong(name, "formula_error")
            return None
        try:
            return clean(self._bare(name, raw))
        except CellRefused as refused:
            self.wrong(name, refused.code, **refused.params)
            return None

    def _bare(self, name: str, raw: Raw) -> Raw:
        """A figure without the unit the row says beside it: "12瓶", "3.50元/瓶"."""
        column = self.table.by_field.get(name)
        if column is None or column.field is None or column.field.shape != "number":
            return raw
        unit = self.raw("unit")
        return without_unit(raw, unit) if isinstance(unit, str) else raw

    def text(self, name: str, *, longest: int) -> str | None:
        """Text of at most `longest` characters."""
        found = self.read(name, text_of)
        if found is not None and len(found) > longest:
            self.wrong(name, "too_long", max=longest)
            return None
        return found

    def amount(self, name: str, *, digits: int) -> Decimal | None:
        """A number that is not negative, rounded half up where it has more decimals (noted)."""
        found = self.read(name, number_of)
        if found is None:
            return None
        if found < 0:
            self.wrong(name, "too_small", min=0)
            return None
        if found.adjusted() > 9:
            self.wrong(name, "too_large", max="9999999999")
            return None
        return self._rounded(name, found, digits=digits)

    def _rounded(self, name: str, number: Decimal, *, digits: int) -> Decimal:
        exponent = number.as_tuple().exponent
        if not isinstance(exponent, int) or -exponent <= digits:
            return number
        step = Decimal(1).scaleb(-digits)
        rounded = number.quantize(step, rounding="ROUND_HALF_UP")
        if rounded != number:
            self.note(name, "rounded", digits=digits, to=str(rounded))
        return rounded

    def sku(self, name: str, *, known: Container[str] = ()) -> str | None:
        """A code as a sku; one that is `known` as it stands is not cleaned."""
        raw = self.raw(name)
        if isinstance(raw, str) and raw in known:
            return raw
        found = self.read(name, code_of)
        if found is None:
            return None
        if len(found) > SKU_MAX:
            self.wrong(name, "too_long", max=SKU_MAX)
            return None
        if not is_sku(found):
            self.wrong(name, "bad_code")
            return None
        return found

    @property
    def has_code(self) -> bool:
        """Whether any of its cells is to say a code, right or wrong."""
        return any(not is_empty(self.raw(name)) for name in CODES)

    def wrong(self, name: str | None, code: str, /, **params: Any) -> None:
        """Note a wrong cell (or, without a name, a wrong row)."""
        self.errors.append(self._remark(name, code, params))

    def note(self, name: str | None, code: str, /, **params: Any) -> None:
        """Note something that was done to a cell, or left aside."""
        self.notes.append(self._remark(name, code, params))

    def _remark(self, name: str | None, code: str, params: dict[str, Any]) -> CellRemark:
        column = self.table.by_field.get(name) if name is not None else None
        value = shown(self.raw(name))[:VALUE_SHOWN] if name is not None and column else None
        return CellRemark(
            row=self.number,
            column=column.heading if column is not None else name,
            value=value,
            code=code,
            params=params,
            sheet=self.table.sheet.name or None,
            field=name,
        )


def is_sku(code: str) -> bool:
    """Whether a code can be a sku."""
    return len(code) <= SKU_MAX and _SKU.match(code) is not None
