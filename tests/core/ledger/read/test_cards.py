"""The stock card against a running sum over the moves."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from dianku.clock import SetClock, format_ms
from dianku.context import Context
from dianku.errors import Refused
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.read.requests import MoveFilter, MoveRow

BUCKETS = ("sellable", "damaged", "kept", "in_transit")


def walked(queries: StockQueries, ctx: Context, **asked: Any) -> list[MoveRow]:
    rows: list[MoveRow] = []
    cursor = None
    while True:
        page = queries.moves(MoveFilter(cursor=cursor, **asked), ctx=ctx)
        rows += page.items
        cursor = page.next_cursor
        if cursor is None:
            return rows


def running(books: Any, sku: str) -> list[tuple[str, str, int, int, str]]:
    level: dict[tuple[str, int], int] = defaultdict(int)
    found = []
    for m in sorted((m for m in books.moves if m.sku == sku), key=lambda m: (m.at, m.id)):
        level[m.store, m.bucket] += m.quantity
        after = level[m.store, m.bucket]
        found.append((m.store, BUCKETS[m.bucket], m.quantity, after, format_ms(m.at)))
    return found


def shown(rows: list[MoveRow]) -> list[tuple[str, str, int, int, str]]:
    return [(r.store, r.bucket, int(r.quantity), int(r.balance_after), r.occurred_at) for r in rows]


@pytest.mark.parametrize("page", [(3, None), (1000, None), (4, "-occurred_at")])
def test_card_on_every_page_gives_the_balance_after_each_move(
    books: Any, queries: StockQueries, owner: Context, trade: Any, page: tuple[int, str | None]
) -> None:
    limit, sort = page
    trade(books, 17, count=500)
    expected = running(books, "G01")
    if sort is not None:
        expected.reverse()
    assert shown(walked(queries, owner, sku="G01", limit=limit, sort=sort)) == expected


def test_card_of_one_store_and_period_keeps_the_balances_of_the_whole(
    books: Any, queries: StockQueries, owner: Context, trade: Any
) -> None:
    trade(books, 19, count=500)
    place = books.places["S2"]
    rows = walked(
        queries, owner, sku="G01", store=["S2"], from_="2026-03-05", to="2026-03-12", limit=2
    )
    whole = sorted(
        (m for m in books.moves if m.sku == "G01" and m.store == "S2"),
        key=lambda m: (m.at, m.id),
    )
    first, last = place.day(JST_NOON_5), place.day(JST_NOON_5) + 7
    inside = [format_ms(m.at) for m in whole if first <= m.day <= last]
    assert inside
    assert [r.occurred_at for r in rows] == inside
    assert set(shown(rows)) <= set(running(books, "G01"))


JST_NOON_5 = 1_772_726_400_000
"""2026-03-05 16:00 UTC: the 5th in New York."""


def test_card_a_late_move_shifts_the_balances_behind_it(
    books: Any, queries: StockQueries, owner: Context, clock: SetClock
) -> None:
    now = clock.now_ms()
    for at, quantity in [(now - 5000, 10), (now - 3000, -4), (now - 4000, -1)]:
        document = books.document("adjustment", "S1", at)
        books.move(document, "S1", "G00", 8, quantity, at=at)
    books.flush()
    rows = walked(queries, owner, sku="G00")
    assert [(r.quantity, r.balance_after) for r in rows] == [("10", "10"), ("-1", "9"), ("-4", "5")]


def test_card_scope_cost_and_unknown_product(
    books: Any, queries: StockQueries, clerk: Context, trade: Any
) -> None:
    trade(books, 23, count=100)
    rows = walked(queries, clerk, sku="G00")
    assert {r.store for r in rows} == {"S1"}
    assert {r.value for r in rows} == {None}
    with pytest.raises(Refused) as refused:
        queries.moves(MoveFilter(sku="NOPE"), ctx=clerk)
    assert refused.value.problem.code == "not_found"
