"""A hold of which another process, being ahead, has let go a part: never kept twice (I4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from say import Day, line

from dianku.catalog.snapshot import CatalogCache
from dianku.clock import SetClock
from dianku.context import Context
from dianku.errors import Problem
from dianku.ledger.commands import (
    Command,
    CommitReservation,
    ExtendReservation,
    Posted,
    ReleaseReservation,
    Reserve,
    Reserved,
)
from dianku.ledger.requests import NewReservation, NewReservationLine, ReservationExtend
from dianku.ledger.service import Ledger
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


@contextmanager
def ahead(database: Database, cache: CatalogCache, clock: SetClock) -> Iterator[Ledger]:
    """Another process, whose clock is a minute ahead of this one's."""
    other = Ledger(database, cache, SetClock(clock.now_ms() + 61_000))
    other.start()
    yield other
    other.close()


@pytest.fixture
def half_let_go(
    day: Day, shop: Shop, database: Database, cache: CatalogCache, clock: SetClock, owner: Context
) -> Callable[[int], str]:
    """Promise five of tea and of cups for a minute; the other process then sells so much tea."""

    def promise(sold: int) -> str:
        shop.channel("web")
        shop.product("tea")
        shop.product("cup")
        day.post("receipt", line("tea", 5, unit_cost=1), line("cup", 5, unit_cost=1))
        five = [NewReservationLine(sku=sku, quantity=Decimal(5)) for sku in ("tea", "cup")]
        asked = NewReservation(store="S1", lines=five, expires_in=60)
        made = day.ledger.execute(Reserve(asked), ctx=owner)
        assert isinstance(made, Reserved), made
        with ahead(database, cache, clock) as other:
            day.ledger, own = other, day.ledger
            day.post("issue", line("tea", sold), channel="web")
            if sold < 5:
                day.post("receipt", line("tea", sold, unit_cost=1))
            day.ledger = own
        return made.record.id

    return promise


@pytest.mark.parametrize(
    "command",
    [CommitReservation, lambda code: ExtendReservation(code, ReservationExtend(expires_in=600))],
    ids=["commit", "extend"],
)
def test_hold_of_which_a_part_was_sold_is_over(
    day: Day, half_let_go: Callable[[int], str], command: Callable[[str], Command]
) -> None:
    refused = day.ledger.execute(command(half_let_go(5)), ctx=day.owner)
    assert isinstance(refused, Problem)
    assert refused.code == "reservation_expired"
    assert day.ledger.verify().clean


def test_hold_of_which_a_part_was_let_go_is_made_anew_where_there_is_enough(
    day: Day, half_let_go: Callable[[int], str]
) -> None:
    order = day.ledger.execute(CommitReservation(half_let_go(2)), ctx=day.owner)
    assert isinstance(order, Posted)
    assert {(b.on_hand, b.reserved) for b in order.record.balances} == {("0", "0")}
    assert day.ledger.verify().clean


def test_hold_of_which_a_part_was_let_go_gives_back_the_rest(
    day: Day, half_let_go: Callable[[int], str]
) -> None:
    released = day.ledger.execute(ReleaseReservation(half_let_go(2)), ctx=day.owner)
    assert isinstance(released, Reserved)
    assert released.record.status == "released"
    assert day.ledger.verify().clean
