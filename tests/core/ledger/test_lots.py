"""Lots that are named, past their date, or guessed wrong; documents that may be shrunk to fit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from say import Day, line

from dianku.clock import SetClock
from dianku.context import Context
from dianku.errors import Problem
from dianku.ledger.commands import Post, Posted, ReceiveTransfer, Reverse
from dianku.ledger.requests import LineQuantities, LineQuantity, NewDocument
from dianku.ledger.service import Ledger
from dianku.storage.engine import Database
from dianku.testing.shop import Shop

OLD, NEAR, FAR = date(2026, 2, 20), date(2026, 3, 10), date(2026, 3, 20)


@pytest.fixture
def dairy(day: Day, shop: Shop) -> Day:
    """Milk whose lots are kept, none there yet, and a channel that may refuse."""
    shop.channel("web")
    shop.product("milk", price=500, track_lots=True)
    return day


def milk(lot: str, expires_on: date, quantity: int) -> Any:
    return line("milk", quantity, lot=lot, expires_on=expires_on, unit_cost="2.00")


def lots(database: Database, *, store: str = "S1") -> dict[str, int]:
    """What each lot shows, and ("") what is of none."""
    sql = (
        "SELECT l.code, b.quantity FROM lot_balance AS b JOIN lot AS l ON l.id = b.lot_id "
        "JOIN store AS s ON s.id = b.store_id WHERE s.code = :store AND b.quantity <> 0"
    )
    whole = (
        "SELECT b.on_hand FROM stock_balance AS b JOIN store AS s ON s.id = b.store_id "
        "WHERE s.code = :store"
    )
    with database.reading() as connection:
        shown = {r.code: r.quantity for r in connection.execute(sa.text(sql), {"store": store})}
        on_hand = connection.execute(sa.text(whole), {"store": store}).scalar() or 0
    rest = on_hand - sum(shown.values())
    return shown | ({"": rest} if rest else {})


def undo(day: Day, number: str) -> Any:
    return day.ledger.execute(Reverse(number, "typed wrongly"), ctx=day.owner)


def test_difference_that_names_its_lot_takes_of_it(dairy: Day, database: Database) -> None:
    dairy.post("receipt", milk("A", NEAR, 4), milk("B", FAR, 4))
    dairy.post("adjustment", line("milk", delta="-3", lot="B"))
    assert lots(database) == {"A": 4, "B": 1}
    unknown = dairy.refused("adjustment", line("milk", delta="-1", lot="C"))
    assert [(e.pointer, e.code) for e in unknown.errors] == [("/lines/0/lot", "unknown_lot")]


def test_sale_online_refuses_a_lot_past_its_date_that_the_counter_sells(dairy: Day) -> None:
    dairy.post("receipt", milk("A", OLD, 5), milk("B", FAR, 5))
    online = dairy.refused("issue", line("milk", 1, lot="A"), channel="web")
    assert [(e.pointer, e.code) for e in online.errors] == [("/lines/0/lot", "lot_expired")]
    sold = dairy.post("issue", line("milk", 1, lot="A"))
    assert [w.code for w in sold.warnings] == ["expired_lot"]


def test_expired_goods_are_written_off_no_more_than_once_in_a_document(dairy: Day) -> None:
    dairy.post("receipt", milk("A", OLD, 5))
    twice = [line("milk", 5, reason="expired")] * 2
    assert dairy.refused("write_off", *twice).code == "insufficient_stock"
    dairy.post("write_off", *twice[:1])


def test_guess_set_right_leaves_expired_goods_expired(dairy: Day, database: Database) -> None:
    dairy.post("receipt", milk("X", OLD, 5), milk("A", NEAR, 4), milk("B", FAR, 8))
    dairy.post("issue", line("milk", 10, lot="A"), channel="web")
    assert lots(database) == {"X": 5, "B": 2}
    # Two may be sold, not the five that are past their date.
    refused = dairy.refused("issue", line("milk", 3), channel="web")
    assert refused.extra["short"][0]["available"] == "2"
    assert dairy.ledger.verify().clean


def test_difference_beyond_what_is_available_is_of_expired_goods(
    dairy: Day, database: Database
) -> None:
    dairy.post("receipt", milk("X", OLD, 3), milk("A", FAR, 2))
    assert dairy.refused("adjustment", line("milk", delta="-6")).code == "insufficient_stock"
    dairy.post("adjustment", line("milk", delta="-3"))
    assert lots(database) == {"A": 2}


def test_receipt_keyed_with_a_date_long_past_can_be_taken_back(
    dairy: Day, database: Database
) -> None:
    wrong = dairy.post("receipt", milk("A", OLD, 5))
    assert isinstance(undo(dairy, wrong.number), Posted)
    assert lots(database) == {}


def test_reversal_takes_goods_of_no_known_lot_not_those_of_another(
    dairy: Day, database: Database
) -> None:
    dairy.post("receipt", milk("A", NEAR, 4))
    loose = dairy.post("receipt", line("milk", 3, unit_cost="2.00"))
    found = dairy.post("adjustment", line("milk", delta="2"))
    for number in (loose.number, found.number):
        assert isinstance(undo(dairy, number), Posted)
    assert lots(database) == {"A": 4}


def test_sale_across_lots_comes_back_to_them_at_one_cost(dairy: Day, database: Database) -> None:
    dairy.post("receipt", line("milk", 1, lot="A", expires_on=NEAR, amount="0.33"))
    dairy.post("receipt", line("milk", 2, lot="B", expires_on=FAR, amount="0.67"))
    sale = dairy.post("issue", line("milk", 3))
    dairy.post("issue", line("milk", 2))
    back = dairy.post("customer_return", line("milk", 3), of_document=sale.number)
    assert [(x.lot, x.quantity) for x in back.lines[0].lots] == [("A", "1"), ("B", "2")]
    # 1.0000 came back and two had left at 0.3333; lot by lot a ten-thousandth would be settled.
    with database.reading() as connection:
        assert connection.execute(sa.text("SELECT value FROM stock_balance")).scalar() == 3334
    assert dairy.ledger.verify().clean


def test_goods_arrive_in_the_lots_they_were_sent_in(dairy: Day, database: Database) -> None:
    dairy.post("receipt", milk("A", NEAR, 2), milk("B", FAR, 4))
    sent = dairy.post("transfer", line("milk", 5), to_store="S2")
    some = LineQuantities(lines=[LineQuantity(line=1, quantity=Decimal(3))])
    dairy.ledger.execute(ReceiveTransfer(sent.number, some), ctx=dairy.owner)
    assert lots(database, store="S2") == {"A": 2, "B": 1}
    assert isinstance(undo(dairy, sent.number), Posted)
    assert lots(database) == {"B": 3}


def test_lot_of_another_command_of_the_batch_is_not_known_here(
    dairy: Day, database: Database, cache: Any, clock: SetClock, owner: Context
) -> None:
    dairy.post("receipt", milk("A", NEAR, 4), store="S2")
    waiting = Ledger(database, cache, clock)
    asked = [
        NewDocument(kind="receipt", store="S1", lines=[milk("C", FAR, 4)]),
        NewDocument(kind="write_off", store="S2", lines=[line("milk", 1, lot="C", reason="lost")]),
    ]
    futures = [waiting.submit(Post(new), key=None, ctx=owner) for new in asked]
    waiting.start()
    received, refused = (future.result() for future in futures)
    waiting.close()
    assert isinstance(received, Posted)
    assert isinstance(refused, Problem)
    assert refused.errors[0].code == "unknown_lot"


def test_partial_transfer_says_what_was_left_out(dairy: Day, shop: Shop) -> None:
    shop.product("tea")
    dairy.post("receipt", milk("A", NEAR, 3))
    lines = [line("tea", 2), line("milk", 5)]
    sent = dairy.post("transfer", *lines, to_store="S2", partial=True)
    assert [(x.sku, x.quantity) for x in sent.lines] == [("milk", "3")]
    assert [(w.code, w.data["line"], w.data["posted"]) for w in sent.warnings] == [
        ("partial", 1, "0"),
        ("partial", 2, "3"),
    ]


def test_partial_write_off_of_expired_goods_goes_on_with_what_is_available(dairy: Day) -> None:
    dairy.post("receipt", milk("X", OLD, 4), milk("A", NEAR, 3))
    off = dairy.post("write_off", line("milk", 10, reason="expired"), partial=True)
    assert [(x.lot, x.quantity) for x in off.lines[0].lots] == [("X", "4"), ("A", "3")]


def test_partial_order_of_nothing_names_what_is_short_alone(dairy: Day, shop: Shop) -> None:
    shop.product("tea")
    shop.product("cup")
    shop.product("set", composition="kit", components={"tea": 1, "cup": 2})
    dairy.post("receipt", line("tea", 9), line("cup", 1))
    refused = dairy.refused("issue", line("set", 2), channel="web", partial=True)
    assert refused.extra["short"] == [
        {"sku": "cup", "store": "S1", "requested": "4", "available": "1"}
    ]
