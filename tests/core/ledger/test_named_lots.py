"""Lots that a line names: counted each for itself, known without their date, expired or not."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from busy_day import do, hold
from say import Day, balance_of, line

from dianku.catalog.snapshot import CatalogCache
from dianku.errors import Problem
from dianku.ledger.commands import Post, Reverse
from dianku.ledger.requests import NewDocument, NewLine
from dianku.ledger.service import Ledger
from dianku.storage.engine import Database
from dianku.testing.shop import Shop

OVER, GOOD, LATER = date(2026, 2, 1), date(2026, 5, 1), date(2026, 6, 1)
_LOTS = """
SELECT l.code, l.expires_on, b.quantity FROM lot_balance AS b JOIN lot AS l ON l.id = b.lot_id
WHERE b.quantity <> 0 ORDER BY l.code, l.expires_on
"""


def lots(database: Database) -> dict[str, int]:
    """How many of each lot there are; a code that stands for two lots is a failure."""
    with database.reading() as connection:
        rows = connection.execute(sa.text(_LOTS)).all()
    assert len({row.code for row in rows}) == len(rows), rows
    return {row.code: row.quantity for row in rows}


@pytest.fixture
def half_expired(day: Day, shop: Shop) -> None:
    """Five of milk past their date, five that are good and promised."""
    shop.product("milk", track_lots=True)
    day.post(
        "receipt",
        line("milk", 5, lot="OVER", expires_on=OVER, unit_cost=1),
        line("milk", 5, lot="GOOD", expires_on=GOOD, unit_cost=1),
    )
    hold(day, "milk", 5)


@pytest.mark.usefixtures("half_expired")
@pytest.mark.parametrize(
    ("kind", "one"),
    [
        ("write_off", line("milk", 5, reason="expired")),
        ("write_off", line("milk", 5, reason="lost", lot="OVER")),
        ("supplier_return", line("milk", 5, lot="OVER")),
        ("transfer", line("milk", 5, lot="OVER")),
        ("adjustment", line("milk", delta=-5, lot="OVER")),
        ("adjustment", line("milk", delta=-5, reason="expired")),
    ],
    ids=["by-reason", "written-off", "returned", "sent", "corrected", "corrected-by-reason"],
)
def test_expired_goods_named_twice_are_there_once(day: Day, kind: str, one: NewLine) -> None:
    head = {"to_store": "S2"} if kind == "transfer" else {}
    short = day.refused(kind, one, one, **head)
    assert short.code == "insufficient_stock"
    assert [row["sku"] for row in short.extra["short"]] == ["milk"]
    posted = day.post(kind, one, **head)
    assert balance_of(posted, "milk").available == "0"
    assert balance_of(posted, "milk").on_hand == "5"


@pytest.mark.usefixtures("half_expired")
def test_difference_that_names_no_lot_leaves_what_is_promised(day: Day, database: Database) -> None:
    assert day.refused("adjustment", line("milk", delta=-6)).code == "insufficient_stock"
    posted = day.post("adjustment", line("milk", delta=-5))
    assert lots(database) == {"GOOD": 5}
    assert balance_of(posted, "milk").available == "0"


def test_strict_sale_of_an_expired_lot_is_refused(day: Day, shop: Shop, database: Database) -> None:
    shop.channel("web")
    shop.product("milk", track_lots=True)
    day.post(
        "receipt",
        line("milk", 5, lot="OVER", expires_on=OVER, unit_cost=1),
        line("milk", 5, lot="GOOD", expires_on=GOOD, unit_cost=1),
    )
    late = day.refused("issue", line("milk", 1, lot="OVER"), line("milk", 1), channel="web")
    assert [(e.pointer, e.code) for e in late.errors] == [("/lines/0/lot", "lot_expired")]
    counter = day.post("issue", line("milk", 1, lot="OVER"))
    assert [w.code for w in counter.warnings] == ["expired_lot"]
    assert lots(database) == {"GOOD": 5, "OVER": 4}


def test_receipt_with_a_date_that_is_over_can_be_taken_back(day: Day, shop: Shop) -> None:
    shop.product("milk", track_lots=True)
    wrong = day.post("receipt", line("milk", 5, lot="A", expires_on=OVER, unit_cost=1))
    back = do(day, Reverse(wrong.number, "2027, not 2026"))
    assert balance_of(back, "milk").on_hand == "0"
    assert day.ledger.verify().clean


def test_production_with_a_date_that_is_over_can_be_taken_back(day: Day, shop: Shop) -> None:
    shop.product("flour")
    shop.product("cake", composition="made", track_lots=True, components={"flour": 1})
    day.post("receipt", line("flour", 5, unit_cost=1))
    wrong = day.post("production", line("cake", 2, lot="A", expires_on=OVER))
    back = do(day, Reverse(wrong.number, "wrong date"))
    assert balance_of(back, "cake").on_hand == "0"
    assert balance_of(back, "flour").on_hand == "5"


def test_difference_takes_from_the_lot_it_names(day: Day, shop: Shop, database: Database) -> None:
    shop.product("milk", track_lots=True)
    day.post(
        "receipt",
        line("milk", 4, lot="A", expires_on=GOOD, unit_cost=1),
        line("milk", 4, lot="B", expires_on=LATER, unit_cost=1),
    )
    less = day.post("adjustment", line("milk", delta=-1, lot="B"))
    assert [(lot.lot, lot.quantity) for lot in less.lines[0].lots] == [("B", "1")]
    assert lots(database) == {"A": 4, "B": 3}


def test_lot_that_is_known_needs_no_date(day: Day, shop: Shop, database: Database) -> None:
    shop.product("milk", track_lots=True)
    day.post("receipt", line("milk", 4, lot="A", expires_on=GOOD, unit_cost=1))
    day.post("adjustment", line("milk", delta=2, lot="A"))
    day.post("receipt", line("milk", 1, lot="A", unit_cost=1))
    assert lots(database) == {"A": 7}


def test_count_of_lots_sets_each_and_leaves_the_others(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("milk", track_lots=True)
    first = day.post(
        "adjustment",
        line("milk", counted=4, lot="A", expires_on=GOOD),
        line("milk", counted=6, lot="B", expires_on=LATER),
    )
    assert balance_of(first, "milk").on_hand == "10"
    day.set("10:05")
    day.post("issue", line("milk", 1))
    day.set("11:00")
    again = day.post("adjustment", line("milk", counted=5, lot="A"), occurred_at="10:01")
    assert [x.difference for x in again.lines] == ["1"]
    assert balance_of(again, "milk").on_hand == "10"
    assert lots(database) == {"A": 4, "B": 6}
    assert day.ledger.verify().clean


def test_counted_lot_is_first_found_in_what_is_of_no_known_lot(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("milk", track_lots=True)
    day.post("receipt", line("milk", 5, unit_cost=1))
    found = day.post("adjustment", line("milk", counted=4, lot="A", expires_on=GOOD))
    assert balance_of(found, "milk").on_hand == "5"
    more = day.post("adjustment", line("milk", counted=3, lot="B", expires_on=GOOD))
    assert balance_of(more, "milk").on_hand == "7"
    assert lots(database) == {"A": 4, "B": 3}
    assert day.ledger.verify().clean


def test_counted_lot_makes_good_what_was_sold_without_stock(day: Day, shop: Shop) -> None:
    shop.product("milk", track_lots=True)
    day.post("issue", line("milk", 3))
    found = day.post("adjustment", line("milk", counted=4, lot="A", expires_on=GOOD))
    assert balance_of(found, "milk").on_hand == "4"
    assert [x.difference for x in found.lines] == ["7"]


def test_lot_is_not_known_for_being_named_by_another_document_of_the_batch(
    day: Day, shop: Shop, database: Database, cache: CatalogCache
) -> None:
    shop.product("milk", track_lots=True)
    day.post("receipt", line("milk", 5, lot="A", expires_on=GOOD, unit_cost=1))
    lost = [line("milk", 1, lot="B", reason="lost")]
    came = [line("milk", 1, lot="B", expires_on=GOOD)]
    waiting = Ledger(database, cache, day.clock)
    try:
        out, _ = (
            waiting.submit(Post(new), key=None, ctx=day.owner)
            for new in (
                NewDocument(kind="write_off", store="S1", lines=lost),
                NewDocument(kind="receipt", store="S2", lines=came),
            )
        )
        waiting.start()  # what waited is one batch
        refused = out.result(timeout=60)
    finally:
        waiting.close()
    assert isinstance(refused, Problem), refused
    assert [error.code for error in refused.errors] == ["unknown_lot"]


def test_goods_brought_back_lie_in_the_lot_that_is_named(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("milk", track_lots=True)
    day.post(
        "receipt",
        line("milk", 2, lot="GOOD", expires_on=GOOD, unit_cost=1),
        line("milk", 2, lot="LATER", expires_on=LATER, unit_cost=1),
    )
    sale = day.post("issue", line("milk", 3))
    back = line("milk", 1, lot="LATER", of_line=1)
    day.post("customer_return", back, of_document=sale.number)
    assert lots(database) == {"LATER": 2}
    do(day, Reverse(sale.number, "typo"))
    assert sum(lots(database).values()) == 4
