"""Give back what a sale took: the same components, at the cost they left with, lot by lot.

A line may come back in several parts. Each part is the difference of two cumulative shares of
what the line took, so after the last part everything is back: no unit and no ten-thousandth
is lost to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.posting.lots import Split
from dianku.ledger.posting.snapshot import Family, StoredLine
from dianku.quantity import share_of


@frozen
class Taken:
    """What of one product comes back: steps, of which lots, and the value they left with."""

    product_id: int
    lots: Split
    quantity: int
    value: int
    component: bool

    def by_lot(self) -> Iterator[tuple[int, int, int]]:
        """Yield (lot, steps, value); the values add up."""
        done = valued = 0
        for lot_id, steps in self.lots:
            done += steps
            value = share_of(self.value, done, self.quantity) - valued
            valued += value
            yield lot_id, steps, value


def returned_so_far(family: Family, line: int) -> int:
    """Steps of a sale's line that customers have brought back."""
    return family.done(line, "post", kind="customer_return")


def taken_between(family: Family, line: StoredLine, start: int, end: int) -> list[Taken]:
    """What the steps from `start` to `end` of a sold line took, in the order they left."""
    totals: dict[int, tuple[int, int]] = {}
    moves = [
        m
        for m in family.root.moves
        if m.line == line.number
        and m.bucket == Bucket.SELLABLE
        and m.flow in (Flow.SOLD, Flow.COMPONENT)
    ]
    for move in moves:
        quantity, value = totals.get(move.product_id, (0, 0))
        totals[move.product_id] = quantity - move.quantity, value - move.value
    taken: list[Taken] = []
    for product_id, (quantity, value) in totals.items():
        first = share_of(quantity, start, line.quantity)
        last = share_of(quantity, end, line.quantity)
        worth = share_of(value, end, line.quantity) - share_of(value, start, line.quantity)
        component = any(m.flow == Flow.COMPONENT for m in moves if m.product_id == product_id)
        spans = [(m.lot_id, -m.quantity) for m in moves if m.product_id == product_id]
        lots = _cut(spans, first, last)
        if lots:
            taken.append(Taken(product_id, lots, last - first, worth, component))
    return taken


def _cut(spans: Split, first: int, last: int) -> Split:
    """The steps from `first` to `last` of a run of lots, in the order they left."""
    cut: Split = []
    position = 0
    for lot_id, steps in spans:
        begin, end = max(position, first), min(position + steps, last)
        if end > begin:
            cut.append((lot_id, end - begin))
        position += steps
    return cut


def amount_between(line: StoredLine, start: int, end: int) -> int:
    """The share of what was really paid for the steps from `start` to `end`, minor units."""
    paid = line.amount or 0
    return share_of(paid, end, line.quantity) - share_of(paid, start, line.quantity)
