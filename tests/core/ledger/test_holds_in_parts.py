"""An order that is handed over in parts: what was not handed over goes on being promised."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from say import Day, balance_of, line

from dianku.errors import Problem
from dianku.ledger.commands import (
    CommitReservation,
    ExtendReservation,
    Posted,
    ReleaseReservation,
    Reserve,
    Reserved,
)
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.requests import (
    LineQuantity,
    NewReservation,
    NewReservationLine,
    ReservationCommit,
    ReservationExtend,
)
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


@pytest.fixture
def bakery(day: Day, shop: Shop) -> Day:
    """Nine of tea and of cups, and a tea set of one tea and a third of a kilogram of sugar."""
    shop.channel("web")
    shop.product("tea", price=500)
    shop.product("cup", price=300)
    shop.product("sugar", precision=1)
    shop.product("set", composition="kit", precision=1, components={"tea": 1, "sugar": 4})
    goods = (line("tea", 9, unit_cost=1), line("cup", 9, unit_cost=1), line("sugar", 9))
    day.post("receipt", *goods)
    return day


@pytest.fixture
def queries(day: Day, database: Database) -> StockQueries:
    """What is known of the orders."""
    return StockQueries(database, day.ledger.cache, day.clock)


def promise(day: Day, **more: Any) -> str:
    """Five of tea and two cups for an order; its id."""
    wanted = more.pop("wanted", {"tea": 5, "cup": 2})
    lines = [NewReservationLine(sku=sku, quantity=Decimal(str(n))) for sku, n in wanted.items()]
    asked = NewReservation(store="S1", lines=lines, channel="web", reference="A-1", **more)
    made = day.ledger.execute(Reserve(asked), ctx=day.owner)
    assert isinstance(made, Reserved), made
    return made.record.id


def part(*lines: tuple[int, str | None]) -> ReservationCommit:
    return ReservationCommit(
        lines=[LineQuantity(line=n, quantity=Decimal(q) if q else None) for n, q in lines]
    )


def issue(day: Day, code: str, *lines: tuple[int, str | None]) -> Any:
    return day.ledger.execute(CommitReservation(code, part(*lines)), ctx=day.owner)


def test_part_of_an_order_leaves_and_the_rest_stays_promised(
    bakery: Day, queries: StockQueries
) -> None:
    code = promise(bakery)
    gone = issue(bakery, code, (1, "2"))
    assert isinstance(gone, Posted)
    assert [(x.line, x.sku, x.quantity, x.amount) for x in gone.record.lines] == [
        (1, "tea", "2", "10.00")
    ]
    assert (gone.record.reference, gone.record.warnings) == ("A-1", [])
    tea = balance_of(gone.record, "tea")
    assert (tea.on_hand, tea.reserved, tea.available) == ("7", "3", "4")
    record = queries.reservation(code, ctx=bakery.owner)
    assert (record.status, record.document) == ("active", None)
    assert [(x.line, x.quantity, x.issued) for x in record.lines] == [(1, "5", "2"), (2, "2", "0")]
    assert bakery.ledger.verify().clean
    # Nobody gets what is still promised.
    assert bakery.refused("issue", line("tea", 5), channel="web").code == "insufficient_stock"

    rest = bakery.ledger.execute(CommitReservation(code), ctx=bakery.owner)
    assert isinstance(rest, Posted)
    assert [(x.sku, x.quantity) for x in rest.record.lines] == [("tea", "3"), ("cup", "2")]
    record = queries.reservation(code, ctx=bakery.owner)
    assert (record.status, record.document) == ("committed", rest.record.number)
    assert balance_of(rest.record, "tea").reserved == "0"
    ended = issue(bakery, code, (1, "1"))
    assert (ended.code, ended.extra) == ("reservation_ended", {"document": rest.record.number})
    assert bakery.ledger.verify().clean


def test_order_of_which_one_good_left_whole_goes_on_being_promised(
    bakery: Day, queries: StockQueries
) -> None:
    code = promise(bakery)
    assert isinstance(issue(bakery, code, (2, None)), Posted)
    longer = ExtendReservation(code, ReservationExtend(expires_in=3600))
    assert isinstance(bakery.ledger.execute(longer, ctx=bakery.owner), Reserved)
    gone = issue(bakery, code, (1, "2"))
    assert isinstance(gone, Posted)
    assert balance_of(gone.record, "tea").reserved == "3"
    assert queries.reservation(code, ctx=bakery.owner).status == "active"
    # What is sold at the counter beyond what is free takes nothing from the order.
    bakery.post("issue", line("tea", 5))
    assert isinstance(issue(bakery, code, (1, "2")), Posted)
    released = bakery.ledger.execute(ReleaseReservation(code), ctx=bakery.owner)
    assert isinstance(released, Reserved)
    assert balance_of(bakery.post("issue", line("cup", 1)), "cup").reserved == "0"
    assert bakery.ledger.verify().clean


def test_all_lines_named_end_the_order_and_the_rest_that_is_given_up_is_free(bakery: Day) -> None:
    whole = promise(bakery)
    assert isinstance(issue(bakery, whole, (2, None), (1, "2"), (1, "3")), Posted)
    assert issue(bakery, whole, (1, "1")).code == "reservation_ended"
    given_up = promise(bakery, wanted={"cup": 4})
    assert isinstance(issue(bakery, given_up, (1, "1")), Posted)
    released = bakery.ledger.execute(ReleaseReservation(given_up), ctx=bakery.owner)
    assert isinstance(released, Reserved)
    assert [(x.quantity, x.issued) for x in released.record.lines] == [("4", "1")]
    sold = bakery.post("issue", line("cup", 6), channel="web")
    assert balance_of(sold, "cup").reserved == "0"
    assert bakery.ledger.verify().clean


@pytest.mark.parametrize(
    ("asked", "pointer", "code"),
    [
        ([(1, "6")], "/lines/0/quantity", "more_than_promised"),
        ([(1, "3"), (1, "3")], "/lines/1/quantity", "more_than_promised"),
        ([(3, "1")], "/lines/0/line", "no_such_line"),
        ([(1, "0.5")], "/lines/0/quantity", "too_many_digits"),
        ([(2, "1"), (1, "-1")], "/lines/1/quantity", "not_positive"),
    ],
)
def test_more_than_is_promised_is_refused_and_nothing_leaves(
    bakery: Day,
    queries: StockQueries,
    asked: list[tuple[int, str | None]],
    pointer: str,
    code: str,
) -> None:
    order = promise(bakery)
    refused = issue(bakery, order, *asked)
    assert isinstance(refused, Problem)
    assert [(e.pointer, e.code) for e in refused.errors] == [(pointer, code)]
    assert [x.issued for x in queries.reservation(order, ctx=bakery.owner).lines] == ["0", "0"]
    assert bakery.ledger.verify().clean


def test_part_of_an_expired_order_needs_that_part_alone(bakery: Day) -> None:
    code = promise(bakery, expires_in=60)
    bakery.clock.advance(seconds=61)
    bakery.post("issue", line("tea", 6), channel="web")
    assert issue(bakery, code, (1, "4")).code == "reservation_expired"
    gone = issue(bakery, code, (1, "3"))
    assert isinstance(gone, Posted)
    assert balance_of(gone.record, "tea").on_hand == "0"
    assert issue(bakery, code, (1, "1")).code == "reservation_expired"
    assert isinstance(issue(bakery, code, (2, None)), Posted)
    assert bakery.ledger.verify().clean


def test_part_of_a_preorder_is_held_against_what_is_there(bakery: Day) -> None:
    due = bakery.at("12:00").date()
    code = promise(bakery, kind="preorder", due_on=due, wanted={"tea": 20})
    assert issue(bakery, code, (1, "10")).code == "insufficient_stock"
    assert isinstance(issue(bakery, code, (1, "9")), Posted)
    assert issue(bakery, code, (1, "12")).errors[0].code == "more_than_promised"
    assert bakery.ledger.verify().clean


def test_kit_in_parts_holds_what_its_rest_takes(bakery: Day) -> None:
    code = promise(bakery, wanted={"set": "1"})
    first = issue(bakery, code, (1, "0.5"))
    assert isinstance(first, Posted)
    sugar = balance_of(first.record, "sugar")
    assert (sugar.on_hand, sugar.reserved) == ("8.8", "0.2")
    assert isinstance(issue(bakery, code, (1, None)), Posted)
    assert bakery.ledger.verify().clean


def test_kit_whose_rest_rounds_to_nothing_is_promised_till_all_of_it_is_issued(
    bakery: Day, queries: StockQueries, shop: Shop
) -> None:
    shop.product("dip", composition="kit", precision=2, components={"sugar": 1})
    code = promise(bakery, wanted={"dip": "1"})
    for quantity, status in (("0.6", "active"), ("0.2", "active"), (None, "committed")):
        assert isinstance(issue(bakery, code, (1, quantity)), Posted)
        assert queries.reservation(code, ctx=bakery.owner).status == status
        assert bakery.ledger.verify().clean
