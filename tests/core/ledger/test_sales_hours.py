"""Sales by hour, against sums this file makes of what it posted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs
from say import Day, line

from dianku.catalog import tables as catalog
from dianku.catalog.snapshot import CatalogCache
from dianku.errors import Refused
from dianku.ledger.commands import Posted, Reverse
from dianku.ledger.figures.figures import Figures
from dianku.ledger.figures.requests import SalesQuery, SalesRow
from dianku.ledger.requests import DocumentRecord
from dianku.storage.engine import Database
from dianku.testing.shop import Shop

Sums = dict[int, list[Decimal]]


class Told:
    """What was sold as what, added up by the hour the test says it was."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, int, bool, Any, str | None]] = []

    def __call__(self, hour: int, record: DocumentRecord, *, sign: int = 1) -> DocumentRecord:
        """Note the lines of a document; `sign` -1 for one that was reversed."""
        back = record.kind == "customer_return"
        self.lines += [(hour, sign, back, x, record.channel) for x in record.lines]
        return record

    def sums(self, skus: Iterable[str] = (), channel: str | None = None) -> Sums:
        """By hour: net quantity, net amount, returned quantity and amount, net cost."""
        found: Sums = defaultdict(lambda: [Decimal(0)] * 5)
        for hour, sign, back, x, through in self.lines:
            if (skus and x.sku not in skus) or (channel and through != channel):
                continue
            quantity, amount = sign * Decimal(x.quantity), sign * Decimal(x.amount)
            net = -1 if back else 1
            figures = (
                net * quantity,
                net * amount,
                quantity * back,
                amount * back,
                net * sign * Decimal(x.cost),
            )
            found[hour] = [a + b for a, b in zip(found[hour], figures, strict=True)]
        return dict(found)


def of_rows(rows: Iterable[SalesRow]) -> Sums:
    """The same of a report's rows."""
    return {
        row.hour: [  # type: ignore[misc]
            Decimal(text or "x")
            for text in (row.quantity, row.amount, row.returns, row.returned_amount, row.cost)
        ]
        for row in rows
    }


@pytest.fixture
def told(day: Day, shop: Shop) -> Told:
    """A day of a shop whose day ends at four in the morning: sales, returns, a kit, an error."""
    shop.store("night", cutoff_minutes=240)
    shop.channel("web")
    shop.product("tea", price=500)
    shop.product("cake", price=3000)
    shop.product("candle", price=100)
    shop.product("apple", precision=3, price=1130)
    shop.product("box", composition="kit", components={"cake": 1, "candle": 2}, price=5000)
    day.store = "night"
    told = Told()
    day.set("08:00")
    day.post(
        "receipt",
        line("tea", 40, amount="99.99"),
        line("cake", 9, unit_cost="12.00"),
        line("candle", 30, amount="10.00"),
        line("apple", "7.500", unit_cost="11.30"),
    )
    day.set("10:30")
    sale = told(10, day.post("issue", line("tea", 7), line("box", 2)))
    told(10, day.post("issue", line("apple", "0.414"), line("tea", 1), channel="web"))
    day.set("14:59")
    told(14, day.post("customer_return", line("box", 1), line("tea", 2), of_document=sale.number))
    wrong = told(14, day.post("issue", line("cake", 1), line("apple", "1.234")))
    day.set("18:00")
    outcome = day.ledger.execute(Reverse(wrong.number, "typed wrongly"), ctx=day.owner)
    assert isinstance(outcome, Posted)
    reversal = outcome.record
    # It takes the figures back at the hour it happened itself, which its record says in UTC.
    told((int(reversal.occurred_at[11:13]) + 8) % 24, wrong, sign=-1)
    day.clock.advance(seconds=8.5 * 3600)
    night = told(2, day.post("issue", line("tea", 3)))
    assert night.business_date == sale.business_date
    return told


@pytest.fixture
def figures(day: Day, database: Database) -> Figures:
    return Figures(database, CatalogCache(), day.clock)


def asked(**more: Any) -> SalesQuery:
    """A day's question by hour."""
    on = date(2026, 3, 2)
    return SalesQuery(from_=on, to=on, by="hour", **more)


def test_sales_by_hour_give_quantity_returns_cost_and_margin_of_what_was_sold(
    told: Told, figures: Figures, day: Day
) -> None:
    rows = figures.sales(asked(), ctx=day.owner).items
    assert of_rows(rows) == told.sums()
    assert [row.hour for row in rows] == sorted(told.sums())
    for row in rows:
        assert Decimal(row.margin or "x") == Decimal(row.amount) - Decimal(row.cost or "x")
    assert sum(row.documents or 0 for row in rows) == 3
    assert rows[0].hour == 2


@pytest.mark.parametrize("skus", [["tea"], ["box", "apple"], ["cake"], ["candle"]])
def test_sales_by_hour_of_some_goods_count_a_kit_as_itself(
    told: Told, figures: Figures, day: Day, skus: list[str]
) -> None:
    rows = figures.sales(asked(sku=skus), ctx=day.owner).items
    assert of_rows(rows) == told.sums(skus)


def test_sales_by_hour_take_category_channel_and_store(
    told: Told, figures: Figures, day: Day, database: Database, shop: Shop
) -> None:
    with database.writing() as connection:
        row = {"code": "drinks", "name": "drinks", "parent_id": None, "version": 1}
        made = connection.execute(sa.insert(catalog.category).values(row))
        (category,) = made.inserted_primary_key or (None,)
        tea = catalog.product.c.id == shop.products["tea"]
        connection.execute(sa.update(catalog.product).where(tea).values(category_id=category))
    rows = figures.sales(asked(category="drinks"), ctx=day.owner).items
    assert of_rows(rows) == told.sums(["tea"])
    rows = figures.sales(asked(channel=["web"]), ctx=day.owner).items
    assert of_rows(rows) == told.sums(channel="web")
    rows = figures.sales(asked(store=["night"]), ctx=day.owner).items
    assert of_rows(rows) == told.sums()
    assert figures.sales(asked(store=["S1"]), ctx=day.owner).items == []


@pytest.mark.usefixtures("told")
def test_sales_by_hour_agree_with_the_sums_kept_by_posting(
    figures: Figures, day: Day, database: Database
) -> None:
    kept = sa.text("SELECT hour, documents, amount, returned_amount FROM sales_by_hour")
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    with database.reading() as connection:
        for hour, *values in connection.execute(kept):
            sums[hour] = [a + int(b) for a, b in zip(sums[hour], values, strict=True)]
    rows = figures.sales(asked(), ctx=day.owner).items
    assert {
        r.hour: [
            r.documents,
            round((Decimal(r.amount) + Decimal(r.returned_amount)) * 100),
            round(Decimal(r.returned_amount) * 100),
        ]
        for r in rows
    } == dict(sums)


@pytest.mark.usefixtures("told")
def test_sales_by_hour_page_by_offset_and_end(figures: Figures, day: Day) -> None:
    whole = figures.sales(asked(), ctx=day.owner).items
    first = figures.sales(asked(limit=1), ctx=day.owner)
    assert (first.items, first.next_offset) == (whole[:1], 1)
    rest = figures.sales(asked(offset=1), ctx=day.owner)
    assert (rest.items, rest.next_offset) == (whole[1:], None)


def test_sales_by_hour_of_more_than_a_year_are_refused(figures: Figures, day: Day) -> None:
    year = structs.replace(asked(), from_=date(2025, 3, 1))
    assert figures.sales(year, ctx=day.owner).items == []
    longer = structs.replace(asked(), from_=date(2025, 2, 28))
    with pytest.raises(Refused) as refused:
        figures.sales(longer, ctx=day.owner)
    assert [(e.pointer, e.code) for e in refused.value.problem.errors] == [
        ("/from", "period_too_long")
    ]
