"""Goods paid for and left in the shop (客存): they come back out of `kept`, or are refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from say import Day, line

from dianku.catalog.snapshot import CatalogCache
from dianku.clock import SetClock
from dianku.errors import Problem
from dianku.ledger.commands import HandOver, Keep, Posted, Reverse
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.read.requests import DocumentFilter
from dianku.ledger.requests import LineQuantities, LineQuantity, NewKeeping
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


@pytest.fixture
def cellar(day: Day, shop: Shop) -> Day:
    """Six bottles of wine at 10.00."""
    shop.product("wine", price=2000)
    day.post("receipt", line("wine", 6, unit_cost="10.00"))
    return day


def buckets(database: Database) -> tuple[int, int, int]:
    """(on hand, kept, damaged) of the wine, and that the moves agree."""
    with database.reading() as connection:
        [row] = connection.execute(sa.text("SELECT on_hand, kept, damaged FROM stock_balance"))
    return row.on_hand, row.kept, row.damaged


def fetch(day: Day, number: str, quantity: int) -> Any:
    lines = [LineQuantity(line=1, quantity=Decimal(quantity))]
    return day.ledger.execute(HandOver(number, LineQuantities(lines=lines)), ctx=day.owner)


def leave(day: Day, number: str, quantity: int | None, note: str | None = None) -> Any:
    asked = None if quantity is None else Decimal(quantity)
    lines = [LineQuantity(line=1, quantity=asked)]
    return day.ledger.execute(Keep(number, NewKeeping(lines=lines, note=note)), ctx=day.owner)


def undo(day: Day, number: str) -> Any:
    return day.ledger.execute(Reverse(number, "typed wrongly"), ctx=day.owner)


def test_sale_returned_whole_leaves_none_of_it_kept(cellar: Day, database: Database) -> None:
    sale = cellar.post("issue", line("wine", 3, kept="2"))
    back = cellar.post("customer_return", line("wine", 3), of_document=sale.number)
    assert back.lines[0].kept == "2"
    assert buckets(database) == (6, 0, 0)
    assert isinstance(fetch(cellar, sale.number, 1), Problem)
    assert undo(cellar, sale.number).code == "not_reversible"
    assert cellar.ledger.verify().clean


def test_sale_returned_in_part_comes_from_the_customer_before_what_is_kept(
    cellar: Day, database: Database
) -> None:
    sale = cellar.post("issue", line("wine", 3, kept="2"))
    cellar.post("customer_return", line("wine", 1), of_document=sale.number)
    assert buckets(database) == (4, 2, 0)
    back = line("wine", 1, disposition="damaged")
    cellar.post("customer_return", back, of_document=sale.number)
    assert buckets(database) == (4, 1, 1)
    assert isinstance(fetch(cellar, sale.number, 2), Problem)
    assert isinstance(fetch(cellar, sale.number, 1), Posted)
    assert buckets(database) == (4, 0, 1)
    assert cellar.ledger.verify().clean


def test_return_says_which_of_the_goods_were_kept(cellar: Day, database: Database) -> None:
    sale = cellar.post("issue", line("wine", 3, kept="2"))
    cellar.post("customer_return", line("wine", 1, kept="1"), of_document=sale.number)
    assert buckets(database) == (4, 1, 0)
    # One is with the customer and one is kept: not two of either.
    over = cellar.refused("customer_return", line("wine", 2, kept="2"), of_document=sale.number)
    assert over.code == "over_returned"
    assert over.extra["lines"] == [
        {"line": 1, "sku": "wine", "requested": "2", "returnable": "2", "kept": "1"}
    ]
    fetched = fetch(cellar, sale.number, 1)
    assert isinstance(fetched, Posted)
    late = cellar.refused("customer_return", line("wine", 1, kept="1"), of_document=sale.number)
    assert late.extra["lines"][0]["kept"] == "0"
    assert buckets(database) == (4, 0, 0)
    assert cellar.ledger.verify().clean


def test_return_of_kept_goods_without_its_sale_is_refused(cellar: Day) -> None:
    refused = cellar.refused("customer_return", line("wine", 1, kept="1"))
    assert [(e.pointer, e.code) for e in refused.errors] == [("/lines/0/kept", "needs_of_document")]


def test_reversed_return_lets_the_goods_wait_again(cellar: Day, database: Database) -> None:
    sale = cellar.post("issue", line("wine", 3, kept="2"))
    back = cellar.post("customer_return", line("wine", 3), of_document=sale.number)
    assert isinstance(undo(cellar, back.number), Posted)
    assert buckets(database) == (3, 2, 0)
    assert isinstance(fetch(cellar, sale.number, 2), Posted)
    assert buckets(database) == (3, 0, 0)
    assert cellar.ledger.verify().clean


def test_reversed_sale_leaves_no_return_that_could_put_goods_aside_again(
    cellar: Day, database: Database
) -> None:
    sale = cellar.post("issue", line("wine", 3, kept="3"))
    back = cellar.post("customer_return", line("wine", 2), of_document=sale.number)
    assert isinstance(undo(cellar, sale.number), Posted)
    assert buckets(database) == (6, 0, 0)
    refused = undo(cellar, back.number)
    assert refused.code == "not_reversible"
    assert refused.extra["lines"] == [
        {"line": 1, "sku": "wine", "requested": "2", "available": "0"}
    ]
    assert buckets(database) == (6, 0, 0)
    assert cellar.ledger.verify().clean


def test_sale_partly_fetched_is_reversed_with_what_still_waits(
    cellar: Day, database: Database
) -> None:
    sale = cellar.post("issue", line("wine", 4, kept="3"))
    assert isinstance(fetch(cellar, sale.number, 1), Posted)
    cellar.post("customer_return", line("wine", 3), of_document=sale.number)
    assert buckets(database) == (5, 1, 0)
    undone = undo(cellar, sale.number)
    assert isinstance(undone, Posted)
    assert (undone.record.lines[0].quantity, undone.record.lines[0].kept) == ("1", "1")
    assert buckets(database) == (6, 0, 0)
    assert cellar.ledger.verify().clean


def test_late_sale_with_kept_goods_leaves_on_hand_to_its_count_and_its_goods_kept(
    cellar: Day, database: Database
) -> None:
    cellar.set("12:00")
    cellar.post("adjustment", line("wine", counted="4"), occurred_at="11:00")
    sale = cellar.post("issue", line("wine", 2, kept="2"), occurred_at="10:30")
    assert buckets(database) == (4, 2, 0)
    back = cellar.post("customer_return", line("wine", 1), of_document=sale.number)
    assert buckets(database) == (5, 1, 0)
    assert isinstance(undo(cellar, back.number), Posted)
    assert buckets(database) == (4, 2, 0)
    assert isinstance(undo(cellar, sale.number), Posted)
    assert buckets(database) == (4, 0, 0)
    assert cellar.ledger.verify().clean


def test_return_by_code_takes_kept_goods_of_any_line_after_the_customers(
    cellar: Day, database: Database
) -> None:
    sale = cellar.post("issue", line("wine", 2, kept="2"), line("wine", 2, kept="1"))
    assert buckets(database) == (2, 3, 0)
    back = cellar.post("customer_return", line("wine", 3), of_document=sale.number)
    assert [(x.of_line, x.quantity, x.kept) for x in back.lines] == [(1, "2", "2"), (2, "1", None)]
    assert buckets(database) == (5, 1, 0)
    assert isinstance(undo(cellar, back.number), Posted)
    assert buckets(database) == (2, 3, 0)
    said = line("wine", 3, kept="3")
    back = cellar.post("customer_return", said, of_document=sale.number)
    assert [(x.of_line, x.quantity, x.kept) for x in back.lines] == [(1, "2", "2"), (2, "1", "1")]
    assert buckets(database) == (5, 0, 0)
    assert cellar.ledger.verify().clean


def test_goods_handed_over_by_mistake_wait_again(cellar: Day, database: Database) -> None:
    sale = cellar.post("issue", line("wine", 3, kept="2"))
    assert isinstance(fetch(cellar, sale.number, 2), Posted)
    assert isinstance(leave(cellar, sale.number, 2), Posted)
    assert buckets(database) == (3, 2, 0)
    assert isinstance(fetch(cellar, sale.number, 2), Posted)
    assert isinstance(fetch(cellar, sale.number, 1), Problem)
    assert buckets(database) == (3, 0, 0)
    assert cellar.ledger.verify().clean


def test_customer_leaves_no_more_than_they_have(cellar: Day, database: Database) -> None:
    sale = cellar.post("issue", line("wine", 4, kept="1"))
    cellar.post("customer_return", line("wine", 1), of_document=sale.number)
    over = leave(cellar, sale.number, 3)
    assert (over.code, over.errors[0].code) == ("invalid", "more_than_sold")
    assert isinstance(leave(cellar, sale.number, None), Posted)
    assert buckets(database) == (3, 3, 0)
    assert leave(cellar, sale.number, None).errors[0].code == "more_than_sold"
    cellar.post("customer_return", line("wine", 2), of_document=sale.number)
    assert buckets(database) == (5, 1, 0)
    assert isinstance(undo(cellar, sale.number), Posted)
    assert buckets(database) == (6, 0, 0)
    assert leave(cellar, sale.number, None).code == "already_reversed"
    assert cellar.ledger.verify().clean


def test_kit_is_not_kept_for_it_has_no_stock_of_its_own(cellar: Day, shop: Shop) -> None:
    shop.product("case", composition="kit", components={"wine": 6})
    sale = cellar.post("issue", line("case", 1))
    assert leave(cellar, sale.number, 1).errors[0].code == "no_own_stock"


def test_goods_that_wait_are_found_by_whose_they_are_until_they_are_fetched(
    cellar: Day, database: Database, cache: CatalogCache, clock: SetClock
) -> None:
    stock = StockQueries(database, cache, clock)

    def found(**asked: Any) -> list[tuple[str, Any]]:
        page = stock.documents(DocumentFilter(**asked), ctx=cellar.owner)
        return [(x.number, [one.waiting for one in x.lines]) for x in page.items]

    taken = cellar.post("issue", line("wine", 1), note="100% Ms. Li")
    left = cellar.post("issue", line("wine", 2, kept="2"), note="Mr. Wu_1")
    since = left.occurred_at
    assert found(kept=True) == [(left.number, ["2"])]
    cellar.clock.advance(seconds=60)
    leave(cellar, taken.number, 1, "fetches it on Monday")
    assert found(kept=True, sort="occurred_at") == [(taken.number, ["1"]), (left.number, ["2"])]
    for words in ("ms. LI", "0% m", "MONDAY", taken.number.lower(), "ck"):
        assert (taken.number, ["1"]) in found(kept_for=words), words
    assert found(kept_for="_1") == [(left.number, ["2"])]
    assert found(kept_for="%") == [(taken.number, ["1"])]
    assert found(kept_for="nobody") == []
    later = stock.document(taken.number, ctx=cellar.owner).kept
    assert later is not None
    assert (later.note, later.since > since) == ("fetches it on Monday", True)
    fetch(cellar, left.number, 1)
    assert found(kept_for="wu") == [(left.number, ["1"])]
    fetch(cellar, left.number, 1)
    back = cellar.post("customer_return", line("wine", 1), of_document=taken.number)
    assert found(kept=True) == []
    gone = stock.document(left.number, ctx=cellar.owner)
    assert (gone.kept, gone.lines[0].waiting) == (None, None)
    undo(cellar, back.number)
    assert found(kept=True) == [(taken.number, ["1"])]
    undo(cellar, taken.number)
    assert found(kept=True) == []


@pytest.mark.parametrize("words", ["Анна", "Élodie", "ＶＩＰ", "İ", "李老板", "a!b%_c"])
def test_goods_that_wait_are_found_by_words_as_they_were_written(
    cellar: Day, database: Database, cache: CatalogCache, clock: SetClock, words: str
) -> None:
    stock = StockQueries(database, cache, clock)
    sale = cellar.post("issue", line("wine", 1, kept="1"), note=f"for {words}.")
    cellar.post("issue", line("wine", 1, kept="1"), note="axb.c")
    found = stock.documents(DocumentFilter(kept_for=words), ctx=cellar.owner)
    assert [x.number for x in found.items] == [sale.number]


def test_goods_wait_since_they_were_left_there_last(
    cellar: Day, database: Database, cache: CatalogCache, clock: SetClock
) -> None:
    stock = StockQueries(database, cache, clock)

    def waits(number: str) -> tuple[str, str | None]:
        kept = stock.document(number, ctx=cellar.owner).kept
        assert kept is not None
        return kept.since[:10], kept.note

    sale = cellar.post("issue", line("wine", 3, kept="2"), note="Mr. Wu")
    cellar.clock.advance(seconds=86_400)
    fetch(cellar, sale.number, 1)
    leave(cellar, sale.number, 1)
    assert waits(sale.number) == ("2026-03-02", "Mr. Wu")
    fetch(cellar, sale.number, 2)
    cellar.clock.advance(seconds=86_400)
    leave(cellar, sale.number, 2)
    assert waits(sale.number) == ("2026-03-04", "Mr. Wu")
    back = line("wine", 2, kept="2")
    back_again = cellar.post("customer_return", back, of_document=sale.number)
    cellar.clock.advance(seconds=86_400)
    leave(cellar, sale.number, 1, "his son")
    assert waits(sale.number) == ("2026-03-05", "his son")
    undo(cellar, back_again.number)
    assert waits(sale.number) == ("2026-03-04", "his son")
