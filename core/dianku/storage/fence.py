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

_SQLITE_WRITES = frozenset(
    {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
)
_SQLITE_HARMLESS = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
        sqlite3.SQLITE_RECURSIVE,
    }
)
_PG_TOUCHED = """
SELECT schemaname, relname, n_tup_ins + n_tup_upd + n_tup_del AS written
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
        self._engine: Engine | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only transaction."""
        if self._database.dialect == "postgresql":
            with self._database.reading() as connection:
                yield connection
                self._judge(connection)
            return
        with self._open(writing=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction, kept only if it stayed within the fence."""
        if self._database.dialect == "postgresql":
            with self._database.writing() as connection:
                yield connection
                self._judge(connection)
            return
        with self._open(writing=True) as connection:
            yield connection

    def close(self) -> None:
        """Close its connections."""
        if self._engine is not None:
            self._engine.dispose()

    @contextmanager
    def _open(self, *, writing: bool) -> Iterator[Connection]:
        try:
            with self._sqlite().connect() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
                with connection.begin():
                    yield connection
        except DatabaseError as error:
            if "prohibited" in str(error.orig) or "not authorized" in str(error.orig):
                raise FenceBroken(self._plugin, str(error.orig)) from error
            raise

    def _judge(self, connection: Connection) -> None:
        for schema, table, written in connection.execute(sa.text(_PG_TOUCHED)):
            own = table.startswith(self._prefix) or schema == "pg_toast"
            if written and not own:
                raise FenceBroken(self._plugin, f"{table} was written")
            if table in self._secret and schema not in {"pg_catalog", "pg_toast"}:
                raise FenceBroken(self._plugin, f"{table} holds secrets")

    def _sqlite(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = sa.create_engine(
                    self._database.url,
                    poolclass=QueuePool,
                    pool_size=CONNECTIONS,
                    max_overflow=0,
                    connect_args={"isolation_level": None, "check_same_thread": False},
                )
                sa.event.listen(self._engine, "connect", self._prepare)
            return self._engine

    def _prepare(self, connection: sqlite3.Connection, _record: Any) -> None:
        for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.set_authorizer(self._authorize)

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
