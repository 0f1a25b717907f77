"""Adjustments: set the books right by a difference, by a count, or in value alone.

A count fixes the level as of its own moment: expected is what the ledger says of that moment
(what moved later is left out), the difference is posted at that moment, and on hand follows.
Counts are what was seen, so they are never refused for want of stock.
"""

from __future__ import annotations

from attrs import evolve

from dianku.context import Context
from dianku.errors import FieldError, Problem, Refused
from dianku.ledger.commands import Line, Posting
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.plan.fitting import Demand, with_lots
from dianku.ledger.plan.inbound import lot_id_of, named_split
from dianku.ledger.plan.making import (
    begin_posting,
    draft_line,
    raise_exception,
    short_of,
)
from dianku.ledger.plan.outbound import lot_split
from dianku.ledger.plan.shortage import tell_short
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.mover import COUNT_REASON, Mover
from dianku.ledger.posting.snapshot import Count, Snapshot
from dianku.quantity import COST_PER_MINOR, cost_of


def plan_adjustment(snapshot: Snapshot, posting: Posting, ctx: Context) -> Draft:
    """Differences and counts, in the order of their moments: so each finds what came before it."""
    posting = with_lots(snapshot, posting)
    _refuse_across(snapshot, posting)
    draft = begin_posting(snapshot, ctx, posting)
    mover = Mover(snapshot, draft)
    _guard(snapshot, posting)
    for line in sorted(posting.lines, key=lambda x: _moment(posting, x)):
        if line.counted is not None:
            _count(snapshot, posting, mover, line)
        elif line.bucket == Bucket.DAMAGED:
            _adjust_damaged(snapshot, mover, line)
        else:
            cost = _adjust(snapshot, posting, mover, line, line.quantity, line.reason or "", None)
            lot_id = lot_id_of(snapshot, line) if line.quantity > 0 else 0
            draft.lines.append(draft_line(line, cost=cost, lot_id=lot_id))
    draft.lines.sort(key=lambda x: x.number)
    if not posting.strict:
        out = [x for x in posting.lines if x.quantity < 0 and x.bucket == Bucket.SELLABLE]
        tell_short(snapshot, posting, draft, [(x.product, -x.quantity) for x in out])
    return draft


def _moment(posting: Posting, line: Line) -> int:
    return posting.occurred_at if line.occurred_at is None else line.occurred_at


def _refuse_across(snapshot: Snapshot, posting: Posting) -> None:
    """Refuse lines of one product on both sides of a count that is there already.

    That count absorbs the earlier one when the document is planned, which is too late for what the
    later one expects. Two documents say it without a doubt.
    """
    first: dict[int, int] = {}
    errors = []
    for line in sorted(posting.lines, key=lambda x: _moment(posting, x)):
        if line.bucket == Bucket.DAMAGED:
            continue
        start = first.setdefault(line.product.id, _moment(posting, line))
        counts = snapshot.counts.get((posting.store.id, line.product.id), ())
        if any(start < c.at <= _moment(posting, line) for c in counts):
            errors.append(FieldError(f"/lines/{line.number - 1}/occurred_at", "count_between"))
    if errors:
        raise Refused(Problem("invalid", errors=errors))


def expected_at(snapshot: Snapshot, pair: tuple[int, int], moment: int) -> int:
    """What the ledger says was on hand at a moment, this batch included.

    Movements at the very moment belong after it, other counts at the very moment before it.
    """
    later = snapshot.moved_since.get((pair, moment), 0)
    later += sum(
        steps
        for occurred_at, of_count, steps in snapshot.moves_planned.get(pair, ())
        if occurred_at > moment or (occurred_at == moment and not of_count)
    )
    return snapshot.balances[pair].on_hand - later


def _guard(snapshot: Snapshot, posting: Posting) -> None:
    """Differences that take goods out must find them; summed per product.

    Under the permissive policy only those that are damaged: of these there is never less than none.
    """
    demand = Demand(snapshot, posting)
    for line in posting.lines:
        if line.counted is None and line.quantity < 0:
            steps = -line.quantity
            demand.add(evolve(line, quantity=steps, parts=((line.product, steps),)))
    short = demand.short()
    if short:
        raise short_of(posting.store, short)


def _count(snapshot: Snapshot, posting: Posting, mover: Mover, line: Line) -> None:
    assert line.counted is not None, "a count"
    pair = posting.store.id, line.product.id
    moment, later = posting.counted_at(line)
    balance = snapshot.balances[pair]
    if line.bucket == Bucket.DAMAGED:
        delta = line.counted - balance.damaged
        cost = _damaged_delta(snapshot, mover, line, delta)
    else:
        if line.lot is None:
            delta = line.counted - expected_at(snapshot, pair, later)
        else:
            delta = _lot_delta(snapshot, mover, line, moment, later)
        cost = _adjust(snapshot, posting, mover, line, delta, COUNT_REASON, moment)
        balance.counted_at = max(balance.counted_at, moment)
        balance.moved = True
        if (pair, later) in snapshot.close_calls:
            figures = {"counted_at": moment}
            raise_exception(mover.draft, "count_boundary", posting.store, line.product, **figures)
            told = {"sku": line.product.sku, "count": ""}
            mover.draft.warnings.append(("count_boundary", told))
        snapshot.counts.setdefault(pair, []).append(Count(0, "", line.number, moment, mover.draft))
    mover.draft.lines.append(
        draft_line(
            line,
            quantity=delta,
            cost=cost,
            occurred_at=moment,
            lot_id=lot_id_of(snapshot, line) if line.lot is not None else 0,
        )
    )


def _lot_delta(snapshot: Snapshot, mover: Mover, line: Line, moment: int, later: int) -> int:
    """What a count of one lot changes: other lots were not counted and stay as they are.

    More than the lot shows is first looked for in what is of no known lot, and a shortage of the
    whole product was of this lot.
    """
    assert line.counted is not None, "a count"
    store, pair = mover.draft.store, (mover.draft.store.id, line.product.id)
    shelf, lot_id = snapshot.shelves[pair], lot_id_of(snapshot, line)
    since = snapshot.lots_moved_since.get((pair, later, lot_id), 0)
    since += sum(
        m.quantity
        for draft in (*snapshot.drafts, mover.draft)
        for m in draft.moves
        if (m.store_id, m.product_id, m.lot_id) == (*pair, lot_id)
        and m.bucket == Bucket.SELLABLE
        and (m.occurred_at > later or (m.occurred_at == later and m.reason != COUNT_REASON))
    )
    missing = line.counted - (shelf.stock(lot_id).quantity - since)
    unknown = snapshot.balances[pair].on_hand - sum(x.quantity for x in shelf.lots)
    found = max(min(unknown, missing), 0)
    if found:
        shelf.change([(lot_id, found)])
        for of_lot, steps in ((lot_id, found), (0, -found)):
            mover.note(
                store,
                line.product,
                line=line.number,
                flow=Flow.REATTRIBUTED,
                quantity=steps,
                value=0,
                lot_id=of_lot,
                occurred_at=moment,
                reason=COUNT_REASON,
            )
    return missing - found - min(expected_at(snapshot, pair, later), 0)


def _adjust(
    snapshot: Snapshot,
    posting: Posting,
    mover: Mover,
    line: Line,
    delta: int,
    reason: str,
    moment: int | None,
) -> int:
    """Move a signed difference; returns its value, positive."""
    if delta == 0:
        return 0
    if delta < 0:
        if line.counted is None:
            split = lot_split(snapshot, posting, line, -delta)
        else:
            split = named_split(snapshot, line, -delta) if line.lot is not None else None
        # Of what nobody knows the lot of, as much as may still be promised is good.
        available = snapshot.balance(posting.store.id, line.product.id).available
        beyond = line.counted is None and -delta > available
        return mover.take(
            line.product,
            -delta,
            line=line.number,
            flow=Flow.ADJUSTED,
            reason=reason,
            split=split,
            occurred_at=moment,
            expired_first=beyond or line.reason == "expired",
        )
    balance = snapshot.balance(posting.store.id, line.product.id)
    value = balance.worth(delta)
    if line.amount is not None:
        value = line.amount * COST_PER_MINOR
    elif line.unit_cost is not None:
        value = cost_of(delta, line.unit_cost, line.product.precision)
    mover.put(
        line.product,
        delta,
        value,
        line=line.number,
        flow=Flow.ADJUSTED,
        reason=reason,
        split=[(lot_id_of(snapshot, line), delta)],
        occurred_at=moment,
    )
    return value


def _adjust_damaged(snapshot: Snapshot, mover: Mover, line: Line) -> None:
    cost = _damaged_delta(snapshot, mover, line, line.quantity)
    mover.draft.lines.append(draft_line(line, cost=cost))


def _damaged_delta(snapshot: Snapshot, mover: Mover, line: Line, delta: int) -> int:
    store = mover.draft.store
    balance = snapshot.balance(store.id, line.product.id)
    if delta < 0:
        value = -balance.take_damaged(-delta)
    else:
        unit = balance.last_cost if line.unit_cost is None else line.unit_cost
        value = cost_of(delta, unit, line.product.precision)
        balance.put_damaged(delta, value)
    if delta:
        mover.note(
            store,
            line.product,
            line=line.number,
            flow=Flow.ADJUSTED,
            quantity=delta,
            value=value,
            bucket=Bucket.DAMAGED,
            reason=line.reason or "",
        )
    return abs(value)


def plan_cost_adjustment(snapshot: Snapshot, posting: Posting, ctx: Context) -> Draft:
    """Change what stock is worth, today: a late invoice, a discount afterwards."""
    draft = begin_posting(snapshot, ctx, posting)
    mover = Mover(snapshot, draft)
    for line in posting.lines:
        value = (line.amount or 0) * COST_PER_MINOR
        balance = snapshot.balance(posting.store.id, line.product.id)
        if balance.on_hand <= 0 or balance.value + value < 0:
            raise Refused(Problem("value_below_zero", {"sku": line.product.sku}))
        balance.revalue(value)
        mover.note(
            posting.store,
            line.product,
            line=line.number,
            flow=Flow.COST_ADJUSTED,
            quantity=0,
            value=value,
            reason=line.reason or "",
        )
        draft.lines.append(draft_line(line, cost=value))
    return draft
