"""A list of documents that tells the first lines of each, and of all lines how much they are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from busy_day import stock_shop, trade
from msgspec.structs import replace
from say import Day

from dianku.context import Actor, Context
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.read.requests import DocumentFilter
from dianku.ledger.requests import DocumentRecord
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


@pytest.mark.parametrize("lines", [0, 1, 2, 1000])
def test_first_lines_are_those_of_the_whole_document_and_the_sums_are_of_all(
    day: Day, shop: Shop, database: Database, lines: int
) -> None:
    stock_shop(shop)
    trade(day)
    queries = StockQueries(database, day.ledger.cache, day.clock)

    def listed(**asked: Any) -> list[DocumentRecord]:
        return queries.documents(DocumentFilter(limit=200, **asked), ctx=day.owner).items

    whole = listed()
    cut = [replace(one, lines=one.lines[:lines]) for one in whole]
    assert listed(lines=lines) == cut
    assert max(len(one.lines) for one in whole) > 2
    for one in whole:
        assert one.line_count == len(one.lines)
        amounts = [Decimal(line.amount) for line in one.lines if line.amount is not None]
        assert (None if one.amount is None else Decimal(one.amount)) == (
            sum(amounts) if amounts else None
        )
    assert sum(one.amount is not None for one in whole) > 10


@pytest.mark.parametrize("lines", [None, 0, 1])
def test_what_goods_cost_is_not_told_by_a_sum(
    day: Day, shop: Shop, database: Database, lines: int | None
) -> None:
    stock_shop(shop)
    trade(day)
    queries = StockQueries(database, day.ledger.cache, day.clock)
    clerk = Context(Actor("clerk", "clerk", frozenset({"stock.view"}), None))
    found = queries.documents(DocumentFilter(limit=200, lines=lines), ctx=clerk).items
    told = {one.kind: one.amount for one in found if one.amount is not None}
    assert told.keys() & {"receipt", "supplier_return", "cost_adjustment"} == set()
    assert "issue" in told
