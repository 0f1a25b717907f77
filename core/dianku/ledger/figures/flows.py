"""Totals of what came and went, from `daily_summary`: write-offs, adjustments, receipts.

Only who did it is not in the summary: by actor the moves of the period are read with their
documents, so that question is bounded to a year.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy.engine import Connection, Row

from dianku.catalog.records import Store
from dianku.clock import day_number, day_of
from dianku.errors import FieldError, invalid
from dianku.ledger.figures.requests import FlowsQuery, FlowsRow, FlowsTotals
from dianku.ledger.figures.sales import check_period, quantity_text
from dianku.ledger.flows import Flow
from dianku.ledger.read.alert_lines import category_lines
from dianku.ledger.read.paging import fetch
from dianku.ledger.read.tallies import SCALE
from dianku.quantity import format_cost

ACTOR_DAYS_MAX = 366

_GROUPS: Mapping[str, str] = {
    "reason": "f.reason",
    "product": "f.product_id",
    "category": "p.category_id",
    "store": "f.store_id",
    "day": "f.business_date",
    "actor": "d.actor",
}
_TOTALS = f"""
SELECT {{key}} AS key, {{names}} SUM(f.quantity * {SCALE}) AS quantity, SUM(f.value) AS value
FROM {{source}}
JOIN product AS p ON p.id = f.product_id
WHERE f.flow IN :flows AND f.store_id IN :stores AND {{conditions}}
GROUP BY {{key}}{{name_groups}}
ORDER BY {{order}}
LIMIT :count OFFSET :offset
"""
_SUMMARY = "daily_summary AS f"
_MOVES = "document AS d JOIN stock_move AS f ON f.document_id = d.id"
_DAY_MS = 86_400_000
_ZONES_MS = 2 * _DAY_MS
"""Dates of all zones and cut-offs lie within two days of the same date in UTC."""


@frozen
class FlowFigures:
    """Totals over the stores in scope. `costs`: whether values may be shown."""

    stores: tuple[Store, ...]
    costs: bool

    def totals(self, connection: Connection, asked: FlowsQuery) -> FlowsTotals:
        """Return one page of totals, days in order, all else by value, the greatest first.

        Raises:
            Refused: `invalid` for an unknown flow, a period that ends before it begins, or more
                than a year by actor.
        """
        check_period(asked.from_, asked.to)
        if asked.by == "actor" and (asked.to - asked.from_).days > ACTOR_DAYS_MAX:
            raise invalid(FieldError("/from", "period_too_long", {"days": ACTOR_DAYS_MAX}))
        flows = _flows(asked.flow)
        rows = self._rows(connection, asked, flows=flows) if self.stores else []
        categories = {i: c.code for i, c in category_lines(connection).items()}
        more = len(rows) > asked.limit
        return FlowsTotals(
            from_=asked.from_.isoformat(),
            to=asked.to.isoformat(),
            items=[self._row(r, by=asked.by, categories=categories) for r in rows[: asked.limit]],
            next_offset=asked.offset + asked.limit if more else None,
        )

    def _rows(
        self, connection: Connection, asked: FlowsQuery, *, flows: Sequence[int]
    ) -> Sequence[Row[Any]]:
        first, last = day_number(asked.from_), day_number(asked.to)
        conditions = ["f.business_date BETWEEN :first AND :last"]
        lists: dict[str, Sequence[Any]] = {"stores": [s.id for s in self.stores], "flows": flows}
        parameters: dict[str, Any] = {
            "first": first,
            "last": last,
            "count": asked.limit + 1,
            "offset": asked.offset,
        }
        if asked.by == "actor":
            conditions.append("d.occurred_at BETWEEN :first_at AND :last_at")
            parameters["first_at"] = first * _DAY_MS - _ZONES_MS
            parameters["last_at"] = last * _DAY_MS + _ZONES_MS
        if asked.sku:
            conditions.append("p.sku IN :skus")
            lists["skus"] = asked.sku
        if asked.reason:
            conditions.append("f.reason IN :reasons")
            lists["reasons"] = asked.reason
        names = "p.sku, p.name, p.unit, p.precision" if asked.by == "product" else ""
        sql = _TOTALS.format(
            key=_GROUPS[asked.by],
            names=f"{names}," if names else "",
            name_groups=f", {names}" if names else "",
            source=_MOVES if asked.by == "actor" else _SUMMARY,
            conditions=" AND ".join(conditions),
            order="key" if asked.by == "day" else "ABS(SUM(f.value)) DESC, key",
        )
        return fetch(connection, sql, lists=lists, parameters=parameters)

    def _row(self, row: Row[Any], *, by: str, categories: Mapping[int, str]) -> FlowsRow:
        precision = row.precision if by == "product" else None
        answer = FlowsRow(
            quantity=quantity_text(int(row.quantity), precision),
            value=format_cost(int(row.value)) if self.costs else None,
        )
        if by == "product":
            answer.sku, answer.name, answer.unit = row.sku, row.name, row.unit
        elif by == "category":
            answer.category = categories.get(row.key)
        elif by == "store":
            answer.store = next(s.code for s in self.stores if s.id == row.key)
        elif by == "day":
            answer.day = day_of(row.key).isoformat()
        elif by == "actor":
            answer.actor = row.key
        else:
            answer.reason = row.key or None
        return answer


def _flows(names: Sequence[str]) -> list[int]:
    known = {f.name.lower(): int(f) for f in Flow}
    wrong = [
        FieldError(f"/flow/{i}", "unknown_flow", {"name": n})
        for i, n in enumerate(names)
        if n not in known
    ]
    if wrong:
        raise invalid(*wrong)
    return [known[n] for n in names]
