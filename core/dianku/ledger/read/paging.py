"""Pages without offsets: a cursor says after which row the next page begins.

The cursor carries the sort and the sort keys of the last row given, so a page costs the same
however far in it is, and rows that come or go meanwhile are neither repeated nor passed over.
It is opaque to callers; one that was not made by the same sort is refused.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from attrs import frozen
from sqlalchemy.engine import Connection, Row

from dianku.errors import FieldError, invalid
from dianku.ledger.read.requests import PageQuery
from dianku.storage.bulk import set_of

PAGE_MAX = 1000


@frozen
class SortColumn:
    """A column rows may be sorted by: SQL that is never NULL, and what its values are."""

    expression: str
    kind: Literal["int", "text"] = "int"


@frozen
class SortKey:
    """A column of one sort, with its direction."""

    name: str
    column: SortColumn
    descending: bool


@frozen
class Sorting:
    """A total order: what was asked for, then the columns that make every row distinct."""

    keys: tuple[SortKey, ...]

    @property
    def order_by(self) -> str:
        """The ORDER BY list."""
        return ", ".join(
            f"{k.column.expression} DESC" if k.descending else k.column.expression
            for k in self.keys
        )

    @property
    def columns(self) -> str:
        """The SELECT list that `cursor` reads: sort_0, sort_1, ..."""
        return ", ".join(f"{k.column.expression} AS sort_{i}" for i, k in enumerate(self.keys))

    @property
    def _text(self) -> str:
        return ",".join(f"-{k.name}" if k.descending else k.name for k in self.keys)

    def cursor(self, row: Row[Any]) -> str:
        """The cursor that begins after a row."""
        values = [
            int(v) if k.column.kind == "int" else v
            for k, v in zip(self.keys, self.values(row), strict=True)
        ]
        packed = msgspec.json.encode([self._text, *values])
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    def values(self, row: Row[Any]) -> list[Any]:
        """The sort keys of a row."""
        return [getattr(row, f"sort_{i}") for i in range(len(self.keys))]

    def after(self, cursor: str | None) -> tuple[str, dict[str, Any]]:
        """The condition that holds for rows behind a cursor, and its parameters.

        Raises:
            Refused: `invalid` with `/cursor` `unknown_cursor`.
        """
        if cursor is None:
            return "1 = 1", {}
        values = self.read(cursor)
        either: list[str] = []
        same: list[str] = []
        for i, key in enumerate(self.keys):
            sign = "<" if key.descending else ">"
            here = f"{key.column.expression} {sign} :after_{i}"
            either.append(" AND ".join([*same, here]))
            same.append(f"{key.column.expression} = :after_{i}")
        first = self.keys[0]
        # Said once more as a range of the first key: that much every database finds by index.
        bound = f"{first.column.expression} {'<=' if first.descending else '>='} :after_0"
        condition = " OR ".join(f"({part})" for part in either)
        return f"({bound} AND ({condition}))", {f"after_{i}": v for i, v in enumerate(values)}

    def read(self, cursor: str) -> list[Any]:
        """The sort keys in a cursor. Raises `Refused`: not a cursor of this sort."""
        wrong = invalid(FieldError("/cursor", "unknown_cursor"))
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            text, *values = msgspec.json.decode(base64.b64decode(padded, b"-_", validate=True))
        except (binascii.Error, msgspec.DecodeError, ValueError, TypeError):
            raise wrong from None
        kinds = [int if k.column.kind == "int" else str for k in self.keys]
        if text != self._text or [type(v) for v in values] != kinds:
            raise wrong
        return list(values)


def sorting(
    wanted: str | None, *, known: Mapping[str, SortColumn], default: str, last: Sequence[str]
) -> Sorting:
    """Read `sort=field,-field`; `last` are the columns that make the order total.

    Raises:
        Refused: `invalid` with `/sort` `unknown_sort`, naming what can be sorted by.
    """
    keys: list[SortKey] = []
    for part in (wanted or default).split(","):
        name = part.removeprefix("-")
        if name not in known:
            possible = ", ".join(known)
            raise invalid(FieldError("/sort", "unknown_sort", {"name": name, "known": possible}))
        if name not in {k.name for k in keys}:
            keys.append(SortKey(name, known[name], part.startswith("-")))
    downwards = keys[0].descending
    for name in last:
        if name not in {k.name for k in keys}:
            keys.append(SortKey(name, known[name], downwards))
    return Sorting(tuple(keys))


def fetch_page(
    connection: Connection,
    template: str,
    order: Sorting,
    asked: PageQuery,
    *,
    conditions: Sequence[str],
    lists: Mapping[str, Sequence[Any]],
    parameters: Mapping[str, Any],
) -> tuple[Sequence[Row[Any]], str | None]:
    """The rows of one page, and the cursor of the next where there is one.

    The template has places `{columns}`, `{conditions}` and `{order_by}`, and ends with
    `LIMIT :count`.

    Raises:
        Refused: `invalid` with `/cursor` `unknown_cursor`.
    """
    behind, after = order.after(asked.cursor)
    found = fetch(
        connection,
        template.format(
            columns=order.columns,
            conditions=" AND ".join([*conditions, behind]),
            order_by=order.order_by,
        ),
        lists=lists,
        parameters={**parameters, **after, "count": asked.limit + 1},
    )
    shown = found[: asked.limit]
    return shown, order.cursor(shown[-1]) if len(found) > asked.limit else None


def by_id(connection: Connection, template: str, *, column: str, of: str) -> Row[Any] | None:
    """The row whose id a path names, by a template as `fetch_page` takes it; None for any other."""
    if not (of.isascii() and of.isdecimal() and len(of) < 19):
        return None
    text = template.format(
        columns=f"{column} AS sort_0", conditions=f"{column} = :of", order_by=column
    )
    found = fetch(connection, text, parameters={"of": int(of), "count": 1})
    return found[0] if found else None


def fetch(
    connection: Connection,
    template: str,
    *,
    columns: tuple[tuple[str, str], ...] = (),
    rows: Iterable[Sequence[Any]] = (),
    lists: Mapping[str, Sequence[Any]] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Sequence[Row[Any]]:
    """Run a SELECT whose text depends on its filters.

    `{rows}` stands for a set of rows as in `storage.bulk`; `lists` are parameters behind `IN`.
    """
    bound: dict[str, Any] = dict(parameters or {})
    if columns:
        template = template.replace("{rows}", set_of(connection.dialect.name, columns))
        bound["rows"] = msgspec.json.encode(list(rows)).decode()
    statement = sa.text(template)
    if lists:
        statement = statement.bindparams(
            *(sa.bindparam(name, list(values), expanding=True) for name, values in lists.items())
        )
    return connection.execute(statement, bound).all()
