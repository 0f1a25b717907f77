"""What a document would do, asked before it is posted: the same, and nothing of it kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from say import Day, line

from dianku.clock import from_ms
from dianku.context import Context
from dianku.errors import Problem
from dianku.ledger.commands import Post, Posted
from dianku.ledger.requests import DocumentForecast, NewDocument, NewLine
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


def on(day: Day, days: int) -> date:
    """A date so many days from the day's own."""
    return (from_ms(day.clock.now_ms()) + timedelta(days=days, hours=8)).date()


def foreseen(
    day: Day, kind: Any, *lines: NewLine, ctx: Context | None = None, **more: Any
) -> DocumentForecast | Problem:
    """What posting would do."""
    new = NewDocument(kind=kind, store=more.pop("store", "S1"), lines=list(lines), **more)
    return day.ledger.foresee(new, ctx=ctx or day.owner)


def warned(day: Day, kind: str, *lines: NewLine, **more: Any) -> list[str]:
    """The codes of what posting would warn of."""
    told = foreseen(day, kind, *lines, **more)
    assert isinstance(told, DocumentForecast), told
    return [warning.code for warning in told.warnings]


@pytest.fixture
def goods(day: Day, shop: Shop) -> None:
    """Flour, eggs and milk in lots, with a cake that is made of the first two."""
    shop.product("flour", precision=3, price=600)
    shop.product("egg", price=100)
    shop.product("cake", price=5000, composition="made", components={"flour": 500, "egg": 4})
    shop.product("milk", price=300, track_lots=True)
    day.post("receipt", line("flour", 20, unit_cost="4"), line("egg", 60, unit_cost="0.5"))
    day.post("receipt", line("milk", 12, unit_cost="2", lot="A", expires_on=on(day, 5)))


@pytest.mark.usefixtures("goods")
def test_foreseen_document_is_the_one_that_is_posted_and_leaves_no_trace(
    day: Day, database: Database, database_digest: Callable[..., str]
) -> None:
    wanted: list[tuple[str, list[NewLine], dict[str, Any]]] = [
        ("receipt", [line("milk", 6, unit_cost="2", lot="NEW", expires_on=on(day, 9))], {}),
        ("receipt", [line("cake", 1, unit_cost="20")], {"supplier": "Baker"}),
        ("production", [line("cake", 3)], {}),
        ("production", [line("cake", delta=-1)], {}),
        ("issue", [line("milk", 20), line("egg", 1)], {"channel": "counter"}),
        ("write_off", [line("egg", 2, reason="damaged")], {}),
        ("transfer", [line("egg", 5)], {"to_store": "S2"}),
        ("supplier_return", [line("flour", "0.500")], {"supplier": "Mill"}),
        ("adjustment", [line("egg", counted=40)], {}),
    ]
    for kind, lines, more in wanted:
        before = database_digest(database)
        told = foreseen(day, kind, *lines, **more)
        assert isinstance(told, DocumentForecast), (kind, told)
        assert database_digest(database) == before, kind
        posted = day.post(kind, *lines, **more)
        assert (told.lines, told.balances) == (posted.lines, posted.balances), kind
        assert told.warnings == posted.warnings, kind


@pytest.mark.usefixtures("goods")
def test_foreseen_movements_tell_what_goes_in_and_what_comes_out(day: Day) -> None:
    told = foreseen(day, "production", line("cake", 3))
    assert isinstance(told, DocumentForecast)
    moved = {each.sku: each.quantity for each in told.movements}
    assert moved == {"flour": "-1.500", "egg": "-12", "cake": "3"}
    sent = foreseen(day, "transfer", line("egg", 5), to_store="S2")
    assert isinstance(sent, DocumentForecast)
    assert [(each.sku, each.quantity) for each in sent.movements] == [("egg", "-5")]


@pytest.mark.usefixtures("goods")
def test_foreseen_refusal_is_that_of_the_posting(
    day: Day, database: Database, database_digest: Callable[..., str]
) -> None:
    before = database_digest(database)
    wanted = (
        ("write_off", line("egg", 61, reason="lost"), "insufficient_stock"),
        ("production", line("cake", 16), "insufficient_stock"),
        ("write_off", line("milk", 1, reason="lost", lot="B"), "invalid"),
        ("receipt", line("nothing", 1), "invalid"),
    )
    for kind, one, code in wanted:
        told = foreseen(day, kind, one)
        assert isinstance(told, Problem), (kind, told)
        assert told.code == code, kind
        refused = day.refused(kind, one)
        assert (told.code, told.params, told.extra) == (refused.code, refused.params, refused.extra)
    cakes = foreseen(day, "production", line("cake", 16))
    assert isinstance(cakes, Problem)
    there = {row["sku"]: (row["requested"], row["available"]) for row in cakes.extra["needed"]}
    assert there == {"flour": ("8.000", "20.000"), "egg": ("64", "60")}
    assert [row["sku"] for row in cakes.extra["short"]] == ["egg"]
    assert database_digest(database) == before
    clerk = evolve(day.owner, actor=evolve(day.owner.actor, stores=frozenset({"S2"})))
    elsewhere = foreseen(day, "receipt", line("egg", 1), ctx=clerk)
    assert isinstance(elsewhere, Problem)
    assert elsewhere.code == "forbidden"


@pytest.mark.usefixtures("goods")
def test_foreseen_document_does_not_keep_its_place(day: Day) -> None:
    assert isinstance(foreseen(day, "write_off", line("egg", 60, reason="lost")), DocumentForecast)
    first = day.post("issue", line("egg", 1))
    told = foreseen(day, "write_off", line("egg", 60, reason="lost"))
    assert isinstance(told, Problem)
    assert told.code == "insufficient_stock"
    second = day.post("issue", line("egg", 1))
    assert int(second.number.rsplit("-")[-1]) == int(first.number.rsplit("-")[-1]) + 1


def test_foreseen_quantity_far_from_the_usual_is_asked_about(day: Day, shop: Shop) -> None:
    shop.product("tea", price=300)
    day.post("receipt", line("tea", 300, unit_cost="1"))
    assert warned(day, "write_off", line("tea", 100, reason="lost")) == []
    day.post("write_off", line("tea", 2, reason="damaged"))
    assert warned(day, "write_off", line("tea", 19, reason="lost")) == []
    assert warned(day, "write_off", line("tea", 20, reason="lost")) == ["unusual_quantity"]
    assert warned(day, "transfer", line("tea", 200), to_store="S2") == []
    day.post("transfer", line("tea", 10), to_store="S2")
    assert warned(day, "transfer", line("tea", 99), to_store="S2") == []
    posted = day.post("transfer", line("tea", 100), to_store="S2")
    assert [(w.code, w.data["usual"]) for w in posted.warnings] == [("unusual_quantity", "10")]
    assert warned(day, "receipt", line("tea", 3000)) == ["unusual_quantity"]
    day.post("supplier_return", line("tea", 1))
    assert warned(day, "supplier_return", line("tea", 10)) == ["unusual_quantity"]


@pytest.mark.usefixtures("goods")
def test_foreseen_production_is_held_against_what_is_usually_made(day: Day) -> None:
    day.post("production", line("cake", 1))
    assert warned(day, "production", line("cake", 9)) == []
    assert warned(day, "production", line("cake", 10)) == ["unusual_quantity"]
    assert warned(day, "production", line("cake", delta=-1)) == []


def test_foreseen_loss_of_slow_goods_is_asked_about_from_ten_pieces(day: Day, shop: Shop) -> None:
    shop.product("kettle")
    day.post("receipt", line("kettle", 40, unit_cost="1"))
    day.post("issue", line("kettle", 1))
    day.clock.advance(days=30)
    assert warned(day, "write_off", line("kettle", 9, reason="lost")) == []
    assert warned(day, "write_off", line("kettle", 10, reason="lost")) == ["unusual_quantity"]


def test_foreseen_prices_beside_costs_are_told_to_who_may_see_costs(day: Day, shop: Shop) -> None:
    shop.product("tea", price=300)
    day.post("receipt", line("tea", 50, unit_cost="2"))
    cheap = line("tea", 1, amount="1.99")
    dear = line("tea", 1, unit_cost="3.01")
    assert warned(day, "issue", cheap) == ["below_cost"]
    assert warned(day, "issue", line("tea", 1, amount="2.00")) == []
    assert warned(day, "receipt", dear) == ["cost_above_price"]
    assert warned(day, "receipt", line("tea", 1, unit_cost="3")) == []
    may = day.owner.actor.permissions - {"cost.view"}
    clerk = evolve(day.owner, actor=evolve(day.owner.actor, permissions=may))
    assert warned(day, "issue", cheap, ctx=clerk) == []
    assert warned(day, "receipt", dear, ctx=clerk) == []
    new = NewDocument(kind="issue", store="S1", lines=[cheap])
    told = day.ledger.foresee(new, ctx=clerk)
    assert isinstance(told, DocumentForecast)
    assert told.lines[0].cost is None
    assert day.post("issue", cheap).warnings == []


def test_receipt_of_goods_past_their_date_is_posted_with_a_warning(day: Day, shop: Shop) -> None:
    shop.product("milk", track_lots=True)
    old = line("milk", 3, unit_cost="1", expires_on=on(day, -1))
    assert warned(day, "receipt", old) == ["expired_received"]
    assert warned(day, "receipt", line("milk", 3, unit_cost="1", expires_on=on(day, 0))) == []
    posted = day.post("receipt", old)
    assert [(w.code, w.data["line"]) for w in posted.warnings] == [("expired_received", 1)]


def test_foreseen_while_others_post_sees_what_is_committed(day: Day, shop: Shop) -> None:
    shop.product("tea", price=300)
    day.post("receipt", line("tea", 30, unit_cost="1"))
    sale = NewDocument(kind="issue", store="S1", lines=[line("tea", 1)])
    waiting = [day.ledger.submit(Post(sale), key=None, ctx=day.owner) for _ in range(20)]
    for _ in range(20):
        told = foreseen(day, "issue", line("tea", 1))
        assert isinstance(told, DocumentForecast)
        assert 9 <= Decimal(told.balances[0].on_hand) <= 29
    assert all(isinstance(each.result(), Posted) for each in waiting)
    assert foreseen(day, "issue", line("tea", 1)).balances[0].on_hand == "9"  # type: ignore[union-attr]
