"""Goods that go back to the supplier or are broken up, and what is told when nothing is left."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from busy_day import do
from say import Day, balance_of, line

from dianku.catalog.snapshot import CatalogCache
from dianku.errors import Problem
from dianku.ledger.commands import ReceiveTransfer, Reverse
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.read.requests import DocumentFilter
from dianku.ledger.requests import DocumentRecord, LineQuantities, LineQuantity
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


def test_supplier_return_without_a_line_is_held_against_its_receipt(day: Day, shop: Shop) -> None:
    shop.product("tea")
    receipt = day.post("receipt", line("tea", 10, amount="9.99"))
    day.post("receipt", line("tea", 10, unit_cost=2))
    over = day.refused("supplier_return", line("tea", 12), of_document=receipt.number)
    assert over.code == "over_returned"
    assert over.extra["lines"] == [{"line": 1, "sku": "tea", "requested": "12", "returnable": "10"}]
    back = day.post("supplier_return", line("tea", 4), of_document=receipt.number)
    assert (back.lines[0].of_line, back.lines[0].amount) == (1, "4.00")
    rest = do(day, Reverse(receipt.number, "not ordered"))
    assert balance_of(rest, "tea").on_hand == "10"


def test_supplier_return_takes_the_line_of_the_receipt_that_has_enough_left(
    day: Day, shop: Shop
) -> None:
    shop.product("tea")
    receipt = day.post("receipt", line("tea", 2, unit_cost=1), line("tea", 5, unit_cost=2))
    back = day.post("supplier_return", line("tea", 4), line("tea", 2), of_document=receipt.number)
    assert [x.of_line for x in back.lines] == [2, 1]
    assert day.refused("supplier_return", line("tea", 2), of_document=receipt.number).extra[
        "lines"
    ] == [{"line": 1, "sku": "tea", "requested": "2", "returnable": "0"}]


def test_supplier_return_of_what_is_no_receipt_or_was_not_on_it_is_refused(
    day: Day, shop: Shop
) -> None:
    shop.product("tea")
    shop.product("cup")
    receipt = day.post("receipt", line("tea", 10, unit_cost=1))
    day.post("receipt", line("cup", 10, unit_cost=1))
    sale = day.post("issue", line("tea", 2))
    for sku, number in (("tea", sale.number), ("cup", receipt.number)):
        refused = day.refused("supplier_return", line(sku, 1), of_document=number)
        assert [(e.pointer, e.code) for e in refused.errors] == [
            ("/lines/0/of_line", "no_such_line")
        ]


def test_made_goods_are_broken_up_of_the_lot_that_is_named(day: Day, shop: Shop) -> None:
    shop.product("flour")
    shop.product("cake", composition="made", components={"flour": 1}, track_lots=True)
    day.post("receipt", line("flour", 10, unit_cost=1))
    early, late = date(2030, 1, 1), date(2030, 2, 1)
    day.post("production", line("cake", 2, lot="A", expires_on=early))
    day.post("production", line("cake", 2, lot="B", expires_on=late))
    broken = day.post("production", line("cake", delta=-2, lot="B"))
    assert [(x.lot, x.quantity) for x in broken.lines[0].lots] == [("B", "2")]
    refused = day.refused("production", line("cake", delta=-1, lot="Z"))
    assert [(e.pointer, e.code) for e in refused.errors] == [("/lines/0/lot", "unknown_lot")]


def test_reversal_of_what_is_all_done_with_names_its_lines(day: Day, shop: Shop) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 9, unit_cost=1))
    sale = day.post("issue", line("tea", 2))
    day.post("customer_return", line("tea", 2), of_document=sale.number)
    sent = day.post("transfer", line("tea", 2), to_store="S2")
    do(day, ReceiveTransfer(sent.number, LineQuantities(lines=[LineQuantity(line=1)])))
    for number in (sale.number, sent.number):
        refused = day.ledger.execute(Reverse(number, "typed wrongly"), ctx=day.owner)
        assert isinstance(refused, Problem)
        assert refused.code == "not_reversible"
        assert refused.extra["lines"] == [
            {"line": 1, "sku": "tea", "requested": "2", "available": "0"}
        ]


def test_arrival_of_a_line_that_has_arrived_already_is_refused(day: Day, shop: Shop) -> None:
    shop.product("tea")
    shop.product("cup")
    day.post("receipt", line("tea", 3, unit_cost=1), line("cup", 3, unit_cost=1))
    sent = day.post("transfer", line("tea", 1), line("cup", 1), to_store="S2")
    first = ReceiveTransfer(sent.number, LineQuantities(lines=[LineQuantity(line=1)]))
    do(day, first)
    again = day.ledger.execute(first, ctx=day.owner)
    assert isinstance(again, Problem)
    assert again.code == "over_received"
    assert again.extra["lines"] == [{"line": 1, "sku": "tea", "requested": "0", "on_the_way": "0"}]
    both = LineQuantities(lines=[LineQuantity(line=1), LineQuantity(line=2)])
    assert [x.sku for x in do(day, ReceiveTransfer(sent.number, both)).lines] == ["cup"]


def test_left_and_on_the_way_are_what_the_poster_would_take(
    day: Day, shop: Shop, database: Database
) -> None:
    """What is told as left is taken, and one more is refused; on both databases."""
    shop.product("tea", precision=1)
    day.post("receipt", line("tea", 10, unit_cost=1))
    stock = StockQueries(database, CatalogCache(), day.clock)

    def left(number: str) -> list[str | None]:
        return [x.left for x in stock.document(number, ctx=day.owner).lines]

    def on_the_way() -> list[str]:
        asked = DocumentFilter(on_the_way=True)
        return [one.number for one in stock.documents(asked, ctx=day.owner).items]

    sale = day.post("issue", line("tea", "2.5"))
    day.post("customer_return", line("tea", "1.2"), of_document=sale.number)
    assert left(sale.number) == ["1.3"]
    day.refused("customer_return", line("tea", "1.4"), of_document=sale.number)
    day.post("customer_return", line("tea", "1.3"), of_document=sale.number)
    assert left(sale.number) == ["0.0"]
    sent = day.post("transfer", line("tea", 3), line("tea", 1), to_store="S2")
    some = LineQuantities(lines=[LineQuantity(line=1, quantity=Decimal("2.5"))])
    assert isinstance(do(day, ReceiveTransfer(sent.number, some)), DocumentRecord)
    assert (left(sent.number), on_the_way()) == (["0.5", "1.0"], [sent.number])
    rest = LineQuantities(
        lines=[LineQuantity(line=1, quantity=Decimal("0.5")), LineQuantity(line=2)]
    )
    do(day, ReceiveTransfer(sent.number, rest))
    assert (left(sent.number), on_the_way()) == (["0.0", "0.0"], [])
