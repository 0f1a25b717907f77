"""Alert lines as they are in effect: the store's own, else the product's, else the category's.

A category that sets none has that of its nearest ancestor. Lines are compared in thousandths of
the base unit, because products of one category may differ in precision.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from attrs import frozen
from sqlalchemy.engine import Connection, Row

from dianku.quantity import LINE_DIGITS

OVERSTOCK_DAYS = 30
"""More than this many days of sales is too much where nobody set a line."""


@frozen
class CategoryLine:
    """A category with the lines that hold in it; `low_stock` in thousandths."""

    id: int
    code: str
    parent_id: int | None
    low_stock: int | None
    overstock_days: int | None


@frozen
class Lines:
    """The lines of one product in one store, in thousandths of the base unit.

    `watched` False: the store said that it does not carry the product, so no line is crossed.
    """

    low_stock: int | None
    max_stock: int | None
    overstock_days: int
    watched: bool = True


@frozen
class ShopLines:
    """The shop's own lines, for products whose category sets none; `low_stock` in thousandths."""

    low_stock: int | None = None
    overstock_days: int = OVERSTOCK_DAYS


def category_lines(connection: Connection) -> dict[int, CategoryLine]:
    """Every category with what it inherits."""
    rows = {
        row.id: row
        for row in connection.execute(
            sa.text("SELECT id, code, parent_id, low_stock, overstock_days FROM category")
        )
    }
    return {
        i: CategoryLine(
            id=i,
            code=row.code,
            parent_id=row.parent_id,
            low_stock=_inherited(row, "low_stock", rows=rows),
            overstock_days=_inherited(row, "overstock_days", rows=rows),
        )
        for i, row in rows.items()
    }


def _inherited(row: Row[Any], name: str, *, rows: dict[int, Row[Any]]) -> int | None:
    here: Row[Any] | None = row
    for _ in range(len(rows)):
        if here is None:
            return None
        value = getattr(here, name)
        if value is not None:
            return int(value)
        here = rows.get(here.parent_id)
    return None


def with_descendants(categories: Iterable[CategoryLine], code: str) -> Sequence[int]:
    """Return the ids of a category and of everything below it; none if there is no such code."""
    listed = list(categories)
    found = {c.id for c in listed if c.code == code}
    while True:
        more = {c.id for c in listed if c.parent_id in found} - found
        if not more:
            return sorted(found)
        found |= more


def lines_of(row: Row[Any], category: CategoryLine | None, shop: ShopLines) -> Lines:
    """Resolve the lines of a row with own_low, own_max, own_days, low_stock, max_stock, ..."""
    scale = 10 ** (LINE_DIGITS - row.precision)

    def thousandths(own: int | None, product: int | None) -> int | None:
        value = own if own is not None else product
        return None if value is None else int(value) * scale

    low = thousandths(row.own_low, row.low_stock)
    if low is None and category is not None:
        low = category.low_stock
    if low is None:
        low = shop.low_stock
    inherited = category.overstock_days if category is not None else None
    days = next(
        (int(d) for d in (row.own_days, row.overstock_days, inherited) if d is not None),
        shop.overstock_days,
    )
    return Lines(
        low_stock=low,
        max_stock=thousandths(row.own_max, row.max_stock),
        overstock_days=days,
        watched=row.carried is None or bool(row.carried),
    )
