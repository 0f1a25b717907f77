"""Transfers: goods leave one store and are on the way to the other until they arrive or are lost.

Between despatch and arrival they are in the destination's `in_transit`, at the value they left
with. Arrivals come in parts, never more than was sent; what never comes is closed as a loss of
the sender or the receiver.
"""

from __future__ import annotations

from typing import Any

from dianku.catalog.records import Product, Store
from dianku.context import Context
from dianku.errors import FieldError, NumberRefused, Problem, Refused, refuse
from dianku.ledger.commands import CloseTransfer, Posting, ReceiveTransfer
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.plan.doubts import doubt_quantities
from dianku.ledger.plan.fitting import fit, tell_partial, with_lots
from dianku.ledger.plan.making import begin, begin_posting, draft_line
from dianku.ledger.plan.outbound import lot_split
from dianku.ledger.plan.shortage import tell_short
from dianku.ledger.posting.draft import Draft, DraftLine
from dianku.ledger.posting.mover import Mover
from dianku.ledger.posting.snapshot import Family, Snapshot, StoredLine
from dianku.ledger.requests import LineQuantities
from dianku.quantity import format_quantity, parse_quantity, share_of

LOST_ON_THE_WAY = "transfer_loss"
PERMISSION = "document.post.transfer"


def plan_transfer(snapshot: Snapshot, posting: Posting, ctx: Context) -> Draft:
    """Send goods off: out of this store, on the way to the other."""
    posting = with_lots(snapshot, posting)
    assert posting.to_store is not None, "resolved"
    lines = fit(snapshot, posting) if posting.strict else posting.lines
    draft = begin_posting(snapshot, ctx, posting, status="sent")
    tell_partial(draft, posting, lines)
    mover = Mover(snapshot, draft)
    for line in lines:
        start = len(draft.moves)
        cost = mover.take(
            line.product,
            line.quantity,
            line=line.number,
            flow=Flow.TRANSFERRED_OUT,
            split=lot_split(snapshot, posting, line, line.quantity),
        )
        there = snapshot.balance(posting.to_store.id, line.product.id)
        there.put_in_transit(line.quantity, cost)
        for move in draft.moves[start:]:
            if move.flow == Flow.TRANSFERRED_OUT:
                mover.note(
                    posting.to_store,
                    line.product,
                    line=line.number,
                    flow=Flow.TRANSFERRED_IN,
                    quantity=-move.quantity,
                    value=-move.value,
                    bucket=Bucket.IN_TRANSIT,
                    lot_id=move.lot_id,
                )
        draft.lines.append(draft_line(line, cost=cost))
    doubt_quantities(snapshot, draft, lines)
    if not posting.strict:
        tell_short(snapshot, posting, draft, [(x.product, x.quantity) for x in lines])
    return draft


def on_the_way(family: Family, line: StoredLine) -> int:
    """Steps of a transfer's line that have neither arrived nor been closed."""
    return line.quantity - family.done(line.number, "arrival", "close")


def transfer_status(family: Family) -> str:
    """sent, partly_received, received or closed."""
    if family.living("close"):
        return "closed"
    if not family.living("arrival"):
        return "sent"
    left = any(on_the_way(family, line) for line in family.root.lines)
    return "partly_received" if left else "received"


def plan_arrival(
    snapshot: Snapshot, command: ReceiveTransfer, ctx: Context, *, occurred_at: int
) -> Draft:
    """Book in what has arrived, at the value it was sent with; only the receiver's people may."""
    family = _transfer(snapshot, command.number)
    store = _destination(snapshot, family)
    ctx.require(PERMISSION, store=store.code)
    _refuse_ended(family)
    wanted = _quantities(snapshot, family, command.request)
    draft = begin(
        snapshot,
        ctx,
        kind="transfer",
        action="arrival",
        store=store,
        occurred_at=occurred_at,
        of_document_id=family.root.id,
        of_number=family.root.number,
        reference=family.root.reference,
    )
    mover = Mover(snapshot, draft)
    for origin, steps in wanted:
        product = snapshot.cache.product(origin.product_id)
        number = len(draft.lines) + 1
        start = origin.quantity - on_the_way(family, origin)
        cost = _value_between(origin, start, start + steps)
        _leave_transit(mover, store, product, number, steps, cost, Flow.TRANSFERRED_IN, "")
        split = _lots_between(family, store, origin, start, start + steps)
        mover.put(product, steps, cost, line=number, flow=Flow.TRANSFERRED_IN, split=split)
        draft.lines.append(DraftLine(number, product, steps, cost=cost, of_line=origin.number))
    return draft


def plan_close(snapshot: Snapshot, command: CloseTransfer, ctx: Context) -> Draft:
    """Close short: what has not arrived is lost, on the side that is named.

    Whoever closes must be of the store that bears the loss.
    """
    family = _transfer(snapshot, command.number)
    there = _destination(snapshot, family)
    sender = snapshot.cache.stores_by_id[family.root.store_id]
    store = there if command.loss_to == "receiver" else sender
    ctx.require(PERMISSION, store=store.code)
    _refuse_ended(family)
    draft = begin(
        snapshot,
        ctx,
        kind="transfer",
        action="close",
        store=store,
        of_document_id=family.root.id,
        of_number=family.root.number,
        loss_to=command.loss_to,
        reference=family.root.reference,
    )
    mover = Mover(snapshot, draft)
    for origin in family.root.lines:
        steps = on_the_way(family, origin)
        if not steps:
            continue
        product = snapshot.cache.product(origin.product_id)
        number = len(draft.lines) + 1
        cost = _value_between(origin, origin.quantity - steps, origin.quantity)
        if command.loss_to == "receiver":
            flow, reason = Flow.WRITTEN_OFF, LOST_ON_THE_WAY
            _leave_transit(mover, there, product, number, steps, cost, flow, reason)
        else:
            flow = Flow.TRANSFERRED_IN
            _leave_transit(mover, there, product, number, steps, cost, flow, "")
            mover.pass_through(
                product,
                steps,
                cost,
                line=number,
                flow=Flow.TRANSFERRED_OUT,
                lost=LOST_ON_THE_WAY,
            )
        draft.lines.append(DraftLine(number, product, steps, cost=cost, of_line=origin.number))
    return draft


def _transfer(snapshot: Snapshot, number: str) -> Family:
    family = snapshot.families.get(number)
    if family is None or family.root.kind != "transfer" or family.root.action != "post":
        raise refuse("not_found", what="transfer", name=number)
    return family


def _refuse_ended(family: Family) -> None:
    status = "reversed" if family.root.reversed else transfer_status(family)
    if status in {"reversed", "received", "closed"}:
        raise refuse("transfer_closed", number=family.root.number, transfer_status=status)


def _destination(snapshot: Snapshot, family: Family) -> Store:
    assert family.root.to_store_id is not None, "a transfer has a destination"
    return snapshot.cache.stores_by_id[family.root.to_store_id]


def _quantities(
    snapshot: Snapshot, family: Family, request: LineQuantities
) -> list[tuple[StoredLine, int]]:
    """What is said to have arrived, in steps, held against what is on the way.

    Lines of which nothing is on the way any more are passed over, unless no other is named.
    """
    wanted = line_quantities(snapshot, family, request, left=on_the_way)
    nothing = not any(steps for _, steps in wanted)
    over = [
        {
            "line": origin.number,
            "sku": product.sku,
            "requested": format_quantity(steps, product.precision),
            "on_the_way": format_quantity(on_the_way(family, origin), product.precision),
        }
        for origin, steps in wanted
        if steps > on_the_way(family, origin) or nothing
        for product in [snapshot.cache.product(origin.product_id)]
    ]
    if over:
        raise Refused(
            Problem("over_received", {"number": family.root.number}, extra={"lines": over})
        )
    return [(origin, steps) for origin, steps in wanted if steps]


def line_quantities(
    snapshot: Snapshot, family: Family, request: LineQuantities, *, left: Any
) -> list[tuple[StoredLine, int]]:
    """The lines a request names, with steps; no quantity means all that `left(family, line)` says.

    A line named twice counts once, with the sum. Refuses unknown lines and wrong numbers.
    """
    errors: list[FieldError] = []
    wanted: dict[int, tuple[StoredLine, int]] = {}
    for i, asked in enumerate(request.lines):
        origin = family.root.line(asked.line)
        if origin is None:
            errors.append(FieldError(f"/lines/{i}/line", "no_such_line", {"line": asked.line}))
            continue
        if asked.quantity is None:
            steps = left(family, origin)
        else:
            try:
                precision = snapshot.cache.product(origin.product_id).precision
                steps = parse_quantity(asked.quantity, precision)
                if steps <= 0:
                    raise NumberRefused("not_positive")
            except NumberRefused as refused:
                errors.append(FieldError(f"/lines/{i}/quantity", refused.code, refused.params))
                continue
        before = wanted[asked.line][1] if asked.line in wanted else 0
        wanted[asked.line] = origin, before + steps
    if errors:
        raise Refused(Problem("invalid", errors=errors))
    return list(wanted.values())


def _value_between(origin: StoredLine, start: int, end: int) -> int:
    whole = origin.quantity
    return share_of(origin.cost, end, whole) - share_of(origin.cost, start, whole)


def _leave_transit(
    mover: Mover,
    store: Store,
    product: Product,
    line: int,
    steps: int,
    value: int,
    flow: Flow,
    reason: str,
) -> None:
    mover.snapshot.balance(store.id, product.id).take_in_transit(steps, value)
    mover.note(
        store,
        product,
        line=line,
        flow=flow,
        quantity=-steps,
        value=-value,
        bucket=Bucket.IN_TRANSIT,
        reason=reason,
    )


def _lots_between(
    family: Family, store: Store, origin: StoredLine, start: int, end: int
) -> list[tuple[int, int]]:
    """The lots the steps from `start` to `end` of a line were sent with."""
    cut: list[tuple[int, int]] = []
    position = 0
    for move in family.root.moves:
        if (
            move.line != origin.number
            or move.bucket != Bucket.IN_TRANSIT
            or move.store_id != store.id
        ):
            continue
        first, last = max(position, start), min(position + move.quantity, end)
        if last > first:
            cut.append((move.lot_id, last - first))
        position += move.quantity
    return cut
