"""One pass over all moves: what they add up to, held against what is kept of them.

Sums per day are folded as the moves come, nearly in the order of their days, and the summary's
rows of a day are taken off as soon as the moves have gone past it. What comes to zero is
forgotten, so the memory is that of two days and of what is wrong, however long the history.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from attrs import define, field
from sqlalchemy.engine import Connection

from dianku.ledger.flows import Bucket
from dianku.ledger.verify.folds import AT_ONCE, BALANCES, DAILY, LOTS, Fold

_MOVES = sa.text(
    "SELECT business_date, store_id, product_id, bucket, flow, reason, lot_id, quantity, value "
    "FROM stock_move ORDER BY id"
).execution_options(yield_per=AT_ONCE)
_DAILY = sa.text(
    "SELECT business_date, store_id, product_id, bucket, flow, reason, quantity, value "
    "FROM daily_summary ORDER BY business_date"
).execution_options(yield_per=AT_ONCE)
HOLDS = sa.text(
    "SELECT store_id, product_id, SUM(quantity) AS quantity FROM reservation_hold "
    "WHERE active GROUP BY store_id, product_id"
)

Found = tuple[Fold, tuple[Any, ...], dict[str, tuple[int, int]]]
"""A row that differs: its table, its key, and (expected, found) by figure."""

_PLACES = {
    Bucket.SELLABLE: (0, 1),
    Bucket.DAMAGED: (2, 3),
    Bucket.KEPT: (4, None),
    Bucket.IN_TRANSIT: (5, 6),
}
"""Where a bucket's quantity and value stand among `BALANCES.figures`."""
_RESERVED = 7


@define
class MoveSums:
    """What the moves add up to: by place, by lot, and by day what the summary lacks of it."""

    places: dict[tuple[int, int], list[int]] = field(factory=dict)
    lots: dict[tuple[int, int, int], int] = field(factory=dict)
    days: dict[tuple[Any, ...], list[int]] = field(factory=dict)
    moves: int = 0

    def read(self, connection: Connection) -> None:
        """Read every move and every row of the day's summary, once."""
        summary = iter(connection.execute(_DAILY))
        pending = next(summary, None)
        newest = -1
        for row in connection.execute(_MOVES):
            date = row[0]
            if date > newest:
                newest = date
                while pending is not None and pending[0] < newest - 1:
                    self._day(tuple(pending[:6]), -pending[6], -pending[7])
                    pending = next(summary, None)
            self._move(row)
        while pending is not None:
            self._day(tuple(pending[:6]), -pending[6], -pending[7])
            pending = next(summary, None)
        for row in connection.execute(HOLDS):
            self._place((row.store_id, row.product_id))[_RESERVED] += int(row.quantity)

    def _move(self, row: Any) -> None:
        date, store_id, product_id, bucket, flow, reason, lot_id, quantity, value = row
        self.moves += 1
        self._day((date, store_id, product_id, bucket, flow, reason), quantity, value)
        place = self._place((store_id, product_id))
        at, worth_at = _PLACES[bucket]
        place[at] += quantity
        if worth_at is not None:
            place[worth_at] += value
        if lot_id and bucket == Bucket.SELLABLE:
            key = store_id, product_id, lot_id
            self.lots[key] = self.lots.get(key, 0) + quantity

    def _place(self, pair: tuple[int, int]) -> list[int]:
        found = self.places.get(pair)
        if found is None:
            found = self.places[pair] = [0] * len(BALANCES.figures)
        return found

    def _day(self, key: tuple[Any, ...], quantity: int, value: int) -> None:
        if not quantity and not value:
            return
        found = self.days.get(key)
        if found is None:
            self.days[key] = [quantity, value]
            return
        found[0] += quantity
        found[1] += value
        if not found[0] and not found[1]:
            del self.days[key]


def moved_differences(connection: Connection, sums: MoveSums) -> Iterator[Found]:
    """Rows of balances, lots and the day's summary that are not what the moves add up to."""
    yield from _kept(connection, BALANCES, {k: tuple(v) for k, v in sums.places.items()})
    yield from _kept(connection, LOTS, {k: (v,) for k, v in sums.lots.items()})
    lacking = {k: v for k, v in sums.days.items() if v[0] or v[1]}
    for key in sorted(lacking):
        found = _daily_row(connection, key)
        figures = {
            name: (held + lack, held)
            for name, held, lack in zip(DAILY.figures, found, lacking[key], strict=True)
            if lack
        }
        yield DAILY, key, figures


def _kept(
    connection: Connection, fold: Fold, expected: dict[Any, tuple[int, ...]]
) -> Iterator[Found]:
    columns = ", ".join((*fold.keys, *fold.figures))
    width = len(fold.keys)
    nothing = (0,) * len(fold.figures)
    statement = sa.text(f"SELECT {columns} FROM {fold.table}")
    for row in connection.execute(statement, execution_options={"yield_per": AT_ONCE}):
        key, held = tuple(row[:width]), tuple(row[width:])
        wanted = expected.pop(key, nothing)
        if wanted != held:
            yield fold, key, _unequal(fold, wanted, held)
    for key in sorted(k for k, v in expected.items() if any(v)):
        yield fold, key, _unequal(fold, expected[key], nothing)


def _unequal(
    fold: Fold, wanted: tuple[int, ...], held: tuple[int, ...]
) -> dict[str, tuple[int, int]]:
    pairs = zip(fold.figures, wanted, held, strict=True)
    return {name: (want, got) for name, want, got in pairs if want != got}


def _daily_row(connection: Connection, key: tuple[Any, ...]) -> tuple[int, int]:
    match = " AND ".join(f"{name} = :{name}" for name in DAILY.keys)
    row = connection.execute(
        sa.text(f"SELECT quantity, value FROM daily_summary WHERE {match}"),
        dict(zip(DAILY.keys, key, strict=True)),
    ).one_or_none()
    return (0, 0) if row is None else (row.quantity, row.value)
