"""Shops to measure on, and the processes that are measured.

A shop is made once for a run and copied for each measurement, so every one begins with the same
rows, the same free space and an empty write-ahead log.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
from shop_server import DIANKU, ShopFolder

from dianku.access.records import NewToken
from dianku.catalog.requests import NewStore
from dianku.catalog.tables import barcode, product
from dianku.config import DATABASE_FILE, HostConfig
from dianku.context import Context
from dianku.errors import Problem
from dianku.host import Host
from dianku.ledger.requests import NewDocument, NewLine
from dianku.storage import events
from dianku.storage.bulk import insert_rows, renew_statistics
from dianku.storage.engine import LOCK_CATALOG, Database

HERE = Path(__file__).parent
STORE = "S1"
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = resource.getpagesize()
RECEIPT_LINES = 1_000
PLENTY = 100_000_000
"""Of each product, so that nothing ever runs out."""


def sku(number: int) -> str:
    """The SKU the load generator makes of a product's number."""
    return f"P{number:06d}"


def gtin(number: int) -> str:
    """A GTIN-13 with its check digit."""
    body = f"690{number:09d}"
    odd = sum(int(c) for c in body[0::2])
    even = sum(int(c) for c in body[1::2])
    return f"{body}{-(odd + 3 * even) % 10}"


def add_products(database: Database, count: int) -> None:
    """So many products with a barcode each, written as the catalog writes them."""
    with database.writing() as connection:
        database.lock(connection, LOCK_CATALOG)
        version = events.bump(connection, "catalog")
        columns = ("id", "sku", "name", "unit", "price", "cost", "precision", "track_lots",
                   "composition", "search", "created_at", "version")  # fmt: skip
        rows = [
            (n + 1, sku(n), f"Product {n}", "pc", 500, 20_000, 0, False, "none", sku(n).lower(),
             0, version)
            for n in range(count)
        ]  # fmt: skip
        insert_rows(connection, product, columns, rows)
        codes = [(gtin(n), n + 1, 1, 0) for n in range(count)]
        insert_rows(connection, barcode, ("code", "product_id", "factor", "position"), codes)
        renew_statistics(connection, product, barcode)


def make_shop(
    folder: Path, *, products: int, stores: int = 1, stocked: bool = True, database_url: str = ""
) -> tuple[ShopFolder, str]:
    """A shop with products, and plenty of each in its first store; with an owner's token."""
    with Host.build(HostConfig(data_dir=folder, database_url=database_url)) as host:
        ctx = Context(host.access.actor("bench"))
        for number in range(1, stores + 1):
            host.catalog.create_store(NewStore(code=f"S{number}", name=f"S{number}"), ctx=ctx)
        token = host.access.create_token(NewToken(name="bench", role="owner"), ctx=ctx).token
        add_products(host.database, products)
        for first in range(0, products if stocked else 0, RECEIPT_LINES):
            numbers = range(first, min(first + RECEIPT_LINES, products))
            lines = [
                NewLine(sku=sku(n), quantity=Decimal(PLENTY), unit_cost=Decimal(2)) for n in numbers
            ]
            outcome = host.ledger.post(
                NewDocument(kind="receipt", store=STORE, lines=lines), ctx=ctx
            )
            assert not isinstance(outcome, Problem), outcome
    if not database_url:
        empty_the_log(folder)
    return shop_in(folder, database_url=database_url or None), token or ""


def shop_in(folder: Path, *, database_url: str | None = None) -> ShopFolder:
    """The shop of a folder, for processes that run as an owner's do (not strict)."""
    shop = ShopFolder(folder, database_url=database_url)
    shop.environ.pop("DIANKU_STRICT", None)
    return shop


def empty_the_log(folder: Path) -> None:
    """Write what is in SQLite's log into the file, which a copy then holds whole."""
    connection = sqlite3.connect(folder / DATABASE_FILE)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def copy_of(shop: ShopFolder, folder: Path) -> ShopFolder:
    """The same shop in another folder, replacing what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(shop.folder, folder)
    return shop_in(folder)


def serve_words(workers: int = 1) -> list[str]:
    """The command that serves a shop."""
    words = [*DIANKU, "serve", "--port", "0"]
    return words if workers == 1 else [*words, "--workers", str(workers)]


def script(name: str, *words: str) -> list[str]:
    """The command of one of the baselines."""
    return [sys.executable, str(HERE / name), *words]


def count_rows(path: Path) -> dict[str, int]:
    """Rows of the tables that only grow."""
    connection = sqlite3.connect(path)
    names = ("document", "document_line", "stock_move", "posted_key", "event")
    counts = {n: int(connection.execute(f"SELECT COUNT(*) FROM {n}").fetchone()[0]) for n in names}
    connection.close()
    return counts


def postgres_rows(url: str) -> dict[str, int]:
    """The same on PostgreSQL."""
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    names = ("document", "document_line", "stock_move", "posted_key", "event")
    with engine.connect() as connection:
        found = {
            n: int(connection.execute(sa.text(f"SELECT COUNT(*) FROM {n}")).scalar_one())
            for n in names
        }
    engine.dispose()
    return found


class Measured:
    """A server in a process (and a session) of its own, with its processor time and memory."""

    def __init__(self, words: Sequence[str], *, environ: Mapping[str, str] | None = None) -> None:
        began = time.perf_counter()
        self._process = subprocess.Popen(
            list(words),
            env=None if environ is None else dict(environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        line = ""
        for line in self._process.stdout:
            if line.startswith("listening on "):
                break
        else:
            assert self._process.stderr is not None
            raise AssertionError(f"{words} ended:\n{self._process.stderr.read()}")
        self.ready_seconds = time.perf_counter() - began
        self.host, _, port = line.strip().rpartition("//")[2].rpartition(":")
        self.port = int(port)

    @property
    def pid(self) -> int:
        """The first process."""
        return self._process.pid

    def pids(self) -> list[int]:
        """Every process of its session: the first, and its workers."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[3]) == self.pid:
                    found.append(int(entry.name))
        return found

    def cpu_seconds(self) -> float:
        """Processor time used so far, of all its processes and threads."""
        total = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def memory_mb(self) -> float:
        """Resident memory of all its processes."""
        pages = sum(int(Path(f"/proc/{p}/statm").read_text().split()[1]) for p in self.pids())
        return pages * PAGE / 1e6

    def target(self, token: str = "") -> dict[str, Any]:
        """What the load generator needs to send here."""
        return {"host": self.host, "port": self.port, "token": token}

    def stop(self) -> str:
        """End it; what it said on its error output."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGTERM)
        try:
            _, errors = self._process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            _, errors = self._process.communicate()
        return str(errors)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
