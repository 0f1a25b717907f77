"""Reversal: a document is taken back once, for what is still reversible.

Sales come back at the cost they left with, less what customers have returned already. What came
in leaves at the current average (the difference is the line's `variance`) and must be there, as
for a return to the supplier. A reversed count is taken back at its own moment, with what it
absorbed; a reversed late movement takes its absorption back with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dianku.catalog.records import Product
from dianku.context import Context
from dianku.errors import Problem, Refused, refuse
from dianku.ledger.commands import Reverse
from dianku.ledger.draft import Draft, DraftLine
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.mover import COUNT_REASON, Mover
from dianku.ledger.plan.giving_back import amount_between, returned_so_far, taken_between
from dianku.ledger.plan.making import begin
from dianku.ledger.plan.transferring import on_the_way
from dianku.ledger.snapshot import Family, Original, Snapshot, StoredLine, StoredMove
from dianku.quantity import format_quantity, share_of

Refusals = list[dict[str, Any]]


def plan_reversal(snapshot: Snapshot, command: Reverse, ctx: Context) -> Draft:
    """Take a document back.

    Raises:
        Refused: `not_found`, `already_reversed`, or `not_reversible` with the lines.
    """
    family = snapshot.families.get(command.number)
    if family is None:
        raise refuse("not_found", what="document", name=command.number)
    root = family.root
    if root.reversed:
        raise refuse("already_reversed", number=root.reversed_by)
    if root.action != "post":
        raise refuse("not_reversible", number=root.number, extra={"lines": []})
    store = snapshot.cache.stores_by_id[root.store_id]
    draft = begin(
        snapshot,
        ctx,
        kind=root.kind,
        action="reversal",
        store=store,
        to_store=snapshot.cache.stores_by_id.get(root.to_store_id or 0),
        channel=snapshot.cache.channels_by_id.get(root.channel_id or 0),
        reference=root.reference,
        supplier=root.supplier,
        reverses_id=root.id,
        reverses_number=root.number,
        note=command.reason,
        # A count speaks of a moment, so taking it back speaks of the same one.
        occurred_at=max(line.occurred_at or 0 for line in root.lines) if _is_count(root) else None,
    )
    refusals: Refusals = []
    _KINDS[root.kind](snapshot, family, Mover(snapshot, draft), refusals)
    if refusals or not draft.lines:
        raise Refused(Problem("not_reversible", {"number": root.number},
                              extra={"lines": refusals}))
    return draft


def _is_count(root: Original) -> bool:
    return any(line.counted is not None for line in root.lines)


def _refusal(line: StoredLine, product: Product, wanted: int, there: int) -> dict[str, Any]:
    return {
        "line": line.number,
        "sku": product.sku,
        "requested": format_quantity(wanted, product.precision),
        "available": format_quantity(max(there, 0), product.precision),
    }


def _reverse_issue(
    snapshot: Snapshot, family: Family, mover: Mover, _refusals: Refusals
) -> None:
    """What customers have not brought back comes back now."""
    draft = mover.draft
    for line in family.root.lines:
        product = snapshot.cache.product(line.product_id)
        start = returned_so_far(family, line.number)
        if start >= line.quantity:
            continue
        cost = 0
        for part in taken_between(family, line, start, line.quantity):
            cost += part.value
            flow = Flow.COMPONENT if part.component else Flow.SOLD
            mover.put(
                snapshot.cache.product(part.product_id), part.quantity, part.value,
                line=line.number, flow=flow, split=[(part.lot_id, part.quantity)],
            )
        kept = line.kept - family.done(line.number, "hand_over")
        if kept > 0:
            snapshot.balance(draft.store.id, product.id).kept -= kept
            mover.note(
                draft.store, product, line=line.number, flow=Flow.KEPT, quantity=-kept,
                value=0, bucket=Bucket.KEPT,
            )
        draft.lines.append(
            DraftLine(
                line.number, product, start - line.quantity,
                amount=-amount_between(line, start, line.quantity), cost=-cost,
                of_line=line.number, kept=-max(kept, 0),
            )
        )


def _reverse_inbound(
    snapshot: Snapshot, family: Family, mover: Mover, refusals: Refusals
) -> None:
    """Receipts and customer returns: what came in leaves again, and must be there."""
    root, draft = family.root, mover.draft
    kind = "supplier_return" if root.kind == "receipt" else ""
    for line in root.lines:
        product = snapshot.cache.product(line.product_id)
        left = line.quantity - family.done(line.number, "post", kind=kind or None)
        if left <= 0:
            continue
        cost = variance = 0
        for move in _of_line(root, line.number):
            part = snapshot.cache.product(move.product_id)
            steps = move.quantity * left // line.quantity if left < line.quantity else move.quantity
            if move.bucket == Bucket.DAMAGED:
                balance = snapshot.balance(draft.store.id, part.id)
                if steps > balance.damaged:
                    refusals.append(_refusal(line, part, steps, balance.damaged))
                    continue
                value = balance.take_damaged(steps)
                mover.note(
                    draft.store, part, line=line.number, flow=move.flow, quantity=-steps,
                    value=-value, bucket=Bucket.DAMAGED, reason=move.reason,
                )
            elif line.disposition == "discard":
                value = abs(move.value)
                if move.quantity > 0:
                    _undo_discard(mover, part, move, line.number)
            else:
                there = snapshot.balance(draft.store.id, part.id).available
                if steps > there and not _absorbed(family, part):
                    refusals.append(_refusal(line, part, steps, there))
                    continue
                split = [(move.lot_id, steps)] if move.lot_id else None
                value = mover.take(
                    part, steps, line=line.number, flow=Flow(move.flow), split=split
                )
            if move.quantity > 0:
                cost += value
                variance += move.value * left // line.quantity - value
        amount = None if line.amount is None else -_amount_left(line, left)
        draft.lines.append(
            DraftLine(
                line.number, product, -left, amount=amount, cost=-cost, variance=variance,
                of_line=line.number, disposition=line.disposition,
            )
        )


def _amount_left(line: StoredLine, left: int) -> int:
    return amount_between(line, line.quantity - left, line.quantity)


def _undo_discard(mover: Mover, product: Product, move: StoredMove, line: int) -> None:
    """Goods that came back and were thrown away: take both moves back, stock stays."""
    store = mover.draft.store
    mover.note(
        store, product, line=line, flow=move.flow, quantity=-move.quantity, value=-move.value
    )
    mover.note(
        store, product, line=line, flow=Flow.WRITTEN_OFF, quantity=move.quantity,
        value=move.value, reason="returned",
    )


def _reverse_outbound(
    snapshot: Snapshot, family: Family, mover: Mover, _refusals: Refusals
) -> None:
    """Write-offs and supplier returns: the goods are here after all, at the cost they left with."""
    root, draft = family.root, mover.draft
    for line in root.lines:
        product = snapshot.cache.product(line.product_id)
        for move in _of_line(root, line.number):
            if move.bucket == Bucket.DAMAGED:
                snapshot.balance(draft.store.id, product.id).put_damaged(
                    -move.quantity, -move.value
                )
                mover.note(
                    draft.store, product, line=line.number, flow=move.flow,
                    quantity=-move.quantity, value=-move.value, bucket=Bucket.DAMAGED,
                    reason=move.reason,
                )
            elif move.flow not in (Flow.SETTLED, Flow.REATTRIBUTED):
                mover.put(
                    product, -move.quantity, -move.value, line=line.number,
                    flow=Flow(move.flow), reason=move.reason,
                    split=[(move.lot_id, -move.quantity)],
                )
        draft.lines.append(
            DraftLine(
                line.number, product, -line.quantity,
                amount=None if line.amount is None else -line.amount, cost=-line.cost,
                of_line=line.number, reason=line.reason, bucket=line.bucket,
            )
        )


def _reverse_transfer(
    snapshot: Snapshot, family: Family, mover: Mover, _refusals: Refusals
) -> None:
    """What has not arrived comes back to the sender."""
    root, draft = family.root, mover.draft
    assert draft.to_store is not None, "a transfer has a destination"
    if family.living("close"):
        return
    for line in root.lines:
        left = on_the_way(family, line)
        if not left:
            continue
        product = snapshot.cache.product(line.product_id)
        cost = line.cost - share_of(line.cost, line.quantity - left, line.quantity)
        snapshot.balance(draft.to_store.id, product.id).take_in_transit(left, cost)
        mover.note(
            draft.to_store, product, line=line.number, flow=Flow.TRANSFERRED_IN,
            quantity=-left, value=-cost, bucket=Bucket.IN_TRANSIT,
        )
        lots = [
            (m.lot_id, -m.quantity)
            for m in _of_line(root, line.number)
            if m.flow == Flow.TRANSFERRED_OUT
        ]
        mover.put(
            product, left, cost, line=line.number, flow=Flow.TRANSFERRED_OUT,
            split=_tail(lots, left),
        )
        draft.lines.append(
            DraftLine(line.number, product, -left, cost=-cost, of_line=line.number)
        )


def _tail(lots: list[tuple[int, int]], steps: int) -> list[tuple[int, int]]:
    """The last `steps` of a run of lots."""
    cut: list[tuple[int, int]] = []
    for lot_id, held in reversed(lots):
        taken = min(held, steps)
        if taken > 0:
            cut.append((lot_id, taken))
            steps -= taken
    return cut


def _reverse_adjustment(
    snapshot: Snapshot, family: Family, mover: Mover, refusals: Refusals
) -> None:
    """Take differences back, and a count with all that it absorbed."""
    root, draft = family.root, mover.draft
    absorbed = [m for child in family.living("absorption") for m in child.moves
                if child.of_document_id == root.id]
    refusals += _missing_gains(snapshot, family, draft.store.id)
    if refusals:
        return
    for line in root.lines:
        product = snapshot.cache.product(line.product_id)
        pair = draft.store.id, product.id
        if line.counted is not None:
            counts = snapshot.counts.get(pair, [])
            snapshot.counts[pair] = [c for c in counts if c.document_id != root.id]
            balance = snapshot.balances[pair]
            balance.counted_at = max((c.at for c in snapshot.counts[pair]), default=0)
        moves = [*_of_line(root, line.number)]
        moves += [m for m in absorbed if m.product_id == product.id]
        absorbed = [m for m in absorbed if m.product_id != product.id]
        variance = _undo_adjusted(snapshot, mover, line, product, moves)
        net = sum(m.quantity for m in moves if m.flow == Flow.ADJUSTED)
        draft.lines.append(
            DraftLine(
                line.number, product, -net, cost=-line.cost, variance=variance,
                of_line=line.number, reason=line.reason, bucket=line.bucket,
                occurred_at=line.occurred_at,
            )
        )


def _missing_gains(snapshot: Snapshot, family: Family, store_id: int) -> Refusals:
    """What was found too much and is not there any more to be taken back, summed per product."""
    gains: dict[tuple[int, int], tuple[StoredLine, int]] = {}
    for line in family.root.lines:
        if line.quantity > 0 and (line.counted is None or line.bucket == Bucket.DAMAGED):
            key = line.product_id, line.bucket
            _, before = gains.get(key, (line, 0))
            gains[key] = line, before + line.quantity
    refusals: Refusals = []
    for (product_id, bucket), (line, steps) in gains.items():
        product = snapshot.cache.product(product_id)
        balance = snapshot.balance(store_id, product_id)
        damaged = bucket == Bucket.DAMAGED
        there = balance.damaged if damaged else balance.on_hand - balance.reserved
        if steps > there and (damaged or not _absorbed(family, product)):
            refusals.append(_refusal(line, product, steps, there))
    return refusals


def _undo_adjusted(
    snapshot: Snapshot,
    mover: Mover,
    line: StoredLine,
    product: Product,
    moves: list[StoredMove],
) -> int:
    """Move the net of a line's adjustments back; returns the variance in value."""
    draft = mover.draft
    balance = snapshot.balance(draft.store.id, product.id)
    reason = COUNT_REASON if line.counted is not None else ""
    moment = line.occurred_at if line.counted is not None else None
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
            draft.store, product, line=line.number, flow=Flow.ADJUSTED, quantity=-net,
            value=worth, bucket=Bucket.DAMAGED, reason=line.reason or "",
        )
        return value + worth
    if net > 0:
        lots = [(m.lot_id, m.quantity) for m in moves if m.lot_id]
        split = lots if sum(steps for _, steps in lots) == net and len(lots) == 1 else None
        worth = mover.take(
            product, net, line=line.number, flow=Flow.ADJUSTED, reason=reason,
            occurred_at=moment, split=split,
        )
        return value - worth
    if net < 0:
        lots = [(m.lot_id, -m.quantity) for m in moves]
        split = lots if all(steps > 0 for _, steps in lots) else None
        mover.put(
            product, -net, max(-value, 0), line=line.number, flow=Flow.ADJUSTED, reason=reason,
            occurred_at=moment, split=split,
        )
    return 0


def _reverse_production(
    snapshot: Snapshot, family: Family, mover: Mover, refusals: Refusals
) -> None:
    """What was made leaves at its average and must be there; what was used comes back."""
    root, draft = family.root, mover.draft
    for line in root.lines:
        product = snapshot.cache.product(line.product_id)
        moves = _of_line(root, line.number)
        cost = 0
        for move in sorted(moves, key=lambda m: m.quantity < 0):
            part = snapshot.cache.product(move.product_id)
            if move.flow in (Flow.SETTLED, Flow.REATTRIBUTED):
                continue
            if move.quantity > 0:
                there = snapshot.balance(draft.store.id, part.id).available
                if move.quantity > there and not _absorbed(family, part):
                    refusals.append(_refusal(line, part, move.quantity, there))
                    continue
                cost += mover.take(
                    part, move.quantity, line=line.number, flow=Flow(move.flow),
                    split=[(move.lot_id, move.quantity)] if move.lot_id else None,
                )
            else:
                mover.put(
                    part, -move.quantity, -move.value, line=line.number, flow=Flow(move.flow),
                    split=[(move.lot_id, -move.quantity)],
                )
        draft.lines.append(
            DraftLine(
                line.number, product, -line.quantity, cost=-cost, variance=line.cost - cost,
                of_line=line.number,
            )
        )


def _reverse_cost(
    snapshot: Snapshot, family: Family, mover: Mover, refusals: Refusals
) -> None:
    """Take a change of value back, as long as that leaves no negative value."""
    draft = mover.draft
    for line in family.root.lines:
        product = snapshot.cache.product(line.product_id)
        balance = snapshot.balance(draft.store.id, product.id)
        if balance.on_hand <= 0 or balance.value - line.cost < 0:
            refusals.append(_refusal(line, product, 0, balance.on_hand))
            continue
        balance.revalue(-line.cost)
        mover.note(
            draft.store, product, line=line.number, flow=Flow.COST_ADJUSTED, quantity=0,
            value=-line.cost, reason=line.reason or "",
        )
        draft.lines.append(
            DraftLine(
                line.number, product, 0, amount=None if line.amount is None else -line.amount,
                cost=-line.cost, of_line=line.number, reason=line.reason,
            )
        )


def _absorbed(family: Family, product: Product) -> bool:
    """Whether a count had absorbed this movement, so that taking it back moves nothing either."""
    return any(
        line.product_id == product.id
        for child in family.living("absorption")
        if child.cause_id == family.root.id
        for line in child.lines
    )


def _of_line(root: Original, line: int) -> list[StoredMove]:
    """A line's own moves, without settlements and exchanges of lots."""
    return [
        m
        for m in root.moves
        if m.line == line and m.flow not in (Flow.SETTLED, Flow.REATTRIBUTED)
    ]


_KINDS: dict[str, Callable[[Snapshot, Family, Mover, Refusals], None]] = {
    "receipt": _reverse_inbound,
    "issue": _reverse_issue,
    "customer_return": _reverse_inbound,
    "supplier_return": _reverse_outbound,
    "write_off": _reverse_outbound,
    "transfer": _reverse_transfer,
    "adjustment": _reverse_adjustment,
    "production": _reverse_production,
    "cost_adjustment": _reverse_cost,
}


def take_absorption_back(
    snapshot: Snapshot, family: Family, reversal: Draft, ctx: Context
) -> None:
    """A reversed late movement had been absorbed by counts: reverse that too, at their moments."""
    for child in family.living("absorption"):
        if child.cause_id != family.root.id:
            continue
        store = snapshot.cache.stores_by_id[child.store_id]
        draft = begin(
            snapshot,
            ctx,
            kind="adjustment",
            action="absorption",
            store=store,
            occurred_at=child.occurred_at,
            of_document_id=child.of_document_id,
            cause=reversal,
        )
        mover = Mover(snapshot, draft)
        for line in child.lines:
            product = snapshot.cache.product(line.product_id)
            moves = [m for m in reversal.moves if m.product_id == product.id
                     and m.store_id == store.id and m.bucket == Bucket.SELLABLE]
            for move in moves:
                mover.undo(
                    product, store=store, line=line.number, flow=Flow.ADJUSTED,
                    quantity=-move.quantity, value=-move.value, lot_id=move.lot_id,
                    reason=COUNT_REASON, occurred_at=child.occurred_at,
                )
            draft.lines.append(
                DraftLine(
                    line.number, product, -sum(m.quantity for m in moves),
                    cost=abs(sum(m.value for m in moves)), of_line=line.of_line,
                    occurred_at=child.occurred_at,
                )
            )
        snapshot.drafts.append(draft)
