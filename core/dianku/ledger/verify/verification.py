"""Verify that what is derived is what the moves say, and name every difference.

Tables are weighed against the moves first (`since`), which the database does by itself in
one pass over each and without sorting them; only where something weighs wrong are the rows
compared one by one, to name them. The check reads one state of the database, so it can run while
the shop sells.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dianku.clock import Clock, SystemClock, day_of
from dianku.ledger.verify.documents import unlike
from dianku.ledger.verify.empty import empty_rows
from dianku.ledger.verify.folds import (
    BALANCES,
    COUNTED,
    HOUR_FIGURES,
    HOUR_KEYS,
    MOVED,
    SALES,
    Fold,
    last_costs,
    sales_hours,
)
from dianku.ledger.verify.moves import HOLDS, MoveSums, moved_differences
from dianku.ledger.verify.since import from_the_beginning, go_on, note, noted
from dianku.storage.engine import Database
from dianku.wire import Answer

DIFFERENCES_MAX = 1_000
"""Differences named one by one; a broken table would name every row of itself."""


class Difference(Answer):
    """One figure that is not what the moves say: which table, where, which figure.

    Quantities in steps, amounts in minor units, values in 1/10000 of the currency unit.
    """

    table: str
    figure: str
    expected: int
    found: int
    store: str | None = None
    product: str | None = None
    business_date: str | None = None
    detail: str | None = None


class Verification(Answer):
    """What was found: `clean`, or the differences (at most `DIFFERENCES_MAX` of them).

    `earlier`: how many of the moves were verified by an earlier run and not read again.
    """

    clean: bool
    moves: int
    differences: list[Difference]
    earlier: int = 0


def verify(
    database: Database, *, since_last: bool = False, clock: Clock | None = None
) -> Verification:
    """Compare every derived figure with the moves and lines it comes from.

    With `since_last` it goes on from the last run that was asked to, and when all is right notes
    how far it went; without, everything is read and nothing written. `clock`: the one that holds
    end by, the machine's if not given.
    """
    with database.reading() as connection:
        before = noted(connection) if since_last else None
        found = None if before is None else go_on(connection, before)
        if found is None:
            before, found = None, go_on(connection, from_the_beginning())
        rows = _differences(
            connection,
            weighed=found is not None,
            after=before.document if before else 0,
            now_ms=(clock or SystemClock()).now_ms(),
        )
        differences = list(islice(rows, DIFFERENCES_MAX))
        moves = connection.execute(sa.text("SELECT COUNT(*) FROM stock_move")).scalar_one()
    if since_last and found is not None and not differences:
        with database.writing() as connection:
            note(connection, found, before=before)
    return Verification(
        clean=not differences,
        moves=moves,
        differences=differences,
        earlier=before.moves if before else 0,
    )


class _Names:
    """Codes of stores and skus of products, asked for only where something is wrong."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        rows = connection.execute(sa.text("SELECT id, code FROM store"))
        self._stores = {row.id: row.code for row in rows}

    def store(self, store_id: int | None) -> str | None:
        """A store's code, or its row number when there is no such store."""
        return None if store_id is None else self._stores.get(store_id, f"#{store_id}")

    def product(self, product_id: int | None) -> str | None:
        """A product's sku, or its row number when there is no such product."""
        if product_id is None:
            return None
        sku = self._connection.execute(
            sa.text("SELECT sku FROM product WHERE id = :id"), {"id": product_id}
        ).scalar()
        return sku or f"#{product_id}"


def _differences(
    connection: Connection, *, weighed: bool, after: int, now_ms: int
) -> Iterator[Difference]:
    """All differences; of what weighed right only those that have no weight."""
    names = _Names(connection)
    if weighed:
        yield from _reserved(connection, names)
    else:
        sums = MoveSums()
        sums.read(connection)
        for fold, key, figures in moved_differences(connection, sums):
            for figure, (expected, found) in figures.items():
                row = _Row(dict(zip(fold.keys, key, strict=True)))
                yield _difference(fold, row, figure, expected, found, names)
        yield from _compare(connection, SALES, names)
        yield from _hours(connection, names)
    yield from _averages(connection, names)
    yield from _counted(connection, names)
    if not after:
        yield from _empty(connection, names)
    yield from _unlike(connection, names, after=after, now_ms=now_ms)


def _reserved(connection: Connection, names: _Names) -> Iterator[Difference]:
    """What is reserved is what active holds keep."""
    holds = {(row.store_id, row.product_id): int(row.quantity) for row in connection.execute(HOLDS)}
    kept = sa.text("SELECT store_id, product_id, reserved FROM stock_balance WHERE reserved <> 0")
    found = {(row.store_id, row.product_id): row.reserved for row in connection.execute(kept)}
    for place in sorted({*holds, *found}):
        want, got = holds.get(place, 0), found.get(place, 0)
        if want != got:
            row = _Row(dict(zip(BALANCES.keys, place, strict=True)))
            yield _difference(BALANCES, row, "reserved", want, got, names)


def _compare(connection: Connection, fold: Fold, names: _Names) -> Iterator[Difference]:
    """Sum what should be and take off what is: what does not come to zero is a difference."""
    keys = ", ".join(fold.keys)
    expected = ", ".join(f"{f} AS {f}, 0 AS found_{f}" for f in fold.figures)
    found = ", ".join(f"0, {f}" for f in fold.figures)
    sums = ", ".join(f"SUM({f}) AS {f}, SUM(found_{f}) AS found_{f}" for f in fold.figures)
    unequal = " OR ".join(f"SUM({f}) <> SUM(found_{f})" for f in fold.figures)
    sql = (
        f"SELECT {keys}, {sums} FROM (SELECT {keys}, {expected} FROM ({fold.source}) AS s "
        f"UNION ALL SELECT {keys}, {found} FROM {fold.table}) AS u "
        f"GROUP BY {keys} HAVING {unequal} ORDER BY {keys}"
    )
    for row in connection.execute(sa.text(sql)):
        for figure in fold.figures:
            want, got = int(getattr(row, figure)), int(getattr(row, f"found_{figure}"))
            if want != got:
                yield _difference(fold, row, figure, want, got, names)


def _difference(
    fold: Fold, row: object, figure: str, expected: int, found: int, names: _Names
) -> Difference:
    keys = {key: getattr(row, key) for key in fold.keys}
    day = keys.pop("business_date", None)
    store, product = keys.pop("store_id", None), keys.pop("product_id", None)
    return Difference(
        table=fold.table,
        figure=figure,
        expected=expected,
        found=found,
        store=names.store(store),
        product=names.product(product),
        business_date=None if day is None else day_of(day).isoformat(),
        detail=", ".join(f"{k} {v}" for k, v in keys.items()) or None,
    )


def _hours(connection: Connection, names: _Names) -> Iterator[Difference]:
    expected = sales_hours(connection)
    fold = Fold("sales_by_hour", HOUR_KEYS, HOUR_FIGURES, "")
    columns = ", ".join((*HOUR_KEYS, *HOUR_FIGURES))
    zero = [0] * len(HOUR_FIGURES)
    rows = {
        tuple(row[: len(HOUR_KEYS)]): row
        for row in connection.execute(sa.text(f"SELECT {columns} FROM sales_by_hour"))
    }
    for key in sorted({*expected, *rows}):
        figures = expected.get(key, zero)
        found = list(rows[key][len(HOUR_KEYS) :]) if key in rows else zero
        for figure, want, got in zip(HOUR_FIGURES, figures, found, strict=True):
            if want != got:
                keys = dict(zip(HOUR_KEYS, key, strict=True))
                yield _difference(fold, _Row(keys), figure, want, got, names)


class _Row:
    """Keys of a row, read as attributes like a row of the database."""

    def __init__(self, values: dict[str, int]) -> None:
        self.__dict__.update(values)


def _averages(connection: Connection, names: _Names) -> Iterator[Difference]:
    """The last cost, and that stock which is there is not worth less than nothing."""
    rows = connection.execute(
        sa.text("SELECT store_id, product_id, last_cost, on_hand, value FROM stock_balance")
    )
    held = {(row.store_id, row.product_id): row for row in rows}
    for store_id, product_id, last_cost in last_costs(connection):
        row = held[store_id, product_id]
        if row.last_cost != last_cost:
            yield Difference(
                table="stock_balance",
                figure="last_cost",
                expected=last_cost,
                found=row.last_cost,
                store=names.store(store_id),
                product=names.product(product_id),
            )


def _counted(connection: Connection, names: _Names) -> Iterator[Difference]:
    """The latest count, and whether anything ever moved.

    A wrong count lets late movements pass as new ones; a wrong `moved` has goods carried that
    were never there.
    """
    counted = {
        (row.store_id, row.product_id): row.counted_at
        for row in connection.execute(sa.text(COUNTED))
    }
    held = sa.text(
        f"SELECT store_id, product_id, counted_at, moved, {MOVED} AS has FROM stock_balance"
    )
    for row in connection.execute(held):
        place = row.store_id, row.product_id
        has = bool(row.has) or place in counted
        at = counted.pop(place, 0)
        if row.counted_at != at:
            yield _difference(BALANCES, row, "counted_at", at, row.counted_at, names)
        if bool(row.moved) != has:
            yield _difference(BALANCES, row, "moved", int(has), int(row.moved), names)
    for place in sorted(place for place, at in counted.items() if at):
        missing = _Row(dict(zip(BALANCES.keys, place, strict=True)))
        yield _difference(BALANCES, missing, "counted_at", counted[place], 0, names)


def _unlike(
    connection: Connection, names: _Names, *, after: int, now_ms: int
) -> Iterator[Difference]:
    """What documents, their moves and reservations do not agree on."""
    for found in unlike(connection, after=after, now_ms=now_ms):
        yield Difference(
            table=found.table,
            figure=found.figure,
            expected=found.expected,
            found=found.found,
            store=names.store(found.store_id),
            product=names.product(found.product_id),
            detail=found.detail,
        )


def _empty(connection: Connection, names: _Names) -> Iterator[Difference]:
    """Rows of nothing that nothing was posted for."""
    for fold, key in empty_rows(connection):
        row = _Row(dict(zip(fold.keys, key, strict=True)))
        yield _difference(fold, row, "rows", 0, 1, names)
