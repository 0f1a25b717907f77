"""Say documents in one line each, for scenarios that read like the shop's day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from dianku.clock import SetClock, from_ms, to_ms
from dianku.context import Context
from dianku.errors import Problem
from dianku.ledger.commands import Posted
from dianku.ledger.requests import BalanceRecord, DocumentRecord, NewDocument, NewLine
from dianku.ledger.service import Ledger


def line(sku: str | None = None, quantity: str | int | None = None, **more: Any) -> NewLine:
    """A line; numbers may be given as text."""
    for name in ("amount", "unit_price", "unit_cost", "delta", "counted", "kept"):
        if name in more:
            more[name] = Decimal(more[name])
    number = None if quantity is None else Decimal(quantity)
    return NewLine(sku=sku, quantity=number, **more)


class Day:
    """Posts documents in a store and keeps the clock."""

    def __init__(self, ledger: Ledger, owner: Context, clock: SetClock, store: str = "S1") -> None:
        self.ledger = ledger
        self.owner = owner
        self.clock = clock
        self.store = store

    def post(self, kind: str, *lines: NewLine, **more: Any) -> DocumentRecord:
        """Post a document that must be accepted."""
        outcome = self.ask(kind, *lines, **more)
        assert isinstance(outcome, Posted), outcome
        return outcome.record

    def ask(self, kind: Any, *lines: NewLine, **more: Any) -> Any:
        """Post a document and give back whatever comes of it."""
        key = more.pop("key", None)
        if isinstance(more.get("occurred_at"), str):
            more["occurred_at"] = self.at(more["occurred_at"])
        new = NewDocument(kind=kind, store=more.pop("store", self.store), lines=list(lines), **more)
        return self.ledger.post(new, ctx=self.owner, key=key)

    def refused(self, kind: str, *lines: NewLine, **more: Any) -> Problem:
        """Post a document that must be refused."""
        outcome = self.ask(kind, *lines, **more)
        assert isinstance(outcome, Problem), outcome
        return outcome

    def at(self, clock_time: str) -> datetime:
        """A time of the clock's own day in China, such as `09:30`."""
        hours, minutes = clock_time.split(":")
        day = from_ms(self.clock.now_ms() + 8 * 3_600_000).date()
        local = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() - 8 * 3600
        return datetime.fromtimestamp(local + int(hours) * 3600 + int(minutes) * 60, tz=UTC)

    def set(self, clock_time: str) -> None:
        """Turn the clock to a time of its own day."""
        self.clock.set(to_ms(self.at(clock_time)))


def balance_of(record: DocumentRecord, sku: str, store: str = "S1") -> BalanceRecord:
    """The balance of a product in a document's answer."""
    found: Sequence[BalanceRecord] = [
        b for b in record.balances if b.sku == sku and b.store == store
    ]
    assert len(found) == 1, record.balances
    return found[0]
