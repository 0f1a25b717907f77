"""What the stock is worth, now or at the end of a business date.

Today's balances less what `daily_summary` says changed since; sellable, damaged and in-transit
goods carry their own value, kept goods none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy.engine import Connection, Row

from dianku.catalog.records import Store
from dianku.clock import day_of
from dianku.ledger.figures.requests import ValueBy, ValueRow, ValueTotals
from dianku.ledger.figures.sales import quantity_text
from dianku.ledger.flows import Bucket
from dianku.ledger.read.alert_lines import category_lines
from dianku.ledger.read.paging import fetch
from dianku.ledger.read.tallies import SCALE
from dianku.quantity import format_cost

_KEYS: Mapping[str, str] = {"store": "v.store_id", "category": "p.category_id", "product": "p.id"}
_BALANCES = """
SELECT b.store_id, b.product_id, b.on_hand AS quantity, b.value, b.damaged_value,
       b.in_transit_value
FROM stock_balance AS b WHERE b.store_id IN :stores
"""
_SINCE = f"""
UNION ALL
SELECT d.store_id, d.product_id,
       CASE d.bucket WHEN {int(Bucket.SELLABLE)} THEN -d.quantity ELSE 0 END,
       CASE d.bucket WHEN {int(Bucket.SELLABLE)} THEN -d.value ELSE 0 END,
       CASE d.bucket WHEN {int(Bucket.DAMAGED)} THEN -d.value ELSE 0 END,
       CASE d.bucket WHEN {int(Bucket.IN_TRANSIT)} THEN -d.value ELSE 0 END
FROM daily_summary AS d WHERE d.business_date > :day AND d.store_id IN :stores
"""
_GOODS = "JOIN product AS p ON p.id = v.product_id"
_TOTALS = """
SELECT {key} AS key, {names} {quantity} AS quantity, SUM(v.value) AS value,
       SUM(v.damaged_value) AS damaged_value, SUM(v.in_transit_value) AS in_transit_value
FROM ({levels}) AS v {goods}
GROUP BY {key}{name_groups}
ORDER BY SUM(v.value) DESC, key
LIMIT :count OFFSET :offset
"""


@frozen
class ValueFigures:
    """The worth of the stores in scope. `costs`: whether values may be shown."""

    stores: tuple[Store, ...]
    costs: bool

    def totals(
        self,
        connection: Connection,
        *,
        day: int,
        by: ValueBy,
        past: bool,
        limit: int,
        offset: int,
    ) -> ValueTotals:
        """Return one page of totals, the greatest value first."""
        names = "p.sku, p.name, p.precision" if by == "product" else ""
        sql = _TOTALS.format(
            key=_KEYS[by],
            names=f"{names}," if names else "",
            name_groups=f", {names}" if names else "",
            quantity=f"SUM(v.quantity * {SCALE})" if by == "product" else "0",
            goods="" if by == "store" else _GOODS,
            levels=_BALANCES + _SINCE if past else _BALANCES,
        )
        parameters = {"count": limit + 1, "offset": offset}
        rows: Sequence[Row[Any]] = fetch(
            connection,
            sql,
            lists={"stores": [s.id for s in self.stores]},
            parameters=parameters | ({"day": day} if past else {}),
        )
        categories = {i: c.code for i, c in category_lines(connection).items()}
        return ValueTotals(
            at=day_of(day).isoformat(),
            items=[self._row(r, by=by, categories=categories) for r in rows[:limit]],
            next_offset=offset + limit if len(rows) > limit else None,
        )

    def _row(self, row: Row[Any], *, by: str, categories: Mapping[int, str]) -> ValueRow:
        answer = ValueRow()
        if by == "product":
            answer.on_hand = quantity_text(int(row.quantity), row.precision)
        if self.costs:
            answer.value = format_cost(int(row.value))
            answer.damaged_value = format_cost(int(row.damaged_value))
            answer.in_transit_value = format_cost(int(row.in_transit_value))
        if by == "store":
            answer.store = next(s.code for s in self.stores if s.id == row.key)
        elif by == "category":
            answer.category = categories.get(row.key)
        else:
            answer.sku, answer.name = row.sku, row.name
        return answer
