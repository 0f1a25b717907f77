"""Levels of the past: today's balance less everything that changed since.

At the end of a business date, that is `daily_summary` after it; at an instant, the same and the
moves of its own date after it, in the order in which goods moved, not in which they were noted.
Nothing cumulative is stored, so a late entry corrects every past level by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from attrs import frozen
from sqlalchemy.engine import Connection, Row

from dianku.catalog.records import Store
from dianku.ledger.flows import Bucket
from dianku.ledger.read.levels import Level
from dianku.ledger.read.scope import Point, today
from dianku.ledger.read.sold import Pair
from dianku.storage.bulk import select_set

_COLUMNS = (("store_id", "int"), ("product_id", "int"), ("day", "int"))
_SINCE_DAY = """
WITH RECURSIVE w AS MATERIALIZED {rows},
ahead(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM ahead WHERE n < :days)
SELECT w.store_id, w.product_id, d.bucket,
       SUM(d.quantity) AS quantity, SUM(d.value) AS value
FROM ahead CROSS JOIN w
JOIN daily_summary AS d ON d.business_date = w.day + ahead.n
     AND d.store_id = w.store_id AND d.product_id = w.product_id
GROUP BY w.store_id, w.product_id, d.bucket
"""
# What lies between an instant and the end of its business date, and (after a store changed its
# zone or cut-off) the few moves before the instant that count as later dates.
_AROUND_MOMENT = """
SELECT w.store_id, w.product_id, m.bucket,
       SUM(CASE WHEN m.occurred_at > :at THEN m.quantity ELSE -m.quantity END) AS quantity,
       SUM(CASE WHEN m.occurred_at > :at THEN m.value ELSE -m.value END) AS value
FROM {rows} AS w
JOIN stock_move AS m ON m.product_id = w.product_id AND m.store_id = w.store_id
     AND m.occurred_at BETWEEN :at - :margin AND :at + :margin
WHERE (m.occurred_at > :at AND m.business_date <= w.day)
   OR (m.occurred_at <= :at AND m.business_date > w.day)
GROUP BY w.store_id, w.product_id, m.bucket
"""
_MARGIN_MS = 4 * 86_400_000
"""A moment and its business date are never further apart, whatever zone and cut-off applied."""

_FIELDS: Mapping[int, str] = {
    Bucket.SELLABLE: "on_hand",
    Bucket.DAMAGED: "damaged",
    Bucket.KEPT: "kept",
    Bucket.IN_TRANSIT: "in_transit",
}


@frozen
class Past:
    """The moment levels are wanted of, the stores they are in, and what time it is."""

    point: Point
    stores: tuple[Store, ...]
    now_ms: int

    @property
    def days(self) -> int:
        """How many business dates may have passed since, counting one ahead of today."""
        latest = max(today(s, now_ms=self.now_ms) for s in self.stores) + 1
        return latest - min(self.point.day_in(s) for s in self.stores)


def levels_at(
    connection: Connection, now: Mapping[Pair, Level], *, past: Past
) -> dict[Pair, Level]:
    """Wind levels back to the end of a date, or to just after an instant.

    What was promised or expired then is not known any more: both are zero.
    """
    days = {s.id: past.point.day_in(s) for s in past.stores}
    rows = [(s, p, days[s]) for s, p in sorted(now)]
    since: list[Row[Any]] = []
    if rows and past.days > 0:
        since += select_set(connection, _SINCE_DAY, columns=_COLUMNS, rows=rows, days=past.days)
    if rows and past.point.day is None:
        since += select_set(
            connection,
            _AROUND_MOMENT,
            columns=_COLUMNS,
            rows=rows,
            at=past.point.at_ms,
            margin=_MARGIN_MS,
        )
    changed: dict[Pair, list[Row[Any]]] = defaultdict(list)
    for row in since:
        changed[row.store_id, row.product_id].append(row)
    return {pair: _wound_back(level, changed.get(pair, ())) for pair, level in now.items()}


def _wound_back(level: Level, rows: Sequence[Row[Any]]) -> Level:
    changes: dict[str, Any] = {"reserved": 0, "expired": 0}
    for row in rows:
        name = _FIELDS[row.bucket]
        changes[name] = changes.get(name, getattr(level, name)) - int(row.quantity)
        if row.bucket == Bucket.SELLABLE:
            changes["value"] = changes.get("value", level.value) - int(row.value)
    return attrs.evolve(level, **changes)
