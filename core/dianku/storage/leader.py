"""A lock that one process of the shop holds at a time, and that dies with its process.

SQLite: a lock of the operating system on a file beside the database. PostgreSQL: an advisory lock
of a connection that stays open. Neither leaves anything behind after `kill -9`.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dianku.storage.engine import LOCK_LEADER, Database
from dianku.storage.file_lock import FileLock


class LeaderLock(Protocol):
    """What one process can hold."""

    def hold(self) -> bool:
        """Take the lock if it is free; True while it is held, also when asked again."""
        ...

    def release(self) -> None:
        """Let it go."""
        ...


def leader_lock(database: Database) -> LeaderLock:
    """The lock that suits a database."""
    if database.dialect == "postgresql":
        return _ConnectionLock(database)
    path = database.url.database
    return FileLock(Path(f"{path}.leader")) if path and path != ":memory:" else _Alone()


class _Alone:
    """A database nobody else can open."""

    def hold(self) -> bool:
        return True

    def release(self) -> None:
        pass


class _ConnectionLock:
    def __init__(self, database: Database) -> None:
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
            sql = f"SELECT pg_try_advisory_lock({LOCK_LEADER})"
            if not self._connection.exec_driver_sql(sql).scalar():
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
