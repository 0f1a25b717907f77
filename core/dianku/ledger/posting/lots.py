"""Which lots a movement is of: a best guess that always sums to what is on hand.

Goods leave first-expired-first among lots that have not expired, then from what is of no known
lot, and only then (the counter, warned) from expired lots. A movement may name its lot even
against the books: what the guess had of it is then taken from the others, and told as moves that
exchange lots without changing the stock. No lot is ever negative.
"""

from __future__ import annotations

from copy import copy

from attrs import define, field

Split = list[tuple[int, int]]
"""(lot id, steps) pairs; lot 0 is what is of no known lot."""


@define
class LotStock:
    """How much of one lot is thought to be in the store."""

    lot_id: int
    code: str
    expires_on: int
    """Day number; 0 means no date."""
    quantity: int
    known: bool = True
    """Whether it was ever in the store, not just named by another command of the batch."""

    def expired(self, today: int) -> bool:
        """Whether it is past its date: on its date it may still be sold."""
        return 0 < self.expires_on < today


@define
class LotShelf:
    """The lots of one product in one store while a batch is planned."""

    today: int
    lots: list[LotStock] = field(factory=list)
    changed: set[int] = field(factory=set)

    def copied(self) -> LotShelf:
        """The same lots once more, to go back to."""
        return LotShelf(self.today, [copy(x) for x in self.lots], set(self.changed))

    @property
    def expired(self) -> int:
        """Steps in lots past their date."""
        return sum(x.quantity for x in self.lots if x.expired(self.today))

    def expired_of(self, split: Split) -> int:
        """Steps of a split that are past their date and are there."""
        wanted = [(self.stock(lot_id), steps) for lot_id, steps in _merged(split) if lot_id]
        return sum(min(steps, x.quantity) for x, steps in wanted if x.expired(self.today))

    def find(self, code: str, expires_on: int = 0) -> LotStock | None:
        """A lot by its code (and date, where several bear the code)."""
        same = [x for x in self.lots if x.known and x.code == code]
        dated = [x for x in same if x.expires_on == expires_on] if expires_on else same
        return min(dated or same, key=lambda x: (x.quantity <= 0, x.expires_on), default=None)

    def stock(self, lot_id: int) -> LotStock:
        """A lot by its id. Raises `KeyError`."""
        for lot in self.lots:
            if lot.lot_id == lot_id:
                return lot
        raise KeyError(lot_id)

    def pick(self, quantity: int, on_hand: int, *, expired_first: bool = False) -> Split:
        """Say of which lots `quantity` steps should leave; what is missing is of lot 0."""
        rest = max(on_hand - sum(x.quantity for x in self.lots), 0)
        by_date = sorted(
            (x for x in self.lots if x.quantity > 0),
            key=lambda x: (x.expires_on == 0, x.expires_on, x.lot_id),
        )
        good = [(x.lot_id, x.quantity) for x in by_date if not x.expired(self.today)]
        old = [(x.lot_id, x.quantity) for x in by_date if x.expired(self.today)]
        order = [*old, *good, (0, rest)] if expired_first else [*good, (0, rest), *old]
        split: Split = []
        left = quantity
        for lot_id, held in order:
            taken = min(left, held)
            if taken > 0:
                split.append((lot_id, taken))
                left -= taken
        if left:
            split.append((0, left))
        return _merged(split)

    def change(self, split: Split) -> None:
        """Apply signed changes of lots; `settle` must follow before anything is written."""
        for lot_id, steps in split:
            if lot_id:
                lot = self.stock(lot_id)
                lot.quantity += steps
                lot.known = True
                self.changed.add(lot_id)

    def _wrong_first(self, lot: LotStock) -> tuple[bool, bool, int, int]:
        """Whose attribution gives way first; expired goods last, or they would be sold as good."""
        return lot.expired(self.today), lot.expires_on == 0, lot.expires_on, lot.lot_id

    def settle(self, on_hand: int) -> Split:
        """Make no lot negative and no sum larger than what is on hand.

        Returns the exchange: signed (lot, steps) that add up to zero, empty when all was well.
        """
        exchange: dict[int, int] = {}
        for lot in self.lots:
            if lot.quantity < 0:
                exchange[lot.lot_id] = exchange.get(lot.lot_id, 0) - lot.quantity
        surplus = sum(x.quantity for x in self.lots) + sum(exchange.values()) - max(on_hand, 0)
        for lot in sorted(self.lots, key=self._wrong_first):
            if surplus <= 0:
                break
            given = min(surplus, lot.quantity)
            if given > 0:
                exchange[lot.lot_id] = exchange.get(lot.lot_id, 0) - given
                surplus -= given
        split = [(i, steps) for i, steps in exchange.items() if steps]
        self.change(split)
        unknown = -sum(steps for _, steps in split)
        return [*split, (0, unknown)] if unknown else split


def _merged(split: Split) -> Split:
    totals: dict[int, int] = {}
    for lot_id, steps in split:
        totals[lot_id] = totals.get(lot_id, 0) + steps
    return list(totals.items())
