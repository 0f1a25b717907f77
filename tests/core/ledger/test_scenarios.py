"""The design's own examples and the shop's daily cases, to the last ten-thousandth."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from say import Day, balance_of, line

from dianku.errors import Problem
from dianku.ledger.commands import (
    CloseTransfer,
    CommitReservation,
    HandOver,
    Posted,
    ReceiveTransfer,
    Reserve,
    Reserved,
    Reverse,
)
from dianku.ledger.read.document_records import document_records
from dianku.ledger.requests import (
    LineQuantities,
    LineQuantity,
    NewReservation,
    NewReservationLine,
)
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


def reverse(day: Day, number: str) -> Any:
    return day.ledger.execute(Reverse(number, "typed wrongly"), ctx=day.owner)


def scalar(database: Database, sql: str) -> Any:
    with database.reading() as connection:
        return connection.execute(sa.text(sql)).scalar()


def test_cost_across_zero_is_settled_by_the_receipt_that_ends_it(day: Day, shop: Shop) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 10, unit_cost="2.00"))
    sale = day.post("issue", line("tea", 12))
    assert sale.lines[0].cost == "24.00"
    assert balance_of(sale, "tea").on_hand == "-2"
    assert balance_of(sale, "tea").value == "-4.00"
    late = day.post("receipt", line("tea", 10, unit_cost="3.00"))
    assert balance_of(late, "tea").on_hand == "8"
    assert balance_of(late, "tea").value == "24.00"
    settled = scalar(day.ledger.database, "SELECT value FROM stock_move WHERE flow = 13")
    assert settled == -20_000


def test_cost_of_three_thirds_comes_out_whole(day: Day, shop: Shop) -> None:
    shop.product("tea")
    for amount in ("3.33", "3.33", "3.34"):
        day.post("receipt", line("tea", 1, amount=amount))
    costs = [Decimal(day.post("issue", line("tea", 1)).lines[0].cost or "0") for _ in range(3)]
    assert sum(costs) == Decimal("10.00")
    row = "SELECT on_hand FROM stock_balance", "SELECT value FROM stock_balance"
    assert [scalar(day.ledger.database, sql) for sql in row] == [0, 0]


def test_count_while_selling_is_restated_by_what_moved_before_it(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea")
    day.set("08:00")
    day.post("receipt", line("tea", 20, unit_cost="1.00"))
    day.set("10:05")
    day.post("issue", line("tea", 1))
    day.set("10:30")
    count = day.post("adjustment", line("tea", counted="42"), occurred_at="10:00")
    assert count.lines[0].quantity == "22"
    assert balance_of(count, "tea").on_hand == "41"
    day.set("12:00")
    receipt = day.post("receipt", line("tea", 24, unit_cost="1.00"), occurred_at="09:30")
    assert balance_of(receipt, "tea").on_hand == "41"
    assert _difference(database, count.number) == -2
    sale = day.post("issue", line("tea", 2), occurred_at="09:50")
    assert balance_of(sale, "tea").on_hand == "41"
    assert _difference(database, count.number) == 0
    after = day.post("issue", line("tea", 1), occurred_at="10:02")
    assert balance_of(after, "tea").on_hand == "40"
    assert _difference(database, count.number) == 0


def _difference(database: Database, number: str) -> int:
    """A count's difference as restated: its own line and what it absorbed."""
    document_id = scalar(database, f"SELECT id FROM document WHERE number = '{number}'")
    with database.reading() as connection:
        record = document_records(connection, [document_id], now_ms=0)[document_id]
    return int(record.lines[0].difference or "")


def test_late_movement_reversed_takes_its_absorption_back(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea")
    day.set("08:00")
    day.post("receipt", line("tea", 20, unit_cost="1.00"))
    day.set("10:30")
    count = day.post("adjustment", line("tea", counted="42"), occurred_at="10:00")
    receipt = day.post("receipt", line("tea", 24, unit_cost="1.00"), occurred_at="09:30")
    assert _difference(database, count.number) == -2
    undone = reverse(day, receipt.number)
    assert balance_of(undone.record, "tea").on_hand == "42"
    assert _difference(database, count.number) == 22


def test_count_reversed_takes_back_what_it_absorbed(day: Day, shop: Shop) -> None:
    shop.product("tea")
    day.set("08:00")
    day.post("receipt", line("tea", 20, unit_cost="1.00"))
    day.set("10:30")
    count = day.post("adjustment", line("tea", counted="42"), occurred_at="10:00")
    day.post("receipt", line("tea", 24, unit_cost="1.00"), occurred_at="09:30")
    undone = reverse(day, count.number)
    assert balance_of(undone.record, "tea").on_hand == "44"


def test_two_counts_of_one_moment_the_later_says_the_level(day: Day, shop: Shop) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 20))
    day.post("adjustment", line("tea", counted="42"))
    again = day.post("adjustment", line("tea", counted="40"))
    assert balance_of(again, "tea").on_hand == "40"


def test_movement_beside_a_count_is_shown_to_a_person(day: Day, shop: Shop) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 20))
    day.clock.advance(seconds=60)
    day.post("adjustment", line("tea", counted="20"))
    day.clock.advance(seconds=1)
    sale = day.post("issue", line("tea", 1))
    assert [w.code for w in sale.warnings] == ["count_boundary"]
    assert balance_of(sale, "tea").on_hand == "19"
    kinds = "SELECT COUNT(*) FROM stock_exception WHERE type = 'count_boundary'"
    assert scalar(day.ledger.database, kinds) == 1


def test_value_set_beside_a_count_moved_no_goods_to_ask_about(day: Day, shop: Shop) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 20, unit_cost="1"))
    day.clock.advance(seconds=60)
    day.post("adjustment", line("tea", counted="20"))
    late_invoice = day.post("cost_adjustment", line("tea", amount="3.50"))
    assert late_invoice.warnings == []


def test_receipt_reversed_after_sales_leaves_a_positive_value(day: Day, shop: Shop) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 10, unit_cost="2.00"))
    dear = day.post("receipt", line("tea", 10, unit_cost="4.00"))
    day.post("issue", line("tea", 5))
    undone = reverse(day, dear.number)
    assert balance_of(undone.record, "tea").on_hand == "5"
    assert balance_of(undone.record, "tea").value == "15.00"
    assert scalar(day.ledger.database, "SELECT MAX(variance) FROM document_line") == 100_000


def test_sale_partly_returned_reverses_the_rest_only(day: Day, shop: Shop) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 5, unit_cost="2.00"))
    sale = day.post("issue", line("tea", 5, amount="15.00"))
    back = day.post("customer_return", line("tea", 2, of_line=1), of_document=sale.number)
    assert back.lines[0].amount == "6.00"
    assert balance_of(back, "tea").on_hand == "2"
    undone = reverse(day, sale.number)
    assert balance_of(undone.record, "tea").on_hand == "5"
    assert balance_of(undone.record, "tea").value == "10.00"
    again = reverse(day, sale.number)
    assert isinstance(again, Problem)
    assert again.code == "not_reversible"
    assert again.extra["lines"]
    more = day.refused("customer_return", line("tea", 1, of_line=1), of_document=sale.number)
    assert more.code == "over_returned"


def test_box_and_its_part_in_one_cart_are_one_demand(
    day: Day, shop: Shop, database: Database, database_digest: Callable[..., str]
) -> None:
    shop.channel("web")
    shop.product("cake")
    shop.product("candle")
    shop.product("box", composition="kit", components={"cake": 1, "candle": 2})
    day.post("receipt", line("cake", 9), line("candle", 5))
    before = database_digest(database)
    short = day.refused("issue", line("box", 2), line("candle", 2), channel="web")
    assert short.code == "insufficient_stock"
    assert short.extra["short"] == [
        {"sku": "candle", "store": "S1", "requested": "6", "available": "5"}
    ]
    assert database_digest(database) == before
    sold = day.post("issue", line("box", 2), line("candle", 1), channel="web")
    assert balance_of(sold, "candle").on_hand == "0"
    assert [x.sku for x in sold.lines] == ["box", "candle"]


def test_recipe_changed_after_a_sale_does_not_change_its_return(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("cake")
    shop.product("candle")
    shop.product("box", composition="kit", components={"cake": 1, "candle": 2})
    day.post("receipt", line("cake", 4, unit_cost="10.00"), line("candle", 8, unit_cost="0.50"))
    sale = day.post("issue", line("box", 2, amount="50.00"))
    assert sale.lines[0].cost == "22.00"
    with database.writing() as connection:
        connection.execute(sa.text("UPDATE component SET quantity = 5 WHERE quantity = 2"))
        connection.execute(sa.text("UPDATE counter SET value = value + 1 WHERE name = 'catalog'"))
        connection.execute(
            sa.text(
                "UPDATE product SET version = (SELECT value FROM counter "
                "WHERE name = 'catalog') WHERE sku = 'box'"
            )
        )
    back = day.post("customer_return", line("box", 1, of_line=1), of_document=sale.number)
    assert balance_of(back, "cake").on_hand == "3"
    assert balance_of(back, "candle").on_hand == "6"
    assert back.lines[0].cost == "11.00"
    assert back.lines[0].amount == "25.00"


def test_case_barcode_counts_its_units(day: Day, shop: Shop) -> None:
    shop.product("cola", barcodes={"6901234567892": 1, "16901234567899": 12}, price=300)
    got = day.post("receipt", line(barcode="16901234567899", quantity=5))
    assert balance_of(got, "cola").on_hand == "60"
    sale = day.post("issue", line(barcode="16901234567899", quantity=2))
    assert sale.lines[0].quantity == "24"
    assert sale.lines[0].amount == "72.00"


def test_lots_leave_first_expired_first_and_are_never_negative(
    day: Day, shop: Shop, database: Database
) -> None:
    from datetime import date

    shop.product("milk", track_lots=True)
    day.post(
        "receipt",
        line("milk", 4, lot="A", expires_on=date(2026, 3, 10)),
        line("milk", 8, lot="B", expires_on=date(2026, 3, 20)),
    )
    sale = day.post("issue", line("milk", 5))
    assert [(x.lot, x.quantity) for x in sale.lines[0].lots] == [("A", "4"), ("B", "1")]
    day.post("receipt", line("milk", 4, lot="A", expires_on=date(2026, 3, 10)))
    off = day.post("write_off", line("milk", 10, lot="A", reason="damaged"))
    assert [(x.lot, x.quantity) for x in off.lines[0].lots] == [("A", "10")]
    assert balance_of(off, "milk").on_hand == "1"
    held = "SELECT SUM(quantity) FROM lot_balance", "SELECT MIN(quantity) FROM lot_balance"
    assert [scalar(database, sql) for sql in held] == [1, 0]
    assert day.ledger.verify().clean


def test_expired_goods_are_not_sold_online_and_warned_about_at_the_counter(
    day: Day, shop: Shop
) -> None:
    from datetime import date

    shop.channel("web")
    shop.product("milk", track_lots=True)
    day.post("receipt", line("milk", 3, lot="A", expires_on=date(2026, 3, 2)))
    assert day.ask("issue", line("milk", 1), channel="web").record.warnings == []
    day.clock.advance(days=1)
    refused = day.refused("issue", line("milk", 1), channel="web")
    assert refused.extra["short"][0]["available"] == "0"
    sold = day.post("issue", line("milk", 1))
    assert [w.code for w in sold.warnings] == ["expired_lot"]
    gone = day.post("write_off", line("milk", 1, reason="expired"))
    assert balance_of(gone, "milk").on_hand == "0"


def test_counter_sells_what_the_books_do_not_show_and_tells_a_person(day: Day, shop: Shop) -> None:
    shop.product("tea")
    sold = day.post("issue", line("tea", 2))
    assert [w.code for w in sold.warnings] == ["sold_without_stock"]
    assert balance_of(sold, "tea").on_hand == "-2"


def test_promised_goods_are_sold_with_a_warning_that_names_the_order(day: Day, shop: Shop) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 3))
    hold = NewReservation(
        store="S1",
        lines=[NewReservationLine(sku="tea", quantity=Decimal(3))],
        reference="ORDER-7",
    )
    made = day.ledger.execute(Reserve(hold), ctx=day.owner)
    assert isinstance(made, Reserved)
    sold = day.post("issue", line("tea", 1))
    assert sold.warnings[0].code == "promised_stock"
    assert sold.warnings[0].data["orders"] == "ORDER-7"
    issued = day.ledger.execute(CommitReservation(made.record.id), ctx=day.owner)
    assert isinstance(issued, Posted)
    assert balance_of(issued.record, "tea").on_hand == "-1"


def test_expired_hold_is_made_anew_only_if_there_is_enough(day: Day, shop: Shop) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 3))
    hold = NewReservation(
        store="S1", lines=[NewReservationLine(sku="tea", quantity=Decimal(3))], expires_in=60
    )
    first = day.ledger.execute(Reserve(hold), ctx=day.owner)
    assert isinstance(first, Reserved)
    day.clock.advance(seconds=61)
    second = day.ledger.execute(Reserve(hold), ctx=day.owner)
    assert isinstance(second, Reserved), "a hold that is due holds nothing, swept or not"
    lost = day.ledger.execute(CommitReservation(first.record.id), ctx=day.owner)
    assert isinstance(lost, Problem)
    assert lost.code == "reservation_expired"
    day.clock.advance(seconds=61)
    late = day.ledger.execute(CommitReservation(first.record.id), ctx=day.owner)
    assert isinstance(late, Posted)


def test_transfer_is_on_the_way_until_it_arrives_or_is_lost(day: Day, shop: Shop) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 10, unit_cost="2.00"))
    sent = day.post("transfer", line("tea", 10), to_store="S2")
    assert sent.status == "sent"
    some = LineQuantities(lines=[LineQuantity(line=1, quantity=Decimal(4))])
    arrived = day.ledger.execute(ReceiveTransfer(sent.number, some), ctx=day.owner)
    assert isinstance(arrived, Posted)
    assert balance_of(arrived.record, "tea", "S2").value == "8.00"
    many = LineQuantities(lines=[LineQuantity(line=1, quantity=Decimal(7))])
    over = day.ledger.execute(ReceiveTransfer(sent.number, many), ctx=day.owner)
    assert isinstance(over, Problem)
    assert over.code == "over_received"
    closed = day.ledger.execute(CloseTransfer(sent.number, "receiver"), ctx=day.owner)
    assert isinstance(closed, Posted)
    row = "SELECT SUM(in_transit) FROM stock_balance", "SELECT SUM(value) FROM stock_balance"
    assert [scalar(day.ledger.database, sql) for sql in row] == [0, 80_000]
    assert day.ledger.verify().clean


def test_kept_goods_wait_for_their_owner(day: Day, shop: Shop) -> None:
    shop.product("wine")
    day.post("receipt", line("wine", 6, unit_cost="10.00"))
    sale = day.post("issue", line("wine", 3, kept="2"))
    two = LineQuantities(lines=[LineQuantity(line=1, quantity=Decimal(2))])
    fetched = day.ledger.execute(HandOver(sale.number, two), ctx=day.owner)
    assert isinstance(fetched, Posted)
    more = day.ledger.execute(HandOver(sale.number, two), ctx=day.owner)
    assert isinstance(more, Problem)
    assert scalar(day.ledger.database, "SELECT SUM(kept) FROM stock_balance") == 0


def test_key_used_again_replays_and_with_another_body_is_refused(day: Day, shop: Shop) -> None:
    shop.product("tea")
    first = day.ask("receipt", line("tea", "3"), key="K1")
    same = day.ask("receipt", line("tea", "3.0"), key="K1")
    assert same.replayed
    assert same.record == first.record
    other = day.ask("receipt", line("tea", "4"), key="K1")
    assert other.code == "idempotency_conflict"


def test_key_used_before_is_answered_though_today_it_would_be_refused(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea")
    first = day.ask("receipt", line("tea", "3"), key="K1", occurred_at="09:00")
    with database.writing() as connection:
        connection.execute(sa.text("UPDATE counter SET value = value + 1 WHERE name = 'catalog'"))
        version = "(SELECT value FROM counter WHERE name = 'catalog')"
        connection.execute(
            sa.text(f"UPDATE product SET archived_at = 1, version = {version} WHERE sku = 'tea'")
        )
    morning = day.at("09:00")
    day.clock.advance(days=100)
    again = day.ask("receipt", line("tea", "3"), key="K1", occurred_at=morning)
    assert again.replayed
    assert again.record.number == first.record.number
    refused = day.refused("receipt", line("tea", "3"))
    assert [e.code for e in refused.errors] == ["archived"]


def test_refusal_is_not_remembered_with_its_key(day: Day, shop: Shop) -> None:
    shop.product("tea")
    refused = day.ask("write_off", line("tea", 1, reason="lost"), key="K1")
    assert refused.code == "insufficient_stock"
    day.post("receipt", line("tea", 1))
    tried = day.ask("write_off", line("tea", 1, reason="lost"), key="K1")
    assert isinstance(tried, Posted)
    assert not tried.replayed


def test_document_with_many_faults_names_them_all(
    day: Day, shop: Shop, database: Database, database_digest: Callable[..., str]
) -> None:
    shop.product("tea")
    before = database_digest(database)
    refused = day.refused(
        "receipt",
        line("nothing", 1),
        line("tea", "1.5"),
        line("tea", -1),
        line("tea", 1, reason="lost"),
        line("tea", 1, amount="1.00", unit_cost="2.00"),
    )
    assert [(e.pointer, e.code) for e in refused.errors] == [
        ("/lines/0/sku", "unknown_product"),
        ("/lines/1/quantity", "too_many_digits"),
        ("/lines/2/quantity", "not_positive"),
        ("/lines/3/reason", "not_for_kind"),
        ("/lines/4/amount", "amount_mismatch"),
    ]
    assert database_digest(database) == before


def test_partial_order_posts_what_there_is(day: Day, shop: Shop) -> None:
    shop.channel("web")
    shop.product("tea", price=500)
    day.post("receipt", line("tea", 3))
    some = day.post("issue", line("tea", 10), channel="web", partial=True)
    assert some.lines[0].quantity == "3"
    assert some.lines[0].amount == "15.00"
    assert some.warnings[0].code == "partial"


def test_receipt_ten_times_the_usual_is_posted_with_a_warning(day: Day, shop: Shop) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 10))
    usual = day.post("receipt", line("tea", 99))
    assert usual.warnings == []
    big = day.post("receipt", line("tea", 5000))
    assert [w.code for w in big.warnings] == ["unusual_quantity"]


def test_answer_and_stored_document_say_the_same(day: Day, shop: Shop) -> None:
    shop.product("milk", track_lots=True)
    shop.product("box", composition="kit", components={"milk": 2})
    records = [
        day.post("receipt", line("milk", 10, lot="A", unit_cost="1.25"), supplier="dairy"),
        day.post("issue", line("box", 2, amount="9.99"), reference="R-1"),
        day.post("adjustment", line("milk", delta="-1")),
        day.post("adjustment", line("milk", counted="3")),
        day.post("transfer", line("milk", 2), to_store="S2"),
        day.post("write_off", line("milk", 1, reason="damaged")),
    ]
    records.append(reverse(day, records[1].number).record)
    for record in records:
        sql = f"SELECT id FROM document WHERE number = '{record.number}'"
        found = scalar(day.ledger.database, sql)
        with day.ledger.database.reading() as connection:
            stored = document_records(connection, [found], now_ms=day.clock.now_ms())[found]
        stored.balances = record.balances = []
        if stored.status == "reversed":
            stored.status = "posted"  # as it was when it was answered
        assert stored == record


def test_early_count_taken_back_leaves_the_level_of_the_later_count(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("tea")
    day.post("receipt", line("tea", 10, unit_cost="1.00"))
    day.set("12:00")
    day.post("adjustment", line("tea", counted="20"), occurred_at="11:00")
    early = day.post("adjustment", line("tea", counted="13"), occurred_at="10:30")
    assert early.lines[0].quantity == "3"
    assert scalar(database, "SELECT on_hand FROM stock_balance") == 20
    assert isinstance(reverse(day, early.number), Posted)
    assert scalar(database, "SELECT on_hand FROM stock_balance") == 20
    assert scalar(database, "SELECT value FROM stock_balance") == 200_000
    assert day.ledger.verify().clean
