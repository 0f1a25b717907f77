"""What was taken at the till, held against the documents it came from, on both databases."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from busy_day import do
from say import Day, line

from dianku.catalog.snapshot import CatalogCache
from dianku.errors import Refused
from dianku.ledger.closing import Closings
from dianku.ledger.commands import Reverse
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.read.requests import ClosingFilter, NewClosing, TakingsFilter
from dianku.ledger.requests import Payment
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


def paid(**kinds: str) -> list[Payment]:
    return [Payment(kind=kind, amount=Decimal(amount)) for kind, amount in kinds.items()]  # type: ignore[arg-type]


@pytest.fixture
def queries(database: Database, day: Day, shop: Shop) -> StockQueries:
    """A shop with ten teas, and what is asked of its books."""
    shop.product("tea")
    day.post("receipt", line("tea", 50, unit_cost=1))
    day.post("receipt", line("tea", 50, unit_cost=1), store="S2")
    return StockQueries(database, CatalogCache(), day.clock)


def told(queries: StockQueries, day: Day, **asked: Any) -> dict[Any, tuple[str, str, str, int]]:
    found = queries.takings(TakingsFilter(**asked), ctx=day.owner)
    assert Decimal(found.net) == sum(Decimal(row.net) for row in found.items)
    return {
        (row.payment, row.name) if asked.get("by") else row.payment: (
            row.sales,
            row.refunds,
            row.net,
            row.documents,
        )
        for row in found.items
    }


def test_takings_are_sales_less_refunds_by_kind_with_reversals_taken_back(
    day: Day, queries: StockQueries
) -> None:
    sale = day.post("issue", line("tea", 2, amount=10), payments=paid(cash="4", wechat="6"))
    day.post("issue", line("tea", 1, amount="0.10"))
    wrong = day.post("issue", line("tea", 1, amount=99), payments=paid(cash="99"))
    do(day, Reverse(wrong.number, "typed wrong"))
    back = line("tea", 1, of_line=1)
    day.post("customer_return", back, of_document=sale.number, payments=paid(cash="5"))
    day.post("write_off", line("tea", 1, reason="damaged"))
    assert told(queries, day) == {
        "cash": ("4.00", "5.00", "-1.00", 4),
        "wechat": ("6.00", "0.00", "6.00", 1),
        None: ("0.10", "0.00", "0.10", 1),
    }


def test_takings_are_of_the_stores_days_and_channels_asked_for(
    day: Day, queries: StockQueries
) -> None:
    day.post("issue", line("tea", 1, amount=1), payments=paid(cash="1"))
    day.post("issue", line("tea", 1, amount=2), payments=paid(cash="2"), store="S2")
    day.clock.set(day.clock.now_ms() + 86_400_000)
    day.post("issue", line("tea", 1, amount=4), payments=paid(card="4"))
    assert told(queries, day) == {"card": ("4.00", "0.00", "4.00", 1)}
    first = day.at("12:00").date()
    yesterday = first.fromordinal(first.toordinal() - 1)
    assert told(queries, day, from_=yesterday, to=yesterday, by="store") == {
        ("cash", "S2"): ("2.00", "0.00", "2.00", 1),
        ("cash", "S1"): ("1.00", "0.00", "1.00", 1),
    }
    assert told(queries, day, from_=yesterday, store=["S1"], by="day") == {
        ("card", first.isoformat()): ("4.00", "0.00", "4.00", 1),
        ("cash", yesterday.isoformat()): ("1.00", "0.00", "1.00", 1),
    }
    assert told(queries, day, by="actor", channel=["counter"]).keys() == {
        ("card", day.owner.actor.name)
    }
    assert told(queries, day, channel=["nowhere"]) == {}
    far = {"from_": first.replace(year=1), "to": first.replace(year=9999)}
    assert Counter(k[0] for k in told(queries, day, by="day", **far)) == {"cash": 1, "card": 1}


def test_day_is_closed_by_its_stores_own_days_and_stays_as_it_was(
    day: Day, queries: StockQueries, database: Database
) -> None:
    closings = Closings(database, CatalogCache(), day.clock)
    for store, amount in (("S1", 10), ("S1", 7), ("S2", 5)):
        tea = line("tea", 1, amount=amount)
        sale = day.post(
            "issue", tea, store=store, channel="counter", payments=paid(cash=str(amount))
        )
        with database.writing() as connection:
            new = NewClosing(store=store, counted=Decimal(amount))
            closings.close(connection, new, ctx=day.owner)
    today = date.fromisoformat(sale.business_date)
    day.clock.advance(days=1)
    with database.writing() as connection:
        closings.close(connection, NewClosing(store="S1", business_date=today), ctx=day.owner)
        closings.close(connection, NewClosing(store="S1"), ctx=day.owner)
    found = closings.page(ClosingFilter(sort="id"), ctx=day.owner).items
    assert [(one.store, one.cash, one.difference, one.stands) for one in found] == [
        ("S1", "10.00", "0.00", False),
        ("S1", "17.00", "-10.00", False),
        ("S2", "5.00", "0.00", True),
        ("S1", "17.00", None, True),
        ("S1", "0.00", None, True),
    ]
    told = closings.page(ClosingFilter(from_=today, to=today, store=["S1"]), ctx=day.owner).items
    assert {one.business_date for one in told} == {today.isoformat()}
    assert len(told) == 3
    assert queries.takings(TakingsFilter(from_=today, to=today), ctx=day.owner).net == "22.00"


def test_takings_of_a_store_that_is_not_there_are_refused(day: Day, queries: StockQueries) -> None:
    with pytest.raises(Refused):
        queries.takings(TakingsFilter(store=["nowhere"]), ctx=day.owner)
