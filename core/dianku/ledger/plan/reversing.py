"""Reversal: a document is taken back once, for what is still reversible.

Sales come back at the cost they left with, less what customers have returned already. What came
in leaves at the current average (the difference is the line's `variance`) and must be there, as
for a return to the supplier. A reversed count is taken back at its own moment, with what it
absorbed; a reversed late movement takes its absorption back with it.
"""

from __future__ import annotations

from collections.abc import Callable

from dianku.catalog.records import Product
from dianku.context import Context
from dianku.errors import Problem, Refused, refuse
from dianku.ledger.commands import Reverse
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.plan.giving_back import amount_between, returned_so_far, taken_between
from dianku.ledger.plan.keeping import move_kept, still_kept
from dianku.ledger.plan.making import begin
from dianku.ledger.plan.reversing_corrections import (
    reverse_adjustment,
    reverse_cost,
    reverse_production,
)
from dianku.ledger.plan.reversing_parts import (
    Refusals,
    absorbed_by_count,
    line_refusal,
    moves_together,
    own_moves,
    takeable,
)
from dianku.ledger.plan.transferring import on_the_way
from dianku.ledger.posting.draft import Draft, DraftLine
from dianku.ledger.posting.mover import Mover
from dianku.ledger.posting.snapshot import Family, Original, Snapshot, StoredLine, StoredMove
from dianku.quantity import share_of


def plan_reversal(snapshot: Snapshot, command: Reverse, ctx: Context) -> Draft:
    """Take a document back.

    Raises:
        Refused: `not_found`, `forbidden` to whoever may not post its kind in its store,
            or `not_reversible` with the lines (all of them where it is reversed already).
    """
    family = snapshot.families.get(command.number)
    if family is None:
        raise refuse("not_found", what="document", name=command.number)
    root = family.root
    store = snapshot.cache.stores_by_id[root.store_id]
    ctx.require("document.reverse", store=store.code)
    ctx.require(f"document.post.{root.kind}", store=store.code)
    nothing = [
        line_refusal(x, snapshot.cache.product(x.product_id), x.quantity, 0) for x in root.lines
    ]
    if root.reversed:
        raise refuse(
            "not_reversible",
            number=root.number,
            extra={"lines": nothing, "reversed_by": root.reversed_by},
        )
    if root.action != "post":
        raise refuse("not_reversible", number=root.number, extra={"lines": nothing})
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
        told = refusals or nothing
        raise Refused(Problem("not_reversible", {"number": root.number}, extra={"lines": told}))
    return draft


def _is_count(root: Original) -> bool:
    return any(line.counted is not None for line in root.lines)


def _reverse_issue(snapshot: Snapshot, family: Family, mover: Mover, _refusals: Refusals) -> None:
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
                snapshot.cache.product(part.product_id),
                part.quantity,
                part.value,
                line=line.number,
                flow=flow,
                split=part.lots,
            )
        kept = still_kept(family, line)
        if kept:
            move_kept(mover, product, -kept, line=line.number)
        draft.lines.append(
            DraftLine(
                line.number,
                product,
                start - line.quantity,
                amount=-amount_between(line, start, line.quantity),
                cost=-cost,
                of_line=line.number,
                kept=-kept,
            )
        )


def _reverse_inbound(snapshot: Snapshot, family: Family, mover: Mover, refusals: Refusals) -> None:
    """Receipts and customer returns: what came in leaves again, and must be there."""
    root, draft = family.root, mover.draft
    kind = "supplier_return" if root.kind == "receipt" else ""
    for line in root.lines:
        product = snapshot.cache.product(line.product_id)
        left = line.quantity - family.done(line.number, "post", kind=kind or None)
        if left <= 0:
            continue
        if line.kept and family.of_reversed:
            # The sale is over: what came back of it can wait for nobody again.
            refusals.append(line_refusal(line, product, line.kept, 0))
            continue
        cost = variance = 0
        for move, lots in moves_together(root, line.number):
            part = snapshot.cache.product(move.product_id)
            steps = move.quantity * left // line.quantity if left < line.quantity else move.quantity
            if move.bucket == Bucket.DAMAGED:
                balance = snapshot.balance(draft.store.id, part.id)
                if steps > balance.damaged:
                    refusals.append(line_refusal(line, part, steps, balance.damaged))
                    continue
                value = balance.take_damaged(steps)
                mover.note(
                    draft.store,
                    part,
                    line=line.number,
                    flow=move.flow,
                    quantity=-steps,
                    value=-value,
                    bucket=Bucket.DAMAGED,
                    reason=move.reason,
                )
            elif line.disposition == "discard":
                value = abs(move.value)
                if move.quantity > 0:
                    _undo_discard(mover, part, move, line.number)
            else:
                split = _tail(lots, steps)
                there = takeable(snapshot, draft.store, part, split)
                if steps > there and not absorbed_by_count(snapshot, family, part):
                    refusals.append(line_refusal(line, part, steps, there))
                    continue
                value = mover.take(part, steps, line=line.number, flow=Flow(move.flow), split=split)
            if move.quantity > 0:
                cost += value
                variance += move.value * left // line.quantity - value
        if line.kept:
            move_kept(mover, product, line.kept, line=line.number)
        amount = None if line.amount is None else -_amount_left(line, left)
        draft.lines.append(
            DraftLine(
                line.number,
                product,
                -left,
                amount=amount,
                cost=-cost,
                variance=variance,
                of_line=line.number,
                disposition=line.disposition,
                kept=-line.kept,
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
        store,
        product,
        line=line,
        flow=Flow.WRITTEN_OFF,
        quantity=move.quantity,
        value=move.value,
        reason="returned",
    )


def _reverse_outbound(
    snapshot: Snapshot, family: Family, mover: Mover, _refusals: Refusals
) -> None:
    """Write-offs and supplier returns: the goods are here after all, at the cost they left with."""
    root, draft = family.root, mover.draft
    for line in root.lines:
        product = snapshot.cache.product(line.product_id)
        for move, lots in moves_together(root, line.number):
            if move.bucket == Bucket.DAMAGED:
                snapshot.balance(draft.store.id, product.id).put_damaged(
                    -move.quantity, -move.value
                )
                mover.note(
                    draft.store,
                    product,
                    line=line.number,
                    flow=move.flow,
                    quantity=-move.quantity,
                    value=-move.value,
                    bucket=Bucket.DAMAGED,
                    reason=move.reason,
                )
            else:
                mover.put(
                    product,
                    -move.quantity,
                    -move.value,
                    line=line.number,
                    flow=Flow(move.flow),
                    reason=move.reason,
                    split=[(lot_id, -steps) for lot_id, steps in lots],
                )
        draft.lines.append(
            DraftLine(
                line.number,
                product,
                -line.quantity,
                amount=None if line.amount is None else -line.amount,
                cost=-line.cost,
                of_line=line.number,
                reason=line.reason,
                bucket=line.bucket,
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
            draft.to_store,
            product,
            line=line.number,
            flow=Flow.TRANSFERRED_IN,
            quantity=-left,
            value=-cost,
            bucket=Bucket.IN_TRANSIT,
        )
        lots = [
            (m.lot_id, -m.quantity)
            for m in own_moves(root, line.number)
            if m.flow == Flow.TRANSFERRED_OUT
        ]
        mover.put(
            product,
            left,
            cost,
            line=line.number,
            flow=Flow.TRANSFERRED_OUT,
            split=_tail(lots, left),
        )
        draft.lines.append(DraftLine(line.number, product, -left, cost=-cost, of_line=line.number))


def _tail(lots: list[tuple[int, int]], steps: int) -> list[tuple[int, int]]:
    """The last `steps` of a run of lots."""
    cut: list[tuple[int, int]] = []
    for lot_id, held in reversed(lots):
        taken = min(held, steps)
        if taken > 0:
            cut.append((lot_id, taken))
            steps -= taken
    return cut


_KINDS: dict[str, Callable[[Snapshot, Family, Mover, Refusals], None]] = {
    "receipt": _reverse_inbound,
    "issue": _reverse_issue,
    "customer_return": _reverse_inbound,
    "supplier_return": _reverse_outbound,
    "write_off": _reverse_outbound,
    "transfer": _reverse_transfer,
    "adjustment": reverse_adjustment,
    "production": reverse_production,
    "cost_adjustment": reverse_cost,
}
