"""Differences of the books the way a person reads them: quantities and money as decimals.

The ledger's own record of a difference holds its integers, which is what a machine compares;
here each figure gets the unit its name stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import structs

from dianku.catalog.tables import product
from dianku.ledger.verify.verification import Difference
from dianku.quantity import format_amount, format_cost, format_quantity
from dianku.storage.engine import Database

_AMOUNTS = frozenset({"amount", "returned_amount"})
_COUNTS = frozenset(
    {
        *("documents", "document", "lines", "line", "rows"),
        *("moved", "counted_at", "occurred_at", "recorded_at"),
    }
)


def readable(database: Database, differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """Each difference as a row of a table; a product that is not there counts in whole steps."""
    skus = sorted({found.product for found in differences if found.product is not None})
    query = sa.select(product.c.sku, product.c.precision).where(product.c.sku.in_(skus))
    with database.reading() as connection:
        steps = {row.sku: row.precision for row in connection.execute(query)}
    return [_row(found, steps.get(found.product or "", 0)) for found in differences]


def _row(found: Difference, precision: int) -> dict[str, Any]:
    return structs.asdict(found) | {
        "expected": _text(found.figure, found.expected, precision),
        "found": _text(found.figure, found.found, precision),
    }


def _text(figure: str, number: int, precision: int) -> str:
    if figure in _AMOUNTS:
        return format_amount(number)
    if "value" in figure or "cost" in figure:
        return format_cost(number)
    return format_quantity(number, 0 if figure in _COUNTS else precision)
