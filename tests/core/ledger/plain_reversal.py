"""How the plain model undoes a document: once, for what is still reversible (R4).

What went out comes back at the cost it left with; what came in leaves at the current average, and
only if it is there. A count is taken back at its own moment; a late movement on hand does not feel.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import replace

from plain_cells import Document, Line, Part, Refusal, share_parts
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
                shop.restate(place, count, *(-figure for figure in moved[place]), at=now)
    document.reversed = True


def _count(shop: Shop, document: Document) -> None:
    """Take back all that the counts moved, at their moment; later counts absorb that."""
    for line, count in zip(document.lines, document.counts, strict=True):
        cell = shop.cells[document.store, line.sku]
        cell.counts = [other for other in cell.counts if other is not count]
        count.reversed = True
        lots = count.split()
        if count.steps > 0:
            shop.move_out(document.store, line.sku, count.steps, at=count.at, lots=lots)
        elif count.steps < 0:
            worth = max(-count.value, 0)
            shop.move_in(document.store, line.sku, -count.steps, worth, at=count.at, lots=lots)
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
        if line.waiting:
            shop.cells[document.store, line.sku].kept -= line.waiting
    for line in document.lines:
        line.over = True


def _inward(shop: Shop, document: Document, now: int) -> None:
    rest = [
        (line, share_parts(line, line.back, line.quantity)) for line in document.lines if line.left
    ]
    if not rest:
        raise Refusal("not_reversible")
    if any(line.kept and line.of is not None and line.of.over for line, _ in rest):
        raise Refusal("not_reversible")
    damaged: dict[str, int] = defaultdict(int)
    for line, parts in rest:
        for part in parts:
            damaged[part.sku] += part.quantity if line.bucket == "damaged" else 0
    _guard(shop, document, [p for x, ps in rest if x.bucket == "sellable" for p in ps], now=now)
    if any(n > shop.cells[document.store, s].damaged for s, n in damaged.items()):
        raise Refusal("not_reversible", "insufficient_stock")
    for line, parts in rest:
        for part in parts:
            if line.bucket == "sellable":
                shop.move_out(document.store, part.sku, part.quantity, at=now, lots=part.lots)
            elif line.bucket == "damaged":
                shop.cells[document.store, part.sku].take_damaged(part.quantity)
        if line.of is not None:
            line.of.back -= line.left
            if line.kept:
                line.of.taken_back -= line.kept
                shop.cells[document.store, line.sku].kept += line.kept
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
    for attempt in (_trial(shop, document), shop):
        for line in document.lines:
            _guard_delta(attempt, document, line, now=now)
            _undo_delta(attempt, document.store, line, now=now)


def _trial(shop: Shop, document: Document) -> Shop:
    """The same stock once more: line by line, what an earlier one brings back is there."""
    trial = copy(shop)
    places = {(document.store, line.sku) for line in document.lines}
    trial.cells = {
        p: replace(shop.cells[p], moves=[], counts=[], shelf=deepcopy(shop.cells[p].shelf))
        for p in places
    }
    trial.moved()
    return trial


def _guard_delta(shop: Shop, document: Document, line: Line, *, now: int) -> None:
    there = max(shop.available(document.store, line.sku, now=now), 0)
    there += _past(shop, document.store, line.parts)
    if line.quantity > there:
        raise Refusal("not_reversible", "insufficient_stock")


def _undo_delta(shop: Shop, store: str, line: Line, *, now: int) -> None:
    [part] = line.parts
    if line.quantity > 0:
        shop.move_out(store, line.sku, line.quantity, at=now, lots=part.lots)
    elif line.quantity < 0:
        shop.move_in(store, line.sku, -part.quantity, -part.cost, at=now, lots=part.lots)


def _production(shop: Shop, document: Document, now: int) -> None:
    _guard(shop, document, [part for line in document.lines for part in _made(line)], now=now)
    for line in document.lines:
        for part in _made(line):
            shop.move_out(document.store, part.sku, part.quantity, at=now, lots=part.lots)
        if line.quantity > 0:
            shop.give(document.store, line.parts, bucket="sellable", at=now)
        else:
            cost = sum(part.cost for part in line.parts)
            shop.move_in(document.store, line.sku, -line.quantity, cost, at=now)


def _made(line: Line) -> list[Part]:
    """What came of making or breaking up."""
    return [Part(line.sku, line.quantity, 0)] if line.quantity > 0 else line.parts


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


def _past(shop: Shop, store: str, parts: Sequence[Part]) -> int:
    """How much of what must leave is past its date and there: it needs nothing of what may sell."""
    shelf = shop.cells[store, parts[0].sku].shelf
    return shelf.as_far_as([x for p in parts for x in p.lots], shop.today) if shelf else 0


def _guard(shop: Shop, document: Document, out: Sequence[Part], *, now: int) -> None:
    """What must leave must be there, but for what a count had seen: on hand does not move."""
    seen = {sku for (_, sku), count in document.absorbed.items() if not count.reversed}
    wanted: dict[str, int] = {}
    for sku in {part.sku for part in out} - seen:
        parts = [part for part in out if part.sku == sku]
        steps = sum(p.quantity for p in parts) - _past(shop, document.store, parts)
        if steps:
            wanted[sku] = steps
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
