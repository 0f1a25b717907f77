"""A day of trading with a bit of everything: every kind of document, and most that undo one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from say import Day, line

from dianku.ledger.commands import (
    CloseTransfer,
    Command,
    CommitReservation,
    HandOver,
    Posted,
    ReceiveTransfer,
    ReleaseReservation,
    Reserve,
    Reserved,
    Reverse,
)
from dianku.ledger.requests import (
    DocumentRecord,
    LineQuantities,
    LineQuantity,
    NewReservation,
    NewReservationLine,
    Payment,
)
from dianku.testing.shop import Shop

EARLY, LATE = date(2026, 3, 10), date(2026, 3, 20)


def stock_shop(shop: Shop) -> None:
    """The goods of the day; `day` has made the stores."""
    shop.channel("web")
    shop.product("tea", price=500)
    shop.product("milk", track_lots=True, price=300)
    shop.product("cake", price=4000)
    shop.product("candle")
    shop.product("apple", precision=3, price=2980)
    shop.product("box", composition="kit", components={"cake": 1, "candle": 2}, price=5000)
    shop.product("bread", composition="made", components={"apple": 500})


def do(day: Day, command: Command) -> DocumentRecord:
    """Have a command done that must end in a document."""
    outcome = day.ledger.execute(command, ctx=day.owner)
    assert isinstance(outcome, Posted), outcome
    return outcome.record


def hold(day: Day, sku: str, quantity: int, *, expires_in: int | None = None) -> str:
    """Promise goods; returns the reservation's id."""
    lines = [NewReservationLine(sku=sku, quantity=Decimal(quantity))]
    asked = NewReservation(store=day.store, lines=lines, expires_in=expires_in)
    made = day.ledger.execute(Reserve(asked), ctx=day.owner)
    assert isinstance(made, Reserved), made
    return made.record.id


def trade(day: Day) -> None:
    """Trade from the morning to the evening."""
    day.set("08:00")
    day.post(
        "receipt",
        line("tea", 40, amount="99.99"),
        line("milk", 6, lot="A", expires_on=EARLY, unit_cost="1.10"),
        line("milk", 8, lot="B", expires_on=LATE, unit_cost="1.30"),
        line("cake", 9, unit_cost="12.00"),
        line("candle", 30, amount="10.00"),
        line("apple", "7.500", unit_cost="11.30"),
        supplier="market",
    )
    day.set("10:30")
    sale = day.post("issue", line("tea", 7), line("milk", 7), line("box", 2), payments=_paid("156"))
    day.post("issue", line("apple", "0.414"), line("tea", 1, kept=1), channel="web")
    kept = day.post("issue", line("tea", 3, kept=2), payments=_paid("10", "5"))
    do(day, HandOver(kept.number, LineQuantities(lines=[LineQuantity(line=1)])))
    day.post("customer_return", line("box", 1), line("tea", 2), of_document=sale.number)
    day.post("customer_return", line("milk", 1, disposition="damaged"), of_document=sale.number)
    day.post("write_off", line("milk", 1, reason="damaged", bucket="damaged"))
    day.post("write_off", line("milk", 2, lot="A", reason="lost"))
    day.post("production", line("bread", 2))
    day.post("cost_adjustment", line("cake", amount="3.33"))
    count = day.post("adjustment", line("tea", counted=30), line("candle", counted=20))
    assert count.lines[0].quantity
    day.set("14:00")
    day.post("issue", line("tea", 2), occurred_at="09:30")
    day.post("issue", line("bread", 5))
    sent = day.post("transfer", line("tea", 9), line("milk", 3), to_store="S2")
    some = [LineQuantity(line=1, quantity=Decimal(4)), LineQuantity(line=2)]
    do(day, ReceiveTransfer(sent.number, LineQuantities(lines=some)))
    do(day, CloseTransfer(sent.number, "receiver"))
    day.post("issue", line("tea", 1), store="S2", payments=_paid("5"))
    day.post("supplier_return", line("candle", 3))
    wrong = day.post("issue", line("cake", 1), line("apple", "1.234"), payments=_paid("70", "6.77"))
    do(day, Reverse(wrong.number, "typed wrongly"))
    day.set("18:00")
    do(day, CommitReservation(hold(day, "tea", 2)))
    day.ledger.execute(ReleaseReservation(hold(day, "cake", 1)), ctx=day.owner)
    hold(day, "tea", 3)


def _paid(cash: str, card: str | None = None) -> list[Payment]:
    """So much in cash, and so much by card."""
    parts = [Payment(kind="cash", amount=Decimal(cash))]
    return parts if card is None else [*parts, Payment(kind="card", amount=Decimal(card))]
