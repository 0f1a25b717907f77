"""Goods that are near their last day: found by it, the earliest first, as each store's days go."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from say import Day, line

from dianku.clock import SetClock
from dianku.errors import Refused
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.read.requests import StockFilter
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


@pytest.fixture
def goods(day: Day, shop: Shop) -> date:
    """Goods with lots, near their last day and far from it; gives the store's today."""
    for sku in ("milk", "curd", "cake", "salt"):
        shop.product(sku, price=500, track_lots=True)
    shop.product("cola", price=300)
    today = date.fromisoformat(day.post("receipt", line("cola", 5)).business_date)
    for sku, lot, days in (
        ("milk", "A", 9),
        ("milk", "B", 2),
        ("curd", "A", 2),
        ("curd", "B", 7),
        ("cake", "A", -1),
    ):
        expires_on = today + timedelta(days=days)
        day.post("receipt", line(sku, 3, lot=lot, expires_on=expires_on))
    day.post("receipt", line("salt", 3, lot="A"))
    day.post("write_off", line("curd", 3, lot="A", reason="damaged"))
    return today


def found(day: Day, database: Database, within: int | None, **asked: object) -> list[str]:
    queries = StockQueries(database, day.ledger.cache, day.clock)
    filters = {"sort": "expires_on", **asked}
    page = queries.stock(StockFilter(expires_within=within, **filters), ctx=day.owner)  # type: ignore[arg-type]
    return [row.sku for row in page.items]


def test_goods_expiring_within_days_are_those_with_something_left_of_such_a_lot(
    goods: date, day: Day, database: Database
) -> None:
    assert goods
    assert found(day, database, 0) == ["cake"]
    assert found(day, database, 1) == ["cake"]
    assert found(day, database, 2) == ["cake", "milk"]
    assert found(day, database, 7) == ["cake", "milk", "curd"]
    assert found(day, database, 7, sort="-expires_on") == ["curd", "milk", "cake"]
    assert found(day, database, 7, sort="sku", limit=2) == ["cake", "curd"]
    assert found(day, database, 7, store=["S2"]) == []
    day.post("issue", line("milk", 3, lot="B"))
    assert found(day, database, 7) == ["cake", "curd"]


def test_goods_without_a_last_day_come_last_and_are_in_no_such_list(
    goods: date, day: Day, database: Database
) -> None:
    assert goods
    assert found(day, database, None) == ["cake", "milk", "curd", "cola", "salt"]
    assert found(day, database, 36_500) == ["cake", "milk", "curd"]


def test_last_days_are_counted_from_each_stores_own_today(
    day: Day, shop: Shop, database: Database, clock: SetClock
) -> None:
    shop.product("milk", price=500, track_lots=True)
    shop.store("S3", timezone="Pacific/Kiritimati")
    here = date.fromisoformat(day.post("receipt", line("milk", 1)).business_date)
    clock.advance(seconds=12 * 3600 - clock.now_ms() // 1000 % 86_400 + 86_400)  # noon in UTC
    tomorrow = here + timedelta(days=2)
    for store in ("S1", "S3"):
        day.post("receipt", line("milk", 1, lot="A", expires_on=tomorrow), store=store)
    rows = StockQueries(database, day.ledger.cache, clock).stock(
        StockFilter(expires_within=0, sort="store"), ctx=day.owner
    )
    assert [row.store for row in rows.items] == ["S3"]


def test_lots_of_the_past_are_not_known_so_both_together_are_refused(
    goods: date, day: Day, database: Database
) -> None:
    with pytest.raises(Refused) as refused:
        found(day, database, 7, as_of=goods.isoformat())
    assert [(e.pointer, e.code) for e in refused.value.problem.errors] == [
        ("/as_of", "only_one_of")
    ]
