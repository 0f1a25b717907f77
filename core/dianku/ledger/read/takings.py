"""What was taken at the till: by kind of payment, by person, by day.

Sales less refunds, as documents say how they were paid; of those that say nothing, what their
lines come to, told apart. A reversal takes back on its own business day what it takes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dianku.catalog.records import Store
from dianku.clock import day_number, day_text
from dianku.ledger.read.requests import Takings, TakingsFilter, TakingsRow
from dianku.ledger.read.scope import Point, today
from dianku.quantity import format_amount

_KEYS = {"actor": "d.actor", "day": "d.business_date", "store": "s.code"}
_COLUMNS = """
COALESCE(SUM(CASE WHEN d.kind = 'issue' THEN {amount} END), 0) AS sales,
COALESCE(SUM(CASE WHEN d.kind = 'customer_return' THEN {amount} END), 0) AS refunds,
COUNT(DISTINCT d.id) AS documents
"""
_SAID = """
FROM document AS d JOIN store AS s ON s.id = d.store_id
JOIN document_payment AS p ON p.document_id = d.id
WHERE {conditions}
"""
_NOT_SAID = """
FROM document AS d JOIN store AS s ON s.id = d.store_id
JOIN document_line AS l ON l.document_id = d.id
WHERE {conditions}
  AND NOT EXISTS (SELECT 1 FROM document_payment AS p WHERE p.document_id = d.id)
"""
_ABOUT_MONEY = "d.kind IN ('issue', 'customer_return') AND d.action IN ('post', 'reversal')"
_FIRST_DAY, _LAST_DAY = day_number(date(1970, 1, 5)), day_number(date(9998, 1, 1))
_MARGIN_DAYS = 2
"""A store's day may have begun elsewhere when its document was posted; the index is by time."""


def takings(
    connection: Connection, asked: TakingsFilter, *, stores: Sequence[Store], now_ms: int
) -> Takings:
    """Add up what was taken in `stores`, from one business day to another, both included.

    A day left out is each store's own today. Rows are by `payment` (null: nobody said) and, where
    `by` names one, by person, day or store; the greatest first.
    """
    spans = {store: _span(asked, store, now_ms=now_ms) for store in stores}
    conditions, parameters = _bounds(spans)
    if asked.channel:
        conditions += " AND d.channel_id IN (SELECT c.id FROM channel AS c WHERE c.name IN :named)"
    key = _KEYS.get(asked.by or "")
    found: list[Any] = []
    for rows, payment, amount in ((_SAID, "p.kind", "p.amount"), (_NOT_SAID, None, "l.amount")):
        groups = [one for one in (payment, key) if one]
        text = sa.text(
            f"SELECT {payment or 'NULL'} AS payment, {key or 'NULL'} AS name,"
            + _COLUMNS.format(amount=amount)
            + rows.format(conditions=conditions)
            + (f"GROUP BY {', '.join(groups)}" if groups else "")
        )
        if asked.channel:
            text = text.bindparams(sa.bindparam("named", list(asked.channel), expanding=True))
        found += connection.execute(text, parameters).all()
    items = [_row(row, asked.by) for row in found if row.documents]
    items.sort(key=lambda row: (-Decimal(row.net), row.payment or "~", row.name or ""))
    sales, refunds = (sum(int(getattr(row, n)) for row in found) for n in ("sales", "refunds"))
    firsts, lasts = ({span[end] for span in spans.values()} for end in (0, 1))
    return Takings(
        from_=day_text(firsts.pop()) if len(firsts) == 1 else None,
        to=day_text(lasts.pop()) if len(lasts) == 1 else None,
        items=items,
        sales=format_amount(sales),
        refunds=format_amount(refunds),
        net=format_amount(sales - refunds),
    )


def _row(row: Any, by: str | None) -> TakingsRow:
    sales, refunds = int(row.sales), int(row.refunds)
    name = None if by is None else day_text(row.name) if by == "day" else str(row.name)
    return TakingsRow(
        payment=row.payment,
        name=name,
        sales=format_amount(sales),
        refunds=format_amount(refunds),
        net=format_amount(sales - refunds),
        documents=int(row.documents),
    )


def _span(asked: TakingsFilter, store: Store, *, now_ms: int) -> tuple[int, int]:
    """The first and the last business day asked for, in a store."""
    here = today(store, now_ms=now_ms)
    first = here if asked.from_ is None else max(day_number(asked.from_), _FIRST_DAY)
    last = here if asked.to is None else min(day_number(asked.to), _LAST_DAY)
    return first, last


def _bounds(spans: Mapping[Store, tuple[int, int]]) -> tuple[str, Mapping[str, Any]]:
    """Which documents: each store's by its own days."""
    each: list[str] = []
    parameters: dict[str, Any] = {}
    for n, (store, (first, last)) in enumerate(spans.items()):
        each.append(
            f"(d.store_id = :store{n} AND d.business_date BETWEEN :first{n} AND :last{n}"
            f" AND d.occurred_at BETWEEN :start{n} AND :end{n})"
        )
        parameters |= {
            f"store{n}": store.id,
            f"first{n}": first,
            f"last{n}": last,
            f"start{n}": Point(day=first - _MARGIN_DAYS).start_ms(store),
            f"end{n}": Point(day=last + _MARGIN_DAYS).end_ms(store),
        }
    return f"{_ABOUT_MONEY} AND ({' OR '.join(each) or '1 = 0'})", parameters
