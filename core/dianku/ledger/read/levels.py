"""What stores hold right now: balances with the holds that are due and the lots that expired.

`stock_balance` is kept in the posting transaction, so between two postings its `reserved` may
still count a hold that has run out, and its `expired` know nothing of last midnight. Everything
that is answered goes through `levels`, which leaves due holds out and compares lots with the
calendar date in the store's own zone, whether or not anything was posted since.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.clock import local_day
from dianku.storage.bulk import select_set

_LEVELS = """
SELECT b.*, s.code AS store, p.sku, p.precision,
       COALESCE((SELECT SUM(h.quantity) FROM reservation_hold AS h
                 WHERE h.product_id = b.product_id AND h.store_id = b.store_id
                   AND h.active AND h.expires_at <= :now), 0) AS due,
       COALESCE((SELECT SUM(lb.quantity) FROM lot_balance AS lb JOIN lot AS l ON l.id = lb.lot_id
                 WHERE lb.store_id = b.store_id AND lb.product_id = b.product_id
                   AND l.expires_on > 0 AND l.expires_on < w.today), 0) AS expired_today
FROM {rows} AS w
JOIN stock_balance AS b ON b.store_id = w.store_id AND b.product_id = w.product_id
JOIN store AS s ON s.id = w.store_id
JOIN product AS p ON p.id = w.product_id
"""


@frozen
class Level:
    """What one store holds of one product, quantities in steps, values in 1/10000.

    `reserved` is without holds already due, `expired` as of today in the store's zone.
    """

    store_id: int
    product_id: int
    store: str
    sku: str
    precision: int
    on_hand: int = 0
    reserved: int = 0
    expired: int = 0
    damaged: int = 0
    kept: int = 0
    in_transit: int = 0
    value: int = 0

    @property
    def available(self) -> int:
        """What may be promised or sold strictly; below zero after permissive sales."""
        return self.on_hand - self.reserved - self.expired


def levels(
    connection: Connection, pairs: Iterable[tuple[int, int]], *, now_ms: int
) -> dict[tuple[int, int], Level]:
    """Levels by (store id, product id), in one statement.

    Pairs that never had a balance are left out.
    """
    wanted = sorted(set(pairs))
    if not wanted:
        return {}
    today = {
        row.id: local_day(now_ms, row.timezone)
        for row in connection.execute(sa.text("SELECT id, timezone FROM store"))
    }
    rows = select_set(
        connection,
        _LEVELS,
        columns=(("store_id", "int"), ("product_id", "int"), ("today", "int")),
        rows=[(s, p, today[s]) for s, p in wanted if s in today],
        now=now_ms,
    )
    return {
        (row.store_id, row.product_id): Level(
            store_id=row.store_id,
            product_id=row.product_id,
            store=row.store,
            sku=row.sku,
            precision=row.precision,
            on_hand=row.on_hand,
            reserved=row.reserved - int(row.due),
            expired=int(row.expired_today),
            damaged=row.damaged,
            kept=row.kept,
            in_transit=row.in_transit,
            value=row.value,
        )
        for row in rows
    }
