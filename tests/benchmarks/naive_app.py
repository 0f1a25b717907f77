"""Baseline (b): the obvious way to write it, a transaction per request and a statement per row.

    python naive_app.py DATABASE   prints "listening on http://HOST:PORT"

Starlette's thread pool and SQLAlchemy Core, on a copy of Dianku's own SQLite file with the same
settings; it writes the same rows of the same tables for a sale of one line, and refuses what is
not there in the same way (a condition in the UPDATE).
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from typing import Any

import sqlalchemy as sa
from hello_app import listen
from sale_rows import DAY_MS, UPSERTS, read_settings, set_up
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class Till:
    """The engine, and the tables as they are found in the file."""

    def __init__(self, path: str) -> None:
        self.engine = sa.create_engine(
            f"sqlite:///{path}", connect_args={"isolation_level": None, "timeout": 60}, pool_size=40
        )

        @sa.event.listens_for(self.engine, "connect")
        def _connect(connection: Any, _record: Any) -> None:
            set_up(connection)

        @sa.event.listens_for(self.engine, "begin")
        def _begin(connection: sa.Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        metadata = sa.MetaData()
        metadata.reflect(self.engine)
        self.tables = metadata.tables
        with self.engine.connect() as connection:
            raw = connection.connection.driver_connection
            print(f"settings {read_settings(raw)}", file=sys.stderr)

    def sell(self, body: dict[str, Any], key: str) -> dict[str, Any]:
        """Post one sale of one line."""
        line = body["lines"][0]
        quantity, amount = int(line["quantity"]), int(float(line["amount"]) * 100)
        now = time.time_ns() // 1_000_000
        digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
        high, low = (int.from_bytes(digest[i : i + 8], "big", signed=True) for i in (0, 8))
        with self.engine.begin() as connection:
            product = connection.execute(
                sa.select(self.tables["product"].c.id).where(
                    self.tables["product"].c.sku == line["sku"]
                )
            ).scalar_one()
            balance = self.tables["stock_balance"]
            left = connection.execute(
                sa.update(balance)
                .where(balance.c.store_id == 1, balance.c.product_id == product)
                .where(balance.c.on_hand - balance.c.reserved >= quantity)
                .values(
                    on_hand=balance.c.on_hand - quantity,
                    value=balance.c.value - balance.c.last_cost * quantity,
                )
                .returning(balance.c.on_hand, balance.c.last_cost)
            ).one()
            ids = {name: self._next(connection, name) for name in ("document", "move", "event")}
            self._write(connection, ids, product, quantity, amount, left.last_cost * quantity, now)
            self._insert(
                connection,
                "posted_key",
                key_high=high,
                key_low=low,
                digest_high=high,
                digest_low=low,
                subject="document",
                subject_id=ids["document"],
            )
        return {"number": f"CK{ids['document']}", "on_hand": str(left.on_hand)}

    def _write(
        self,
        connection: sa.Connection,
        ids: dict[str, int],
        product: int,
        quantity: int,
        amount: int,
        cost: int,
        now: int,
    ) -> None:
        day = now // DAY_MS
        self._insert(
            connection,
            "document",
            id=ids["document"],
            number=f"N{ids['document']}",
            kind="issue",
            action="post",
            store_id=1,
            channel_id=1,
            occurred_at=now,
            recorded_at=now,
            business_date=day,
            late=False,
            actor="bench",
        )
        self._insert(
            connection,
            "document_line",
            document_id=ids["document"],
            line=1,
            product_id=product,
            quantity=quantity,
            amount=amount,
            cost=cost,
        )
        self._insert(
            connection,
            "stock_move",
            id=ids["move"],
            document_id=ids["document"],
            line=1,
            store_id=1,
            product_id=product,
            bucket=0,
            flow=2,
            reason="",
            lot_id=0,
            quantity=-quantity,
            value=-cost,
            occurred_at=now,
            recorded_at=now,
            business_date=day,
        )
        self._insert(
            connection,
            "event",
            id=ids["event"],
            type="document.posted",
            at=now,
            store_id=1,
            data=json.dumps({"number": f"N{ids['document']}", "kind": "issue"}),
        )
        for statement, values in UPSERTS(day, product, quantity, amount, cost, now):
            connection.exec_driver_sql(statement, values)

    def _insert(self, connection: sa.Connection, table: str, **values: Any) -> None:
        connection.execute(sa.insert(self.tables[table]).values(values))

    def _next(self, connection: sa.Connection, name: str) -> int:
        statement = (
            "INSERT INTO counter (name, value) VALUES (:name, 1000000000) "
            "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"
        )
        row = connection.execute(sa.text(statement), {"name": f"bench_{name}"})
        return int(row.scalar_one())


def main() -> None:
    """Serve the naive till."""
    till = Till(sys.argv[1])

    async def post(request: Request) -> Response:
        body = json.loads(await request.body())
        key = request.headers["idempotency-key"]
        return JSONResponse(await run_in_threadpool(till.sell, body, key), status_code=201)

    listen(Starlette(routes=[Route("/api/v1/documents", post, methods=["POST"])]))


if __name__ == "__main__":
    main()
