"""What documents, moves and reservations say of each other, though nobody keeps it twice.

The moments of a move are its document's or its line's, a receipt's line says what its moves
brought, and what is over holds nothing back. None of this is derived, so nothing but a person can
mend it.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.ledger.flows import Flow
from dianku.ledger.verify.folds import AT_ONCE

SKEW_MS = 5 * 60_000
"""How far the clocks of two processes may be apart: one of them ends a hold before the other."""


@frozen
class Unlike:
    """One figure that two rows do not agree on: where, and what it should be."""

    table: str
    figure: str
    expected: int
    found: int
    store_id: int | None
    product_id: int | None
    detail: str


# A reversal takes a difference back as of now, whatever moment its count spoke of; whoever closes a
# transfer takes goods off the way of the other store.
_MOVES = sa.text("""
SELECT m.store_id, m.product_id, m.id, d.id AS paper, m.occurred_at,
       COALESCE((SELECT l.occurred_at FROM document_line AS l WHERE l.document_id = m.document_id
                 AND l.line = m.line), d.occurred_at) AS moment,
       d.occurred_at AS at, m.recorded_at, d.recorded_at AS written, d.action
FROM stock_move AS m LEFT JOIN document AS d ON d.id = m.document_id
WHERE m.document_id > :after AND (d.id IS NULL OR m.recorded_at <> d.recorded_at
  OR (m.store_id <> d.store_id AND m.store_id <> COALESCE(d.to_store_id, 0)
      AND d.action <> 'close')
  OR (m.occurred_at <> d.occurred_at
      AND (m.occurred_at <> d.recorded_at OR d.action <> 'reversal')
      AND NOT EXISTS (SELECT 1 FROM document_line AS l WHERE l.document_id = m.document_id
                      AND l.line = m.line AND l.occurred_at = m.occurred_at)))
""").execution_options(yield_per=AT_ONCE)
_ORPHANS = (
    (
        "document_line",
        "document",
        sa.text(
            "SELECT NULL AS store_id, l.product_id, l.document_id AS id FROM document_line AS l "
            "LEFT JOIN document AS d ON d.id = l.document_id WHERE d.id IS NULL "
            "AND l.document_id > :after"
        ),
    ),
    (
        "document",
        "lines",
        sa.text(
            "SELECT d.store_id, NULL AS product_id, d.id FROM document AS d "
            "LEFT JOIN document_line AS l ON l.document_id = d.id WHERE l.document_id IS NULL "
            "AND d.id > :after"
        ),
    ),
)
_RECEIVED = sa.text(f"""
SELECT d.store_id, l.product_id, d.number, x.line, x.quantity, x.cost, x.came, x.worth
FROM (SELECT document_id, line, SUM(quantity) AS quantity, SUM(cost) AS cost, SUM(came) AS came,
             SUM(worth) AS worth
      FROM (SELECT l.document_id, l.line, l.quantity, l.cost, 0 AS came, 0 AS worth
            FROM document AS d JOIN document_line AS l ON l.document_id = d.id
            WHERE d.kind = 'receipt' AND d.id > :after
            UNION ALL
            SELECT m.document_id, m.line, 0, 0, m.quantity, m.value
            FROM document AS d JOIN stock_move AS m ON m.document_id = d.id
            WHERE d.kind = 'receipt' AND d.id > :after AND m.flow = {int(Flow.RECEIVED)}) AS u
      GROUP BY document_id, line
      HAVING SUM(quantity) <> SUM(came) OR SUM(cost) <> SUM(worth)) AS x
JOIN document AS d ON d.id = x.document_id
JOIN document_line AS l ON l.document_id = x.document_id AND l.line = x.line
ORDER BY x.document_id, x.line
""")
_PAID = sa.text("""
SELECT d.store_id, d.number, p.document_id AS id, p.paid,
       (SELECT COALESCE(SUM(l.amount), 0) FROM document_line AS l
        WHERE l.document_id = p.document_id) AS amount
FROM (SELECT document_id, SUM(amount) AS paid FROM document_payment
      WHERE document_id > :after GROUP BY document_id) AS p
LEFT JOIN document AS d ON d.id = p.document_id
WHERE d.id IS NULL OR p.paid <> (SELECT COALESCE(SUM(l.amount), 0) FROM document_line AS l
                                 WHERE l.document_id = p.document_id)
ORDER BY p.document_id
""")
_HOLDS = sa.text("""
SELECT r.store_id, h.product_id, r.code, r.state, h.quantity, h.active
FROM reservation AS r JOIN reservation_hold AS h ON h.reservation_id = r.id
WHERE CASE WHEN r.state = 'active' AND r.kind = 'hold'
           THEN NOT h.active AND r.expires_at > :now ELSE h.active END
ORDER BY r.id, h.product_id
""")
_COMMITTED = sa.text("""
SELECT r.store_id, r.code, r.state, d.id AS paper
FROM reservation AS r LEFT JOIN document AS d ON d.id = r.document_id
WHERE CASE WHEN r.state = 'committed' THEN d.id IS NULL ELSE r.document_id IS NOT NULL END
ORDER BY r.id
""")


def unlike(connection: Connection, *, after: int, now_ms: int) -> Iterator[Unlike]:
    """All that disagrees among documents after one, their moves, and all reservations."""
    yield from _moves(connection, after)
    for table, figure, sql in _ORPHANS:
        for row in connection.execute(sql, {"after": after}):
            yield Unlike(table, figure, 1, 0, row.store_id, row.product_id, f"id {row.id}")
    yield from _received(connection, after)
    for row in connection.execute(_PAID, {"after": after}):
        detail = row.number or f"id {row.id}"
        paid = int(row.amount), int(row.paid)
        yield Unlike("document_payment", "amount", *paid, row.store_id, None, detail)
    yield from _promised(connection, now_ms)


def _moves(connection: Connection, after: int) -> Iterator[Unlike]:
    for row in connection.execute(_MOVES, {"after": after}):
        in_time = row.occurred_at in (row.at, row.moment)
        in_time |= row.action == "reversal" and row.occurred_at == row.written
        figures: dict[str, tuple[int, int]] = {}
        if row.paper is not None and not in_time:
            figures["occurred_at"] = row.moment, row.occurred_at
        if row.paper is not None and row.recorded_at != row.written:
            figures["recorded_at"] = row.written, row.recorded_at
        for figure, (expected, found) in (figures or {"document": (1, 0)}).items():
            place = row.store_id, row.product_id
            yield Unlike("stock_move", figure, expected, found, *place, f"id {row.id}")


def _received(connection: Connection, after: int) -> Iterator[Unlike]:
    for row in connection.execute(_RECEIVED, {"after": after}):
        for figure, came in (("quantity", row.came), ("cost", row.worth)):
            said = int(getattr(row, figure))
            if said != came:
                place = row.store_id, row.product_id
                detail = f"{row.number} line {row.line}"
                yield Unlike("document_line", figure, int(came), said, *place, detail)


def _promised(connection: Connection, now_ms: int) -> Iterator[Unlike]:
    """What is over holds nothing, what is not holds all; and what was sold has its document."""
    for row in connection.execute(_HOLDS, {"now": now_ms + SKEW_MS}):
        expected, found = (0, row.quantity) if row.active else (row.quantity, 0)
        detail = f"{row.code} {row.state}"
        yield Unlike("reservation", "held", expected, found, row.store_id, row.product_id, detail)
    for row in connection.execute(_COMMITTED):
        expected = int(row.state == "committed")
        detail = f"{row.code} {row.state}"
        yield Unlike("reservation", "document", expected, 1 - expected, row.store_id, None, detail)
