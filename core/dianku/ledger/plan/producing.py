"""Production: components out, the made product in, worth what went into it; and breaking it up.

A negative difference breaks made goods up again: they leave at their average, the components
come back sharing that value in proportion to their own worth.
"""

from __future__ import annotations

from collections.abc import Iterator

from dianku.catalog.records import Product
from dianku.context import Context
from dianku.ledger.commands import Line, Posting
from dianku.ledger.composition import parts_of
from dianku.ledger.flows import Flow
from dianku.ledger.plan.doubts import doubt_quantities
from dianku.ledger.plan.fitting import with_lots
from dianku.ledger.plan.inbound import named_split
from dianku.ledger.plan.making import begin_posting, draft_line, seen_by_count, short_of
from dianku.ledger.plan.outbound import lot_split
from dianku.ledger.plan.shortage import tell_short
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.mover import Mover
from dianku.ledger.posting.snapshot import Snapshot
from dianku.quantity import share_of

Parts = tuple[tuple[Product, int], ...]


def ingredients(snapshot: Snapshot, line: Line) -> Parts:
    """What making (or breaking up) a line's quantity uses (or gives): (product, steps)."""
    return parts_of(line.product, abs(line.quantity), line.recipe, snapshot.cache)


def plan_production(snapshot: Snapshot, posting: Posting, ctx: Context) -> Draft:
    """Make or break up, line by line; what goes out must be there."""
    posting = with_lots(snapshot, posting)
    draft = begin_posting(snapshot, ctx, posting)
    mover = Mover(snapshot, draft)
    if posting.strict:
        _guard(snapshot, posting)
    for line in posting.lines:
        cost = (
            _make(snapshot, mover, line)
            if line.quantity > 0
            else _break_up(snapshot, mover, posting, line)
        )
        draft.lines.append(draft_line(line, cost=cost))
    doubt_quantities(snapshot, draft, (x for x in posting.lines if x.quantity > 0))
    if not posting.strict:
        tell_short(snapshot, posting, draft, _out(snapshot, posting))
    return draft


def _out(snapshot: Snapshot, posting: Posting) -> Iterator[tuple[Product, int]]:
    """What leaves: ingredients of what is made, what is broken up itself."""
    for line in posting.lines:
        if line.quantity > 0:
            yield from ingredients(snapshot, line)
        else:
            yield line.product, -line.quantity


def _guard(snapshot: Snapshot, posting: Posting) -> None:
    wanted: dict[int, int] = {}
    for product, steps in _out(snapshot, posting):
        wanted[product.id] = wanted.get(product.id, 0) + steps
    needed, short = [], []
    for product_id, steps in wanted.items():
        pair = posting.store.id, product_id
        there = snapshot.balances[pair].available
        needed.append((snapshot.cache.product(product_id), steps, max(there, 0)))
        if steps > there and not seen_by_count(snapshot, pair, posting.occurred_at):
            short.append(needed[-1])
    if short:
        raise short_of(posting.store, short, needed=needed)


def _make(snapshot: Snapshot, mover: Mover, line: Line) -> int:
    cost = 0
    for product, steps in ingredients(snapshot, line):
        cost += mover.take(product, steps, line=line.number, flow=Flow.CONSUMED)
    mover.put(
        line.product,
        line.quantity,
        cost,
        line=line.number,
        flow=Flow.PRODUCED,
        split=named_split(snapshot, line),
    )
    return cost


def _break_up(snapshot: Snapshot, mover: Mover, posting: Posting, line: Line) -> int:
    steps = -line.quantity
    split = lot_split(snapshot, posting, line, steps)
    cost = mover.take(line.product, steps, line=line.number, flow=Flow.PRODUCED, split=split)
    store = mover.draft.store
    parts = ingredients(snapshot, line)
    worths = [snapshot.balance(store.id, p.id).worth(steps) for p, steps in parts]
    if not sum(worths):
        worths = [steps for _, steps in parts]
    total, done, given = sum(worths), 0, 0
    for (product, steps), worth in zip(parts, worths, strict=True):
        done += worth
        value = share_of(cost, done, total) - given
        given += value
        mover.put(product, steps, value, line=line.number, flow=Flow.CONSUMED)
    return cost
