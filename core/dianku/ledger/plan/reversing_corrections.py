"""Take corrections back: adjustments, counts with what they absorbed, production, changes of value.

A difference is taken back net, a count at its own moment.
"""

from __future__ import annotations

from collections.abc import Iterable

from dianku.catalog.records import Product, Store
from dianku.context import Context
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.plan.absorbing import absorb_by
from dianku.ledger.plan.making import begin
from dianku.ledger.plan.reversing_parts import (
    Refusals,
    absorbed_by_count,
    count_of_late,
    line_refusal,
    moves_together,
    own_moves,
    takeable,
)
from dianku.ledger.posting.draft import Draft, DraftLine, Move
from dianku.ledger.posting.lots import Split
from dianku.ledger.posting.mover import COUNT_REASON, Mover
from dianku.ledger.posting.snapshot import Count, Family, Pair, Snapshot, StoredLine, StoredMove


def reverse_adjustment(
    snapshot: Snapshot, family: Family, mover: Mover, refusals: Refusals
) -> None:
    """Take differences back, and a count with all that it absorbed."""
    root, draft = family.root, mover.draft
    absorbed = _absorbed_by_line(family)
    for line in root.lines:
        product = snapshot.cache.product(line.product_id)
        pair = draft.store.id, product.id
        if line.counted is not None:
            counts = snapshot.counts.get(pair, [])
            snapshot.counts[pair] = [c for c in counts if c.document_id != root.id]
            balance = snapshot.balances[pair]
            balance.counted_at = max((c.at for c in snapshot.counts[pair]), default=0)
        moves = [*own_moves(root, line.number)]
        moves += absorbed.get(line.number, ())
        missing = _missing_gain(snapshot, family, draft.store, line, _nets(moves))
        refusals += missing
        if missing:
            continue
        cost, variance = _undo_adjusted(snapshot, mover, line, product, moves)
        net = sum(m.quantity for m in moves if m.flow == Flow.ADJUSTED)
        draft.lines.append(
            DraftLine(
                line.number,
                product,
                -net,
                cost=-cost,
                variance=variance,
                of_line=line.number,
                reason=line.reason,
                bucket=line.bucket,
                occurred_at=line.occurred_at,
            )
        )


def _absorbed_by_line(family: Family) -> dict[int, list[StoredMove]]:
    """What each line of a count has absorbed since: the same product may stand on others, too."""
    absorbed: dict[int, list[StoredMove]] = {}
    for child in family.living("absorption"):
        if child.of_document_id == family.root.id:
            of_line = {line.number: line.of_line or 0 for line in child.lines}
            for move in child.moves:
                absorbed.setdefault(of_line[move.line], []).append(move)
    return absorbed


def _missing_gain(
    snapshot: Snapshot, family: Family, store: Store, line: StoredLine, split: Split
) -> Refusals:
    """What was found too much and is not there any more to be taken back."""
    damaged = line.bucket == Bucket.DAMAGED
    if line.quantity <= 0 or (line.counted is not None and not damaged):
        return []
    product = snapshot.cache.product(line.product_id)
    if damaged:
        there = snapshot.balance(store.id, product.id).damaged
    elif absorbed_by_count(snapshot, family, product):
        return []
    else:
        there = takeable(snapshot, store, product, split)
    return [line_refusal(line, product, line.quantity, there)] if line.quantity > there else []


def _undo_adjusted(
    snapshot: Snapshot,
    mover: Mover,
    line: StoredLine,
    product: Product,
    moves: list[StoredMove],
) -> tuple[int, int]:
    """Move the net of a line's adjustments back; returns what that was worth, and the variance."""
    draft = mover.draft
    balance = snapshot.balance(draft.store.id, product.id)
    reason = COUNT_REASON if line.counted is not None else ""
    # A count beside it is taken back at its own moment; a difference is true from now on.
    moment = line.occurred_at if line.counted is not None else snapshot.now_ms
    moves = [m for m in moves if m.flow == Flow.ADJUSTED]
    net = sum(m.quantity for m in moves)
    value = sum(m.value for m in moves)
    if line.bucket == Bucket.DAMAGED:
        if net > 0:
            worth = -balance.take_damaged(net)
        else:
            worth = -value
            balance.put_damaged(-net, worth)
        mover.note(
            draft.store,
            product,
            line=line.number,
            flow=Flow.ADJUSTED,
            quantity=-net,
            value=worth,
            bucket=Bucket.DAMAGED,
            reason=line.reason or "",
            occurred_at=moment,
        )
        return abs(worth), value + worth
    if net > 0:
        worth = mover.take(
            product,
            net,
            line=line.number,
            flow=Flow.ADJUSTED,
            reason=reason,
            occurred_at=moment,
            split=_one_way(_nets(moves)),
        )
        return worth, value - worth
    if net < 0:
        worth = max(-value, 0)
        mover.put(
            product,
            -net,
            worth,
            line=line.number,
            flow=Flow.ADJUSTED,
            reason=reason,
            occurred_at=moment,
            split=_one_way([(lot_id, -steps) for lot_id, steps in _nets(moves)]),
        )
        return worth, value + worth
    return 0, value


def _nets(moves: Iterable[StoredMove]) -> Split:
    """What adjustments moved of each lot, taken together."""
    nets: dict[int, int] = {}
    for move in moves:
        if move.flow == Flow.ADJUSTED and move.bucket == Bucket.SELLABLE:
            nets[move.lot_id] = nets.get(move.lot_id, 0) + move.quantity
    return [(lot_id, steps) for lot_id, steps in nets.items() if steps]


def _one_way(split: Split) -> Split | None:
    """The lots to take a net back of; None to choose, where some moved the other way."""
    return split if all(steps > 0 for _, steps in split) else None


def reverse_production(
    snapshot: Snapshot, family: Family, mover: Mover, refusals: Refusals
) -> None:
    """What was made leaves at its average and must be there; what was used comes back."""
    root, draft = family.root, mover.draft
    for line in root.lines:
        product = snapshot.cache.product(line.product_id)
        moves = moves_together(root, line.number)
        cost = 0
        for move, lots in sorted(moves, key=lambda m: m[0].quantity < 0):
            part = snapshot.cache.product(move.product_id)
            if move.quantity > 0:
                there = takeable(snapshot, draft.store, part, lots)
                if move.quantity > there and not absorbed_by_count(snapshot, family, part):
                    refusals.append(line_refusal(line, part, move.quantity, there))
                    continue
                cost += mover.take(
                    part,
                    move.quantity,
                    line=line.number,
                    flow=Flow(move.flow),
                    split=lots,
                )
            else:
                mover.put(
                    part,
                    -move.quantity,
                    -move.value,
                    line=line.number,
                    flow=Flow(move.flow),
                    split=[(lot_id, -steps) for lot_id, steps in lots],
                )
        draft.lines.append(
            DraftLine(
                line.number,
                product,
                -line.quantity,
                cost=-cost,
                variance=line.cost - cost,
                of_line=line.number,
            )
        )


def reverse_cost(snapshot: Snapshot, family: Family, mover: Mover, refusals: Refusals) -> None:
    """Take a change of value back, as long as that leaves no negative value."""
    draft = mover.draft
    for line in family.root.lines:
        product = snapshot.cache.product(line.product_id)
        balance = snapshot.balance(draft.store.id, product.id)
        if balance.on_hand <= 0 or balance.value - line.cost < 0:
            refusals.append(line_refusal(line, product, 0, balance.on_hand))
            continue
        balance.revalue(-line.cost)
        mover.note(
            draft.store,
            product,
            line=line.number,
            flow=Flow.COST_ADJUSTED,
            quantity=0,
            value=-line.cost,
            reason=line.reason or "",
        )
        draft.lines.append(
            DraftLine(
                line.number,
                product,
                0,
                amount=None if line.amount is None else -line.amount,
                cost=-line.cost,
                of_line=line.number,
                reason=line.reason,
            )
        )


def take_absorption_back(snapshot: Snapshot, family: Family, reversal: Draft, ctx: Context) -> None:
    """A reversed late movement had been absorbed by counts: reverse that too, when it is reversed.

    At that moment and not at the count's: dated back, the level of the count and of all moments
    since would fall by what only the reversal brings back. A count is taken back at its own moment,
    so what a later count had absorbed of it that count absorbs of its reversal, as of every
    movement before it: of that nothing is left to do here. Where the count that absorbed it was
    taken back, the next one it came too late for has seen it.
    """
    absorbed: set[Pair] = set()
    for child in family.living("absorption"):
        if child.cause_id != family.root.id:
            continue
        absorbed |= {(child.store_id, line.product_id) for line in child.lines}
        store = snapshot.cache.stores_by_id[child.store_id]
        draft = begin(
            snapshot,
            ctx,
            kind="adjustment",
            action="absorption",
            store=store,
            occurred_at=reversal.occurred_at,
            of_document_id=child.of_document_id,
            cause=reversal,
        )
        mover = Mover(snapshot, draft)
        for line in child.lines:
            product = snapshot.cache.product(line.product_id)
            moment = line.occurred_at or child.occurred_at
            moves = [
                m
                for m in reversal.moves
                if m.product_id == product.id
                and m.store_id == store.id
                and m.bucket == Bucket.SELLABLE
                and m.occurred_at >= moment
            ]
            if not moves:
                continue
            mover.undo(
                product,
                moves,
                store=store,
                line=line.number,
                flow=Flow.ADJUSTED,
                reason=COUNT_REASON,
                occurred_at=reversal.occurred_at,
            )
            draft.lines.append(
                DraftLine(
                    line.number,
                    product,
                    -sum(m.quantity for m in moves),
                    cost=abs(sum(m.value for m in moves)),
                    of_line=line.of_line,
                    occurred_at=reversal.occurred_at,
                )
            )
        if draft.lines:
            snapshot.drafts.append(draft)
    _absorb_by_next(snapshot, family, reversal, ctx, absorbed)


def _absorb_by_next(
    snapshot: Snapshot, family: Family, reversal: Draft, ctx: Context, absorbed: set[Pair]
) -> None:
    groups: dict[tuple[int, int], list[tuple[Count, Move]]] = {}
    for move in reversal.moves:
        pair = move.store_id, move.product_id
        if move.bucket != Bucket.SELLABLE or pair in absorbed:
            continue
        count = count_of_late(snapshot, family.root, pair)
        if count is not None and move.occurred_at >= count.at:
            groups.setdefault((count.document_id, move.store_id), []).append((count, move))
    for seen in groups.values():
        absorb_by(snapshot, reversal, ctx, seen, at=reversal.occurred_at)
