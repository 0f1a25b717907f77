"""Where one rule of the ledger meets the next: rounding, counts, days, holds, what is told."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from busy_day import do, hold
from msgspec import structs
from say import Day, balance_of, line

from dianku.clock import day_number
from dianku.errors import Problem
from dianku.ledger.commands import (
    Command,
    CommitReservation,
    ExtendReservation,
    Posted,
    ReceiveTransfer,
    Reserve,
    Reserved,
)
from dianku.ledger.requests import (
    LineQuantities,
    LineQuantity,
    NewReservation,
    NewReservationLine,
    ReservationExtend,
    ReservationRecord,
)
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


def scalars(database: Database, sql: str) -> list[Any]:
    with database.reading() as connection:
        return list(connection.execute(sa.text(sql)).scalars())


def wrong_fields(day: Day, command: Command) -> list[tuple[str, str]]:
    """What of a command is refused as wrong."""
    refused = day.ledger.execute(command, ctx=day.owner)
    assert isinstance(refused, Problem)
    return [(error.pointer, error.code) for error in refused.errors]


def promised(day: Day, command: Command) -> ReservationRecord:
    """Have a command done that must end in a reservation."""
    outcome = day.ledger.execute(command, ctx=day.owner)
    assert isinstance(outcome, Reserved), outcome
    return outcome.record


def test_cost_of_what_crosses_zero_is_the_rest_and_the_last_cost(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 3, amount="10.00"))
    day.post("issue", line("tea", 5))
    # All 10.0000 that is left, and two at 3.3333: five shares of the average would be 16.6667.
    assert scalars(database, "SELECT cost FROM document_line WHERE quantity = 5") == [166_666]
    assert scalars(database, "SELECT value FROM stock_balance") == [-66_666]
    assert day.ledger.verify().clean


def test_cost_of_what_empties_the_stock_is_all_that_is_left(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 3, amount="10.00"))
    sale = day.post("issue", line("tea", 3))
    assert sale.lines[0].cost == "10.00"
    assert scalars(database, "SELECT value FROM stock_balance") == [0]


def test_return_in_parts_gives_back_to_the_last_cent_what_was_paid_and_taken(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 3, amount="5.00"))
    sale = day.post("issue", line("tea", 3, amount="10.00"))
    parts = [
        day.post("customer_return", line("tea", 1, of_line=1), of_document=sale.number)
        for _ in range(3)
    ]
    refunds = [Decimal(part.lines[0].amount or "0") for part in parts]
    assert refunds == [Decimal("3.33"), Decimal("3.34"), Decimal("3.33")]
    assert balance_of(parts[-1], "tea").value == "5.00"
    assert scalars(database, "SELECT value FROM stock_balance") == [50_000]


def test_late_movement_is_absorbed_by_the_first_count_after_it_alone(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea")
    day.set("08:00")
    day.post("receipt", line("tea", 20))
    day.set("12:00")
    first = day.post("adjustment", line("tea", counted=24), occurred_at="10:00")
    second = day.post("adjustment", line("tea", counted=25), occurred_at="11:00")
    assert [x.lines[0].quantity for x in (first, second)] == ["4", "1"]
    late = day.post("receipt", line("tea", 4), occurred_at="09:30")
    assert balance_of(late, "tea").on_hand == "25"
    absorbing = (
        "SELECT c.number FROM document AS d JOIN document AS c ON c.id = d.of_document_id "
        "WHERE d.action = 'absorption'"
    )
    assert scalars(database, absorbing) == [first.number]
    between = day.post("issue", line("tea", 1), occurred_at="10:30")
    assert balance_of(between, "tea").on_hand == "25"
    assert scalars(database, absorbing + " ORDER BY d.id") == [first.number, second.number]


def test_sale_after_midnight_belongs_to_the_evening_before_the_cutoff(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.store("BAR", cutoff_minutes=4 * 60)
    shop.product("beer", price=1500)
    day.set("03:59")
    night = day.post("issue", line("beer", 1), store="BAR")
    day.set("04:00")
    morning = day.post("issue", line("beer", 2), store="BAR")
    assert (night.business_date, morning.business_date) == ("2026-03-01", "2026-03-02")
    sold = "SELECT quantity FROM sales_summary ORDER BY business_date"
    assert scalars(database, sold) == [1, 2]


def test_late_entry_is_summed_on_the_day_it_happened(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea", price=500)
    morning = day.at("09:30")
    day.clock.advance(days=2)
    late = day.post("issue", line("tea", 1), occurred_at=morning)
    assert late.late
    assert late.business_date == "2026-03-02"
    moved_on = scalars(database, "SELECT business_date FROM stock_move")
    for table in ("daily_summary", "sales_summary", "sales_by_hour"):
        assert scalars(database, f"SELECT business_date FROM {table}") == moved_on
    assert scalars(database, "SELECT hour FROM sales_by_hour") == [9]


def test_hold_keeps_its_goods_from_others_until_it_is_due(day: Day, shop: Shop) -> None:
    shop.channel("web")
    shop.product("tea")
    day.post("receipt", line("tea", 3))
    kept = hold(day, "tea", 2, expires_in=60)
    refused = day.refused("issue", line("tea", 2), channel="web")
    assert refused.extra["short"][0]["available"] == "1"
    assert day.refused("write_off", line("tea", 2, reason="lost")).code == "insufficient_stock"
    day.clock.advance(seconds=60)
    sold = day.post("issue", line("tea", 3), channel="web")
    assert balance_of(sold, "tea").reserved == "0"
    gone = day.ledger.execute(CommitReservation(kept), ctx=day.owner)
    assert not isinstance(gone, Posted)
    assert day.ledger.verify().clean


def test_preorder_is_extended_to_another_day_and_never_ends_by_itself(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea")
    wanted = NewReservation(
        store="S1",
        lines=[NewReservationLine(sku="tea", quantity=Decimal(2))],
        kind="preorder",
        due_on=date(2026, 3, 20),
    )
    code = promised(day, Reserve(wanted)).id
    later = ReservationExtend(due_on=date(2026, 4, 2))
    moved = promised(day, ExtendReservation(code, later))
    assert (moved.due_on, moved.expires_at) == ("2026-04-02", None)
    assert scalars(database, "SELECT due_on FROM reservation") == [day_number(date(2026, 4, 2))]
    ends = (ReservationExtend(expires_in=60), ReservationExtend())
    assert [wrong_fields(day, ExtendReservation(code, end)) for end in ends] == [
        [("/due_on", "missing"), ("/expires_in", "not_for_kind")],
        [("/due_on", "missing")],
    ]
    ending = structs.replace(wanted, expires_in=60)
    assert wrong_fields(day, Reserve(ending)) == [("/expires_in", "not_for_kind")]


def test_hold_is_extended_by_seconds_alone(day: Day, shop: Shop) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 3))
    code = hold(day, "tea", 2, expires_in=60)
    both = ReservationExtend(expires_in=60, due_on=date(2026, 4, 2))
    assert wrong_fields(day, ExtendReservation(code, both)) == [("/due_on", "not_for_kind")]
    later = promised(day, ExtendReservation(code, ReservationExtend(expires_in=90)))
    assert (later.expires_at, later.due_on) == ("2026-03-02T02:01:30.000Z", None)


def test_count_values_what_it_finds_too_many_at_the_unit_cost_it_names(
    day: Day, shop: Shop
) -> None:
    shop.product("tea")
    shop.product("rice", precision=3)
    found = day.post(
        "adjustment",
        line("tea", counted="4", unit_cost="2.3333"),
        line("rice", counted="0.250", unit_cost="8"),
    )
    assert [one.cost for one in found.lines] == ["9.3332", "2.00"]
    day.clock.advance(seconds=1)
    fewer = day.post("adjustment", line("tea", counted="2", unit_cost="9"))
    assert balance_of(fewer, "tea").value == "4.6666"
    wrong = day.refused("adjustment", line("tea", counted="2", unit_cost="-0.00001"))
    assert [(e.pointer, e.code) for e in wrong.errors] == [
        ("/lines/0/unit_cost", "too_many_digits")
    ]
    assert day.ledger.verify().clean


def test_counter_sale_without_stock_is_an_exception_for_a_person(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea")
    sold = day.post("issue", line("tea", 2))
    raised = "SELECT d.number FROM stock_exception AS e JOIN document AS d ON d.id = e.document_id"
    assert scalars(database, f"{raised} WHERE e.type = 'sold_without_stock'") == [sold.number]
    told = "SELECT COUNT(*) FROM event WHERE type = 'exception.raised'"
    assert scalars(database, told) == [1]


def test_transfer_keeps_its_value_on_the_way_and_to_the_last_part(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 3, amount="10.00"))
    sent = day.post("transfer", line("tea", 3), to_store="S2")
    assert scalars(database, "SELECT SUM(in_transit_value) FROM stock_balance") == [100_000]
    one = LineQuantities(lines=[LineQuantity(line=1, quantity=Decimal(1))])
    for _ in range(3):
        do(day, ReceiveTransfer(sent.number, one))
    assert scalars(database, "SELECT SUM(in_transit_value) FROM stock_balance") == [0]
    assert scalars(database, "SELECT SUM(value) FROM stock_balance") == [100_000]
    assert day.ledger.verify().clean


def test_events_are_numbered_without_a_gap_also_past_refusals(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.channel("web")
    shop.product("tea")
    for _ in range(3):
        day.post("receipt", line("tea", 2))
        day.refused("issue", line("tea", 99), channel="web")
        hold(day, "tea", 1)
        day.post("issue", line("tea", 1))
    ids = scalars(database, "SELECT id FROM event ORDER BY id")
    assert ids == list(range(1, len(ids) + 1))
    assert len(ids) > 12
