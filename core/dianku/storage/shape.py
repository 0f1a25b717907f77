"""What a table is made of, said so that another database can make it.

Reflected from the database, not taken from our code: a backup carries the tables of plugins that
are not installed, and must be able to make them again. Types are those that Dianku's tables use;
any other is refused by name, for a copy that loses something is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.engine.reflection import Inspector

from dianku.errors import WordedError
from dianku.storage.schema import Id

_TYPES: Sequence[tuple[str, type[sa.types.TypeEngine[Any]]]] = (
    ("boolean", sa.Boolean),
    ("smallint", sa.SmallInteger),
    ("bigint", sa.BigInteger),
    ("integer", sa.Integer),
    ("real", sa.Float),
    ("text", sa.String),
    ("bytes", sa.LargeBinary),
)
"""Which of them a reflected type is: the first that fits."""

_MAKE: dict[str, sa.types.TypeEngine[Any]] = {
    "boolean": sa.Boolean(),
    "smallint": sa.SmallInteger(),
    "bigint": sa.BigInteger(),
    "integer": sa.Integer(),
    "real": sa.Double(),
    "text": sa.Text(),
    "bytes": sa.LargeBinary(),
}
_POSTGRES = re.compile(
    r"(?P<text>'(?:[^']|'')*')"  # it may hold anything and stays as it is
    r"|::(?:double precision|(?:timestamp|time) with(?:out)? time zone|[a-z]+[0-9]*(?: varying)?)"
    r"(?:\([0-9, ]+\))?(?:\[\])?"
    r"|(?P<like>!?~~)(?!\*)"
)
"""What PostgreSQL writes its own way: casts, and its operators for LIKE."""
_LIKE = {"~~": "LIKE", "!~~": "NOT LIKE"}
_NAMES = re.compile(r"(?<![:\w\\]):(?=\w)")
"""A colon that SQLAlchemy would take for a parameter's, in text that has none."""
_TRUTH = {"0": "false", "1": "true"}
_ANY = re.compile(r"\(?= ANY \(\(?ARRAY\[(.*?)\]\)?\)")


class CopyRefused(WordedError):
    """A database cannot be copied as it is; says which table or row, and why."""


class ColumnShape(msgspec.Struct, frozen=True):
    """A column: its name, its portable type, and what it is without a value."""

    name: str
    type: str
    nullable: bool
    default: str | None = None
    numbered: bool = False


class IndexShape(msgspec.Struct, frozen=True):
    """An index, or a unique constraint; `where` makes it partial."""

    name: str
    columns: list[str]
    unique: bool
    where: str | None = None


class TableShape(msgspec.Struct, frozen=True):
    """A table: columns, key, indexes, checks; foreign keys stay inside one owner's revisions."""

    name: str
    columns: list[ColumnShape]
    primary_key: list[str]
    indexes: list[IndexShape]
    checks: dict[str, str]
    references: list[tuple[list[str], str, list[str]]] = []

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in order."""
        return tuple(column.name for column in self.columns)


def table_names(connection: Connection) -> list[str]:
    """Every table of the database, in the order of their names."""
    return sorted(sa.inspect(connection).get_table_names())


def read_shape(connection: Connection, name: str) -> TableShape:
    """What a table is made of.

    Raises:
        CopyRefused: A column's type is none that can be carried.
    """
    inspector = sa.inspect(connection)
    key = inspector.get_pk_constraint(name)["constrained_columns"]
    return TableShape(
        name=name,
        columns=[_column(name, found) for found in inspector.get_columns(name)],
        primary_key=list(key),
        indexes=_indexes(inspector, name, connection.dialect.name),
        checks={
            str(check["name"]): check["sqltext"] for check in inspector.get_check_constraints(name)
        },
        references=[
            (list(f["constrained_columns"]), f["referred_table"], list(f["referred_columns"]))
            for f in inspector.get_foreign_keys(name)
        ],
    )


def _column(table: str, found: Any) -> ColumnShape:
    type_ = found["type"]
    kinds = [kind for kind, known in _TYPES if isinstance(type_, known)]
    if not kinds or isinstance(type_, sa.Enum):
        raise CopyRefused("column_not_carried", table=table, column=found["name"], type=str(type_))
    default = found.get("default")
    numbered = isinstance(default, str) and default.startswith("nextval(")
    return ColumnShape(
        name=found["name"],
        type=kinds[0],
        nullable=found["nullable"],
        default=None if numbered else default,
        numbered=numbered or bool(found.get("identity")),
    )


def _indexes(inspector: Inspector, name: str, dialect: str) -> list[IndexShape]:
    uniques = [
        IndexShape(str(u["name"]), list(u["column_names"]), unique=True)
        for u in inspector.get_unique_constraints(name)
    ]
    known = {unique.name for unique in uniques}
    found = []
    for index in inspector.get_indexes(name):
        columns = [column for column in index["column_names"] if column is not None]
        if len(columns) != len(index["column_names"]):
            raise CopyRefused("index_not_carried", table=name, index=index["name"])
        if index["name"] not in known:
            where = index.get("dialect_options", {}).get(f"{dialect}_where")
            unique = bool(index["unique"])
            text = None if where is None else str(where)
            found.append(IndexShape(str(index["name"]), columns, unique=unique, where=text))
    return uniques + found


def make_tables(connection: Connection, shapes: Sequence[TableShape], *, made_on: str) -> None:
    """Make tables from their shapes; `made_on` is the dialect that these were read from.

    Raises:
        CopyRefused: This database does not take a check or a condition as it was written.
    """
    here = connection.dialect.name
    metadata = sa.MetaData()
    for shape in shapes:
        _describe(shape, metadata, made_on=made_on, here=here)
    for shape in shapes:
        _refer(shape, metadata)
    try:
        metadata.create_all(connection)
    except sa.exc.DBAPIError as error:
        names = ", ".join(sorted(metadata.tables))
        raise CopyRefused(
            "plugin_tables_not_taken",
            tables=names,
            made_on=made_on,
            here=here,
            reason=str(error.orig),
        ) from error


def _describe(shape: TableShape, metadata: sa.MetaData, *, made_on: str, here: str) -> None:
    said = _literal if made_on == here else _plain
    wide = made_on == "sqlite" and here == "postgresql"
    columns = [_made_column(column, shape, wide=wide, said=said) for column in shape.columns]
    checks = [
        sa.CheckConstraint(said(text), name=None if name == "None" else name)
        for name, text in shape.checks.items()
    ]
    table = sa.Table(shape.name, metadata, *columns, *checks)
    for index in shape.indexes:
        options: dict[str, Any] = {}
        if index.where is not None:
            options[f"{here}_where"] = sa.text(said(index.where))
        parts = [table.c[name] for name in index.columns]
        sa.Index(index.name, *parts, unique=index.unique, **options)


def _refer(shape: TableShape, metadata: sa.MetaData) -> None:
    for columns, referred, to in shape.references:
        if referred in metadata.tables:
            targets = [metadata.tables[referred].c[name] for name in to]
            key = sa.ForeignKeyConstraint(columns, targets)
            metadata.tables[shape.name].append_constraint(key)


def _made_column(
    column: ColumnShape, shape: TableShape, *, wide: bool, said: Callable[[str], str]
) -> sa.Column[Any]:
    key = column.name in shape.primary_key
    alone = shape.primary_key == [column.name]
    type_ = _MAKE[column.type]
    if column.type in ("bigint", "integer"):
        # SQLite's INTEGER holds 64 bits, and only a key of that very type numbers itself.
        type_ = Id if alone else (sa.BigInteger() if wide else type_)
    default = None if column.default is None else said(column.default)
    if column.type == "boolean" and default is not None:
        # SQLite keeps truth as a number, which PostgreSQL does not take for it.
        default = _TRUTH.get(default, default)
    return sa.Column(
        column.name,
        type_,
        primary_key=key,
        nullable=column.nullable,
        server_default=None if default is None else sa.text(default),
        autoincrement=alone and type_ is Id and (column.numbered or wide),
    )


def _plain(condition: str) -> str:
    """Write a condition without PostgreSQL's own ways of saying `IN`, `LIKE` and a type."""
    return _literal(_POSTGRES.sub(_plainly, _ANY.sub(r"IN (\1)", condition)))


def _plainly(found: re.Match[str]) -> str:
    if found["text"] is not None:
        return found["text"]
    return "" if found["like"] is None else _LIKE[found["like"]]


def _literal(sql: str) -> str:
    """Write SQL so that SQLAlchemy sees no parameters in it."""
    return _NAMES.sub(r"\:", sql)
