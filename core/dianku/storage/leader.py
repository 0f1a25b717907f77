"""Locks that one process of the shop holds at a time, and that die with their process.

SQLite: a lock of the operating system on a file beside the database. PostgreSQL: an advisory lock
of a connection that stays open. Neither holds anybody up after `kill -9`.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dianku.storage.engine import LOCK_LEADER, Database
from dianku.storage.file_lock import FileLock


class ProcessLock(Protocol):
    """What one process can hold."""

    def hold(self) -> bool:
        """Take the lock if it is free; True while it is held, also when asked again."""
        ...

    def release(self) -> None:
        """Let it go."""
        ...


def leader_lock(database: Database) -> ProcessLock:
    """The lock of the one process that does what is to be done once."""
    return _lock_of(database, name="leader", keys=str(LOCK_LEADER))


def import_lock(database: Database, run_id: int) -> ProcessLock:
    """The lock of the one process that carries out an import."""
    return _lock_of(
        database, name=f"import-{run_id}", keys=f"{LOCK_LEADER}, {run_id % 2**31}", passing=True
    )


def _lock_of(database: Database, *, name: str, keys: str, passing: bool = False) -> ProcessLock:
    if database.dialect == "postgresql":
        return _ConnectionLock(database, keys)
    path = database.url.database
    if not path or path == ":memory:":
        return _Alone()
    return FileLock(Path(f"{path}.{name}"), passing=passing)


class _Alone:
    """A database nobody else can open."""

    def hold(self) -> bool:
        return True

    def release(self) -> None:
        pass


class _ConnectionLock:
    def __init__(self, database: Database, keys: str) -> None:
        self._sql = f"SELECT pg_try_advisory_lock({keys})"
        self._engine = sa.create_engine(
            database.engine.url, poolclass=sa.pool.NullPool, isolation_level="AUTOCOMMIT"
        )
        self._connection: Connection | None = None

    def hold(self) -> bool:
        try:
            if self._connection is not None:
                self._connection.exec_driver_sql("SELECT 1")
                return True
            self._connection = self._engine.connect()
            if not self._connection.exec_driver_sql(self._sql).scalar():
                self.release()
                return False
        except sa.exc.DBAPIError:
            self.release()
            return False
        return True

    def release(self) -> None:
        if self._connection is not None:
            with suppress(sa.exc.DBAPIError):
                self._connection.close()
            self._connection = None
