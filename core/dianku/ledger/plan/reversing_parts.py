"""What every reversal uses: a line's own moves, its refusal, whether a count absorbed it."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from dianku.catalog.records import Product, Store
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.posting.lots import Split
from dianku.ledger.posting.snapshot import (
    Count,
    Family,
    Original,
    Pair,
    Snapshot,
    StoredLine,
    StoredMove,
)
from dianku.quantity import format_quantity

Refusals = list[dict[str, Any]]


def line_refusal(line: StoredLine, product: Product, wanted: int, there: int) -> dict[str, Any]:
    """What is told of a line that cannot be taken back: how much of what is there."""
    return {
        "line": line.number,
        "sku": product.sku,
        "requested": format_quantity(wanted, product.precision),
        "available": format_quantity(max(there, 0), product.precision),
    }


def absorbed_by_count(snapshot: Snapshot, family: Family, product: Product) -> bool:
    """Whether a count has seen this movement, so that taking it back moves nothing either."""
    pair = family.root.store_id, product.id
    return count_of_late(snapshot, family.root, pair) is not None or any(
        line.product_id == product.id
        for child in family.living("absorption")
        if child.cause_id == family.root.id
        for line in child.lines
    )


def takeable(snapshot: Snapshot, store: Store, product: Product, split: Split) -> int:
    """How many steps of these lots may leave: what is available, and what is past its date."""
    pair = store.id, product.id
    shelf = snapshot.shelf(pair)
    expired = shelf.expired_of(split) if shelf is not None else 0
    return max(snapshot.balances[pair].available, 0) + expired


def count_of_late(snapshot: Snapshot, root: Original, pair: Pair) -> Count | None:
    """The count that has seen a late document's goods, None for one that was not late.

    Usually the count that absorbed it; where that was taken back, the next that it came too late
    for.
    """
    moved = [
        m.occurred_at
        for m in root.moves
        if (m.store_id, m.product_id) == pair and m.bucket == Bucket.SELLABLE
    ]
    if not moved:
        return None
    later = [
        c
        for c in snapshot.counts.get(pair, ())
        if c.at > min(moved) and 0 < c.document_id < root.id
    ]
    return min(later, key=lambda c: c.at, default=None)


def own_moves(root: Original, line: int) -> list[StoredMove]:
    """A line's own moves, without settlements, exchanges of lots and what waits for its owner."""
    beside = (Flow.SETTLED, Flow.REATTRIBUTED, Flow.KEPT)
    return [m for m in root.moves if m.line == line and m.flow not in beside]


def moves_together(root: Original, line: int) -> list[tuple[StoredMove, list[tuple[int, int]]]]:
    """A line's own moves, those that differ in the lot alone as one, with their (lot, steps).

    What is taken lot by lot is rounded lot by lot; a line has one cost.
    """
    groups: dict[tuple[int, int, int, bool], list[StoredMove]] = {}
    for move in own_moves(root, line):
        key = move.product_id, move.bucket, move.flow, move.quantity > 0
        groups.setdefault(key, []).append(move)
    return [
        (
            evolve(
                moves[0],
                quantity=sum(m.quantity for m in moves),
                value=sum(m.value for m in moves),
            ),
            [(m.lot_id, m.quantity) for m in moves],
        )
        for moves in groups.values()
    ]
