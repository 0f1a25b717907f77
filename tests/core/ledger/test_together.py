"""Two ledgers on one database at once, as two processes have them (I3, I4).

Nothing is oversold, no key works twice, nothing deadlocks, and a reader of events misses none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from typing import Any, Self

import pytest
import sqlalchemy as sa
from driver import hearing
from say import Day, line

from dianku.catalog.snapshot import CatalogCache
from dianku.clock import SetClock
from dianku.context import Context
from dianku.errors import Problem
from dianku.ledger.commands import CommitReservation, Post, Posted, Reserve, Reserved
from dianku.ledger.requests import (
    NewDocument,
    NewLine,
    NewReservation,
    NewReservationLine,
)
from dianku.ledger.service import Ledger
from dianku.storage.engine import Database
from dianku.testing.shop import Shop

UNITS = 24
CLIENTS = 64


@pytest.fixture
def both(ledger: Ledger, database: Database, clock: SetClock) -> Iterator[tuple[Ledger, Ledger]]:
    """The test's ledger and one beside it that shares nothing with it but the database."""
    other = Database(database.url)
    beside = Ledger(other, CatalogCache(), clock)
    beside.start()
    yield ledger, beside
    beside.close()
    other.close()


def scalars(database: Database, sql: str) -> list[Any]:
    with database.reading() as connection:
        return list(connection.execute(sa.text(sql)).scalars())


def sale(*lines: NewLine) -> NewDocument:
    return NewDocument(kind="issue", store="S1", lines=list(lines), channel="web")


def alone(ledger: Ledger, ctx: Context) -> int:
    return isinstance(ledger.post(sale(line("tea", 1)), ctx=ctx), Posted)


def twice_in_a_cart(ledger: Ledger, ctx: Context) -> int:
    return 2 * isinstance(ledger.post(sale(line("tea", 1), line("tea", 1)), ctx=ctx), Posted)


def in_a_box(ledger: Ledger, ctx: Context) -> int:
    return 2 * isinstance(ledger.post(sale(line("box", 1)), ctx=ctx), Posted)


def by_the_case(ledger: Ledger, ctx: Context) -> int:
    case = line(barcode="16901234567899", quantity=1)
    return 3 * isinstance(ledger.post(sale(case), ctx=ctx), Posted)


def in_a_batch(ledger: Ledger, ctx: Context) -> int:
    many: Sequence[tuple[NewDocument, str | None]] = [(sale(line("tea", 1)), None)] * 2
    return sum(isinstance(x, Posted) for x in ledger.post_many(many, ctx=ctx))


def promised_first(ledger: Ledger, ctx: Context) -> int:
    lines = [NewReservationLine(sku="tea", quantity=Decimal(1))]
    held = ledger.execute(Reserve(NewReservation(store="S1", lines=lines)), ctx=ctx)
    if not isinstance(held, Reserved):
        return 0
    done = ledger.execute(CommitReservation(held.record.id), ctx=ctx)
    assert isinstance(done, Posted), "what was promised is there"
    return 1


WAYS: Sequence[Callable[[Ledger, Context], int]] = (
    alone,
    in_a_box,
    by_the_case,
    twice_in_a_cart,
    promised_first,
    in_a_batch,
)


def test_scarce_goods_by_every_way_at_once_exactly_all_are_gone(
    day: Day, shop: Shop, both: tuple[Ledger, Ledger], owner: Context, database: Database
) -> None:
    shop.channel("web")
    shop.product("tea", barcodes={"6901234567892": 1, "16901234567899": 3})
    shop.product("box", composition="kit", components={"tea": 2})
    day.post("receipt", line("tea", UNITS))
    gate = threading.Barrier(CLIENTS)

    def buy(number: int) -> int:
        gate.wait()
        return WAYS[number % len(WAYS)](both[number // len(WAYS) % 2], owner)

    with ThreadPoolExecutor(CLIENTS) as pool:
        taken = list(pool.map(buy, range(CLIENTS)))

    # Ways that take one make sure that none is left over.
    assert sum(taken) == UNITS
    assert scalars(database, "SELECT on_hand FROM stock_balance") == [0]
    assert scalars(database, "SELECT reserved FROM stock_balance") == [0]
    assert day.ledger.verify().clean


def test_one_key_by_two_ledgers_is_one_effect(
    day: Day, shop: Shop, both: tuple[Ledger, Ledger], owner: Context, database: Database
) -> None:
    shop.channel("web")
    shop.product("tea")
    day.post("receipt", line("tea", 9))
    gate = threading.Barrier(32)

    def ask(number: int) -> Any:
        gate.wait()
        return both[number % 2].post(sale(line("tea", 1)), ctx=owner, key="K1")

    with ThreadPoolExecutor(32) as pool:
        found = list(pool.map(ask, range(32)))
    assert all(isinstance(outcome, Posted) for outcome in found)
    assert len({outcome.record.number for outcome in found}) == 1
    assert [outcome.replayed for outcome in found].count(False) == 1
    assert scalars(database, "SELECT on_hand FROM stock_balance") == [8]


class Reader:
    """Follows the event log by a cursor, as a plugin does, while others write."""

    def __init__(self, database: Database) -> None:
        self.ids: list[int] = []
        self._database = database
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _follow(self) -> None:
        last = False
        while not last:
            last = self._over.is_set()
            cursor = self.ids[-1] if self.ids else 0
            new = f"SELECT id FROM event WHERE id > {cursor} ORDER BY id"
            self.ids += scalars(self._database, new)


@pytest.mark.postgres_only
def test_two_ledgers_in_opposite_orders_neither_deadlock_nor_hide_an_event(
    day: Day, shop: Shop, both: tuple[Ledger, Ledger], owner: Context, database: Database
) -> None:
    shop.channel("web")
    skus = [f"p{i}" for i in range(12)]
    for sku in skus:
        shop.product(sku)
    day.post("receipt", *(line(sku, 1000) for sku in skus))
    broken: list[Exception] = []
    documents = 150
    futures: list[Future[Any]] = []
    with (
        hearing(both[0].database, failed=broken.append),
        hearing(both[1].database, failed=broken.append),
        Reader(database) as reader,
    ):
        for number in range(documents):
            cart = [skus[(number + i * 5) % 12] for i in range(6)]
            for ledger, order in zip(both, (cart, cart[::-1]), strict=True):
                new = sale(*(line(sku, 1) for sku in order))
                futures.append(ledger.submit(Post(new), key=f"{order}{number}", ctx=owner))
            # A few at a time: many small batches meet more often than two large ones.
            if number % 5 == 4:
                assert all(isinstance(future.result(), Posted) for future in futures)
                futures.clear()
    assert not broken
    total = 12 * 1000 - 2 * documents * 6
    assert scalars(database, "SELECT SUM(on_hand) FROM stock_balance") == [total]
    assert reader.ids == list(range(1, len(reader.ids) + 1))
    assert len(reader.ids) > 2 * documents
    assert day.ledger.verify().clean


_WAITS = """
SELECT COUNT(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


@pytest.mark.postgres_only
def test_event_is_not_seen_before_an_earlier_one_that_is_still_being_committed(
    day: Day, shop: Shop, both: tuple[Ledger, Ledger], owner: Context, database: Database
) -> None:
    first, second = both
    shop.channel("web")
    shop.product("tea")
    shop.product("milk")
    day.post("receipt", line("tea", 9), line("milk", 9))
    known = len(scalars(database, "SELECT id FROM event"))
    # Not one row in common with the sale, so that only the commit lock can keep them apart.
    nothing_shared = NewDocument(kind="receipt", store="S2", lines=[line("milk", 1)])
    seen: list[list[int]] = []
    later: list[Future[Any]] = []

    def before_commit(connection: Any) -> None:
        """While the first is about to commit its events, let the second come as far as it can."""
        written = connection.execute(sa.text("SELECT COUNT(*) FROM event")).scalar()
        if later or written == known:
            return
        later.append(second.submit(Post(nothing_shared), key=None, ctx=owner))
        while not later[0].done() and scalars(database, _WAITS) == [0]:
            pass
        seen.append(scalars(database, "SELECT id FROM event ORDER BY id"))

    sa.event.listen(first.database.engine, "commit", before_commit)
    posted = first.post(sale(line("tea", 1)), ctx=owner)
    sa.event.remove(first.database.engine, "commit", before_commit)

    assert not isinstance(posted, Problem)
    assert isinstance(later[0].result(), Posted)
    assert seen == [list(range(1, known + 1))], "its event is out while an earlier one is not"
    ids = scalars(database, "SELECT id FROM event ORDER BY id")
    assert ids == list(range(1, len(ids) + 1))
