"""Goods that come back with no sale named: told where a person paid back by their word alone."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from say import Day, line

from dianku.catalog.snapshot import CatalogCache
from dianku.clock import SetClock
from dianku.context import Context
from dianku.ledger.commands import Posted, Reverse
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.read.requests import ExceptionFilter
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


def test_return_without_its_sale_is_told_where_a_person_did_it(
    day: Day, shop: Shop, database: Database, cache: CatalogCache, clock: SetClock
) -> None:
    def told() -> list[Any]:
        asked = ExceptionFilter(type="returned_without_sale")
        page = StockQueries(database, cache, clock).exceptions(asked, ctx=day.owner)
        return [(one.document, one.sku, one.data) for one in page.items]

    shop.product("tea", price=300)
    shop.product("milk", price=250)
    day.post("receipt", line("tea", 10), line("milk", 10))
    day.post("customer_return", line("tea", 1))
    assert told() == []  # a token's: another till knows the sale
    day.owner = Context(evolve(day.owner.actor, id="user:7", name="lin"))
    sale = day.post("issue", line("tea", 2))
    day.post("customer_return", line("tea", 1), of_document=sale.number)
    assert told() == []
    lines = [line("milk", 1, amount="2"), line("tea", 3, disposition="damaged")]
    back = day.post("customer_return", *lines)
    said = {"sku": "tea", "person": "lin", "refunded": "11.00"}
    assert told() == [(back.number, "tea", said)]
    undone = day.ledger.execute(Reverse(back.number, "wrong"), ctx=day.owner)
    assert isinstance(undone, Posted)
    assert day.ledger.verify().clean
