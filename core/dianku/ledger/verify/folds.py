"""The derived tables, folded from moves and lines: what they must be (invariant I7).

`verify` compares these folds with the tables, `rebuild` writes them. A fold is a SELECT with the
columns of its table; the sums are set-based, so ten million moves are one pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from attrs import define, frozen
from sqlalchemy.engine import Connection

from dianku.clock import local_hour
from dianku.ledger.flows import Bucket, Flow
from dianku.quantity import unit_cost_of


@frozen
class Fold:
    """A derived table: its keys, its figures, and the SELECT that they are the sum of."""

    table: str
    keys: tuple[str, ...]
    figures: tuple[str, ...]
    source: str


DAILY = Fold(
    "daily_summary",
    ("business_date", "store_id", "product_id", "bucket", "flow", "reason"),
    ("quantity", "value"),
    """SELECT business_date, store_id, product_id, bucket, flow, reason, quantity, value
    FROM stock_move""",
)
POSTED_SALES = """
    SELECT d.business_date, d.store_id, l.product_id, COALESCE(d.channel_id, 0) AS channel_id,
        CASE WHEN d.kind = 'issue' THEN l.quantity ELSE 0 END AS quantity,
        CASE WHEN d.kind = 'issue' THEN COALESCE(l.amount, 0) ELSE 0 END AS amount,
        CASE WHEN d.kind = 'issue' THEN 0 ELSE l.quantity END AS returned,
        CASE WHEN d.kind = 'issue' THEN 0 ELSE COALESCE(l.amount, 0) END AS returned_amount,
        CASE WHEN d.kind = 'issue' THEN l.cost ELSE -l.cost END AS cost
    FROM document AS d JOIN document_line AS l ON l.document_id = d.id
    WHERE d.kind IN ('issue', 'customer_return') AND d.action IN ('post', 'reversal')"""
"""Lines of sales and returns, signed as they count; more conditions on `d` may follow."""
HISTORY_SALES = """
    SELECT business_date, store_id, product_id, channel_id, quantity, amount, returned,
        returned_amount, cost FROM sales_history"""
SALES = Fold(
    "sales_summary",
    ("business_date", "store_id", "product_id", "channel_id"),
    ("quantity", "amount", "returned", "returned_amount", "cost"),
    f"""{POSTED_SALES}
    UNION ALL
    {HISTORY_SALES}""",
)
IN_A_LOT = f"lot_id <> 0 AND bucket = {int(Bucket.SELLABLE)}"
LOTS = Fold(
    "lot_balance",
    ("store_id", "product_id", "lot_id"),
    ("quantity",),
    f"SELECT store_id, product_id, lot_id, quantity FROM stock_move WHERE {IN_A_LOT}",
)
FOLDS = (DAILY, SALES, LOTS)


def _bucket(bucket: Bucket, figure: str) -> str:
    return f"CASE WHEN bucket = {int(bucket)} THEN {figure} ELSE 0 END"


HELD = {
    "on_hand": _bucket(Bucket.SELLABLE, "quantity"),
    "value": _bucket(Bucket.SELLABLE, "value"),
    "damaged": _bucket(Bucket.DAMAGED, "quantity"),
    "damaged_value": _bucket(Bucket.DAMAGED, "value"),
    "kept": _bucket(Bucket.KEPT, "quantity"),
    "in_transit": _bucket(Bucket.IN_TRANSIT, "quantity"),
    "in_transit_value": _bucket(Bucket.IN_TRANSIT, "value"),
}
"""What of a balance is made of moves, and what a move adds to it."""
BALANCES = Fold(
    "stock_balance",
    ("store_id", "product_id"),
    (*HELD, "reserved"),
    f"""SELECT store_id, product_id, {", ".join(f"{sql} AS {name}" for name, sql in HELD.items())},
        0 AS reserved
    FROM stock_move
    UNION ALL
    SELECT store_id, product_id, 0, 0, 0, 0, 0, 0, 0, quantity FROM reservation_hold
    WHERE active""",
)
"""What a balance holds: its moves by bucket, and the holds on it that are active."""

COUNTED = f"""
SELECT d.store_id, l.product_id, MAX(CASE WHEN l.bucket = {int(Bucket.SELLABLE)} AND NOT EXISTS
  (SELECT 1 FROM document AS r WHERE r.reverses_id = d.id) THEN l.occurred_at ELSE 0 END)
  AS counted_at
FROM document_line AS l JOIN document AS d ON d.id = l.document_id
WHERE l.counted IS NOT NULL
GROUP BY d.store_id, l.product_id
"""
"""The places ever counted, each with its latest count that stands: what `counted_at` must be."""

MOVED = """EXISTS (SELECT 1 FROM stock_move AS m
WHERE m.product_id = stock_balance.product_id AND m.store_id = stock_balance.store_id)"""
"""Whether a balance has moves; it is `moved` if it has, or was ever counted."""

HOUR_KEYS = ("business_date", "store_id", "hour", "channel_id")
HOUR_FIGURES = ("documents", "amount", "returned_amount")

AT_ONCE = 10_000
"""Rows a driver fetches at a time where millions are read: an option of the statement."""

_SALES = sa.text("""
SELECT d.id, d.kind, d.action, d.store_id, COALESCE(d.channel_id, 0) AS channel_id,
       d.business_date, d.occurred_at,
       (SELECT SUM(COALESCE(l.amount, 0)) FROM document_line AS l WHERE l.document_id = d.id)
       AS amount
FROM document AS d
WHERE d.id > :after AND :store IN (0, d.store_id) AND d.kind IN ('issue', 'customer_return')
  AND d.action IN ('post', 'reversal')
""").execution_options(yield_per=AT_ONCE)


def sales_hours(
    connection: Connection, *, after: int = 0, store_id: int = 0
) -> dict[tuple[int, ...], list[int]]:
    """The fold of `sales_by_hour`, of all documents or of those after one, or of one store.

    The hour is on the store's clock, so it is told in Python.
    """
    stores = connection.execute(sa.text("SELECT id, timezone FROM store"))
    zones = {row.id: row.timezone for row in stores}
    totals: dict[tuple[int, ...], list[int]] = {}
    for row in connection.execute(_SALES, {"after": after, "store": store_id}):
        hour = local_hour(row.occurred_at, zones[row.store_id])
        key = row.business_date, row.store_id, hour, row.channel_id
        total = totals.setdefault(key, [0, 0, 0])
        amount = int(row.amount or 0)
        if row.kind == "issue":
            total[0] += 1 if row.action == "post" else -1
            total[1] += amount
        else:
            total[2] += amount
    return totals


# From the balances, of which few are at or below zero, to their moves, and not the other way.
_CARD = sa.text(f"""
SELECT m.store_id, m.product_id, m.document_id, m.line, m.quantity, m.value, m.flow,
       d.action, p.precision
FROM stock_balance AS b CROSS JOIN stock_move AS m
JOIN document AS d ON d.id = m.document_id
JOIN product AS p ON p.id = m.product_id
WHERE b.on_hand <= 0 AND m.bucket = {int(Bucket.SELLABLE)}
  AND m.store_id = b.store_id AND m.product_id = b.product_id
ORDER BY m.store_id, m.product_id, m.id
""").execution_options(yield_per=AT_ONCE)
_POSITIVE = sa.text("""
SELECT b.store_id, b.product_id, b.on_hand, b.value, b.last_cost, p.precision
FROM stock_balance AS b JOIN product AS p ON p.id = b.product_id
WHERE b.on_hand > 0
""").execution_options(yield_per=AT_ONCE)


@define
class _Card:
    """The last cost of one product in one store, followed move by move."""

    precision: int
    on_hand: int = 0
    value: int = 0
    last_cost: int | None = None

    def step(self, quantity: int, value: int, *, settled: int, arrives: bool) -> None:
        """One line's moves together: what came of settling first, then what moved."""
        if quantity > 0 and self.on_hand <= 0 and arrives:
            self.last_cost = unit_cost_of(value, quantity, self.precision)
        self.on_hand += quantity
        self.value += value + settled
        if self.on_hand > 0:
            self.last_cost = unit_cost_of(self.value, self.on_hand, self.precision)


def last_costs(connection: Connection) -> Iterator[tuple[int, int, int]]:
    """(store, product, last cost) of every product that ever moved.

    Where there is stock it follows from the balance; where there is none, from the moves in their
    order (only those rows are read).
    """
    for row in connection.execute(_POSITIVE):
        yield row.store_id, row.product_id, unit_cost_of(row.value, row.on_hand, row.precision)
    card: _Card | None = None
    place: tuple[int, int] | None = None
    line: Any = None
    pending: list[Any] = []
    for row in connection.execute(_CARD):
        here = row.store_id, row.product_id
        if (here, row.document_id, row.line) != (place, *(line or (None, None))):
            if card is not None:
                _close(card, pending)
            pending, line = [], (row.document_id, row.line)
        if here != place:
            if card is not None and place is not None and card.last_cost is not None:
                yield *place, card.last_cost
            card, place = _Card(row.precision), here
        pending.append(row)
    if card is not None and place is not None:
        _close(card, pending)
        if card.last_cost is not None:
            yield *place, card.last_cost


def _close(card: _Card, rows: list[Any]) -> None:
    """Apply the moves of one line: exchanges of lots and goods that only passed have no effect."""
    moved = [r for r in rows if r.flow not in (Flow.SETTLED, Flow.REATTRIBUTED)]
    quantity = sum(r.quantity for r in moved)
    value = sum(r.value for r in moved)
    settled = sum(r.value for r in rows if r.flow == Flow.SETTLED)
    if not quantity and not value and not settled:
        return
    arrives = any(r.action != "absorption" for r in rows)
    card.step(quantity, value, settled=settled, arrives=arrives)
