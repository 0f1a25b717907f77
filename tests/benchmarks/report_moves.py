"""Years of trading in minutes: moves, lines and documents written by SQL, not posted one by one.

Every product is received once in every store at 2.00, far more of it than is ever sold; then
documents of ten lines follow each other evenly over the days: sales, and now and then a return, a
write-off, a receipt. All goods cost 2.00 throughout, so every value follows from its quantity.
What is derived is made by the ledger's own `rebuild`, and `verify` must then find nothing; that
the figures are right is shown by sums over the moves alone (`report_speed`).

Which product, how many and what kind comes from mixed-up document numbers, so a shop of a
given size is the same every time.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from sale_rows import set_up

DAYS = 400
STORES = 5
PRODUCTS = 20_000
LINES = 10
OPENING_LINES = 1_000
OPENING = 1_000_000
COST = 20_000
DAY_MS = 86_400_000
EAST = 8 * 3_600_000
"""The stores' clocks are eight hours ahead of UTC; a business date begins at their midnight."""

# A number mixed up: the constants are primes, the shift drops what still looks like the order.
_MIXED = "(({n} * 2654435761 + {salt}) >> 9)"

_OPENING = f"""
WITH RECURSIVE n(d) AS (SELECT 0 UNION ALL SELECT d + 1 FROM n WHERE d < :documents - 1)
INSERT INTO document (id, number, kind, action, store_id, occurred_at, recorded_at, business_date,
                      late, actor)
SELECT d + 1, 'RK-' || d, 'receipt', 'post', d % {STORES} + 1, :at, :at, :day, 0, 'bench' FROM n
"""
_OPENING_LINES = f"""
WITH RECURSIVE n(l) AS (SELECT 0 UNION ALL SELECT l + 1 FROM n WHERE l < {OPENING_LINES} - 1)
INSERT INTO document_line (document_id, line, product_id, quantity, amount, cost)
SELECT d.id, n.l + 1, (d.id - 1) / {STORES} * {OPENING_LINES} + n.l + 1, {OPENING}, NULL,
       {OPENING * COST}
FROM document AS d CROSS JOIN n
WHERE (d.id - 1) / {STORES} * {OPENING_LINES} + n.l < :products
"""
# Of forty documents one is a receipt, one a write-off, two are returns, the others sales.
_DOCUMENTS = f"""
WITH RECURSIVE n(d) AS (SELECT 0 UNION ALL SELECT d + 1 FROM n WHERE d < :documents - 1),
kinds AS (SELECT d, :first_day + d * {DAYS} / :documents AS day,
                 d * {DAYS} % :documents * 12 / :documents AS hour,
                 {_MIXED.format(n="d", salt=17)} AS mixed FROM n)
INSERT INTO document (id, number, kind, action, store_id, channel_id, occurred_at, recorded_at,
                      business_date, late, actor)
SELECT :first + d, 'D-' || d,
       CASE mixed % 40 WHEN 0 THEN 'receipt' WHEN 1 THEN 'write_off'
                       WHEN 2 THEN 'customer_return' WHEN 3 THEN 'customer_return'
                       ELSE 'issue' END,
       'post', d % {STORES} + 1, CASE WHEN mixed % 40 IN (0, 1) THEN NULL ELSE 1 END,
       day * {DAY_MS} - {EAST} + (9 + hour) * 3600000 + mixed % 3600000,
       day * {DAY_MS} - {EAST} + (9 + hour) * 3600000 + mixed % 3600000,
       day, 0, 'bench'
FROM kinds
"""
_LINES = f"""
WITH RECURSIVE n(l) AS (SELECT 0 UNION ALL SELECT l + 1 FROM n WHERE l < {LINES} - 1),
mixed AS (SELECT d.id, d.kind, n.l, {_MIXED.format(n=f"(d.id * {LINES} + n.l)", salt=5)} AS m
          FROM document AS d CROSS JOIN n WHERE d.id >= :first)
INSERT INTO document_line (document_id, line, product_id, quantity, amount, cost, reason,
                           disposition)
SELECT id, l + 1, m % :products + 1, m % 3 + 1,
       CASE WHEN kind IN ('issue', 'customer_return') THEN 500 * (m % 3 + 1) END,
       {COST} * (m % 3 + 1), CASE WHEN kind = 'write_off' THEN 'damaged' END,
       CASE WHEN kind = 'customer_return' THEN 'shelf' END
FROM mixed
"""
_MOVES = """
INSERT INTO stock_move (id, document_id, line, store_id, product_id, bucket, flow, reason, lot_id,
                        quantity, value, occurred_at, recorded_at, business_date)
SELECT ROW_NUMBER() OVER (ORDER BY l.document_id, l.line), l.document_id, l.line, d.store_id,
       l.product_id, 0,
       CASE d.kind WHEN 'receipt' THEN 1 WHEN 'issue' THEN 2 WHEN 'customer_return' THEN 4
                   ELSE 7 END,
       COALESCE(l.reason, ''), 0,
       CASE WHEN d.kind IN ('receipt', 'customer_return') THEN l.quantity ELSE -l.quantity END,
       CASE WHEN d.kind IN ('receipt', 'customer_return') THEN l.cost ELSE -l.cost END,
       d.occurred_at, d.recorded_at, d.business_date
FROM document_line AS l JOIN document AS d ON d.id = l.document_id
"""
_INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND "


def fill(path: Path, *, moves: int, products: int = PRODUCTS, today: int | None = None) -> int:
    """Write so many moves up to today into a shop with stores and products; how many there are.

    The derived tables are left as they are: `Ledger.rebuild` makes them.
    """
    last = today if today is not None else int(time.time() * 1000 + EAST) // DAY_MS
    first_day = last - DAYS + 1
    connection = sqlite3.connect(path, isolation_level=None)
    set_up(connection)
    connection.execute("PRAGMA synchronous=OFF")
    openings = -(-products // OPENING_LINES) * STORES
    documents = max(1, (moves - products * STORES) // LINES)
    values = {"documents": openings, "day": first_day, "at": (first_day * DAY_MS) - EAST + 1}
    tables = ("document", "document_line", "stock_move")
    marks = ", ".join("?" * len(tables))
    indexes = connection.execute(f"{_INDEXES} tbl_name IN ({marks})", tables).fetchall()
    connection.execute("BEGIN")
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    connection.execute(_OPENING, values)
    connection.execute(_OPENING_LINES, {"products": products})
    connection.execute(
        _DOCUMENTS, {"documents": documents, "first": openings + 1, "first_day": first_day}
    )
    connection.execute(_LINES, {"first": openings + 1, "products": products})
    connection.execute(_MOVES)
    for _, sql in indexes:
        connection.execute(sql)
    written = int(connection.execute("SELECT COUNT(*) FROM stock_move").fetchone()[0])
    counters = (("document", openings + documents), ("move", written))
    connection.executemany(
        "INSERT INTO counter (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        counters,
    )
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return written
