"""One order of locks, everywhere: whoever takes rows in that order never deadlocks with the poster.

A session of the test's own locks the first of two rows, waits until the poster waits for it, and
then locks the second, as another process would. A poster that took them the other way round holds
the second by then, so one of the two is a deadlock's victim; no luck is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from driver import hearing
from say import Day, line

from dianku.context import Context
from dianku.idempotency import hash_key
from dianku.ledger.commands import (
    Command,
    CommitReservation,
    HandOver,
    Post,
    Posted,
    Reserve,
    Reserved,
)
from dianku.ledger.requests import (
    LineQuantities,
    LineQuantity,
    NewDocument,
    NewReservation,
    NewReservationLine,
)
from dianku.ledger.service import Ledger
from dianku.storage.engine import Database
from dianku.testing.shop import Shop

pytestmark = pytest.mark.postgres_only

_WAITS = """
SELECT COUNT(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


@pytest.fixture
def stocked(day: Day, shop: Shop) -> Day:
    """Bread and milk with a lot of each, in both stores, and a sale of each."""
    for sku in ("bread", "milk"):
        shop.product(sku, track_lots=True)
    for store in ("S1", "S2"):
        lots = [line(sku, 50, lot="A", expires_on=date(2030, 1, 1)) for sku in ("bread", "milk")]
        day.post("receipt", *lots, store=store)
        day.post("issue", line("bread", 1), line("milk", 1), store=store)
    return day


Making = Callable[[Day], Sequence[Command]]


def sales(_day: Day) -> Sequence[Command]:
    """Two sales in both stores, the last row first."""
    return [
        Post(NewDocument(kind="issue", store=store, lines=[line("milk", 1), line("bread", 1)]))
        for store in ("S2", "S1")
    ]


def hand_overs(day: Day) -> Sequence[Command]:
    """Goods of two sales are fetched, of the later sale first."""
    numbers = [day.post("issue", line("milk", 1, kept="1")).number for _ in range(2)]
    asked = LineQuantities(lines=[LineQuantity(line=1)])
    return [HandOver(number, asked) for number in reversed(numbers)]


def commits(day: Day) -> Sequence[Command]:
    """Two promises become sales, the later one first."""
    codes = []
    for sku in ("bread", "milk"):
        lines = [NewReservationLine(sku=sku, quantity=Decimal(1))]
        held = day.ledger.execute(Reserve(NewReservation(store="S1", lines=lines)), ctx=day.owner)
        assert isinstance(held, Reserved)
        codes.append(held.record.id)
    return [CommitReservation(code) for code in reversed(codes)]


CASES: Sequence[tuple[Making, str, str]] = (
    (sales, "stock_balance", "store_id, product_id"),
    (sales, "lot_balance", "store_id, product_id, lot_id"),
    (sales, "daily_summary", "business_date, store_id, product_id, bucket, flow, reason"),
    (sales, "sales_summary", "business_date, store_id, product_id, channel_id"),
    (sales, "sales_by_hour", "business_date, store_id, hour, channel_id"),
    (hand_overs, "document", "id"),
    (commits, "reservation", "id"),
)
_LOCK = """
SELECT 1 FROM {table} WHERE ({keys}) =
  (SELECT {keys} FROM {table} AS w WHERE {of_the_batch} ORDER BY {order} LIMIT 1) FOR UPDATE
"""
_OF_THE_BATCH = {
    "document": "EXISTS (SELECT 1 FROM document_line AS l WHERE l.document_id = w.id AND kept > 0)",
    "daily_summary": "flow = (SELECT MIN(flow) FROM stock_move WHERE quantity < 0)",
}


def lock(table: str, keys: str, *, last: bool) -> str:
    """The statement that locks the first or the last row of those that the batch will touch."""
    order = ", ".join(f"{key} DESC" if last else key for key in keys.split(", "))
    of_the_batch = _OF_THE_BATCH.get(table, "true")
    return _LOCK.format(table=table, keys=keys, order=order, of_the_batch=of_the_batch)


def waits(database: Database) -> bool:
    """Whether some session waits for a lock."""
    with database.reading() as connection:
        return connection.execute(sa.text(_WAITS)).scalar() != 0


def meet(
    ledger: Ledger, commands: Sequence[Command], first: str, last: str, *, ctx: Context
) -> list[Exception]:
    """Post the commands as one batch while another session locks `first` and then `last`.

    Returns what broke on either side.
    """
    broken: list[Exception] = []
    database = ledger.database
    futures: list[Future[Any]] = [
        ledger.submit(c, key=f"K{i}", ctx=ctx) for i, c in enumerate(commands)
    ]
    with hearing(database, failed=broken.append):
        other = Database(database.url)
        try:
            with other.writing() as session:
                session.execute(sa.text(first))
                ledger.start()
                while not waits(database) and not futures[0].done():
                    pass
                assert not futures[0].done(), "the batch does not touch what was locked"
                try:
                    session.execute(sa.text(last))
                except sa.exc.OperationalError as error:
                    broken.append(error)
                other.abandon(session)
        finally:
            other.close()
        assert all(isinstance(future.result(), Posted) for future in futures)
    return broken


@pytest.mark.parametrize(("making", "table", "keys"), CASES, ids=[case[1] for case in CASES])
def test_rows_are_locked_in_their_order_whatever_the_commands_say(
    stocked: Day, waiting: Ledger, owner: Context, making: Making, table: str, keys: str
) -> None:
    commands = making(stocked)
    first, last = (lock(table, keys, last=end) for end in (False, True))
    assert meet(waiting, commands, first, last, ctx=owner) == []
    assert stocked.ledger.verify().clean


def test_keys_are_claimed_in_their_order_and_before_any_row(
    stocked: Day, waiting: Ledger, owner: Context
) -> None:
    commands = sales(stocked)
    low, high = sorted(hash_key(f"K{i}") for i in range(len(commands)))
    claim = "INSERT INTO posted_key VALUES ({}, {}, 0, 0, '', 0)"
    assert meet(waiting, commands, claim.format(*low), claim.format(*high), ctx=owner) == []


def test_documents_are_locked_before_balances(
    stocked: Day, waiting: Ledger, owner: Context
) -> None:
    commands = hand_overs(stocked)
    first = lock("document", "id", last=False)
    last = lock("stock_balance", "store_id, product_id", last=False)
    assert meet(waiting, commands, first, last, ctx=owner) == []
