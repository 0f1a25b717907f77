"""Totals against plain sums over what was sold and moved, in random cells."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from dianku.clock import SetClock, day_number
from dianku.context import Context
from dianku.errors import Refused
from dianku.ledger.figures.figures import Figures
from dianku.ledger.figures.requests import FlowsQuery, SalesQuery

EPOCH = date(1970, 1, 1).toordinal()


def days(chance: random.Random) -> tuple[date, date]:
    first = date(2026, 3, 1).toordinal() + chance.randrange(25)
    return date.fromordinal(first), date.fromordinal(first + chance.randrange(10))


@pytest.mark.parametrize("by", ["product", "category", "channel", "store", "day", "hour"])
def test_sales_in_random_periods_equal_plain_sums(
    books: Any, figures: Figures, owner: Context, trade: Any, by: Any
) -> None:
    trade(books, 41)
    chance = random.Random(41)
    for _ in range(8):
        first, last = days(chance)
        store = chance.choice([[], ["S1"], ["S2"]])
        channel = chance.choice([[], ["app"]])
        category = chance.choice([None, "food", "snacks"])
        skus = chance.choice([[], ["G00", "G01", "G05"]])
        asked = SalesQuery(
            from_=first,
            to=last,
            store=store,
            channel=channel,
            category=category,
            sku=skus,
            by=by,
            limit=1000,
        )
        sums: dict[Any, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 4)
        for s in books.sales:
            if not day_number(first) <= s.day <= day_number(last):
                continue
            if (store and s.store not in store) or (channel and s.channel not in channel):
                continue
            good = books.goods[s.sku]
            under = {None: (None, "food", "snacks"), "food": ("food", "snacks")}
            if good.category not in under.get(category, (category,)) or (
                skus and s.sku not in skus
            ):
                continue
            key = {
                "product": s.sku,
                "category": good.category,
                "channel": s.channel,
                "store": s.store,
                "day": date.fromordinal(s.day + EPOCH).isoformat(),
                "hour": s.hour,
            }[by]
            scale = Decimal(10) ** -good.precision
            quantity, amount, returned, cost = sums[key]
            sums[key] = [
                quantity + (s.quantity - s.returned) * scale,
                amount + Decimal(s.amount - s.returned_amount) / 100,
                returned + s.returned * scale,
                cost + Decimal(s.cost) / 10_000,
            ]
        rows = figures.sales(asked, ctx=owner).items
        assert len(rows) == len(sums)
        for row in rows:
            name = "sku" if by == "product" else by
            quantity, amount, returned, cost = sums[getattr(row, name)]
            assert Decimal(row.amount) == amount
            assert (Decimal(row.quantity or "x"), Decimal(row.returns or "x")) == (
                quantity,
                returned,
            )
            assert (Decimal(row.cost or "x"), Decimal(row.margin or "x")) == (cost, amount - cost)
        if by in {"product", "category", "channel", "store"}:
            amounts = [Decimal(r.amount) for r in rows]
            assert amounts == sorted(amounts, reverse=True)


def test_sales_slow_includes_goods_that_sold_nothing_but_not_those_of_this_week(
    books: Any, figures: Figures, owner: Context, clock: SetClock
) -> None:
    now = clock.now_ms()
    day = 86_400_000
    for sku, first, sold in [("G00", 20, 5), ("G01", 20, 0), ("G03", 3, 0), ("G04", 20, 10)]:
        document = books.document("receipt", "S1", now - first * day)
        books.move(document, "S1", sku, 1, 10, at=now - first * day)
        if sold:
            books.move(document, "S1", sku, 2, -sold, at=now - day)
            books.sale("S1", sku, "counter", now - day, quantity=sold, amount=100 * sold)
    books.flush()
    today = figures.today(ctx=owner)
    asked = SalesQuery(from_=date.fromordinal(today.toordinal() - 6), to=today, order="slow")
    rows = figures.sales(asked, ctx=owner).items
    # G04 is sold out: nothing of it lies on the shelf.
    assert [(r.sku, r.quantity, r.on_hand) for r in rows] == [("G01", "0", "10"), ("G00", "5", "5")]


def test_sales_pages_by_offset_give_every_row_once(
    books: Any, figures: Figures, owner: Context, trade: Any
) -> None:
    trade(books, 43, count=400)
    period: dict[str, Any] = {"from_": date(2026, 2, 1), "to": date(2026, 3, 31)}
    whole = [r.sku for r in figures.sales(SalesQuery(**period), ctx=owner).items]
    found, offset = [], 0
    while True:
        page = figures.sales(SalesQuery(**period, limit=5, offset=offset), ctx=owner)
        found += [r.sku for r in page.items]
        if page.next_offset is None:
            break
        offset = page.next_offset
    assert found == whole
    assert len(set(whole)) == 12


@pytest.mark.parametrize("by", ["reason", "product", "day", "actor", "store", "category"])
def test_write_offs_equal_plain_sums(
    books: Any, figures: Figures, owner: Context, trade: Any, by: Any
) -> None:
    trade(books, 47)
    first, last = date(2026, 3, 3), date(2026, 3, 20)
    actors = {d["id"]: d["actor"] for d in books.documents}
    sums: dict[Any, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for m in books.moves:
        if m.flow != 7 or not day_number(first) <= m.day <= day_number(last):
            continue
        good = books.goods[m.sku]
        key = {
            "reason": m.reason,
            "product": m.sku,
            "actor": actors[m.document],
            "store": m.store,
            "day": date.fromordinal(m.day + EPOCH).isoformat(),
            "category": good.category,
        }[by]
        sums[key][0] += m.quantity * Decimal(10) ** -good.precision
        sums[key][1] += Decimal(m.value) / 10_000
    asked = FlowsQuery(from_=first, to=last, flow=["written_off"], by=by)
    rows = figures.flows(asked, ctx=owner).items
    name = "sku" if by == "product" else by
    found = {getattr(r, name): [Decimal(r.quantity), Decimal(r.value or "x")] for r in rows}
    assert found == sums


def test_stock_value_at_random_dates_equals_plain_sums(
    books: Any, figures: Figures, owner: Context, clerk: Context, trade: Any
) -> None:
    trade(books, 53)
    for day in (date(2026, 2, 20), date(2026, 3, 15), date(2026, 3, 31)):
        for row in figures.stock_value(ctx=owner, at=day, by="store").items:
            value, damaged = (
                sum(
                    m.value
                    for m in books.moves
                    if m.store == row.store and m.bucket == bucket and m.day <= day_number(day)
                )
                for bucket in (0, 1)
            )
            assert Decimal(row.value or "x") == Decimal(value) / 10_000
            assert Decimal(row.damaged_value or "x") == Decimal(damaged) / 10_000
    assert [(r.store, r.value) for r in figures.stock_value(ctx=clerk).items] == [("S1", None)]


@pytest.mark.sqlite_only
def test_figures_wrong_questions_are_refused_by_name(
    books: Any, figures: Figures, owner: Context
) -> None:
    assert books.places
    backwards: dict[str, Any] = {"from_": date(2026, 3, 2), "to": date(2026, 3, 1)}
    year: dict[str, Any] = {"from_": date(2024, 3, 2), "to": date(2026, 3, 1)}
    questions: list[tuple[Callable[[], object], str]] = [
        (lambda: figures.sales(SalesQuery(**backwards), ctx=owner), "/to"),
        (
            lambda: figures.flows(FlowsQuery(**year, flow=["written_off"], by="actor"), ctx=owner),
            "/from",
        ),
        (lambda: figures.flows(FlowsQuery(**year, flow=["lost"]), ctx=owner), "/flow/0"),
    ]
    for call, pointer in questions:
        with pytest.raises(Refused) as refused:
            call()
        assert [e.pointer for e in refused.value.problem.errors] == [pointer]
