"""The database as a plugin may use it: its own tables to write, no secrets to read.

On SQLite an authorizer refuses the statement when it is prepared. PostgreSQL has no such hook and
roles would need an administrator, so there the transaction's own statistics are read before it is
committed (`pg_stat_xact_all_tables`): if any other table was written, or a secret one read, all
is rolled back. Either way nothing of a transaction that broke the fence is kept.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

from dianku.errors import DiankuError
from dianku.storage.engine import BUSY_TIMEOUT_MS, Database
from dianku.storage.schema import metadata

_SQLITE_WRITES = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_SQLITE_HARMLESS = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
        sqlite3.SQLITE_RECURSIVE,
    }
)
_PG_COUNTS = """
SELECT relid, schemaname, relname, n_tup_ins + n_tup_upd + n_tup_del AS written,
       seq_scan + coalesce(idx_scan, 0) AS scanned
FROM pg_stat_xact_all_tables
WHERE n_tup_ins + n_tup_upd + n_tup_del + seq_scan + coalesce(idx_scan, 0) > 0
"""
CONNECTIONS = 2


class FenceBroken(DiankuError):
    """A plugin reached for what is not its own: names the plugin and the table."""

    def __init__(self, plugin: str, what: str) -> None:
        super().__init__(
            f"plugin {plugin!r} may write only tables named {plugin}_...: {what}; "
            "nothing of this transaction was kept. Change the shop through its services."
        )
        self.plugin = plugin


def secret_tables() -> frozenset[str]:
    """Tables marked `info={"secret": True}`: hashes of tokens and passwords, secrets."""
    return frozenset(name for name, table in metadata.tables.items() if table.info.get("secret"))


class FencedDatabase:
    """One plugin's way to the database."""

    def __init__(self, database: Database, *, plugin: str) -> None:
        self._database = database
        self._plugin = plugin
        self._prefix = f"{plugin}_"
        self._secret = secret_tables()
        self._lock = threading.Lock()
        self._engines: dict[bool, Engine] = {}

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only transaction."""
        if self._database.dialect == "postgresql":
            with self._database.reading() as connection, self._judging(connection):
                yield connection
            return
        with self._open(writing=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction, kept only if it stayed within the fence."""
        if self._database.dialect == "postgresql":
            with self._database.writing() as connection, self._judging(connection):
                yield connection
            return
        with self._open(writing=True) as connection:
            yield connection

    def close(self) -> None:
        """Close its connections."""
        for engine in self._engines.values():
            engine.dispose()

    @contextmanager
    def _judging(self, connection: Connection) -> Iterator[None]:
        # What earlier transactions of this connection did is counted until it is reported, so
        # only the difference is this one's.
        before = {row.relid: row for row in connection.execute(sa.text(_PG_COUNTS))}
        yield
        for row in connection.execute(sa.text(_PG_COUNTS)):
            known = before.get(row.relid)
            written = row.written - (known.written if known else 0)
            scanned = row.scanned - (known.scanned if known else 0)
            own = row.relname.startswith(self._prefix) or row.schemaname == "pg_toast"
            if written and not own:
                raise FenceBroken(self._plugin, f"{row.relname} was written")
            if scanned and row.relname in self._secret:
                raise FenceBroken(self._plugin, f"{row.relname} holds secrets")

    @contextmanager
    def _open(self, *, writing: bool) -> Iterator[Connection]:
        try:
            with self._sqlite(writing=writing).connect() as connection, connection.begin():
                yield connection
        except DatabaseError as error:
            if "prohibited" in str(error.orig) or "not authorized" in str(error.orig):
                raise FenceBroken(self._plugin, str(error.orig)) from error
            raise

    def _sqlite(self, *, writing: bool) -> Engine:
        with self._lock:
            if writing not in self._engines:
                self._engines[writing] = self._sqlite_engine(writing=writing)
            return self._engines[writing]

    def _sqlite_engine(self, *, writing: bool) -> Engine:
        engine = sa.create_engine(
            self._database.url,
            poolclass=QueuePool,
            pool_size=CONNECTIONS,
            max_overflow=0,
            connect_args={"isolation_level": None, "check_same_thread": False},
        )

        @sa.event.listens_for(engine, "connect")
        def _connect(connection: sqlite3.Connection, _record: Any) -> None:
            pragmas = [f"busy_timeout={BUSY_TIMEOUT_MS}", "synchronous=FULL", "foreign_keys=ON"]
            for pragma in [*pragmas, *([] if writing else ["query_only=ON"])]:
                connection.execute(f"PRAGMA {pragma}")
            connection.set_authorizer(self._authorize)

        @sa.event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

        return engine

    def _authorize(
        self,
        action: int,
        first: str | None,
        _second: str | None,
        _database: str | None,
        _trigger: str | None,
    ) -> int:
        if action in _SQLITE_HARMLESS:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            return sqlite3.SQLITE_DENY if first in self._secret else sqlite3.SQLITE_OK
        if action in _SQLITE_WRITES and (first or "").startswith(self._prefix):
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY
