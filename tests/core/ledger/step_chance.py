"""What chance draws for a shop's day: goods, stores, quantities, moments; and what a step is."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from plain_cells import Document, Goods, Hold, Wanted
from plain_lots import ANY_DATE, Lot
from plain_shop import Shop

from dianku.clock import day_of
from dianku.ledger.commands import Command, Post
from dianku.ledger.requests import NewDocument, NewLine

GOODS = (
    Goods("tea", cost=20_000),
    Goods("cup"),
    Goods("rice", precision=3, cost=80_000),
    Goods("milk", track_lots=True),
    Goods("bread", track_lots=True, cost=15_000),
    Goods("cake", composition="made", recipe=(("cup", 2), ("rice", 250))),
    Goods("set", composition="kit", recipe=(("tea", 1), ("cup", 2))),
    Goods("facial", composition="service", recipe=(("tea", 1), ("rice", 5))),
    Goods("breakfast", composition="kit", recipe=(("milk", 1), ("bread", 2))),
    Goods("hamper", composition="kit", recipe=(("set", 2), ("cake", 1), ("tea", 1))),
)
"""Loose and weighed goods, two with lots, one made here, kits (one in another), a service."""

STORES = ("north", "south")
STOCKED = tuple(g for g in GOODS if g.stocked)
PLAIN = tuple(g for g in STOCKED if g.composition == "none")
MINUTE = 60_000

Effect = Callable[[], Document | Hold | None]


@dataclass
class Step:
    """One command, what it is called in the counts, and the same on the model."""

    name: str
    command: Command
    effect: Effect
    key: str | None = None


@dataclass
class Book:
    """What was posted so far, by the numbers the ledger gave: what later steps refer to."""

    documents: list[tuple[str, Document]] = field(default_factory=list)
    holds: list[tuple[str, Hold]] = field(default_factory=list)

    def of(self, kind: str, *, recent: int = 40) -> list[tuple[str, Document]]:
        """The latest documents of a kind that are not reversed."""
        found = [(n, d) for n, d in self.documents if d.kind == kind and not d.reversed]
        return found[-recent:]


class Chance:
    """Draws the parts of a step. `now` is the moment of the batch, in ms."""

    def __init__(self, model: Shop, *, seed: int) -> None:
        self.model = model
        self.now = 0
        self._random = random.Random(seed)

    def chance(self, share: float) -> bool:
        """True in so many of all cases."""
        return self._random.random() < share

    def pause(self) -> int:
        """Milliseconds between two batches: seconds, sometimes an hour or two, or a night."""
        if self.chance(0.07):
            return 36_000_000
        return self._random.choice((1_000, 7_531, 60_000, 60_000, 400_000, 5_000_000))

    def _store(self) -> str:
        return self._random.choice(STORES)

    def _quantity(self, goods: Goods, *, most: int = 9) -> int:
        if goods.precision == 0:
            return self._random.randint(1, most)
        return self._random.randint(1, most * 10**goods.precision)

    def _some(self, goods: tuple[Goods, ...], *, most: int = 9) -> list[Wanted]:
        """One to three lines; the same product may come twice."""
        picked = self._random.choices(goods, k=self._random.choice((1, 1, 2, 3)))
        return [Wanted(g.sku, self._quantity(g, most=most)) for g in picked]

    def _moment(self, store: str, wanted: list[Wanted], *, permissive: bool) -> int:
        """Now, or (what nobody may refuse) some time before, perhaps just before a count."""
        if not permissive or self.chance(0.5):
            return self.now
        cells = [self.model.cells[store, sku] for sku in self._stocked(wanted)]
        counts = [c.at for cell in cells for c in cell.counts if c.at > self.now - 2_000 * MINUTE]
        if counts and self.chance(0.5):
            return self._random.choice(sorted(counts)) - self._random.randint(1, 20 * MINUTE)
        return self.now - self._random.randint(1, 180) * MINUTE - self._random.randint(1, 999)

    def _unseen(self, store: str, skus: set[str], at: int) -> bool:
        """Whether no count has seen what moved then: the time for what may be refused."""
        return not self.model.is_late(store, skus, at)

    def _stocked(self, wanted: list[Wanted]) -> set[str]:
        return {sku for w in wanted for sku in self.model.takes(w.sku, w.quantity or 1)}

    def _post(
        self, name: str, kind: Any, store: str, lines: list[NewLine], effect: Effect, **more: Any
    ) -> Step:
        return Step(name, Post(NewDocument(kind=kind, store=store, lines=lines, **more)), effect)

    def _line(self, w: Wanted, **more: Any) -> NewLine:
        goods = self.model.goods[w.sku]
        return NewLine(sku=w.sku, quantity=decimal(w.quantity, goods.precision), **more, **lot(w))

    def _fresh_lot(self, sku: str) -> Lot | None:
        """The lot of goods that come in: some expire within days, some are past it already."""
        if not self.model.goods[sku].track_lots or self.chance(0.1):
            return None
        if self.chance(0.1):
            return "N", 0
        day = self.model.today + self._random.randint(-1, 4)
        return "AB"[day % 2], day

    def _known_lot(self, store: str, sku: str, *, share: float = 0.4) -> Lot | None:
        """Perhaps a lot that is known here, mostly one that shows something."""
        shelf = self.model.cells[store, sku].shelf if self.model.goods[sku].stocked else None
        if shelf is None or not shelf.held or not self.chance(share):
            return None
        if self.chance(0.03):
            return "nobody", self.model.today
        found = self._random.choice(shelf.shown() or list(shelf.held))
        return (found[0], ANY_DATE) if found[1] and self.chance(0.1) else found

    def _with_lots(self, store: str, wanted: list[Wanted]) -> list[Wanted]:
        return [replace(w, lot=self._known_lot(store, w.sku)) for w in wanted]


def lot(w: Wanted) -> dict[str, Any]:
    """The lot a line names, as a client sends it."""
    if w.lot is None:
        return {}
    code, day = w.lot
    return {"lot": code, "expires_on": day_of(day)} if day > 0 else {"lot": code}


def decimal(steps: int, digits: int) -> Decimal:
    """Steps as the decimal a client sends."""
    return Decimal(steps).scaleb(-digits)


FAR_MS = 4_000_000_000_000
"""Long after every test."""
