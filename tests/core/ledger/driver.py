"""Hear every statement that reaches a database's driver, whoever sends it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa

from dianku.storage.engine import Database

Hear = Callable[[Any, str], None]
"""Called before a statement with the driver's connection and its text."""


@contextmanager
def hearing(
    database: Database,
    hear: Hear = lambda _connection, _statement: None,
    *,
    failed: Callable[[Exception], None] = lambda _error: None,
) -> Iterator[None]:
    """Have `hear` called before each statement of the writing connections, `failed` if it fails."""

    class Heard:
        connection: Any

        def execute(self, sql: str, *rest: Any, **more: Any) -> Any:
            hear(self.connection, sql)
            try:
                return super().execute(sql, *rest, **more)  # type: ignore[misc]
            except Exception as error:
                failed(error)
                raise

        def executemany(self, sql: str, *rest: Any, **more: Any) -> Any:
            hear(self.connection, sql)
            try:
                return super().executemany(sql, *rest, **more)  # type: ignore[misc]
            except Exception as error:
                failed(error)
                raise

    class OnSqlite(Heard, sqlite3.Cursor):
        pass

    class OnPostgres(Heard, psycopg.Cursor[Any]):  # type: ignore[misc]
        pass

    class Heeding(sqlite3.Connection):
        def cursor(self, factory: Any = OnSqlite) -> Any:
            return super().cursor(factory)

    def connect(_dialect: Any, _record: Any, _args: Any, options: dict[str, Any]) -> None:
        if database.dialect == "sqlite":
            options["factory"] = Heeding
        else:
            options["cursor_factory"] = OnPostgres

    database.engine.dispose()
    sa.event.listen(database.engine, "do_connect", connect)
    try:
        yield
    finally:
        sa.event.remove(database.engine, "do_connect", connect)
        database.engine.dispose()
