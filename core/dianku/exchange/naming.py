"""Lists that name goods and give no codes: products found by their name, or given a code.

Only a file that has no code at all is read so; where others have theirs, a missing one is a slip
and an error. A name stands for a product if exactly one bears it (with that spec, if one is said).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.exchange.cells import fold
from dianku.exchange.product_sheet import ProductRow
from dianku.exchange.rows import Row
from dianku.exchange.stock_sheet import StockRow

PREFIX = "P"
FIGURES = 5
_MADE = re.compile(rf"^{PREFIX}(\d{{{FIGURES},12}})$")
_LIVING = "SELECT sku, name, spec FROM product WHERE archived_at IS NULL ORDER BY id"
_TAKEN = f"SELECT sku FROM product WHERE substr(sku, 1, 1) = '{PREFIX}'"


@frozen
class Named:
    """Products by folded name, as (sku, folded spec); `last`: the highest number given so far."""

    by_name: dict[str, list[tuple[str, str]]]
    last: int

    def bearers(self, name: str, spec: str) -> list[str]:
        """Skus of the products of a name; of one spec where that is said."""
        found = self.by_name.get(fold(name), [])
        if spec:
            found = [(sku, s) for sku, s in found if s == fold(spec)]
        return [sku for sku, _ in found]


def named_products(connection: Connection) -> Named:
    """Every living product by its name."""
    by_name: dict[str, list[tuple[str, str]]] = {}
    for row in connection.exec_driver_sql(_LIVING):
        by_name.setdefault(fold(row.name), []).append((row.sku, fold(row.spec or "")))
    taken = (_MADE.match(sku) for sku in connection.exec_driver_sql(_TAKEN).scalars())
    return Named(by_name, max((int(found[1]) for found in taken if found), default=0))


def name_without_codes(rows: Iterable[ProductRow], named: Named) -> None:
    """Settle rows of products by their names; a new name gets the next free code (noted)."""
    last = named.last
    made: dict[tuple[str, str], str] = {}
    for one in rows:
        name, spec = one.values.get("name", ""), one.values.get("spec", "")
        if one.failed or not name:
            continue
        key = (fold(name), fold(spec))
        found = named.bearers(name, spec)
        if len(found) > 1:
            _several(one.row, found)
        elif found:
            one.given = found[0]
        elif key in made:
            one.given = made[key]
        else:
            last += 1
            one.given = made[key] = f"{PREFIX}{last:0{FIGURES}}"
            one.minted = True
            one.row.note("name", "sku_made", sku=one.given)


def find_by_name(rows: Iterable[StockRow], named: Named) -> None:
    """Settle rows of stock by the name of their goods."""
    for one in rows:
        name = str(one.values.get("name", ""))
        if one.failed or not name:
            continue
        found = named.bearers(name, str(one.values.get("spec", "")))
        if len(found) == 1:
            one.given = found[0]
        elif found:
            _several(one.row, found)
        else:
            one.row.wrong("name", "unknown_product", name=name)


def _several(row: Row, skus: Sequence[str]) -> None:
    row.wrong("name", "ambiguous_name", skus=", ".join(skus[:5]))
