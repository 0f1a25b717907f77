"""From rows to changes of the catalog: only what a file says, and only where that is new.

A cell that says what the catalog has, but for blanks and width that a spreadsheet cannot be
trusted with, changes nothing: so an export imported again is no change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from attrs import frozen
from msgspec import UNSET
from sqlalchemy.engine import Connection

from dianku.catalog.product_rows import ProductRow as Present
from dianku.catalog.requests import (
    Display,
    NewBarcode,
    NewComponent,
    OpenPrice,
    ProductPatch,
)
from dianku.catalog.upsert import ProductChange
from dianku.exchange.cells import text_of
from dianku.exchange.product_sheet import ProductRow, forms, precision_of
from dianku.quantity import format_amount
from dianku.storage.bulk import select_set

UNIT = "件"
"""The unit of goods whose file names none."""
_PLAIN = (
    "price",
    "cost",
    "track_lots",
    "shelf_life_days",
    "low_stock",
    "overstock_days",
    "max_stock",
    "composition",
)
_BEARERS = """
SELECT b.code, p.sku, p.name, p.archived_at FROM {rows} AS w
JOIN barcode AS b ON b.code = w.code JOIN product AS p ON p.id = b.product_id
ORDER BY p.id
"""
_CODE = (("code", "text"),)


def bearers_of(connection: Connection, codes: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """(sku, name) of the products that bear each code; archived ones only where no other does."""
    live: dict[str, list[tuple[str, str]]] = {}
    archived: dict[str, list[tuple[str, str]]] = {}
    rows = [(code,) for code in dict.fromkeys(codes)]
    for row in select_set(connection, _BEARERS, columns=_CODE, rows=rows):
        into = live if row.archived_at is None else archived
        into.setdefault(row.code, []).append((row.sku, row.name))
    return archived | live


def skus_among(connection: Connection, texts: Iterable[str]) -> frozenset[str]:
    """Those texts that are skus of the catalog exactly as they stand."""
    rows = select_set(
        connection,
        "SELECT p.sku FROM {rows} AS w JOIN product AS p ON p.sku = w.code",
        columns=_CODE,
        rows=[(text,) for text in dict.fromkeys(texts)],
    )
    return frozenset(row.sku for row in rows)


class Categories:
    """The shop's categories by code and by name, and what a file adds to them."""

    def __init__(self, connection: Connection) -> None:
        rows = connection.exec_driver_sql("SELECT code, name FROM category ORDER BY id").all()
        self.codes = {row.code for row in rows}
        self._by_name: dict[str, list[str]] = {}
        for row in rows:
            self._by_name.setdefault(text_of(row.name) or "", []).append(row.code)

    def code_for(self, values: Mapping[str, Any], *, present: str | None) -> str | None:
        """The code a row means. Of several of one name the product's own wins, else the first.

        A name nobody has is a new category; it becomes its own code.
        """
        code: str | None = values.get("category_code")
        if code is not None:
            return code
        name: str | None = values.get("category")
        if name is None or name in self.codes:
            return name
        named = self._by_name.get(name, [])
        if named:
            return present if present in named else named[0]
        plain = name.translate(str.maketrans("/?#", "-- ")).strip()[:64].strip()
        return plain or None


@frozen
class Writing:
    """A product row on its way into the catalog."""

    source: ProductRow
    change: ProductChange


def change_for(one: ProductRow, *, present: Present | None, categories: Categories) -> Writing:
    """What a row changes: of a product that is there, only what differs."""
    values = one.values
    patch: dict[str, Any] = {name: values[name] for name in _PLAIN if name in values}
    for name in ("name", "spec", "unit", "family"):
        if name in values and not _same_text(present, name, values[name]):
            patch[name] = values[name]
    category = categories.code_for(values, present=present.category if present else None)
    if category is not None:
        patch["category"] = category
    if "precision" in values or present is None:
        patch["precision"] = precision_of(values) or 0
    if "display_unit" in values or "display_factor" in values:
        _put_display(patch, one, present=present)
    if "open_price_min" in values or "open_price_max" in values:
        patch["open_price"] = _open_price(values, present=present)
    packs = _packs(one, present=present)
    if packs is not None:
        patch["barcodes"] = packs
    if "components" in values:
        patch["components"] = [
            NewComponent(sku=sku, quantity=quantity) for sku, quantity in values["components"]
        ]
    if present is None:
        patch.setdefault("unit", UNIT)
        if "name" not in patch:
            one.row.wrong("name", "missing")
    return Writing(one, ProductChange(one.sku or "", ProductPatch(**patch)))


def _same_text(present: Present | None, name: str, text: str) -> bool:
    return present is not None and text_of(getattr(present, name)) == text


def _put_display(patch: dict[str, Any], one: ProductRow, *, present: Present | None) -> None:
    unit = one.values.get("display_unit") or (present.display_unit if present else None)
    factor = one.values.get("display_factor") or (present.display_factor if present else None)
    if unit is None or factor is None:
        one.row.wrong("display_factor" if factor is None else "display_unit", "missing")
        return
    if present is not None and (text_of(present.display_unit), present.display_factor) == (
        text_of(unit),
        factor,
    ):
        return
    patch["display"] = Display(unit=unit, factor=factor)


def _open_price(values: Mapping[str, Any], *, present: Present | None) -> OpenPrice:
    """The bounds a row names; of those it leaves empty, what is there."""
    bounds: dict[str, Any] = {}
    for end in ("min", "max"):
        name = f"open_price_{end}"
        there = getattr(present, name) if present is not None else None
        kept = Decimal(format_amount(there)) if there is not None else None
        bounds[end] = values.get(name, kept)
    return OpenPrice(**bounds)


def _packs(one: ProductRow, *, present: Present | None) -> list[NewBarcode] | None:
    """The whole list of codes, where a row changes it: a column of single codes only adds."""
    listed = one.values.get("barcodes")
    if listed is not None:
        new = [NewBarcode(code=c) for c in one.codes]
        new += [NewBarcode(code=c, factor=f, price=price) for c, f, price in listed]
        return new
    if not one.codes:
        return None
    there = present.packs if present is not None else ()
    known = {form for pack in there for form in forms(pack.code)}
    added: list[str] = []
    for code in one.codes:
        if code not in known:
            added.append(code)
            known.update(forms(code))
    if not added:
        return None
    kept = [NewBarcode(code=p.code, factor=p.factor, price=_decimal(p.price)) for p in there]
    return [*kept, *(NewBarcode(code=code) for code in added)]


def _decimal(price: int | None) -> Decimal | None:
    return None if price is None else Decimal(format_amount(price))


def encode_patch(patch: ProductPatch) -> str:
    """A patch as JSON, without what it leaves out."""
    given = {
        name: value
        for name in patch.__struct_fields__
        if (value := getattr(patch, name)) is not UNSET
    }
    return msgspec.json.encode(given).decode()


def decode_patch(text: str) -> ProductPatch:
    """A patch that was kept as JSON."""
    return msgspec.json.decode(text, type=ProductPatch)


def new_categories(writings: Sequence[Writing], categories: Categories) -> list[str]:
    """Codes of categories that the changes need and that are not there."""
    wanted = (w.change.patch.category for w in writings)
    return list(
        dict.fromkeys(c for c in wanted if isinstance(c, str) and c not in categories.codes)
    )
