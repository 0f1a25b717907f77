"""Baseline (c): a bare script that writes the rows of sales, many in one transaction.

    python sale_rows.py DATABASE --documents N --lines L --batch B

Nothing is checked, nothing is asked: `sqlite3`, `executemany`, and the rows Dianku writes for the
same sales (document, lines, moves, key, event, balance, the three summaries), in a copy of its own
file with its own indexes and the same settings. Keys rise, which is the cheapest order. `--batch`
counts lines. Prints JSON: seconds, rows by table, the settings as read back.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

DAY_MS = 86_400_000
FIRST = 2_000_000_000
"""First id used: far above what is in the file."""

_SETTINGS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "cache_size": "-131072",
    "mmap_size": "1073741824",
    "wal_autocheckpoint": "4000",
    "temp_store": "MEMORY",
    "busy_timeout": "60000",
}


def set_up(connection: sqlite3.Connection) -> None:
    """The settings Dianku's writer has."""
    for name, value in _SETTINGS.items():
        connection.execute(f"PRAGMA {name}={value}")


def read_settings(connection: Any) -> dict[str, Any]:
    """The settings as SQLite says they are; synchronous 2 is FULL."""
    names = ("journal_mode", "synchronous", "wal_autocheckpoint")
    return {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names}


_DAILY = (
    "INSERT INTO daily_summary (business_date, store_id, product_id, bucket, flow, reason, "
    "quantity, value) VALUES (?, 1, ?, 0, 2, '', ?, ?) ON CONFLICT DO UPDATE SET "
    "quantity = quantity + excluded.quantity, value = value + excluded.value"
)
_SALES = (
    "INSERT INTO sales_summary (business_date, store_id, product_id, channel_id, quantity, amount, "
    "cost) VALUES (?, 1, ?, 1, ?, ?, ?) ON CONFLICT DO UPDATE SET quantity = quantity + "
    "excluded.quantity, amount = amount + excluded.amount, cost = cost + excluded.cost"
)
_HOURS = (
    "INSERT INTO sales_by_hour (business_date, store_id, hour, channel_id, documents, amount) "
    "VALUES (?, 1, ?, 1, 1, ?) ON CONFLICT DO UPDATE SET documents = documents + 1, "
    "amount = amount + excluded.amount"
)


def UPSERTS(  # noqa: N802 - a table of statements, filled in
    day: int, product: int, quantity: int, amount: int, cost: int, now: int
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The three summaries of one line, as statements and values."""
    yield _DAILY, (day, product, -quantity, -cost)
    yield _SALES, (day, product, quantity, amount, cost)
    yield _HOURS, (day, now % DAY_MS // 3_600_000, amount)


_DOCUMENT = (
    "INSERT INTO document (id, number, kind, action, store_id, channel_id, occurred_at, "
    "recorded_at, business_date, late, actor) VALUES (?, ?, 'issue', 'post', 1, 1, ?, ?, ?, 0, "
    "'bench')"
)
_LINE = (
    "INSERT INTO document_line (document_id, line, product_id, quantity, amount, cost) "
    "VALUES (?, ?, ?, 1, 500, 20000)"
)
_MOVE = (
    "INSERT INTO stock_move (id, document_id, line, store_id, product_id, bucket, flow, reason, "
    "lot_id, quantity, value, occurred_at, recorded_at, business_date) "
    "VALUES (?, ?, ?, 1, ?, 0, 2, '', 0, -1, -20000, ?, ?, ?)"
)
_KEY = (
    "INSERT INTO posted_key (key_high, key_low, digest_high, digest_low, subject, subject_id) "
    "VALUES (?, ?, ?, ?, 'document', ?)"
)
_EVENT = "INSERT INTO event (id, type, at, store_id, data) VALUES (?, 'document.posted', ?, 1, ?)"
_BALANCE = (
    "UPDATE stock_balance SET on_hand = on_hand - 1, value = value - 20000 "
    "WHERE store_id = 1 AND product_id = ?"
)


class Writer:
    """Collects rows and writes them, so many lines to a transaction."""

    def __init__(self, connection: sqlite3.Connection, products: list[int]) -> None:
        self._connection = connection
        self._products = products
        self._rows: dict[str, list[tuple[Any, ...]]] = {}
        self._lines = 0
        self.written = dict.fromkeys(_ORDER, 0)

    def sale(self, number: int, lines: int, batch: int) -> None:
        """One document of so many lines; written whenever a batch is full."""
        now = time.time_ns() // 1_000_000
        day, document = now // DAY_MS, FIRST + number
        add = self._add
        add("document", (document, f"B{document}", now, now, day))
        add("posted_key", (document, number, document, number, document))
        add("event", (document, now, json.dumps({"number": f"B{document}", "kind": "issue"})))
        add("sales_by_hour", (day, now % DAY_MS // 3_600_000, 500 * lines))
        for line in range(lines):
            product = self._products[(number * lines + line) * 7919 % len(self._products)]
            add("document_line", (document, line + 1, product))
            move = FIRST + number * lines + line
            add("stock_move", (move, document, line + 1, product, now, now, day))
            add("stock_balance", (product,))
            add("daily_summary", (day, product, -1, -20_000))
            add("sales_summary", (day, product, 1, 500, 20_000))
            self._lines += 1
            if self._lines >= batch:
                self.flush()

    def _add(self, table: str, row: tuple[Any, ...]) -> None:
        self._rows.setdefault(table, []).append(row)

    def flush(self) -> None:
        """One transaction."""
        self._connection.execute("BEGIN IMMEDIATE")
        for table, statement in _ORDER.items():
            rows = self._rows.get(table, [])
            self._connection.executemany(statement, rows)
            self.written[table] += len(rows)
        self._connection.execute("COMMIT")
        self._rows, self._lines = {}, 0


_ORDER = {
    "stock_balance": _BALANCE,
    "daily_summary": _DAILY,
    "sales_summary": _SALES,
    "sales_by_hour": _HOURS,
    "document": _DOCUMENT,
    "document_line": _LINE,
    "stock_move": _MOVE,
    "event": _EVENT,
    "posted_key": _KEY,
}


def main() -> None:
    """Write sales and say how long it took."""
    parser = argparse.ArgumentParser(description="Write the rows of sales with sqlite3 alone")
    parser.add_argument("database")
    parser.add_argument("--documents", type=int, required=True)
    parser.add_argument("--lines", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    arguments = parser.parse_args()
    connection = sqlite3.connect(arguments.database, isolation_level=None)
    set_up(connection)
    query = "SELECT id FROM product WHERE sku LIKE 'P______' ORDER BY id"
    products = [row[0] for row in connection.execute(query)]
    writer = Writer(connection, products)
    began = time.perf_counter()
    for number in range(arguments.documents):
        writer.sale(number, arguments.lines, arguments.batch)
    writer.flush()
    seconds = time.perf_counter() - began
    settings = read_settings(connection)
    print(json.dumps({"seconds": seconds, "rows": writer.written, "settings": settings}))


if __name__ == "__main__":
    main()
