"""What is told when goods are short, what is refused for its size, what taking back undoes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from busy_day import do, hold
from say import Day, balance_of, line

from dianku.errors import Problem
from dianku.ledger.commands import (
    CloseTransfer,
    CommitReservation,
    HandOver,
    ReceiveTransfer,
    Reverse,
)
from dianku.ledger.requests import LineQuantities, LineQuantity
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


def raised(database: Database) -> list[str]:
    with database.reading() as connection:
        sql = sa.text("SELECT type FROM stock_exception ORDER BY id")
        return list(connection.execute(sql).scalars())


def test_hold_whose_goods_the_counter_sold_is_told_when_it_is_committed(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 3, unit_cost=1))
    promised = hold(day, "tea", 3)
    day.post("issue", line("tea", 3))
    order = do(day, CommitReservation(promised))
    assert balance_of(order, "tea").on_hand == "-3"
    assert [w.code for w in order.warnings] == ["paid_no_stock"]
    assert raised(database) == ["promised_stock", "paid_no_stock"]


def test_hold_whose_goods_are_there_is_committed_without_a_word(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 3, unit_cost=1))
    assert do(day, CommitReservation(hold(day, "tea", 3))).warnings == []
    assert raised(database) == []


@pytest.mark.parametrize("head", [{"policy": "permissive"}, {"fact": True}], ids=["may", "fact"])
@pytest.mark.parametrize(
    ("kind", "one", "more"),
    [
        ("write_off", line("tea", 2, reason="lost"), {}),
        ("supplier_return", line("tea", 2), {}),
        ("transfer", line("tea", 2), {"to_store": "S2"}),
        ("production", line("pot", 2), {}),
        ("production", line("pot", delta=-2), {}),
        ("adjustment", line("tea", delta=-2), {}),
    ],
    ids=["write_off", "supplier_return", "transfer", "making", "breaking_up", "difference"],
)
def test_goods_that_leave_beyond_what_the_books_show_are_told(
    day: Day,
    shop: Shop,
    database: Database,
    head: dict[str, Any],
    kind: str,
    one: Any,
    more: dict[str, Any],
) -> None:
    shop.product("tea")
    shop.product("pot", composition="made", components={"tea": 1})
    out = day.post(kind, one, **head, **more)
    code = "paid_no_stock" if "fact" in head else "sold_without_stock"
    assert raised(database) == [code]
    assert [w.code for w in out.warnings] == [code]


@pytest.mark.parametrize("head", [{}, {"policy": "permissive"}, {"fact": True}])
@pytest.mark.parametrize(
    ("kind", "one"),
    [
        ("write_off", line("tea", 2, bucket="damaged", reason="damaged")),
        ("supplier_return", line("tea", 2, bucket="damaged")),
        ("adjustment", line("tea", delta=-2, bucket="damaged")),
    ],
    ids=["write_off", "supplier_return", "adjustment"],
)
def test_damaged_goods_that_are_not_there_are_refused_under_every_policy(
    day: Day, shop: Shop, kind: str, one: Any, head: dict[str, Any]
) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 5, unit_cost=1))
    assert day.refused(kind, one, **head).code == "insufficient_stock"


@pytest.mark.parametrize(
    ("quantity", "unit_cost"), [("1e30", "1"), ("999999999", "999999"), ("1e12", "1e11")]
)
def test_receipt_whose_amount_is_beyond_all_bounds_is_refused(
    day: Day, shop: Shop, quantity: str, unit_cost: str
) -> None:
    shop.product("tea")
    refused = day.refused("receipt", line("tea", quantity, unit_cost=unit_cost))
    assert refused.code == "invalid"
    assert {error.code for error in refused.errors} <= {"too_large", "amount_too_large"}


def test_sale_at_a_list_price_beyond_all_bounds_is_refused(day: Day, shop: Shop) -> None:
    shop.product("tea", price=10**12)
    refused = day.refused("issue", line("tea", 10**9))
    assert [(e.pointer, e.code) for e in refused.errors] == [
        ("/lines/0/quantity", "amount_too_large")
    ]


def test_shortage_whose_value_no_column_holds_is_refused(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea", price=0)
    day.post("receipt", line("tea", 1, amount=Decimal("1e11")))
    refused = day.refused("issue", line("tea", 10**12))
    assert (refused.code, [e.code for e in refused.errors]) == ("invalid", ["amount_too_large"])
    assert raised(database) == []
    assert day.ledger.verify().clean


def test_late_sale_taken_back_after_its_count_is_seen_by_the_next(day: Day, shop: Shop) -> None:
    shop.product("tea")
    day.set("08:00")
    day.post("receipt", line("tea", 10, unit_cost=1))
    day.set("09:00")
    first = day.post("adjustment", line("tea", counted=9))
    day.set("10:00")
    second = day.post("adjustment", line("tea", counted=7))
    day.set("11:00")
    late = day.post("issue", line("tea", 1), occurred_at="08:30")
    do(day, Reverse(first.number, "counted wrong"))
    back = do(day, Reverse(late.number, "never sold"))
    # What the second count fixed stays: ten came, seven were there, three are missing.
    assert balance_of(back, "tea").on_hand == "7"
    gone = do(day, Reverse(second.number, "counted wrong"))
    assert balance_of(gone, "tea").on_hand == "10"
    assert day.ledger.verify().clean


def test_count_taken_back_is_worth_what_it_moves(day: Day, shop: Shop) -> None:
    shop.product("tea", cost=10_000)
    day.set("08:00")
    day.post("receipt", line("tea", 20, unit_cost=1))
    day.set("10:00")
    count = day.post("adjustment", line("tea", counted=42))
    day.set("11:00")
    day.post("issue", line("tea", 2), occurred_at="09:00")
    back = do(day, Reverse(count.number, "counted wrong"))
    assert [(x.quantity, x.cost) for x in back.lines] == [("-24", "24.00")]


def test_refund_of_more_than_was_paid_is_refused_with_what_is_refundable(
    day: Day, shop: Shop
) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 3, unit_cost=1))
    sale = day.post("issue", line("tea", 3, amount="10.00"))
    over = day.refused("customer_return", line("tea", 1, amount="3.34"), of_document=sale.number)
    assert over.code == "over_refunded"
    assert over.extra["lines"] == [
        {"line": 1, "sku": "tea", "requested": "3.34", "refundable": "3.33"}
    ]
    less = day.post("customer_return", line("tea", 1, amount="1.00"), of_document=sale.number)
    assert balance_of(less, "tea").on_hand == "1"


def test_refund_of_a_line_that_is_not_named_is_what_was_paid_not_the_list_price(
    day: Day, shop: Shop
) -> None:
    shop.product("tea", price=500)
    day.post("receipt", line("tea", 3, unit_cost=1))
    sale = day.post("issue", line("tea", 3, amount="10.00"))
    back = day.post("customer_return", line("tea", 1), of_document=sale.number)
    assert back.lines[0].amount == "3.33"
    named = day.post("customer_return", line("tea", 2, of_line=1), of_document=sale.number)
    assert named.lines[0].amount == "6.67"


def test_hand_over_arrival_and_close_are_not_reversible_and_say_their_lines(
    day: Day, shop: Shop
) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 9, unit_cost=1))
    sale = day.post("issue", line("tea", 2, kept=2))
    sent = day.post("transfer", line("tea", 3), to_store="S2")
    one = LineQuantities(lines=[LineQuantity(line=1, quantity=Decimal(1))])
    done = [
        do(day, HandOver(sale.number, one)),
        do(day, ReceiveTransfer(sent.number, one)),
        do(day, CloseTransfer(sent.number, "sender")),
    ]
    for document, steps in zip(done, ("1", "1", "2"), strict=True):
        refused = day.ledger.execute(Reverse(document.number, "typed wrongly"), ctx=day.owner)
        assert isinstance(refused, Problem)
        assert refused.code == "not_reversible"
        told = {"line": 1, "sku": "tea", "requested": steps, "available": "0"}
        assert refused.extra["lines"] == [told]
