"""Sellers and the live monitor, asked all day: each answer is of its very moment.

Readers remember a window's sum and add what was posted since; beside them stand plain sums over
lines and moves, written here.
"""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from busy_day import do, stock_shop, trade
from say import Day, line

from dianku.catalog.snapshot import CatalogCache
from dianku.clock import day_number
from dianku.ledger.commands import Reverse
from dianku.ledger.figures.figures import Figures
from dianku.ledger.figures.requests import SalesQuery, SalesTotals
from dianku.ledger.figures.sales import SalesFigures
from dianku.ledger.history import Sale, remove_history, write_history
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.read.requests import StockFilter
from dianku.ledger.read.tallies import Tallies
from dianku.storage.engine import Database
from dianku.testing.shop import Shop

_LINES = """
SELECT p.sku, p.precision,
       SUM(CASE WHEN d.kind = 'issue' THEN l.quantity ELSE -l.quantity END) AS quantity,
       SUM(CASE WHEN d.kind = 'issue' THEN l.amount ELSE -l.amount END) AS amount
FROM document_line AS l JOIN document AS d ON d.id = l.document_id
JOIN product AS p ON p.id = l.product_id JOIN store AS s ON s.id = d.store_id
WHERE d.kind IN ('issue', 'customer_return') AND d.action IN ('post', 'reversal')
  AND d.business_date BETWEEN :first AND :last AND s.code LIKE :store
GROUP BY p.sku, p.precision
"""
_CELLS = """
SELECT p.sku, s.code AS store, p.precision, -SUM(m.quantity) AS quantity
FROM stock_move AS m JOIN product AS p ON p.id = m.product_id JOIN store AS s ON s.id = m.store_id
WHERE m.flow IN (2, 3, 4, 5) AND m.business_date BETWEEN :first AND :last
GROUP BY p.sku, s.code, p.precision
"""


class Reader:
    """Asks the same questions again and again, and sums plainly what the answers must be."""

    def __init__(self, day: Day, database: Database, tallies: Tallies) -> None:
        self.day = day
        self.database = database
        self.figures = Figures(database, CatalogCache(), day.clock, tallies)
        self.stock = StockQueries(database, CatalogCache(), day.clock, tallies=tallies)

    def asked(self, **more: Any) -> SalesQuery:
        """The week's sellers."""
        today = self.figures.today(ctx=self.day.owner)
        return SalesQuery(from_=today - timedelta(days=6), to=today, **more)

    def sellers(self, **more: Any) -> list[tuple[str | None, Decimal, Decimal]]:
        rows = self.figures.sales(self.asked(**more), ctx=self.day.owner).items
        return [(r.sku, Decimal(r.quantity or "x"), Decimal(r.amount)) for r in rows]

    def check(self, *, store: str | None = None) -> None:
        """Compare both questions with plain sums."""
        asked = self.asked()
        days = {"first": day_number(asked.from_), "last": day_number(asked.to)}
        with self.database.reading() as connection:
            lines = connection.execute(sa.text(_LINES), {**days, "store": store or "%"}).all()
            cells = connection.execute(sa.text(_CELLS), days).all()
        named = [] if store is None else [store]
        expected = [
            (r.sku, Decimal(int(r.quantity)).scaleb(-r.precision), Decimal(int(r.amount)) / 100)
            for r in lines
        ]
        for measure in ("quantity", "amount"):
            at = 1 if measure == "quantity" else 2
            expected.sort(key=lambda r: (-r[at], -r[3 - at], r[0]))
            assert self.sellers(measure=measure, store=named) == expected
        page = self.stock.stock(StockFilter(sort="-sold_7d", limit=1000), ctx=self.day.owner)
        sold = {(r.sku, r.store): Decimal(r.sold_7d) for r in page.items if Decimal(r.sold_7d)}
        assert sold == {
            (r.sku, r.store): Decimal(int(r.quantity)).scaleb(-r.precision)
            for r in cells
            if r.quantity
        }
        assert list(sold.values()) == sorted(sold.values(), reverse=True)


@pytest.fixture
def tallies() -> Tallies:
    return Tallies()


@pytest.fixture
def reader(day: Day, shop: Shop, database: Database, tallies: Tallies) -> Reader:
    """A reader of a shop that has traded for a day."""
    stock_shop(shop)
    trade(day)
    return Reader(day, database, tallies)


def sell_on(reader: Reader, steps: int, *, seed: int) -> None:
    """Sales, returns, late sales and reversals over some days, compared after each."""
    chance = random.Random(seed)
    day = reader.day
    for _ in range(steps):
        day.clock.advance(seconds=chance.randrange(40_000))
        sku = chance.choice(("tea", "candle", "cake"))
        goods = line(sku, chance.randint(1, 3))
        store = chance.choice(("S1", "S2"))
        kind = chance.choice(("issue", "issue", "late", "customer_return", "reverse"))
        if kind == "late":
            at = day.at("09:00") - timedelta(days=chance.randint(1, 12))
            day.post("issue", goods, store=store, occurred_at=at)
        elif kind == "reverse":
            wrong = day.post("issue", goods, store=store)
            reader.check(store=store)
            do(day, Reverse(wrong.number, "typed wrongly"))
        else:
            day.post(kind, goods, store=store)
        reader.check(store=chance.choice((None, "S1", "S2")))


def test_reports_asked_while_the_shop_trades_equal_plain_sums(reader: Reader) -> None:
    sell_on(reader, 30, seed=7)


def sell_equals(reader: Reader, shop: Shop) -> None:
    """Thirty goods of which three sorts sold alike, made in the opposite order of their skus."""
    for number in reversed(range(30)):
        shop.product(f"G{number:02d}", price=100)
        reader.day.post("issue", line(f"G{number:02d}", 1 + number % 3))


@pytest.mark.parametrize("few", [Tallies(behind_max=0), Tallies(keys_max=1)])
def test_reports_that_remember_little_equal_plain_sums(
    reader: Reader, database: Database, few: Tallies
) -> None:
    sell_on(Reader(reader.day, database, few), 6, seed=8)


def test_seller_page_among_equals_is_the_page_of_the_whole(reader: Reader, shop: Shop) -> None:
    sell_equals(reader, shop)
    whole = reader.sellers(measure="quantity")
    assert len(whole) > 30
    for limit in (1, 4, 7, 33):
        pages = [
            reader.sellers(measure="quantity", limit=limit, offset=offset)
            for offset in range(0, len(whole) + limit, limit)
        ]
        assert [row for page in pages for row in page] == whole
        assert pages[-1] == []


def test_monitor_page_among_equals_is_the_page_of_the_whole(reader: Reader, shop: Shop) -> None:
    sell_equals(reader, shop)
    for more in ({}, {"q": "g1"}, {"store": ["S2"]}):
        whole = StockFilter(sort="-sold_7d", limit=1000, **more)
        expected = reader.stock.stock(whole, ctx=reader.day.owner).items
        found = []
        cursor = None
        while True:
            asked = StockFilter(sort="-sold_7d", limit=4, cursor=cursor, **more)
            page = reader.stock.stock(asked, ctx=reader.day.owner)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == expected
        assert expected


def test_sellers_with_imported_history_follow_its_coming_and_going(
    reader: Reader, database: Database, shop: Shop
) -> None:
    before = reader.sellers()
    today = day_number(reader.asked().to)
    sale = Sale(today - 2, shop.stores["S1"], shop.products["candle"], 1, quantity=90, amount=9)
    with database.writing() as connection:
        write_history(connection, [sale], import_id=77)
    [during] = [row for row in reader.sellers() if row[0] == "candle"]
    assert during[1:] == (Decimal(90), Decimal("0.09"))
    with database.writing() as connection:
        remove_history(connection, import_id=77)
    assert reader.sellers() == before


def test_sellers_after_a_rebuild_are_what_was_rebuilt(reader: Reader, database: Database) -> None:
    before = reader.sellers()
    with database.writing() as connection:
        connection.execute(sa.text("UPDATE sales_summary SET amount = amount + 7"))
    meddled = Reader(reader.day, database, Tallies())
    assert meddled.sellers() != before
    reader.day.ledger.rebuild()
    assert meddled.sellers() == before


def test_sellers_in_an_older_transaction_are_of_its_own_moment(
    reader: Reader, database: Database, tallies: Tallies
) -> None:
    asked = reader.asked()

    def answer(connection: sa.Connection) -> SalesTotals:
        reader.figures.cache.refresh(connection)
        stores = tuple(reader.figures.cache.stores.values())
        figures = SalesFigures(stores, {}, reader.day.clock.now_ms(), True, tallies)
        return figures.totals(connection, asked)

    with database.reading() as old:
        before = answer(old)
        reader.day.post("issue", line("tea", 3))
        with database.reading() as new:
            after = answer(new)
        assert after != before
        assert answer(old) == before
