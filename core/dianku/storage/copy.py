"""Carry all rows of one database to another, of either kind, and check that they arrived.

The target is empty before and complete after, or empty again: there is no half a shop. Tables of
known owners are made by those owners' revisions, at the position the source stands at; tables
nobody here knows are made as they were found. Rows are counted and digested on both sides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa
from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.storage.engine import Database
from dianku.storage.migrate import CORE, Owner, upgrade
from dianku.storage.shape import CopyRefused, TableShape, make_tables, read_shape, table_names

UNFINISHED = "copy_unfinished"
"""The table that stands in a database while it is being made from another or from a backup."""
_BATCH = 2_000
_VERSION = "alembic_version_"
_KINDS: Mapping[str, Callable[[Any], Any]] = {"boolean": bool, "real": float, "bytes": bytes}
_encode = msgspec.json.Encoder().encode


class Source(Protocol):
    """Where rows come from: a database or an archive, standing still while it is read."""

    dialect: str

    def shapes(self) -> Sequence[TableShape]:
        """Every table."""
        ...

    def rows(self, shape: TableShape) -> Iterator[tuple[Any, ...]]:
        """The rows of a table, values in the order of its columns."""
        ...


@frozen
class Copied:
    """What was carried: rows by table, and the owners whose code is not installed here."""

    rows: Mapping[str, int]
    unknown_owners: Sequence[str]


class DatabaseSource:
    """A database as one transaction sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.dialect = connection.dialect.name

    def shapes(self) -> Sequence[TableShape]:
        """Every table."""
        return [read_shape(self._connection, name) for name in table_names(self._connection)]

    def rows(self, shape: TableShape) -> Iterator[tuple[Any, ...]]:
        """The rows of a table, fetched as they are asked for."""
        names = ", ".join(map(_quoted, shape.column_names))
        found = self._connection.exec_driver_sql(
            f"SELECT {names} FROM {_quoted(shape.name)}",
            execution_options={"stream_results": True, "yield_per": _BATCH},
        )
        to_kinds = kinds_of(shape)
        for row in found:
            yield to_kinds(row)


class RowsDigest:
    """Counts and digests rows whatever their order: databases sort text differently."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    def passing(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Hand the rows on, taking note of each."""
        for row in rows:
            one = hashlib.blake2b(_encode(row), digest_size=16).digest()
            self._sum = (self._sum + int.from_bytes(one)) & ((1 << 128) - 1)
            self.count += 1
            yield row

    @property
    def hexdigest(self) -> str:
        """The digest of what has passed."""
        return f"{self._sum:032x}"


def kinds_of(shape: TableShape) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """A function that gives a row's values the Python types of their columns."""
    casts = [_KINDS.get(column.type) for column in shape.columns]
    if not any(casts):
        return tuple

    def cast(row: Sequence[Any]) -> tuple[Any, ...]:
        pairs = zip(row, casts, strict=True)
        return tuple(v if c is None or v is None else c(v) for v, c in pairs)

    return cast


def copy(source: Database, target: Database, *, owners: Sequence[Owner] = (CORE,)) -> Copied:
    """Copy a whole database into an empty one; the source may go on selling meanwhile.

    What is written to the source after the copy began is not in the copy.

    Raises:
        CopyRefused: The target is not empty, or something cannot be carried.
        MigrationFailed: The source was made by newer code.
    """
    with source.reading() as connection:
        return transfer(DatabaseSource(connection), target, owners=owners)


def transfer(
    source: Source, target: Database, *, owners: Sequence[Owner], more_follows: bool = False
) -> Copied:
    """Write all rows of a source into an empty database and compare both sides.

    A target that was left half done is emptied first. With `more_follows` it stays marked as
    unfinished until `finish`.

    Raises:
        CopyRefused: The target is not empty, or something cannot be carried or did not arrive.
        MigrationFailed: The source was made by newer code.
    """
    refuse_unless_empty(target)
    mark_unfinished(target)
    try:
        copied = _transfer(source, target, owners)
    except BaseException:
        empty(target)
        raise
    if not more_follows:
        finish(target)
    return copied


def _transfer(source: Source, target: Database, owners: Sequence[Owner]) -> Copied:
    shapes = source.shapes()
    positions = _positions(source, shapes)
    for owner in owners:
        if revision := positions.get(owner.name):
            upgrade(target, [owner], to=revision)
    with target.writing() as connection:
        made = set(table_names(connection))
        strangers = [shape for shape in shapes if shape.name not in made]
        make_tables(connection, strangers, made_on=source.dialect)
        with _references_aside(connection):
            rows = {shape.name: _fill(source, shape, connection) for shape in shapes}
        _number_on(connection, shapes)
    known = {owner.name for owner in owners}
    return Copied(rows, sorted(set(positions) - known))


def _positions(source: Source, shapes: Sequence[TableShape]) -> dict[str, str]:
    positions = {}
    for shape in shapes:
        if shape.name.startswith(_VERSION):
            for row in source.rows(shape):
                positions[shape.name.removeprefix(_VERSION)] = str(row[0])
    return positions


def mark_unfinished(target: Database) -> None:
    """Let a database say of itself that it is half made, should we be cut off."""
    with target.writing() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {UNFINISHED} (begun INTEGER)")


def finish(target: Database) -> None:
    """Take the mark away: the database is whole."""
    with target.writing() as connection:
        connection.exec_driver_sql(f"DROP TABLE {UNFINISHED}")


def is_unfinished(database: Database) -> bool:
    """Whether a copy or a restore into a database was cut off."""
    with database.reading() as connection:
        return UNFINISHED in table_names(connection)


def refuse_unless_empty(target: Database) -> None:
    """Refuse a database that holds any table; what was left half made is emptied.

    Raises:
        CopyRefused: It does.
    """
    if is_unfinished(target):
        empty(target)
    with target.reading() as connection:
        names = table_names(connection)
    if names:
        raise CopyRefused(
            "database_not_empty", url=target.safe_url, count=len(names), table=names[0]
        )


def empty(target: Database) -> None:
    """Drop every table of a database that was empty when we began."""
    metadata = sa.MetaData()
    with target.writing() as connection:
        metadata.reflect(connection)
        metadata.drop_all(connection)


def _fill(source: Source, shape: TableShape, connection: Connection) -> int:
    there = read_shape(connection, shape.name)
    if missing := set(shape.column_names) - set(there.column_names):
        raise CopyRefused("column_missing_here", table=shape.name, columns=str(sorted(missing)))
    # Revisions may have put rows of their own there, such as the channel `counter`.
    connection.exec_driver_sql(f"DELETE FROM {_quoted(shape.name)}")
    sent, arrived = RowsDigest(), RowsDigest()
    try:
        _write(connection, shape, sent.passing(source.rows(shape)))
    except (sa.exc.DBAPIError, connection.dialect.loaded_dbapi.Error) as error:
        raise CopyRefused(
            "table_not_taken", table=shape.name, reason=str(getattr(error, "orig", error))
        ) from error
    for _ in arrived.passing(DatabaseSource(connection).rows(shape)):
        pass
    if (sent.count, sent.hexdigest) != (arrived.count, arrived.hexdigest):
        raise CopyRefused(
            "rows_not_arrived", table=shape.name, sent=sent.count, arrived=arrived.count
        )
    return sent.count


def _write(connection: Connection, shape: TableShape, rows: Iterator[tuple[Any, ...]]) -> None:
    names = ", ".join(map(_quoted, shape.column_names))
    table = _quoted(shape.name)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(shape.columns))
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        while batch := list(islice(rows, _BATCH)):
            connection.exec_driver_sql(sql, batch)
        return
    cursor: Any = connection.connection.cursor()
    with cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as into:
        for row in rows:
            into.write_row(row)


@contextmanager
def _references_aside(connection: Connection) -> Iterator[None]:
    """Look at foreign keys when all rows are there: a category may stand before its parent."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        yield
        return
    keys = connection.exec_driver_sql(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) "
        "FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace"
    ).all()
    for table, name, _ in keys:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    yield
    for table, name, definition in keys:
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def _number_on(connection: Connection, shapes: Sequence[TableShape]) -> None:
    """Let PostgreSQL number on from the highest row; SQLite does so by itself."""
    if connection.dialect.name == "sqlite":
        return
    for shape in shapes:
        if len(shape.primary_key) != 1:
            continue
        column = _quoted(shape.primary_key[0])
        table = _quoted(shape.name)
        sequence = connection.execute(
            sa.text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": table, "column": shape.primary_key[0]},
        ).scalar()
        if sequence is not None:
            connection.exec_driver_sql(
                f"SELECT setval('{sequence}', (SELECT coalesce(max({column}), 0) + 1 "
                f"FROM {table}), false)"
            )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
