"""What sales of the time before cost: without it their margin would be the whole amount.

The file's own cost counts first; then what the catalog says the goods cost, then what they last
cost in that store. A kit or a service costs what its components do. Nothing known counts as
nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.catalog.records import Product
from dianku.catalog.snapshot import CatalogCache, CatalogState
from dianku.exchange.stock_sheet import StockRow
from dianku.ledger.composition import parts_of, recipe_of
from dianku.quantity import cost_of
from dianku.storage.bulk import select_set

COST_DIGITS = 4
_LAST = """
SELECT w.store_id, w.product_id, b.last_cost FROM {rows} AS w
JOIN stock_balance AS b ON b.store_id = w.store_id AND b.product_id = w.product_id
WHERE b.last_cost > 0
"""
_PAIR = (("store_id", "int"), ("product_id", "int"))


@frozen
class KnownCosts:
    """Unit costs in 1/10000: of the catalog, and by (store, product) what was paid last."""

    catalog: CatalogState
    last: Mapping[tuple[int, int], int]

    def of_row(self, one: StockRow, steps: int) -> int:
        """What a row's steps cost in 1/10000, below zero for goods that came back."""
        product, store = one.product, one.store
        if product is None or store is None:
            return 0
        said = one.values.get("cost")
        if isinstance(said, Decimal):
            return cost_of(steps, int(said.scaleb(COST_DIGITS)), product.precision)
        if product.stocked or product.cost is not None:
            return self._of(product, steps, store.id)
        sign = -1 if steps < 0 else 1
        parts = parts_of(product, abs(steps), recipe_of(product, self.catalog), self.catalog)
        return sign * sum(self._of(part, amount, store.id) for part, amount in parts)

    def _of(self, product: Product, steps: int, store_id: int) -> int:
        unit = product.cost
        if unit is None:
            unit = self.last.get((store_id, product.id), 0)
        return cost_of(steps, unit, product.precision)


def known_costs(
    connection: Connection, cache: CatalogCache, rows: Collection[StockRow]
) -> KnownCosts:
    """Read what is known of the cost of the rows' goods."""
    cache.refresh(connection)
    products = {one.product.id: one.product for one in rows if one.product is not None}
    state = cache.ensure(connection, ids=products)
    stores = {one.store.id for one in rows if one.store is not None}
    ids = set(products)
    for product in products.values():
        ids |= {part for part, _ in recipe_of(product, state)}
    pairs = sorted((store, product) for store in stores for product in ids)
    found = select_set(connection, _LAST, columns=_PAIR, rows=pairs)
    return KnownCosts(state, {(r.store_id, r.product_id): r.last_cost for r in found})
