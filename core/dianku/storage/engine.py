"""Open a database, read from it, write to it.

SQLite: WAL, full durability (the sync happens before a commit returns), every write transaction
begins IMMEDIATE so that reading and then writing cannot fail half way. PostgreSQL: READ COMMITTED,
locks taken in the ledger's one order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.pool import QueuePool

from dianku.errors import ConfigurationError

Dialect = Literal["sqlite", "postgresql"]

LOCK_CATALOG = 7_310_001
LOCK_COMMIT = 7_310_002
LOCK_MIGRATE = 7_310_003
LOCK_LEADER = 7_310_004
"""PostgreSQL advisory locks. Order: catalog before rows, rows before commit."""

BUSY_TIMEOUT_MS = 10_000
READ_CONNECTIONS = 8


class Database:
    """One database of one shop, and what differs between the two kinds.

    Attributes:
        dialect: `sqlite` or `postgresql`.
        url: Where it is; never printed with its password (`safe_url`).
    """

    def __init__(self, url: str | URL) -> None:
        self.url = make_url(url)
        self._joined: ContextVar[Connection | None] = ContextVar("joined", default=None)
        backend = self.url.get_backend_name()
        if backend == "sqlite":
            self.dialect: Dialect = "sqlite"
            self._writer = _sqlite_engine(self.url, writing=True)
            self._reader = _sqlite_engine(self.url, writing=False)
        elif backend == "postgresql":
            self.dialect = "postgresql"
            url_psycopg = self.url.set(drivername="postgresql+psycopg")
            self._writer = _postgres_engine(url_psycopg, read_only=False)
            self._reader = _postgres_engine(url_psycopg, read_only=True)
        else:
            raise ConfigurationError("database_unsupported", url=self.safe_url, backend=backend)

        self._closed = False
        for engine in (self._writer, self._reader):
            sa.event.listen(engine, "checkin", self._checked_in)

    def _checked_in(self, connection: Any, _record: Any) -> None:
        """Close what comes back late: a pool that was disposed of keeps no eye on it."""
        if self._closed and connection is not None:
            connection.close()

    @property
    def safe_url(self) -> str:
        """The address without its password."""
        return self.url.render_as_string(hide_password=True)

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations and backups."""
        return self._writer

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only transaction that sees one state of the database throughout."""
        with self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction: committed at the end of the block, rolled back on an error.

        Within `joined` it is the transaction that was joined, and ends with that one.
        """
        joined = self._joined.get()
        if joined is not None:
            yield joined
            return
        with self._writer.connect() as connection, connection.begin():
            yield connection

    def abandon(self, connection: Connection) -> None:
        """Roll a write transaction back before its block ends; nothing may be asked after it."""
        transaction = connection.get_transaction()
        if transaction is not None:
            transaction.rollback()

    @contextmanager
    def joined(self, connection: Connection) -> Iterator[None]:
        """Let every `writing` of this thread, within the block, be part of this transaction.

        So that a service's change and what must stand or fall with it (an idempotency key, a
        line of the audit trail) are one. An error must be let through to the outer block.
        """
        token = self._joined.set(connection)
        try:
            yield
        finally:
            self._joined.reset(token)

    def lock(self, connection: Connection, key: int, *, shared: bool = False) -> None:
        """Take a lock that lasts to the end of the transaction.

        On SQLite nothing is needed: a write transaction already excludes every other.
        """
        if self.dialect == "postgresql":
            name = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
            connection.exec_driver_sql(f"SELECT {name}({key})")

    def for_update(self) -> str:
        """The clause that locks selected rows: empty on SQLite."""
        return " FOR UPDATE" if self.dialect == "postgresql" else ""

    def close(self) -> None:
        """Close every connection; one that is still out is closed when it comes back."""
        self._closed = True
        self._writer.dispose()
        self._reader.dispose()


def _sqlite_engine(url: URL, *, writing: bool) -> Engine:
    engine = sa.create_engine(
        url,
        poolclass=QueuePool,
        pool_size=4 if writing else READ_CONNECTIONS,
        max_overflow=0,
        connect_args={"isolation_level": None, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-131072" if writing else "cache_size=-32768",
            "mmap_size=1073741824",
            "wal_autocheckpoint=4000",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        if not writing:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgres_engine(url: URL, *, read_only: bool) -> Engine:
    engine = sa.create_engine(
        url,
        pool_size=READ_CONNECTIONS if read_only else 4,
        max_overflow=4,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ" if read_only else "READ COMMITTED",
    )
    if read_only:

        @sa.event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    return engine
