"""Levels of the past: today's balance less everything that changed since.

At the end of a business date, that is `daily_summary` after it; at an instant, the moves after
it, in the order in which goods moved (`occurred_at`), not in which they were noted. Nothing
cumulative is stored, so a late entry corrects every past level by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy.engine import Connection, Row

from dianku.ledger.flows import Bucket
from dianku.ledger.levels import Level
from dianku.ledger.queries_scope import Point
from dianku.ledger.queries_sold import Pair
from dianku.storage.bulk import select_set

_PAIR = (("store_id", "int"), ("product_id", "int"))
_SINCE_DAY = """
WITH RECURSIVE ahead(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM ahead WHERE n < :days)
SELECT w.store_id, w.product_id, d.bucket,
       SUM(d.quantity) AS quantity, SUM(d.value) AS value
FROM {rows} AS w CROSS JOIN ahead
JOIN daily_summary AS d ON d.business_date = :day + ahead.n
     AND d.store_id = w.store_id AND d.product_id = w.product_id
GROUP BY w.store_id, w.product_id, d.bucket
"""
_SINCE_MOMENT = """
SELECT w.store_id, w.product_id, m.bucket,
       SUM(m.quantity) AS quantity, SUM(m.value) AS value
FROM {rows} AS w
JOIN stock_move AS m ON m.product_id = w.product_id AND m.store_id = w.store_id
     AND m.occurred_at > :at
GROUP BY w.store_id, w.product_id, m.bucket
"""
_FIELDS: Mapping[int, str] = {
    Bucket.SELLABLE: "on_hand",
    Bucket.DAMAGED: "damaged",
    Bucket.KEPT: "kept",
    Bucket.IN_TRANSIT: "in_transit",
}


def levels_at(
    connection: Connection, now: Mapping[Pair, Level], *, point: Point, last_day: int
) -> dict[Pair, Level]:
    """Wind levels back to the end of a date, or to just after an instant.

    `last_day` is the latest business date anything can be on. What was promised or expired then
    is not known any more: both are zero.
    """
    changed: dict[Pair, list[Row[Any]]] = {}
    for row in _since(connection, sorted(now), point=point, last_day=last_day):
        changed.setdefault((row.store_id, row.product_id), []).append(row)
    return {pair: _wound_back(level, changed.get(pair, ())) for pair, level in now.items()}


def _since(
    connection: Connection, pairs: Sequence[Pair], *, point: Point, last_day: int
) -> Sequence[Row[Any]]:
    if point.day is None:
        return select_set(connection, _SINCE_MOMENT, columns=_PAIR, rows=pairs, at=point.at_ms)
    days = last_day - point.day
    if days <= 0:
        return []
    return select_set(connection, _SINCE_DAY, columns=_PAIR, rows=pairs, day=point.day, days=days)


def _wound_back(level: Level, rows: Sequence[Row[Any]]) -> Level:
    changes: dict[str, Any] = {"reserved": 0, "expired": 0}
    for row in rows:
        name = _FIELDS[row.bucket]
        changes[name] = getattr(level, name) - int(row.quantity)
        if row.bucket == Bucket.SELLABLE:
            changes["value"] = level.value - int(row.value)
    return attrs.evolve(level, **changes)
