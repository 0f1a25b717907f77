"""Give back what a sale took: the same components, at the cost they left with, lot by lot.

A line may come back in several parts. Each part is the difference of two cumulative shares of
what the line took, so after the last part everything is back: no unit and no ten-thousandth
is lost to rounding.
"""

from __future__ import annotations

from attrs import frozen

from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.snapshot import Family, StoredLine
from dianku.quantity import share_of


@frozen
class Taken:
    """What of one product and lot comes back: steps and the value they left with."""

    product_id: int
    lot_id: int
    quantity: int
    value: int
    component: bool


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
        taken += _by_lot(product_id, spans, first, last, worth, component=component)
    return taken


def _by_lot(
    product_id: int,
    spans: list[tuple[int, int]],
    first: int,
    last: int,
    worth: int,
    *,
    component: bool,
) -> list[Taken]:
    """Cut the steps from `first` to `last` out of the lots in the order they left."""
    cut: list[tuple[int, int]] = []
    position = 0
    for lot_id, steps in spans:
        begin, end = max(position, first), min(position + steps, last)
        if end > begin:
            cut.append((lot_id, end - begin))
        position += steps
    total = sum(steps for _, steps in cut)
    taken: list[Taken] = []
    done = valued = 0
    for lot_id, steps in cut:
        done += steps
        value = share_of(worth, done, total) - valued
        valued += value
        taken.append(Taken(product_id, lot_id, steps, value, component))
    return taken


def amount_between(line: StoredLine, start: int, end: int) -> int:
    """The share of what was really paid for the steps from `start` to `end`, minor units."""
    paid = line.amount or 0
    return share_of(paid, end, line.quantity) - share_of(paid, start, line.quantity)
