"""See which tables a transaction touched that were not its own: their definitions and their rows.

For the revisions of plugins, which run as the shop itself and could drop a table of the kernel's.
Definitions are compared before and after; written rows are counted by SQLite's authorizer as the
statements are prepared, and by PostgreSQL's statistics of the transaction. What is found late can
only be taken back while nothing was committed, so the block cannot commit: SQLite's authorizer
denies it, on PostgreSQL a broken rule is left in a table of the transaction until the block ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy.engine import Connection

from dianku.storage.engine import Database

Own = Callable[[str], bool]
_ROWS = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_ENDS = frozenset({sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH})
_SQLITE_SHAPES = "SELECT tbl_name, type || name, sql FROM sqlite_master WHERE sql IS NOT NULL"
_PG_SHAPES = """
SELECT table_name, column_name, data_type || is_nullable || coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = current_schema()
UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()
UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND conrelid <> 0
"""
_PG_WRITTEN = """
SELECT relname, n_tup_ins + n_tup_upd + n_tup_del AS written FROM pg_stat_xact_all_tables
WHERE schemaname = current_schema()
"""
_PG_MAY = "SELECT has_database_privilege(current_database(), 'TEMP')"
_PG_OPEN = """
CREATE TEMP TABLE dianku_open (
    one integer CONSTRAINT a_revision_must_not_commit UNIQUE DEFERRABLE INITIALLY DEFERRED
) ON COMMIT DROP
"""


@contextmanager
def untouched(database: Database, connection: Connection, *, own: Own) -> Iterator[list[str]]:
    """Watch a block of one transaction; afterwards the list has the tables it should not touch.

    What is in the list was touched and is to be rolled back by the caller.
    """
    touched: list[str] = []
    shapes = _shapes(database, connection, own)
    if database.dialect == "sqlite":
        with _rows_on_sqlite(connection, own) as written:
            yield touched
    else:
        before = _rows_on_postgres(connection)
        with _open_on_postgres(connection):
            yield touched
        after = _rows_on_postgres(connection)
        written = {t for t, n in after.items() if n != before.get(t, 0) and not own(t)}
    changed = shapes ^ _shapes(database, connection, own)
    touched += sorted({table for table, _, _ in changed} | written)


def _shapes(database: Database, connection: Connection, own: Own) -> set[tuple[str, str, str]]:
    query = _SQLITE_SHAPES if database.dialect == "sqlite" else _PG_SHAPES
    rows = connection.exec_driver_sql(query).all()
    return {(str(row[0]), str(row[1]), str(row[2])) for row in rows if not own(str(row[0]))}


@contextmanager
def _rows_on_sqlite(connection: Connection, own: Own) -> Iterator[set[str]]:
    written: set[str] = set()

    def note(action: int, table: str | None, *_more: Any) -> int:
        name = table or ""
        if action in _ENDS:
            return sqlite3.SQLITE_DENY
        if action in _ROWS and not own(name) and not name.startswith("sqlite_"):
            written.add(name)
        return sqlite3.SQLITE_OK

    raw = cast("sqlite3.Connection", connection.connection.driver_connection)
    raw.set_authorizer(note)
    try:
        yield written
    finally:
        raw.set_authorizer(None)


@contextmanager
def _open_on_postgres(connection: Connection) -> Iterator[None]:
    """Make any commit fail while the block lasts; where temporary tables are forbidden, do not."""
    if not connection.exec_driver_sql(_PG_MAY).scalar():
        yield
        return
    connection.exec_driver_sql(_PG_OPEN)
    connection.exec_driver_sql("INSERT INTO pg_temp.dianku_open VALUES (1), (1)")
    yield
    connection.exec_driver_sql("DELETE FROM pg_temp.dianku_open")


def _rows_on_postgres(connection: Connection) -> dict[str, int]:
    return {row.relname: row.written for row in connection.exec_driver_sql(_PG_WRITTEN)}
