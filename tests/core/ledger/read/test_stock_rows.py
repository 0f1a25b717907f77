"""Rows of stock against plain sums over the moves."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from attrs import evolve

from dianku.catalog import tables as catalog
from dianku.clock import SetClock
from dianku.context import Context
from dianku.errors import Refused
from dianku.ledger import tables as ledger
from dianku.ledger.read.alert_lines import ShopLines
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.read.requests import StockFilter, StockRow

DAY = 86_400_000


def text(steps: int, precision: int) -> str:
    if not precision:
        return str(steps)
    sign = "-" if steps < 0 else ""
    whole, rest = divmod(abs(steps), 10**precision)
    return f"{sign}{whole}.{rest:0{precision}d}"


def walked(queries: StockQueries, ctx: Context, **asked: Any) -> list[StockRow]:
    rows: list[StockRow] = []
    cursor = None
    while True:
        page = queries.stock(StockFilter(cursor=cursor, **asked), ctx=ctx)
        assert len(page.items) <= asked.get("limit", 100)
        rows += page.items
        cursor = page.next_cursor
        if cursor is None:
            return rows


def test_stock_random_trade_rows_equal_sums_of_moves(
    books: Any, queries: StockQueries, owner: Context, clock: SetClock, trade: Any
) -> None:
    trade(books, 20260331)
    rows = walked(queries, owner, limit=7)
    moved = {(m.sku, m.store) for m in books.moves}
    assert [(r.sku, r.store) for r in rows] == sorted(moved)
    for row in rows:
        good, place = books.goods[row.sku], books.places[row.store]
        today = place.day(clock.now_ms())
        on_hand, value = books.balance(row.store, row.sku)
        assert row.on_hand == text(on_hand, good.precision)
        assert row.available == row.on_hand
        assert row.damaged == text(books.balance(row.store, row.sku, 1)[0], good.precision)
        assert row.sold_7d == text(books.sold(row.store, row.sku, today - 6, today), good.precision)
        assert row.sold_30d == text(
            books.sold(row.store, row.sku, today - 29, today), good.precision
        )
        assert row.value is not None
        assert round(float(row.value) * 10_000) == value


def test_stock_as_of_random_moments_equals_sums_up_to_them(
    books: Any, queries: StockQueries, owner: Context, clock: SetClock, trade: Any
) -> None:
    trade(books, 7)
    chance = random.Random(7)
    for _ in range(15):
        at = clock.now_ms() - chance.randrange(50 * DAY)
        moment = datetime.fromtimestamp(at / 1000, UTC)
        rows = walked(queries, owner, as_of=moment.isoformat(timespec="milliseconds"))
        for row in rows:
            on_hand, value = books.balance(row.store, row.sku, keep=lambda m, at=at: m.at <= at)
            assert row.on_hand == text(on_hand, books.goods[row.sku].precision)
            assert row.value is not None
            assert round(float(row.value) * 10_000) == value
        day = moment.date().toordinal() - date(1970, 1, 1).toordinal()
        for row in walked(queries, owner, as_of=moment.date().isoformat()):
            on_hand, _ = books.balance(row.store, row.sku, keep=lambda m, day=day: m.day <= day)
            damaged, _ = books.balance(row.store, row.sku, 1, keep=lambda m, day=day: m.day <= day)
            assert row.on_hand == text(on_hand, books.goods[row.sku].precision)
            assert row.damaged == text(damaged, books.goods[row.sku].precision)


@pytest.mark.parametrize("sort", ["-sku", "name", "store,-sku", "-on_hand", "value", "-sold_7d"])
def test_stock_sorted_walked_in_small_pages_gives_each_row_once_in_order(
    books: Any, queries: StockQueries, owner: Context, trade: Any, sort: str
) -> None:
    trade(books, 11, count=400)
    rows = walked(queries, owner, limit=4, sort=sort)
    assert len({(r.sku, r.store) for r in rows}) == len(rows) == len(walked(queries, owner))
    name = sort.split(",", maxsplit=1)[0].lstrip("-")
    keys = [
        getattr(r, name) if name in {"sku", "name", "store"} else Decimal(getattr(r, name))
        for r in rows
    ]
    assert keys == sorted(keys, reverse=sort.startswith("-"))


def test_stock_hold_already_due_is_left_out_before_any_sweep(
    books: Any, queries: StockQueries, owner: Context, clock: SetClock
) -> None:
    document = books.document("receipt", "S1", clock.now_ms() - DAY)
    books.move(document, "S1", "G00", 1, 10, value=100, at=clock.now_ms() - DAY)
    books.reserved["S1", "G00"] = 7
    books.flush()
    for i, (quantity, ends) in enumerate([(4, clock.now_ms() + 1000), (3, clock.now_ms())], 1):
        books.insert(
            ledger.reservation_hold,
            reservation_id=i,
            product_id=books.goods["G00"].id,
            store_id=books.places["S1"].id,
            quantity=quantity,
            active=True,
            expires_at=ends,
        )
    row = queries.stock(StockFilter(sku=["G00"]), ctx=owner).items[0]
    assert (row.on_hand, row.reserved, row.available) == ("10", "4", "6")
    clock.advance(seconds=1)
    row = queries.stock(StockFilter(sku=["G00"]), ctx=owner).items[0]
    assert (row.reserved, row.available) == ("0", "10")


def test_stock_lot_past_its_date_leaves_available_at_midnight_though_nothing_was_posted(
    books: Any, queries: StockQueries, owner: Context, clock: SetClock
) -> None:
    books.good("MILK", track_lots=True)
    at = clock.now_ms() - DAY
    document = books.document("receipt", "S1", at)
    books.move(document, "S1", "MILK", 1, 10, value=100, at=at)
    books.flush()
    last_good_day = books.places["S1"].day(clock.now_ms())
    lot = books.insert(
        ledger.lot, product_id=books.goods["MILK"].id, code="L1", expires_on=last_good_day
    )
    books.insert(
        ledger.lot_balance,
        store_id=books.places["S1"].id,
        product_id=books.goods["MILK"].id,
        lot_id=lot,
        quantity=6,
    )
    clock.set(NOON_UTC + int(3.99 * 3_600_000))
    row = queries.stock(StockFilter(sku=["MILK"]), ctx=owner).items[0]
    assert (row.available, row.lots[0].lot, row.lots[0].quantity) == ("10", "L1", "6")
    clock.set(NOON_UTC + 4 * 3_600_000)
    row = queries.stock(StockFilter(sku=["MILK"]), ctx=owner).items[0]
    assert (row.on_hand, row.available) == ("10", "4")


NOON_UTC = int(datetime(2026, 3, 31, 12, 0, tzinfo=UTC).timestamp() * 1000)


def test_stock_low_is_below_the_line_of_store_product_or_nearest_category(
    books: Any, queries: StockQueries, owner: Context, clock: SetClock
) -> None:
    books.good("OWN", category="snacks", low_stock=10)
    books.good("STORE", category="snacks", low_stock=10)
    books.good("NONE", low_stock=None)
    books.good("WEIGHED", precision=3, category="snacks")
    at = clock.now_ms() - DAY
    document = books.document("receipt", "S1", at)
    levels = {"OWN": 9, "STORE": 9, "G01": 4, "G00": 5, "NONE": 0, "WEIGHED": 4999}
    for sku, level in levels.items():
        books.move(document, "S1", sku, 1, level, at=at)
    books.flush()
    books.insert(
        catalog.product_in_store,
        store_id=books.places["S1"].id,
        product_id=books.goods["STORE"].id,
        low_stock=9,
    )
    rows = queries.stock(StockFilter(store=["S1"], low=True), ctx=owner).items
    assert [r.sku for r in rows] == ["G01", "OWN", "WEIGHED"]
    lines = {r.sku: r.low_stock for r in queries.stock(StockFilter(store=["S1"]), ctx=owner).items}
    assert lines == {
        "OWN": "10",
        "STORE": "9",
        "G01": "5",
        "G00": "5",
        "NONE": None,
        "WEIGHED": "5.000",
    }


def test_stock_over_counts_days_of_sales_in_stock_and_spares_goods_of_this_week(
    books: Any, queries: StockQueries, owner: Context, clock: SetClock
) -> None:
    now = clock.now_ms()
    for sku, first, sold in [("G02", 40, 0), ("G05", 5, 0), ("G08", 9, 9_000)]:
        document = books.document("receipt", "S1", now - first * DAY)
        books.move(document, "S1", sku, 1, 100_000, at=now - first * DAY)
        if sold:
            books.move(document, "S1", sku, 2, -sold, at=now - DAY)
    books.flush()
    rows = {r.sku: r for r in queries.stock(StockFilter(store=["S1"]), ctx=owner).items}
    assert rows["G02"].days_of_cover is None
    # 9 kg in the 10 days it was there, 91 kg left.
    assert rows["G08"].days_of_cover == "101.1"
    over = queries.stock(StockFilter(store=["S1"], over=True, limit=1), ctx=owner)
    assert [r.sku for r in over.items] == ["G02"]
    more = queries.stock(
        StockFilter(store=["S1"], over=True, limit=1, cursor=over.next_cursor), ctx=owner
    )
    assert [r.sku for r in more.items] == ["G08"]
    assert more.next_cursor is None


@pytest.mark.parametrize("shop_line", [None, 40_000])
def test_stock_low_rows_are_those_that_say_so_in_the_whole_list(
    books: Any, queries: StockQueries, owner: Context, trade: Any, *, shop_line: int | None
) -> None:
    trade(books, 20260401)
    chance = random.Random(7)
    queries = evolve(queries, shop_lines=lambda: ShopLines(low_stock=shop_line))
    with queries.database.writing() as c:
        c.execute(sa.update(catalog.product).values(low_stock=None))
        for number, row in enumerate(c.execute(sa.select(catalog.product.c.id)).all()):
            line = chance.choice([None, None, 0, 20, 300])
            here = catalog.product.c.id == row.id
            c.execute(sa.update(catalog.product).where(here).values(low_stock=line))
            level = chance.choice([-5, 3, 25, 500, 500_000])
            reserved = level - 1 if number % 3 == 0 and level > 0 else 0
            held = ledger.stock_balance.c.product_id == row.id
            stood = sa.update(ledger.stock_balance).where(held)
            c.execute(stood.values(on_hand=level, reserved=reserved))
    whole = [(r.sku, r.store) for r in walked(queries, owner) if r.low]
    assert 0 < len(whole) < len(walked(queries, owner))
    low = walked(queries, owner, low=True, limit=3)
    assert [(r.sku, r.store) for r in low] == whole


def test_stock_of_a_kit_follows_its_scarcest_component(
    books: Any, queries: StockQueries, owner: Context, clock: SetClock
) -> None:
    books.good("KIT", composition="kit")
    books.good("BIG", composition="kit")
    for whole, part, quantity in [("KIT", "G00", 2), ("KIT", "G02", 1500), ("BIG", "KIT", 2)]:
        books.insert(
            catalog.component,
            product_id=books.goods[whole].id,
            component_id=books.goods[part].id,
            quantity=quantity,
            position=0,
        )
    at = clock.now_ms() - DAY
    document = books.document("receipt", "S1", at)
    books.move(document, "S1", "G00", 1, 11, at=at)
    books.move(document, "S1", "G02", 1, 7_400, at=at)
    books.sale("S1", "KIT", "counter", at, quantity=3, amount=300)
    books.flush()
    rows = {
        (r.sku, r.store): r for r in queries.stock(StockFilter(sku=["KIT", "BIG"]), ctx=owner).items
    }
    kit = rows["KIT", "S1"]
    assert (kit.on_hand, kit.available, kit.sold_7d) == ("0", "4", "3")
    assert rows["BIG", "S1"].available == "2"
    assert rows["KIT", "S2"].available == "0"
    assert "KIT" not in {r.sku for r in queries.stock(StockFilter(), ctx=owner).items}


def test_stock_scope_and_cost_of_a_clerk_are_kept(
    books: Any, queries: StockQueries, clerk: Context, trade: Any
) -> None:
    trade(books, 3, count=200)
    rows = walked(queries, clerk)
    assert {r.store for r in rows} == {"S1"}
    assert all(r.value is None for r in rows)
    with pytest.raises(Refused) as refused:
        queries.stock(StockFilter(store=["S2"]), ctx=clerk)
    assert refused.value.problem.code == "forbidden"
    with pytest.raises(Refused) as refused:
        queries.stock(StockFilter(store=["S9"]), ctx=clerk)
    assert refused.value.problem.code == "not_found"


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"sort": "colour"}, "/sort"),
        ({"cursor": "abc"}, "/cursor"),
        ({"cursor": "WyJza3UiXQ"}, "/cursor"),
        ({"as_of": "yesterday"}, "/as_of"),
        ({"as_of": "2026-03-01T10:00:00"}, "/as_of"),
    ],
)
def test_stock_wrong_parameters_are_refused_by_name(
    books: Any, queries: StockQueries, owner: Context, asked: dict[str, Any], pointer: str
) -> None:
    assert books.places
    with pytest.raises(Refused) as refused:
        queries.stock(StockFilter(**asked), ctx=owner)
    assert [e.pointer for e in refused.value.problem.errors] == [pointer]


def test_stock_filters_by_category_below_and_words(
    books: Any, queries: StockQueries, owner: Context, trade: Any
) -> None:
    trade(books, 5, count=300)
    found = {r.sku for r in walked(queries, owner, category="food")}
    assert found == {s for s, g in books.goods.items() if g.category in {"food", "snacks"}}
    assert {r.sku for r in walked(queries, owner, q="g0")} == {f"G0{i}" for i in range(10)}
    assert walked(queries, owner, q="%") == []


def test_stock_archived_good_is_shown_while_something_is_left(
    books: Any, queries: StockQueries, owner: Context, clock: SetClock
) -> None:
    at = clock.now_ms() - DAY
    document = books.document("receipt", "S1", at)
    books.move(document, "S1", "G00", 1, 1, at=at)
    books.move(document, "S1", "G01", 1, 1, at=at)
    books.move(document, "S1", "G01", 2, -1, at=at)
    books.flush()
    with books.database.writing() as c:
        c.execute(sa.update(catalog.product).values(archived_at=at))
    assert [r.sku for r in walked(queries, owner)] == ["G00"]
