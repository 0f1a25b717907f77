"""What a store has of a product at this moment, for the answer to a scan.

Holds that are due and lots past their date are left out whether or not anything was posted since.
A kit or service has as much as its scarcest component allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Protocol

from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.catalog.records import Product, Store
from dianku.clock import local_day
from dianku.storage.bulk import select_set

_LEVELS = """
SELECT b.product_id, b.on_hand,
    b.reserved - COALESCE((
        SELECT SUM(h.quantity) FROM reservation_hold AS h
        WHERE h.product_id = b.product_id AND h.store_id = b.store_id
            AND h.active AND h.expires_at <= :now_ms), 0) AS reserved,
    COALESCE((
        SELECT SUM(q.quantity) FROM lot_balance AS q JOIN lot AS l ON l.id = q.lot_id
        WHERE q.store_id = b.store_id AND q.product_id = b.product_id
            AND l.expires_on > 0 AND l.expires_on < :today), 0) AS expired
FROM {rows} AS w CROSS JOIN stock_balance AS b
WHERE b.product_id = w.id AND b.store_id = :store_id
"""
# CROSS JOIN keeps SQLite to this order: left to choose, it reads every balance of the store.


@frozen
class Level:
    """Stock of one product in one store, in steps."""

    on_hand: int = 0
    reserved: int = 0
    expired: int = 0

    @property
    def available(self) -> int:
        """What may be promised."""
        return self.on_hand - self.reserved - self.expired


class Products(Protocol):
    """Where products are found by id."""

    def product(self, product_id: int) -> Product:
        """A product that is loaded."""
        ...


def levels_of(
    connection: Connection,
    catalog: Products,
    products: Iterable[Product],
    store: Store,
    *,
    now_ms: int,
) -> dict[int, Level | None]:
    """Levels by product id; None for a service that takes nothing."""
    needs = {p.id: _needs(catalog, p) for p in products}
    stocked = {part for need in needs.values() for part in need}
    rows = select_set(
        connection,
        _LEVELS,
        columns=(("id", "int"),),
        rows=[(product_id,) for product_id in sorted(stocked)],
        store_id=store.id,
        now_ms=now_ms,
        today=local_day(now_ms, store.timezone),
    )
    found = {r.product_id: Level(r.on_hand, int(r.reserved), int(r.expired)) for r in rows}
    return {
        product_id: _level(catalog.product(product_id), need, found)
        for product_id, need in needs.items()
    }


def _needs(catalog: Products, product: Product) -> dict[int, Fraction]:
    """Steps of each stocked product that one step of this one takes; itself if it is stocked."""
    needs: dict[int, Fraction] = {}
    waiting = [(product, Fraction(1))]
    while waiting:
        current, steps = waiting.pop()
        if current.stocked:
            needs[current.id] = needs.get(current.id, Fraction(0)) + steps
            continue
        for part_id, quantity in current.components:
            share = Fraction(quantity, 10**current.precision)
            waiting.append((catalog.product(part_id), steps * share))
    return needs


def _level(
    product: Product, needs: Mapping[int, Fraction], found: Mapping[int, Level]
) -> Level | None:
    if product.stocked:
        return found.get(product.id, Level())
    if not needs:
        return None
    on_hand = min(found.get(i, Level()).on_hand // need for i, need in needs.items())
    available = min(found.get(i, Level()).available // need for i, need in needs.items())
    return Level(on_hand=on_hand, reserved=on_hand - available)
