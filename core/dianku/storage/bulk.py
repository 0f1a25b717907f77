"""Set-based statements: many rows, one constant statement, on both databases.

A statement per row would cost more than the posting itself, and a statement whose text changes
with the number of rows defeats every cache. Here a set of rows travels as one JSON parameter
(`json_each` on SQLite, `jsonb_array_elements` on PostgreSQL), or, for inserts on SQLite, through
the driver's `executemany`, which is faster still.

These statements go to the driver's own cursor, on SQLAlchemy's connection and in its transaction:
a batch runs some fifteen of them, and building SQLAlchemy's results around each would cost as much
as all the planning. Errors come out as SQLAlchemy's, so callers know one kind.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

_PG_TYPES: Mapping[str, str] = {
    "BIGINT": "bigint",
    "INTEGER": "bigint",
    "SMALLINT": "smallint",
    "BOOLEAN": "boolean",
    "TEXT": "text",
    "int": "bigint",
    "text": "text",
}
_encode = msgspec.json.encode


def _pg_type(column: sa.Column[Any]) -> str:
    return _PG_TYPES[str(column.type.compile())]


def set_of(dialect: str, columns: Sequence[tuple[str, str]]) -> str:
    """SQL of a derived table made from the parameter `:rows`, a JSON array of arrays.

    `columns` are (name, `int` or `text`); the result is to be followed by an alias.
    """
    if dialect == "sqlite":
        picks = ", ".join(
            f"json_extract(value, '$[{i}]') AS {name}" for i, (name, _) in enumerate(columns)
        )
        return f"(SELECT {picks} FROM json_each(:rows))"
    picks = ", ".join(
        f"(e ->> {i})::{_PG_TYPES[kind]} AS {name}" for i, (name, kind) in enumerate(columns)
    )
    return f"(SELECT {picks} FROM jsonb_array_elements(CAST(:rows AS jsonb)) AS e)"


@lru_cache(maxsize=1024)
def _statement(dialect: str, template: str, columns: tuple[tuple[str, str], ...]) -> str:
    """The statement in the driver's words: parameters are `:name`, on PostgreSQL `%(name)s`."""
    sql = template.replace("{rows}", set_of(dialect, columns)) if columns else template
    if dialect == "sqlite":
        return sql
    return re.sub(r"(?<!:):([a-z_]+)", r"%(\1)s", sql.replace("%", "%%"))


@lru_cache(maxsize=1024)
def _row_type(sql: str, names: tuple[str, ...]) -> Any:  # noqa: ARG001 - rows of one statement
    """The class of a statement's rows: tuples whose columns can be read by name."""
    return namedtuple("Row", names, rename=True)  # noqa: PYI024 - names are known at run time


def _executed(connection: Connection, sql: str, parameters: Any, *, many: bool = False) -> Any:
    """Run a statement on the driver's cursor; raises SQLAlchemy's errors."""
    cursor = connection.connection.cursor()
    # Whoever watches the engine's statements sees these too.
    for watch in connection.engine.dispatch.before_cursor_execute:
        watch(connection, cursor, sql, parameters, None, many)
    try:
        (cursor.executemany if many else cursor.execute)(sql, parameters)
    except _driver_error(connection) as error:
        raise sa.exc.DBAPIError.instance(
            sql, None, error, _driver_error(connection), dialect=connection.dialect
        ) from error
    return cursor


def _driver_error(connection: Connection) -> type[Exception]:
    found: type[Exception] = connection.dialect.loaded_dbapi.Error
    return found


def query(connection: Connection, sql: str, **parameters: Any) -> Sequence[Any]:
    """Run a statement that returns rows, readable by name; parameters are written `:name`."""
    statement = _statement(connection.dialect.name, sql, ())
    cursor = _executed(connection, statement, parameters)
    make = _row_type(statement, tuple(column[0] for column in cursor.description))._make
    return [make(row) for row in cursor.fetchall()]


def select_set(
    connection: Connection,
    template: str,
    *,
    columns: tuple[tuple[str, str], ...],
    rows: Iterable[Sequence[Any]],
    **parameters: Any,
) -> Sequence[Any]:
    """Run a SELECT (or any statement that returns rows) that joins `{rows}`, a set of rows.

    Rows come back as tuples whose columns can be read by name.

    Example: `select_set(c, "SELECT p.id FROM {rows} AS w JOIN product p ON p.sku = w.sku",
    columns=(("sku", "text"),), rows=[["A"], ["B"]])`.
    """
    statement = _statement(connection.dialect.name, template, columns)
    cursor = _executed(connection, statement, {"rows": _rows(rows), **parameters})
    make = _row_type(statement, tuple(column[0] for column in cursor.description))._make
    return [make(row) for row in cursor.fetchall()]


def execute_set(
    connection: Connection,
    template: str,
    *,
    columns: tuple[tuple[str, str], ...],
    rows: Iterable[Sequence[Any]],
    **parameters: Any,
) -> int:
    """Run a statement that joins `{rows}`; returns how many rows it changed."""
    statement = _statement(connection.dialect.name, template, columns)
    changed: int = _executed(connection, statement, {"rows": _rows(rows), **parameters}).rowcount
    return changed


def _rows(rows: Iterable[Sequence[Any]]) -> str:
    return _encode(rows if isinstance(rows, list) else list(rows)).decode()


def _written(connection: Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """Run a statement once per row on SQLite, once for all of them on PostgreSQL."""
    if connection.dialect.name == "sqlite":
        changed: int = _executed(connection, sql, rows, many=True).rowcount
    else:
        changed = _executed(connection, sql, {"rows": _encode(rows).decode()}).rowcount
    return changed


@lru_cache(maxsize=256)
def _insert_sql(dialect: str, table: sa.Table, columns: tuple[str, ...], conflict: str) -> str:
    names = ", ".join(columns)
    tail = f" {conflict}" if conflict else ""
    if dialect == "sqlite":
        marks = ", ".join("?" * len(columns))
        return f"INSERT INTO {table.name} ({names}) VALUES ({marks}){tail}"
    picks = ", ".join(f"(e ->> {i})::{_pg_type(table.c[c])}" for i, c in enumerate(columns))
    # WITH ORDINALITY keeps the order of the rows: locks are taken in it.
    return (
        f"INSERT INTO {table.name} ({names}) SELECT {picks} "
        f"FROM jsonb_array_elements(%(rows)s::jsonb) WITH ORDINALITY AS t(e, n) ORDER BY n{tail}"
    )


def insert_rows(
    connection: Connection,
    table: sa.Table,
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    *,
    conflict: str = "",
) -> int:
    """Insert rows in the order given; returns how many were written.

    `conflict` is an `ON CONFLICT ...` clause, the same on both databases. Rows must be unique
    in the conflict's key: one statement may touch a row once.
    """
    if not rows:
        return 0
    sql = _insert_sql(connection.dialect.name, table, columns, conflict)
    return _written(connection, sql, rows)


@lru_cache(maxsize=256)
def _update_sql(
    dialect: str, table: sa.Table, sets: tuple[str, ...], where: tuple[str, ...]
) -> str:
    if dialect == "sqlite":
        assign = ", ".join(f"{c} = ?" for c in sets)
        match = " AND ".join(f"{c} = ?" for c in where)
        return f"UPDATE {table.name} SET {assign} WHERE {match}"
    columns = (*sets, *where)
    picks = ", ".join(f"(e ->> {i})::{_pg_type(table.c[c])} AS c{i}" for i, c in enumerate(columns))
    assign = ", ".join(f"{c} = r.c{i}" for i, c in enumerate(sets))
    match = " AND ".join(f"t.{c} = r.c{i}" for i, c in enumerate(where, start=len(sets)))
    return (
        f"UPDATE {table.name} AS t SET {assign} "
        f"FROM (SELECT {picks} FROM jsonb_array_elements(%(rows)s::jsonb) AS e) AS r WHERE {match}"
    )


def update_rows(
    connection: Connection,
    table: sa.Table,
    *,
    sets: tuple[str, ...],
    where: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
) -> int:
    """Update one row per tuple, (new values..., values it must still have...).

    Returns how many rows were changed: fewer than given means that a condition did not hold.
    A row may be named once only: an UPDATE from a set applies one of two.
    """
    if not rows:
        return 0
    sql = _update_sql(connection.dialect.name, table, sets, where)
    return _written(connection, sql, rows)


def delete_rows(
    connection: Connection,
    table: str,
    keys: tuple[str, ...],
    rows: Sequence[tuple[int, ...]],
) -> int:
    """Delete one row per tuple of whole numbers, by the columns `keys`; returns how many."""
    if not rows:
        return 0
    if connection.dialect.name == "sqlite":
        match = " AND ".join(f"{c} = ?" for c in keys)
        sql = f"DELETE FROM {table} WHERE {match}"
        return _written(connection, sql, rows)
    match = " AND ".join(f"t.{c} = r.{c}" for c in keys)
    columns = tuple((c, "int") for c in keys)
    return execute_set(
        connection,
        f"DELETE FROM {table} AS t USING {{rows}} AS r WHERE {match}",
        columns=columns,
        rows=rows,
    )


def renew_statistics(connection: Connection, *tables: sa.Table) -> None:
    """Tell the planner what a large load has changed; nothing to do on SQLite.

    Until PostgreSQL looks by itself, it takes a table just filled for a small one and reads the
    whole of it for every look-up: a scan among 100,000 products took 45 ms.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ANALYZE {', '.join(table.name for table in tables)}")
