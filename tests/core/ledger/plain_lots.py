"""The lots of the plain model: which of the goods on hand are thought to be of which lot.

Readings, where the text leaves room:

* L1 Goods leave first-expired-first of the lots that have not expired (those without a date last),
  then of no known lot, and only then of expired ones. On its date a lot may still be sold.
* L2 A lot that is named gives all, whatever it shows. What it did not have, the others were wrong
  about: of no known lot first, then first-expired-first, and expired ones last, since what is past
  its date must not become goods that may be sold.
* L3 What comes back or is undone is of the lots it was of, step by step in the order they left.
* L4 What a count had seen changes no lot. A count taken back moves each lot by the net of what it
  moved; where these nets do not all go one way it chooses as if nothing had been said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

Lot = tuple[str, int]
"""Code, and the last day it may be sold on (days since 1970; 0 for no date)."""

ANY_DATE = -1
"""The date of a lot that is named by its code alone."""

Split = tuple[tuple[Lot | None, int], ...]
"""Steps by lot, in the order they move; None is of no known lot."""


def is_past(lot: Lot | None, today: int) -> bool:
    """Whether a lot is past its date."""
    return lot is not None and lot[1] != 0 and lot[1] < today


def cut(split: Split, start: int, end: int) -> Split:
    """The steps from `start` to `end` of a run of lots (L3)."""
    single = [lot for lot, steps in split for _ in range(steps)][start:end]
    return tuple((lot, single.count(lot)) for lot in dict.fromkeys(single))


@dataclass
class Shelf:
    """What each lot shows of one product in one store; what is left of on hand is of none."""

    held: dict[Lot, int] = field(default_factory=dict)

    def past(self, today: int) -> int:
        """Steps past their date."""
        return sum(steps for lot, steps in self.held.items() if is_past(lot, today))

    def shown(self) -> list[Lot]:
        """Lots that show something, the first to expire first."""
        lots = [lot for lot, steps in self.held.items() if steps > 0]
        return sorted(lots, key=lambda lot: lot[1] or 10**9)

    def called(self, code: str) -> Lot | None:
        """The lot of a code that shows something, the first to expire; else the first of it."""
        known = [lot for lot in [*self.shown(), *sorted(self.held)] if lot[0] == code]
        return known[0] if known else None

    def choose(self, steps: int, on_hand: int, *, today: int, old_first: bool = False) -> Split:
        """Of which lots so many steps leave (L1)."""
        good: list[Lot | None] = [lot for lot in self.shown() if not is_past(lot, today)]
        old: list[Lot | None] = [lot for lot in self.shown() if is_past(lot, today)]
        unknown = max(0, on_hand - sum(self.held.values()))
        taken: dict[Lot | None, int] = {}
        for lot in [*old, *good, None] if old_first else [*good, None, *old]:
            there = unknown if lot is None else self.held[lot]
            taken[lot] = min(there, steps - sum(taken.values()))
        taken[None] += steps - sum(taken.values())
        return tuple((lot, number) for lot, number in taken.items() if number)

    def move(self, split: Iterable[tuple[Lot | None, int]], sign: int) -> None:
        """Change the lots by a split; `settle` must follow."""
        for lot, steps in split:
            if lot is not None:
                self.held[lot] = self.held.get(lot, 0) + sign * steps

    def settle(self, on_hand: int, *, today: int) -> bool:
        """No lot below zero, no more in lots than on hand (L2); whether that changed anything."""
        before = dict(self.held)
        self.held = {lot: max(0, steps) for lot, steps in self.held.items()}
        good = [lot for lot in self.shown() if not is_past(lot, today)]
        old = [lot for lot in self.shown() if is_past(lot, today)]
        for lot in [*good, *old]:
            surplus = sum(self.held.values()) - max(0, on_hand)
            self.held[lot] -= max(0, min(surplus, self.held[lot]))
        return self.held != before

    def as_far_as(self, split: Sequence[tuple[Lot | None, int]], today: int) -> int:
        """How much of a split is of goods that are past their date and are there."""
        wanted: dict[Lot, int] = {}
        for lot, steps in split:
            if lot is not None and is_past(lot, today):
                wanted[lot] = wanted.get(lot, 0) + steps
        return sum(min(steps, self.held.get(lot, 0)) for lot, steps in wanted.items())
