"""Numbers and times at the end of what can be kept: refused by name, never a broken answer."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from attrs import evolve
from busy_day import hold
from say import Day, line

from dianku.catalog.requests import StorePatch
from dianku.catalog.service import CatalogService
from dianku.catalog.snapshot import CatalogCache
from dianku.clock import SetClock
from dianku.context import Context
from dianku.errors import Problem
from dianku.ledger.commands import (
    CommitReservation,
    HandOver,
    ReceiveTransfer,
    Reserve,
    Reserved,
)
from dianku.ledger.requests import (
    LineQuantities,
    LineQuantity,
    NewReservation,
    NewReservationLine,
)
from dianku.ledger.verify.rebuild import hours_anew
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


@pytest.mark.parametrize("tenths", [1, 4, 5])
def test_part_of_a_service_that_takes_less_than_half_a_mask_takes_none(
    day: Day, shop: Shop, tenths: int
) -> None:
    shop.product("mask")
    shop.product("facial", composition="service", components={"mask": 1}, precision=1, price=9900)
    day.post("receipt", line("mask", 3, unit_cost=2))
    part = line("facial", f"0.{tenths}")
    sale = day.post("issue", part)
    assert [b.on_hand for b in sale.balances] == (["2"] if tenths == 5 else [])
    back = day.post("customer_return", part, of_document=sale.number)
    assert [b.on_hand for b in back.balances] == (["3"] if tenths == 5 else [])
    assert day.ledger.verify().clean


@pytest.mark.parametrize("disposition", ["shelf", "damaged", "discard"])
def test_return_whose_components_no_column_holds_is_refused(
    day: Day, shop: Shop, disposition: Any
) -> None:
    shop.product("nut")
    shop.product("sack", composition="kit", components={"nut": 10**12})
    refused = day.refused("customer_return", line("sack", 10**12, disposition=disposition))
    assert [(e.pointer, e.code) for e in refused.errors] == [("/lines", "amount_too_large")]


def test_hold_whose_amount_no_column_holds_is_not_committed(day: Day, shop: Shop) -> None:
    shop.product("tea", price=10**12)
    day.post("receipt", line("tea", 10**12, amount=1))
    promised = hold(day, "tea", 10**12)
    refused = day.ledger.execute(CommitReservation(promised), ctx=day.owner)
    assert isinstance(refused, Problem)
    assert [(e.pointer, e.code) for e in refused.errors] == [("/lines", "amount_too_large")]


@pytest.mark.parametrize(
    ("dates", "pointer"),
    [
        ({"made_on": date(9999, 12, 1)}, "/lines/0/made_on"),
        ({"made_on": date(9999, 12, 1), "lot": "A"}, "/lines/0/made_on"),
        ({"expires_on": date(1969, 12, 31), "lot": "A"}, "/lines/0/expires_on"),
        ({"expires_on": date(1970, 1, 1)}, "/lines/0/expires_on"),
    ],
)
def test_date_that_no_lot_can_have_is_refused(
    day: Day, shop: Shop, dates: dict[str, Any], pointer: str
) -> None:
    shop.product("milk", track_lots=True, shelf_life_days=400)
    refused = day.refused("receipt", line("milk", 1, unit_cost=1, **dates))
    assert [(e.pointer, e.code) for e in refused.errors] == [(pointer, "date_out_of_bounds")]


@pytest.mark.parametrize("command", [HandOver, ReceiveTransfer])
def test_goods_handed_over_or_arrived_long_ago_need_the_permission_to_say_so(
    day: Day, shop: Shop, owner: Context, command: Any
) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 9, unit_cost=1))
    sale = day.post("issue", line("tea", 3, kept=3))
    sent = day.post("transfer", line("tea", 3), to_store="S2")
    number = sale.number if command is HandOver else sent.number

    def told(moment: datetime, ctx: Context) -> Any:
        one = LineQuantity(line=1, quantity=Decimal(1))
        return day.ledger.execute(
            command(number, LineQuantities(lines=[one], occurred_at=moment)), ctx=ctx
        )

    permissions = owner.actor.permissions - {"backfill"}
    clerk = evolve(owner, actor=evolve(owner.actor, permissions=permissions))
    refused = told(datetime(2020, 1, 1, tzinfo=UTC), clerk)
    assert isinstance(refused, Problem)
    assert (refused.code, refused.params) == ("forbidden", {"permission": "backfill"})
    before_all = told(datetime(1969, 12, 31, tzinfo=UTC), owner)
    assert isinstance(before_all, Problem)
    assert [(e.pointer, e.code) for e in before_all.errors] == [("/occurred_at", "too_old")]


def test_cost_of_goods_that_never_moved_is_the_products_of_today(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea", cost=50_000)
    asked = NewReservation(
        store="S1",
        kind="preorder",
        due_on=date(2030, 1, 1),
        lines=[NewReservationLine(sku="tea", quantity=Decimal(1))],
    )
    assert isinstance(day.ledger.execute(Reserve(asked), ctx=day.owner), Reserved)
    with database.writing() as connection:
        sql = "UPDATE product SET cost = 60000, version = 1 + (SELECT MAX(version) FROM product)"
        connection.execute(sa.text(sql))
        connection.execute(sa.text("UPDATE counter SET value = value + 1 WHERE name = 'catalog'"))
    assert day.post("issue", line("tea", 1)).lines[0].cost == "6.00"


def test_sales_lie_under_the_hours_of_the_zone_their_store_was_given(
    day: Day, shop: Shop, database: Database, cache: CatalogCache, clock: SetClock
) -> None:
    catalog = CatalogService(database, cache, clock, zone_changed=hours_anew)
    shop.product("tea", price=100)
    day.set("10:30")
    day.post("issue", line("tea", 1))
    day.post("issue", line("tea", 1), store="S2")
    assert day.ledger.verify(since_last=True).clean
    catalog.patch_store("S1", StorePatch(timezone="Asia/Tokyo"), ctx=day.owner)
    with database.reading() as connection:
        hours = sa.text("SELECT hour FROM sales_by_hour ORDER BY store_id")
        assert list(connection.execute(hours).scalars()) == [11, 10]
    assert day.ledger.verify().clean
    assert day.ledger.verify(since_last=True).clean


@pytest.mark.parametrize(
    ("kind", "sku", "what"),
    [
        ("receipt", "nothing", "unknown_product"),
        ("receipt", "box", "no_own_stock"),
        ("production", "tea", "not_made"),
    ],
)
def test_line_of_goods_that_cannot_stand_there_is_told_its_wrong_numbers_too(
    day: Day, shop: Shop, kind: str, sku: str, what: str
) -> None:
    shop.product("tea")
    shop.product("box", composition="kit", components={"tea": 1})
    refused = day.refused(kind, line(sku, -1, amount="-1.001", kept="-1"))
    told = {(e.pointer, e.code) for e in refused.errors}
    assert ("/lines/0/sku", what) in told
    assert ("/lines/0/quantity", "not_positive") in told
    assert ("/lines/0/amount", "too_many_digits") in told
    assert ("/lines/0/kept", "negative") in told


def test_reservation_of_unknown_goods_is_told_that_its_quantity_is_no_number(day: Day) -> None:
    none = NewReservation(
        store="S1", lines=[NewReservationLine(sku="nothing", quantity=Decimal("NaN"))]
    )
    refused = day.ledger.execute(Reserve(none), ctx=day.owner)
    assert isinstance(refused, Problem)
    assert [(e.pointer, e.code) for e in refused.errors] == [
        ("/lines/0/sku", "unknown_product"),
        ("/lines/0/quantity", "not_finite"),
    ]
