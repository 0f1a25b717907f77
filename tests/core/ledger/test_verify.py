"""`verify` finds whatever was meddled with; `rebuild` mends what is derived, to a row (I7)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from busy_day import do, stock_shop, trade
from say import Day, line

from dianku.ledger.commands import Reverse
from dianku.ledger.history import Sale, write_history
from dianku.ledger.tables import SUMMARIES
from dianku.ledger.verify.since import TURNS
from dianku.ledger.verify.verification import Difference
from dianku.storage.engine import Database
from dianku.testing.digest import database_digest
from dianku.testing.shop import Shop

TRUTH = ("document", "document_line", "stock_move", "reservation", "reservation_hold", "event")


@pytest.fixture
def traded(day: Day, shop: Shop) -> Day:
    """A day after its trading, found clean."""
    stock_shop(shop)
    trade(day)
    found = day.ledger.verify()
    assert found.clean, found.differences
    assert found.moves > 40
    return day


def change(database: Database, sql: str, **values: Any) -> None:
    """Change one row behind the ledger's back."""
    with database.writing() as connection:
        assert connection.execute(sa.text(sql), values).rowcount == 1


def one(database: Database, sql: str, **values: Any) -> dict[str, Any]:
    with database.reading() as connection:
        return dict(connection.execute(sa.text(sql), values).one()._mapping)


def rows_of(database: Database, *tables: str) -> list[list[tuple[Any, ...]]]:
    with database.reading() as connection:
        found = [connection.execute(sa.text(f"SELECT * FROM {name}")).all() for name in tables]
    return [sorted((tuple(row) for row in rows), key=repr) for rows in found]


def standing(database: Database) -> tuple[str, list[list[tuple[Any, ...]]]]:
    """All rows, but for the counter that tells readers to sum what they remember anew."""
    counters = [row for row in rows_of(database, "counter")[0] if row[0] != SUMMARIES]
    return database_digest(database, ignore={"counter"}), [counters]


def named(found: list[Difference]) -> set[tuple[str, str, str | None, str | None, int]]:
    """What a verification says, with how much too much there is."""
    return {(d.table, d.figure, d.product, d.store, d.found - d.expected) for d in found}


TEA_IN_S1 = (
    "store_id = (SELECT id FROM store WHERE code = 'S1') "
    "AND product_id = (SELECT id FROM product WHERE sku = 'tea')"
)
BALANCES = {
    "on_hand": 3,
    "value": -70_001,
    "reserved": 1,
    "damaged": 2,
    "damaged_value": 5,
    "kept": 1,
    "in_transit": 4,
    "in_transit_value": 9,
    "last_cost": 1,
    "counted_at": 5,
}


def test_verify_changed_balance_names_product_store_and_figures_and_rebuild_mends_it(
    traded: Day, database: Database
) -> None:
    before = standing(database)
    for figure, by in BALANCES.items():
        held = one(database, f"SELECT {figure} AS x FROM stock_balance WHERE {TEA_IN_S1}")["x"]
        change(database, f"UPDATE stock_balance SET {figure} = {figure} + {by} WHERE {TEA_IN_S1}")
        found = traded.ledger.verify()
        assert not found.clean
        told = {d.figure: (d.expected, d.found) for d in found.differences}
        assert told.pop(figure) == (held, held + by)
        # The average follows from quantity and value, so a wrong one of these is wrong twice.
        assert set(told) <= ({"last_cost"} if figure in {"on_hand", "value"} else set())
        assert {(d.table, d.product, d.store) for d in found.differences} == {
            ("stock_balance", "tea", "S1")
        }
        traded.ledger.rebuild()
        assert traded.ledger.verify().clean
    assert standing(database) == before


# Of each table one row of tea (or milk, which has lots) in S1, and the figures it carries.
SUMS = (
    ("daily_summary", "tea", "flow = 2", ("quantity", "value")),
    (
        "sales_summary",
        "tea",
        "quantity > 5",
        ("quantity", "amount", "returned", "returned_amount", "cost"),
    ),
    ("lot_balance", "milk", "quantity > 1", ("quantity",)),
)


def test_verify_changed_sum_names_product_and_store_and_rebuild_mends_it(
    traded: Day, database: Database
) -> None:
    before = standing(database)
    for table, sku, which, figures in SUMS:
        row = one(
            database,
            f"SELECT t.* FROM {table} AS t JOIN product AS p ON p.id = t.product_id JOIN store AS "
            f"s ON s.id = t.store_id WHERE p.sku = '{sku}' AND s.code = 'S1' AND {which}",
        )
        keys = [name for name in row if name not in figures]
        where = " AND ".join(f"{name} = :{name}" for name in keys)
        for figure in figures:
            change(database, f"UPDATE {table} SET {figure} = {figure} + 7 WHERE {where}", **row)
            found = traded.ledger.verify().differences
            assert named(found) == {(table, figure, sku, "S1", 7)}
            traded.ledger.rebuild()
            assert traded.ledger.verify().clean
        change(database, f"DELETE FROM {table} WHERE {where}", **row)
        assert {(d.table, d.product, d.found) for d in traded.ledger.verify().differences} == {
            (table, sku, 0)
        }
        traded.ledger.rebuild()
    assert standing(database) == before


def test_verify_changed_hour_and_one_too_many_name_store_and_rebuild_mends_them(
    traded: Day, database: Database
) -> None:
    before = standing(database)
    in_s1 = "store_id = (SELECT id FROM store WHERE code = 'S1')"
    row = one(database, f"SELECT * FROM sales_by_hour WHERE {in_s1} AND hour = 14")
    where = " AND ".join(f"{name} = {row[name]}" for name in ("store_id", "hour", "channel_id"))
    for figure in ("documents", "amount", "returned_amount"):
        change(database, f"UPDATE sales_by_hour SET {figure} = {figure} + 2 WHERE {where}")
        found = traded.ledger.verify().differences
        assert named(found) == {("sales_by_hour", figure, None, "S1", 2)}
        assert "hour 14" in str(found[0].detail)
        traded.ledger.rebuild()
        assert traded.ledger.verify().clean
    change(
        database,
        "INSERT INTO sales_by_hour (business_date, store_id, hour, channel_id, documents) "
        "SELECT 1, id, 3, 0, 1 FROM store WHERE code = 'S2'",
    )
    assert named(traded.ledger.verify().differences) == {
        ("sales_by_hour", "documents", None, "S2", 1)
    }
    traded.ledger.rebuild()
    assert standing(database) == before


def test_verify_changed_or_deleted_move_is_named_and_rebuild_leaves_it(
    traded: Day, database: Database
) -> None:
    row = one(
        database,
        "SELECT m.* FROM stock_move AS m JOIN product AS p ON p.id = m.product_id "
        "WHERE p.sku = 'tea' AND m.quantity = -7",
    )
    before = standing(database)
    undo = {
        "UPDATE stock_move SET quantity = quantity - 2 WHERE id = :id": (
            "UPDATE stock_move SET quantity = quantity + 2 WHERE id = :id"
        ),
        "UPDATE stock_move SET value = value - 2 WHERE id = :id": (
            "UPDATE stock_move SET value = value + 2 WHERE id = :id"
        ),
        "DELETE FROM stock_move WHERE id = :id": (
            f"INSERT INTO stock_move ({', '.join(row)}) VALUES ({', '.join(f':{n}' for n in row)})"
        ),
    }
    for meddle, mend in undo.items():
        change(database, meddle, **row)
        found = traded.ledger.verify().differences
        assert {"stock_balance", "daily_summary"} <= {d.table for d in found}
        assert {(d.product, d.store) for d in found} == {("tea", "S1")}
        truth = rows_of(database, *TRUTH)
        traded.ledger.rebuild()
        assert rows_of(database, *TRUTH) == truth, "what happened is not for rebuild to change"
        change(database, mend, **row)
        traded.ledger.rebuild()
    assert standing(database) == before


def test_verify_deleted_document_is_named_by_what_it_leaves_behind(
    traded: Day, database: Database
) -> None:
    change(database, "DELETE FROM document WHERE kind = 'cost_adjustment'")
    found = traded.ledger.verify().differences
    orphans = {(d.table, d.product, d.store) for d in found if d.figure == "document"}
    assert orphans == {("stock_move", "cake", "S1"), ("document_line", "cake", None)}


def test_verify_changed_moved_flag_is_named_and_rebuild_mends_it(
    traded: Day, database: Database
) -> None:
    traded.post("adjustment", line("cake", counted=0, bucket="damaged"), store="S2")
    level = traded.post("adjustment", line("candle", counted=0), store="S2")
    do(traded, Reverse(level.number, "typed wrongly"))
    assert traded.ledger.verify().clean
    before = standing(database)
    traded.ledger.rebuild()
    assert standing(database) == before, "what was counted moved, though nothing differed"
    change(database, f"UPDATE stock_balance SET moved = false WHERE {TEA_IN_S1}")
    change(
        database,
        "INSERT INTO stock_balance (store_id, product_id, moved) SELECT s.id, p.id, true "
        "FROM store AS s CROSS JOIN product AS p WHERE s.code = 'S2' AND p.sku = 'bread'",
    )
    assert named(traded.ledger.verify().differences) == {
        ("stock_balance", "moved", "tea", "S1", -1),
        ("stock_balance", "moved", "bread", "S2", 1),
    }
    traded.ledger.rebuild()
    assert traded.ledger.verify().clean


def test_verify_move_that_is_not_of_its_documents_moment_is_named(
    traded: Day, database: Database
) -> None:
    sold = one(
        database,
        "SELECT m.* FROM stock_move AS m JOIN product AS p ON p.id = m.product_id "
        "WHERE p.sku = 'tea' AND m.quantity = -7",
    )
    change(database, "UPDATE stock_move SET occurred_at = occurred_at + 5 WHERE id = :id", **sold)
    moment = {("stock_move", "occurred_at", "tea", "S1", 5)}
    assert named(traded.ledger.verify().differences) == moment
    # Posted two and a half hours before the sale.
    change(database, "UPDATE stock_move SET occurred_at = :occurred_at WHERE id = :id", **sold)
    to_receipt = (
        "UPDATE stock_move SET document_id = (SELECT MIN(id) FROM document WHERE kind = 'receipt') "
        "WHERE id = :id"
    )
    change(database, to_receipt, **sold)
    assert named(traded.ledger.verify().differences) == {
        ("stock_move", figure, "tea", "S1", 9_000_000) for figure in ("occurred_at", "recorded_at")
    }


def test_verify_move_under_another_stores_document_of_its_instant_is_named(
    traded: Day, database: Database
) -> None:
    here = traded.post("issue", line("cake", 1))
    there = traded.post("issue", line("tea", 1), store="S2")
    change(
        database,
        "UPDATE stock_move SET document_id = (SELECT id FROM document WHERE number = :here) "
        "WHERE document_id = (SELECT id FROM document WHERE number = :there)",
        here=here.number,
        there=there.number,
    )
    found = traded.ledger.verify().differences
    assert named(found) == {("stock_move", "document", "tea", "S2", -1)}


@pytest.mark.parametrize("figure", ["quantity", "cost"])
def test_verify_receipt_line_that_is_not_what_its_moves_brought_is_named(
    traded: Day, database: Database, figure: str
) -> None:
    receipt = traded.post("receipt", line("tea", 9, amount="10.00"), line("tea", 2))
    traded.post("supplier_return", line("tea", 4), of_document=receipt.number)
    do(traded, Reverse(receipt.number, "not ordered"))
    assert traded.ledger.verify().clean
    change(
        database,
        f"UPDATE document_line SET {figure} = {figure} + 3 WHERE line = 1 "
        "AND document_id = (SELECT id FROM document WHERE number = :number)",
        number=receipt.number,
    )
    found = traded.ledger.verify().differences
    assert named(found) == {("document_line", figure, "tea", "S1", 3)}
    assert found[0].detail == f"{receipt.number} line 1"


def test_verify_reservation_whose_state_is_not_that_of_its_holds_is_named(
    traded: Day, database: Database
) -> None:
    put = "UPDATE reservation SET state = :state WHERE id = :id"
    for state, wrong, difference in (
        ("active", "released", ("held", "tea", "S1", 3)),
        ("released", "active", ("held", "cake", "S1", -1)),
        ("committed", "expired", ("document", None, "S1", 1)),
    ):
        row = one(database, "SELECT id FROM reservation WHERE state = :state", state=state)
        change(database, put, state=wrong, **row)
        assert named(traded.ledger.verify().differences) == {("reservation", *difference)}
        change(database, put, state=state, **row)
        assert traded.ledger.verify().clean
    # A posting lets go of what is due; the reservation itself is told so by the next sweep.
    traded.clock.advance(seconds=3_600)
    traded.post("receipt", line("tea", 1, unit_cost=2))
    kept = one(database, "SELECT COUNT(*) AS holds FROM reservation_hold WHERE active")
    assert kept == {"holds": 0}
    assert traded.ledger.verify().clean


EMPTY = {
    "daily_summary": ("product_id, bucket, flow, reason", "p.id, 0, 2, ''", "box"),
    "sales_summary": ("product_id, channel_id", "p.id, 0", "box"),
    "sales_by_hour": ("hour, channel_id", "14, 0", None),
}


def test_verify_row_of_nothing_that_nothing_was_posted_for_is_named_and_rebuild_mends_it(
    traded: Day, database: Database
) -> None:
    traded.set("21:00")
    wrong = traded.post("issue", line("candle", 1), store="S2")
    do(traded, Reverse(wrong.number, "typed wrongly"))
    assert traded.ledger.verify().clean, "what was posted and taken back has its rows of nothing"
    before = standing(database)
    day = one(database, "SELECT MAX(business_date) AS today FROM daily_summary")
    for table, (keys, values, sku) in EMPTY.items():
        change(
            database,
            f"INSERT INTO {table} (business_date, store_id, {keys}) SELECT :today, s.id, {values} "
            "FROM store AS s CROSS JOIN product AS p WHERE s.code = 'S2' AND p.sku = 'box'",
            **day,
        )
        found = traded.ledger.verify().differences
        assert named(found) == {(table, "rows", sku, "S2", 1)}
        traded.ledger.rebuild()
    assert standing(database) == before


def test_rebuild_of_what_is_true_changes_nothing(traded: Day, database: Database) -> None:
    before = standing(database)
    rebuilt = traded.ledger.rebuild()
    assert set(rebuilt.rows) == {
        "stock_balance",
        "lot_balance",
        "daily_summary",
        "sales_summary",
        "sales_by_hour",
    }
    assert min(rebuilt.rows.values()) > 0
    assert standing(database) == before


def test_verify_changes_nothing(traded: Day, database: Database) -> None:
    before = database_digest(database)
    assert traded.ledger.verify().clean
    assert database_digest(database) == before


def go_on(day: Day) -> int:
    """Verify since the last time, find nothing; how many moves were verified earlier."""
    found = day.ledger.verify(since_last=True)
    assert found.clean, found.differences
    return found.earlier


def trade_on(day: Day) -> None:
    """A day later: a sale, a late one of the day before, a receipt in a lot, a reversal."""
    day.clock.advance(seconds=86_400)
    day.post("receipt", line("tea", 5, unit_cost="2.50"), line("milk", 4, lot="C"))
    yesterday = day.at("10:00") - timedelta(days=1)
    day.post("issue", line("tea", 2), line("milk", 1), occurred_at=yesterday, channel="web")
    wrong = day.post("issue", line("cake", 1))
    do(day, Reverse(wrong.number, "typed wrongly"))


def test_verify_since_last_goes_on_from_a_clean_one_and_notes_it(traded: Day) -> None:
    assert go_on(traded) == 0
    first = traded.ledger.verify().moves
    assert go_on(traded) == first
    for _ in range(3):
        trade_on(traded)
        assert go_on(traded) == first
        first = traded.ledger.verify().moves


# The table and figure that must be named, and what is changed behind the ledger's back.
MEDDLED = {
    "stock_balance.on_hand": f"UPDATE stock_balance SET on_hand = on_hand + 2 WHERE {TEA_IN_S1}",
    "stock_balance.value": f"UPDATE stock_balance SET value = value - 1 WHERE {TEA_IN_S1}",
    "stock_balance.reserved": f"UPDATE stock_balance SET reserved = 9 WHERE {TEA_IN_S1}",
    "stock_balance.last_cost": f"UPDATE stock_balance SET last_cost = 1 WHERE {TEA_IN_S1}",
    "stock_balance.counted_at": f"UPDATE stock_balance SET counted_at = 1 WHERE {TEA_IN_S1}",
    "lot_balance.quantity": """UPDATE lot_balance SET quantity = quantity + 1
        WHERE quantity = (SELECT MAX(quantity) FROM lot_balance)""",
    "daily_summary.value": """UPDATE daily_summary SET value = value + 1
        WHERE flow = 1 AND business_date = (SELECT MAX(business_date) FROM daily_summary)
        AND product_id = (SELECT id FROM product WHERE sku = 'tea')""",
    "sales_summary.amount": """UPDATE sales_summary SET amount = amount + 1
        WHERE business_date = (SELECT MAX(business_date) FROM sales_summary)""",
    "sales_by_hour.documents": """UPDATE sales_by_hour SET documents = documents + 1
        WHERE business_date = (SELECT MAX(business_date) FROM sales_by_hour)""",
    "daily_summary.quantity": """UPDATE stock_move SET quantity = quantity - 1
        WHERE id = (SELECT MAX(id) FROM stock_move)""",
    "stock_balance.in_transit": """INSERT INTO stock_balance (store_id, product_id, in_transit)
        SELECT s.id, p.id, 3 FROM store AS s CROSS JOIN product AS p
        WHERE s.code = 'S2' AND p.sku = 'box'""",
    "daily_summary.value.own_day": """INSERT INTO daily_summary (business_date,
        store_id, product_id, bucket, flow, reason, value) SELECT 17, s.id, p.id, 0, 1, '', 3
        FROM store AS s CROSS JOIN product AS p WHERE s.code = 'S2' AND p.sku = 'box'""",
    "stock_balance.on_hand.old_move": """DELETE FROM stock_move
        WHERE id = (SELECT MIN(id) FROM stock_move)""",
    "stock_move.document": "DELETE FROM document WHERE id = (SELECT MIN(id) FROM document)",
}


@pytest.mark.parametrize("what", MEDDLED)
def test_verify_since_last_names_what_was_meddled_with(
    traded: Day, database: Database, what: str
) -> None:
    assert go_on(traded) == 0
    trade_on(traded)
    change(database, MEDDLED[what])
    found = traded.ledger.verify(since_last=True)
    assert tuple(what.split(".")[:2]) in {(d.table, d.figure) for d in found.differences}
    again = traded.ledger.verify(since_last=True)
    assert again.differences == found.differences


@pytest.mark.parametrize("table", ["daily_summary", "sales_summary", "sales_by_hour"])
def test_verify_since_last_comes_to_every_day_within_seven_runs(
    traded: Day, database: Database, table: str
) -> None:
    assert go_on(traded) == 0
    days = rows_of(database, table)[0]
    changed = "value" if table == "daily_summary" else "amount"
    with database.writing() as connection:
        connection.execute(sa.text(f"UPDATE {table} SET {changed} = {changed} + 1"))
    runs = [traded.ledger.verify(since_last=True) for _ in range(TURNS)]
    named_ = [r for r in runs if not r.clean]
    assert {d.table for r in named_ for d in r.differences} == {table}
    assert days
    assert len(named_) < TURNS, "a day that nothing was posted on is not weighed every time"


def test_verify_since_last_leaves_moves_verified_before_to_a_full_one(
    traded: Day, database: Database
) -> None:
    assert go_on(traded) == 0
    change(
        database,
        "UPDATE stock_move SET quantity = quantity + 1 WHERE id = (SELECT MIN(id) FROM stock_move)",
    )
    assert go_on(traded) > 0
    assert not traded.ledger.verify().clean


def test_verify_since_last_after_a_rebuild_reads_everything(traded: Day) -> None:
    assert go_on(traded) == 0
    assert go_on(traded) > 0
    traded.ledger.rebuild()
    assert go_on(traded) == 0
    assert go_on(traded) > 0


def test_verify_since_last_with_imported_history_goes_on(
    traded: Day, database: Database, shop: Shop
) -> None:
    assert go_on(traded) == 0
    tea = shop.stores["S1"], shop.products["tea"]
    sale = Sale(20_000, *tea, 1, quantity=3, amount=1500, returned=1, returned_amount=500, cost=7)
    with database.writing() as connection:
        write_history(connection, [sale], import_id=5)
    assert go_on(traded) == 0
    assert go_on(traded) > 0
