"""How the plain model undoes a document: once, for what is still reversible (R4).

What went out comes back at the cost it left with; what came in leaves at the current average, and
only if it is there. A count is taken back at its own moment; a late movement on hand does not feel.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from plain_cells import Document, Line, Refusal, share_parts
from plain_shop import Shop

Undo = Callable[[Shop, Document, int], None]


def reverse(shop: Shop, document: Document, *, now: int) -> None:
    """Undo a document or refuse."""
    if document.reversed:
        raise Refusal("not_reversible")
    if document.counts:
        _count(shop, document)
    else:
        _UNDO[document.kind](shop, document, now)
        moved = shop.moved()
        for place, count in document.absorbed.items():
            if not count.reversed and place in moved:
                shop.restate(place, count, *(-figure for figure in moved[place]))
    document.reversed = True


def _count(shop: Shop, document: Document) -> None:
    """Take back all that the counts moved, at their moment; later counts absorb that."""
    for line, count in zip(document.lines, document.counts, strict=True):
        cell = shop.cells[document.store, line.sku]
        cell.counts = [other for other in cell.counts if other is not count]
        count.reversed = True
        if count.steps > 0:
            shop.move_out(document.store, line.sku, count.steps, at=count.at)
        elif count.steps < 0:
            worth = max(-count.value, 0)
            shop.move_in(document.store, line.sku, -count.steps, worth, at=count.at)
        if count.steps:
            cell.moves[-1] = (count.at, False, -count.steps)
    shop.absorb(at=document.at)


def _issue(shop: Shop, document: Document, now: int) -> None:
    left = [line for line in document.lines if line.left]
    if not left:
        raise Refusal("not_reversible")
    for line in left:
        rest = share_parts(line, line.back, line.quantity)
        shop.give(document.store, rest, bucket="sellable", at=now)
        line.back = line.quantity
        if line.kept:
            shop.cells[document.store, line.sku].kept -= line.kept - line.handed_over


def _inward(shop: Shop, document: Document, now: int) -> None:
    rest = [
        (line, share_parts(line, line.back, line.quantity)) for line in document.lines if line.left
    ]
    if not rest:
        raise Refusal("not_reversible")
    demand: dict[str, dict[str, int]] = {"sellable": {}, "damaged": {}, "none": {}}
    for line, parts in rest:
        sums = demand[line.bucket]
        for part in parts:
            sums[part.sku] = sums.get(part.sku, 0) + part.quantity
    _guard(shop, document, demand["sellable"], now=now)
    if any(n > shop.cells[document.store, s].damaged for s, n in demand["damaged"].items()):
        raise Refusal("not_reversible", "insufficient_stock")
    for line, parts in rest:
        for part in parts:
            if line.bucket == "sellable":
                shop.move_out(document.store, part.sku, part.quantity, at=now)
            elif line.bucket == "damaged":
                shop.cells[document.store, part.sku].take_damaged(part.quantity)
        if line.of is not None:
            line.of.back -= line.left
        line.back = line.quantity


def _outward(shop: Shop, document: Document, now: int) -> None:
    for line in document.lines:
        shop.give(document.store, line.parts, bucket=line.bucket, at=now)
        if line.of is not None:
            line.of.back -= line.quantity


def _transfer(shop: Shop, document: Document, now: int) -> None:
    if document.closed:
        raise Refusal("not_reversible", "transfer_closed")
    rest = shop.drop_rest(document)
    shop.give(document.store, rest, bucket="sellable", at=now)
    document.closed = True


def _adjustment(shop: Shop, document: Document, now: int) -> None:
    _guard_in_turn(shop, document, now=now)
    for line in document.lines:
        _undo_delta(shop, document.store, line, now=now)


def _guard_in_turn(shop: Shop, document: Document, *, now: int) -> None:
    """Line by line, as they are undone: what an earlier line brings back is there for a later."""
    change: dict[str, int] = defaultdict(int)
    for line in document.lines:
        there = shop.available(document.store, line.sku, now=now) + change[line.sku]
        if line.quantity > 0 and line.quantity > there:
            raise Refusal("not_reversible", "insufficient_stock")
        change[line.sku] -= line.quantity


def _undo_delta(shop: Shop, store: str, line: Line, *, now: int) -> None:
    [part] = line.parts
    if line.quantity > 0:
        shop.move_out(store, line.sku, line.quantity, at=now)
    elif line.quantity < 0:
        shop.move_in(store, line.sku, -part.quantity, -part.cost, at=now)


def _production(shop: Shop, document: Document, now: int) -> None:
    demand: dict[str, int] = defaultdict(int)
    for line in document.lines:
        for sku, steps in _made(line):
            demand[sku] += steps
    _guard(shop, document, demand, now=now)
    for line in document.lines:
        for sku, steps in _made(line):
            shop.move_out(document.store, sku, steps, at=now)
        if line.quantity > 0:
            shop.give(document.store, line.parts, bucket="sellable", at=now)
        else:
            cost = sum(part.cost for part in line.parts)
            shop.move_in(document.store, line.sku, -line.quantity, cost, at=now)


def _made(line: Line) -> list[tuple[str, int]]:
    """What came of making or breaking up."""
    if line.quantity > 0:
        return [(line.sku, line.quantity)]
    return [(part.sku, part.quantity) for part in line.parts]


def _cost(shop: Shop, document: Document, now: int) -> None:
    del now
    changes: dict[str, int] = defaultdict(int)
    for line in document.lines:
        changes[line.sku] -= line.parts[0].cost
    cells = {sku: shop.cells[document.store, sku] for sku in changes}
    if any(cells[sku].value + v < 0 or cells[sku].on_hand <= 0 for sku, v in changes.items()):
        raise Refusal("value_below_zero", "not_reversible")
    for sku, value in changes.items():
        cells[sku].add(0, value)


def _guard(shop: Shop, document: Document, demand: Mapping[str, int], *, now: int) -> None:
    """What must leave must be there, but for what a count had seen: on hand does not move."""
    seen = {sku for (_, sku), count in document.absorbed.items() if not count.reversed}
    wanted = {sku: steps for sku, steps in demand.items() if steps and sku not in seen}
    try:
        shop.guard(document.store, wanted, now=now)
    except Refusal as refusal:
        raise Refusal("not_reversible", "insufficient_stock") from refusal


_UNDO: Mapping[str, Undo] = {
    "issue": _issue,
    "receipt": _inward,
    "customer_return": _inward,
    "supplier_return": _outward,
    "write_off": _outward,
    "transfer": _transfer,
    "adjustment": _adjustment,
    "production": _production,
    "cost_adjustment": _cost,
}
