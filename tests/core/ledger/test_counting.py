"""Counts of several moments, beside other lines, refused ones: each absorbs what it has seen."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from busy_day import do
from say import Day, balance_of, line

from dianku.context import Context
from dianku.errors import Problem
from dianku.ledger.commands import Post, Posted, Reverse
from dianku.ledger.requests import NewDocument
from dianku.ledger.service import Ledger
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


@pytest.fixture
def morning(day: Day, shop: Shop) -> Day:
    """Twenty of tea and of milk, which keeps lots, are there since eight; now it is noon."""
    shop.product("tea")
    shop.product("milk", track_lots=True)
    day.set("08:00")
    day.post(
        "receipt",
        line("tea", 20, unit_cost=1),
        line("milk", 10, lot="A", unit_cost=1),
        line("milk", 10, lot="B", unit_cost=1),
    )
    day.set("12:00")
    return day


def on_hand(database: Database, sku: str) -> int:
    sql = (
        "SELECT b.on_hand FROM stock_balance AS b JOIN product AS p ON p.id = b.product_id "
        "WHERE p.sku = :sku"
    )
    with database.reading() as connection:
        return int(connection.execute(sa.text(sql), {"sku": sku}).scalar_one())


def test_refused_count_has_seen_nothing_of_its_batch(
    morning: Day, waiting: Ledger, owner: Context
) -> None:
    beyond: Any = {"counted": "1e12", "unit_cost": "1e9"}
    refused = NewDocument(
        kind="adjustment",
        store="S1",
        occurred_at=morning.at("10:00"),
        lines=[line("tea", counted=5), line("milk", **beyond)],
    )
    late = NewDocument(
        kind="issue", store="S1", occurred_at=morning.at("09:00"), lines=[line("tea", 2)]
    )
    futures = [waiting.submit(Post(new), key=None, ctx=owner) for new in (refused, late)]
    waiting.start()
    count, sale = (future.result() for future in futures)
    assert isinstance(count, Problem)
    assert isinstance(sale, Posted)
    assert balance_of(sale.record, "tea").on_hand == "18"
    assert waiting.verify().clean


def test_late_movement_is_absorbed_at_the_moment_its_own_line_was_counted(
    morning: Day, database: Database
) -> None:
    at = morning.at
    morning.post(
        "adjustment",
        line("milk", counted=10, lot="A", occurred_at=at("10:00")),
        line("tea", counted=20, occurred_at=at("10:30")),
    )
    morning.post("issue", line("milk", 2, lot="A"), line("tea", 2), occurred_at="09:00")
    assert on_hand(database, "tea") == 20
    # At a quarter past ten two are gone, and the count of half past ten has not found them yet.
    between = morning.post("adjustment", line("tea", counted=18), occurred_at="10:15")
    assert between.lines[0].difference == "0"
    assert on_hand(database, "tea") == 20


@pytest.mark.parametrize("order", [1, -1], ids=["in_order", "turned_round"])
def test_counts_of_two_moments_in_one_document_leave_the_level_of_the_later(
    morning: Day, database: Database, order: int
) -> None:
    lines = [
        line("tea", counted=15, occurred_at=morning.at("10:00")),
        line("tea", counted=17, occurred_at=morning.at("11:00")),
    ]
    count = morning.post("adjustment", *lines[::order])
    assert [x.difference for x in count.lines] == ["-5", "2"][::order]
    assert on_hand(database, "tea") == 17


def test_lots_counted_one_after_the_other_in_one_document_each_keep_their_difference(
    morning: Day, database: Database
) -> None:
    at = morning.at
    morning.post(
        "adjustment",
        line("milk", counted=7, lot="A", occurred_at=at("10:00")),
        line("milk", counted=9, lot="B", occurred_at=at("10:05")),
    )
    assert on_hand(database, "milk") == 16
    assert morning.ledger.verify().clean


def test_lines_on_both_sides_of_an_earlier_count_are_refused(
    morning: Day, database: Database
) -> None:
    morning.post("adjustment", line("tea", counted=20), occurred_at="10:30")
    refused = morning.refused(
        "adjustment",
        line("tea", counted=18, occurred_at=morning.at("10:00")),
        line("tea", counted=19, occurred_at=morning.at("11:00")),
    )
    assert [(e.pointer, e.code) for e in refused.errors] == [
        ("/lines/1/occurred_at", "count_between")
    ]
    assert on_hand(database, "tea") == 20


def test_difference_beside_a_count_is_taken_back_now_and_not_at_the_counts_moment(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea")
    shop.product("cup")
    day.set("08:00")
    day.post("receipt", line("tea", 10, unit_cost=1), line("cup", 10, unit_cost=1))
    day.set("10:00")
    mixed = day.post("adjustment", line("tea", counted=9), line("cup", delta=-1))
    day.set("11:00")
    day.post("adjustment", line("cup", counted=9))
    day.set("12:00")
    do(day, Reverse(mixed.number, "typed wrongly"))
    assert (on_hand(database, "tea"), on_hand(database, "cup")) == (10, 10)
    assert day.ledger.verify().clean


def test_count_taken_back_leaves_the_damaged_goods_of_another_line_to_that_line(
    morning: Day, database: Database
) -> None:
    count = morning.post(
        "adjustment", line("tea", delta=4, bucket="damaged"), line("tea", counted=20)
    )
    morning.set("13:00")
    morning.post("receipt", line("tea", 6, unit_cost=1), occurred_at="09:00")
    assert on_hand(database, "tea") == 20
    back = do(morning, Reverse(count.number, "counted wrong"))
    assert on_hand(database, "tea") == 26
    assert [x.quantity for x in back.lines] == ["-4", "6"]
    assert morning.ledger.verify().clean


def test_late_movement_reversed_leaves_the_levels_since_its_count(
    morning: Day, database: Database
) -> None:
    morning.post("adjustment", line("tea", counted="42"), occurred_at="10:00")
    sale = morning.post("issue", line("tea", 2), occurred_at="09:50")
    do(morning, Reverse(sale.number, "typo"))
    morning.post("adjustment", line("tea", counted="42"), occurred_at="10:30")
    assert on_hand(database, "tea") == 42
