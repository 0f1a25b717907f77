"""The demonstration shop: believable goods, and a past the ledger accepts without a murmur."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from dianku.catalog.snapshot import CatalogCache
from dianku.clock import SetClock
from dianku.context import Actor, Context
from dianku.demo.fill import fill_shop
from dianku.demo.goods import STORES, ean13, products
from dianku.demo.trade import DemoDocument, Trade
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.read.requests import StockFilter
from dianku.storage.engine import Database

NOW = datetime(2026, 3, 31, 10, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)


def test_ean13_of_published_codes_has_their_check_digit() -> None:
    # The example of the GS1 General Specifications, and a well-known one.
    assert ean13("629104150021") == "6291041500213"
    assert ean13("400638133393") == "4006381333931"


def test_goods_have_distinct_codes_and_sell_above_cost() -> None:
    goods = list(products())
    codes = [b.code for p in goods for b in p.barcodes]
    assert len(goods) >= 120
    assert len({p.sku for p in goods}) == len(goods)
    assert len({(p.name, p.spec) for p in goods}) == len(goods)
    assert len(set(codes)) == len(codes)
    assert all(c.startswith("6999") and ean13(c[:12]) == c for c in codes)
    assert all(p.cost < p.price for p in goods if p.price is not None and p.cost is not None)
    kinds = {p.composition for p in goods}
    assert kinds == {"none", "kit", "service", "made"}
    assert {p.precision for p in goods} == {0, 3}


def test_trade_of_one_seed_is_the_same_twice_and_in_order_of_time() -> None:
    days = list(Trade(until=NOW, days=60).by_day())
    again = list(Trade(until=NOW, days=60).by_day())
    other = list(Trade(until=NOW, days=60, seed=2).by_day())
    assert days == again
    assert days != other
    keys = [s.key for _, steps in days for s in steps]
    assert len(set(keys)) == len(keys)
    seen: set[str] = set()
    for end, steps in days:
        for step in steps:
            assert step.of_key is None or step.of_key in seen
            seen.add(step.key)
            if isinstance(step, DemoDocument):
                assert step.new.occurred_at is not None
                assert step.new.occurred_at <= end <= NOW
    kinds = Counter(s.new.kind for _, steps in days for s in steps if isinstance(s, DemoDocument))
    print(f"seed {Trade(until=NOW).seed}: {dict(kinds)}")
    assert set(kinds) == {
        "receipt",
        "issue",
        "customer_return",
        "write_off",
        "transfer",
        "adjustment",
        "production",
    }


def test_trade_sells_more_at_weekends_than_on_mondays() -> None:
    sold: Counter[int] = Counter()
    for end, steps in Trade(until=NOW, days=112).by_day():
        sold[end.weekday()] += sum(
            isinstance(s, DemoDocument) and s.new.kind == "issue" for s in steps
        )
    assert sold[5] > 1.2 * sold[0]


def test_demo_shop_is_posted_whole_and_its_stock_equals_the_sum_of_its_moves(
    database: Database,
) -> None:
    filled = fill_shop(database, now_ms=NOW_MS, days=16)
    steps = [s for _, day in Trade(until=NOW, days=16).by_day() for s in day]
    assert filled.documents == len(steps)
    with database.reading() as c:
        balances = c.execute(
            sa.text(
                "SELECT b.on_hand, b.value, COALESCE(SUM(m.quantity), 0), COALESCE(SUM(m.value), 0)"
                " FROM stock_balance AS b LEFT JOIN stock_move AS m ON m.store_id = b.store_id"
                " AND m.product_id = b.product_id AND m.bucket = 0"
                " GROUP BY b.store_id, b.product_id, b.on_hand, b.value"
            )
        ).all()
        raised = c.execute(sa.text("SELECT COUNT(*) FROM stock_exception")).scalar_one()
    assert len(balances) > 100
    assert all((q, v) == (int(quantity), int(value)) for q, v, quantity, value in balances)
    assert raised == 0


def test_demo_shop_shows_sales_low_goods_and_lots(sqlite_database: Database) -> None:
    fill_shop(sqlite_database, now_ms=NOW_MS, days=16)
    ctx = Context(Actor("owner", "owner", frozenset({"stock.view", "cost.view"})))
    queries = StockQueries(sqlite_database, CatalogCache(), SetClock(NOW_MS))
    rows = queries.stock(StockFilter(store=[STORES[0].code], limit=1000), ctx=ctx).items
    assert sum(Decimal(r.sold_7d) > 0 for r in rows) > 80
    assert any(r.lots for r in rows)
    assert any(r.low for r in rows)
    assert {r.sold_30d for r in rows if r.sku == "KF010"} != {"0"}


@pytest.mark.sqlite_only
def test_demo_progress_counts_the_days(database: Database) -> None:
    seen: list[tuple[int, int]] = []
    fill_shop(database, now_ms=NOW_MS, days=3, progress=lambda a, b: seen.append((a, b)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
