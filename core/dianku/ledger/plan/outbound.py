"""Goods out: sales, write-offs, returns to the supplier.

Under the strict policy a document must fit what is available (`fitting`); under the permissive one
the customer is served, and what was short or promised is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve

from dianku.catalog.records import Product
from dianku.context import Context
from dianku.errors import FieldError, Problem, Refused
from dianku.ledger.commands import Line, Posting, PriceChanged
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.plan.doubts import doubt_quantities
from dianku.ledger.plan.fitting import fit, tell_partial, with_lots
from dianku.ledger.plan.keeping import move_kept
from dianku.ledger.plan.making import begin_posting, draft_line, raise_exception
from dianku.ledger.plan.shortage import tell_short
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.lots import Split
from dianku.ledger.posting.mover import Mover
from dianku.ledger.posting.snapshot import Family, Snapshot, StoredLine
from dianku.quantity import format_amount, format_quantity, share_of


def plan_issue(
    snapshot: Snapshot, posting: Posting, ctx: Context, *, guarded: bool = True
) -> Draft:
    """Sell: goods, kits and services leave; `guarded` False when a hold was kept for it."""
    posting = with_lots(snapshot, posting)
    lines: Sequence[Line] = posting.lines
    if posting.strict and guarded:
        lines = fit(snapshot, posting)
    draft = begin_posting(snapshot, ctx, posting)
    tell_partial(draft, posting, lines)
    if posting.price_changed is not None:
        _tell_price_changed(draft, posting.price_changed)
    mover = Mover(snapshot, draft)
    for line in lines:
        flow = Flow.SOLD if line.product.stocked else Flow.COMPONENT
        cost = 0
        for product, steps in line.parts:
            split = _sold_split(snapshot, posting, draft, line, product, steps)
            cost += mover.take(product, steps, line=line.number, flow=flow, split=split)
        if line.kept:
            move_kept(mover, line.product, line.kept, line=line.number)
        draft.lines.append(draft_line(line, cost=cost))
    if not (posting.strict and guarded):
        tell_short(snapshot, posting, draft, _taken(lines))
    return draft


def _tell_price_changed(draft: Draft, changed: PriceChanged) -> None:
    raise_exception(
        draft,
        "price_changed",
        draft.store,
        changed.product,
        person=draft.actor,
        list=format_amount(changed.listed),
        taken=format_amount(changed.taken),
    )


def plan_write_off(snapshot: Snapshot, posting: Posting, ctx: Context) -> Draft:
    """Goods that are spoilt, gone or used by the shop itself, by reason."""
    return _plan_strict_out(snapshot, posting, ctx, Flow.WRITTEN_OFF)


def plan_supplier_return(snapshot: Snapshot, posting: Posting, ctx: Context) -> Draft:
    """Goods back to the supplier, at today's average; against the receipt where known."""
    if posting.of_document is not None:
        posting = _against_receipt(snapshot, posting)
    return _plan_strict_out(snapshot, posting, ctx, Flow.SUPPLIER_RETURNED)


def _plan_strict_out(snapshot: Snapshot, posting: Posting, ctx: Context, flow: Flow) -> Draft:
    posting = with_lots(snapshot, posting)
    lines = fit(snapshot, posting)
    family = snapshot.families.get(posting.of_document or "")
    draft = begin_posting(
        snapshot,
        ctx,
        posting,
        of_document_id=family.root.id if family else None,
        of_number=posting.of_document,
    )
    tell_partial(draft, posting, lines)
    mover = Mover(snapshot, draft)
    for line in lines:
        reason = line.reason or ""
        if line.bucket == Bucket.DAMAGED:
            cost = snapshot.balance(draft.store.id, line.product.id).take_damaged(line.quantity)
            mover.note(
                draft.store,
                line.product,
                line=line.number,
                flow=flow,
                quantity=-line.quantity,
                value=-cost,
                bucket=Bucket.DAMAGED,
                reason=reason,
            )
        else:
            cost = mover.take(
                line.product,
                line.quantity,
                line=line.number,
                flow=flow,
                reason=reason,
                split=lot_split(snapshot, posting, line, line.quantity),
                expired_first=line.reason == "expired",
            )
        draft.lines.append(draft_line(line, cost=cost))
    doubt_quantities(snapshot, draft, lines)
    if not posting.strict:
        tell_short(snapshot, posting, draft, _taken(lines))
    return draft


def _taken(lines: Sequence[Line]) -> Iterator[tuple[Product, int]]:
    """What lines take of sellable goods, kits by their components."""
    return (part for x in lines if x.bucket == Bucket.SELLABLE for part in x.parts)


def lot_split(snapshot: Snapshot, posting: Posting, line: Line, steps: int) -> Split | None:
    """The lot a line names, or None to choose. Refuses a lot nobody has heard of."""
    if line.lot is None:
        return None
    shelf = snapshot.shelf((posting.store.id, line.product.id))
    lot = shelf.find(line.lot, line.expires_on) if shelf is not None else None
    if lot is None:
        error = FieldError(f"/lines/{line.number - 1}/lot", "unknown_lot", {"name": line.lot})
        raise Refused(Problem("invalid", errors=[error]))
    return [(lot.lot_id, steps)]


def _sold_split(
    snapshot: Snapshot, posting: Posting, draft: Draft, line: Line, product: Product, steps: int
) -> Split | None:
    """Choose the lots of a sale and warn when expired goods go over the counter."""
    pair = draft.store.id, product.id
    shelf = snapshot.shelf(pair)
    if shelf is None:
        return None
    split = lot_split(snapshot, posting, line, steps) if product is line.product else None
    if split is None:
        split = shelf.pick(steps, snapshot.balances[pair].on_hand)
    expired = [i for i, _ in split if i and shelf.stock(i).expired(shelf.today)]
    if expired:
        codes = ", ".join(shelf.stock(i).code for i in expired)
        draft.warnings.append(
            ("expired_lot", {"line": line.number, "sku": product.sku, "lots": codes})
        )
    return split


def _against_receipt(snapshot: Snapshot, posting: Posting) -> Posting:
    """Hold a supplier return against its receipt: never more than came, less what went back.

    A line that does not say of which line it is, is of one of its product with enough left.
    """
    family = snapshot.families[posting.of_document or ""]
    lines: list[Line] = []
    errors: list[FieldError] = []
    over: list[dict[str, object]] = []
    returned: dict[int, int] = {}
    for line in posting.lines:
        origin = _received(family, line, returned)
        if origin is None:
            where = f"/lines/{line.number - 1}/of_line"
            errors.append(FieldError(where, "no_such_line", {"line": line.of_line or 0}))
            continue
        done = _gone_back(family, origin, returned)
        left = 0 if family.root.reversed else origin.quantity - done
        asked = evolve(line, of_line=origin.number)
        if asked.quantity > left:
            over.append(_over(asked, left))
            continue
        end = done + asked.quantity
        returned[origin.number] = returned.get(origin.number, 0) + asked.quantity
        amount = asked.amount
        if amount is None and origin.amount is not None:
            amount = share_of(origin.amount, end, origin.quantity)
            amount -= share_of(origin.amount, done, origin.quantity)
        lines.append(evolve(asked, amount=amount))
    if errors:
        raise Refused(Problem("invalid", errors=errors))
    if over:
        raise Refused(
            Problem("over_returned", {"number": posting.of_document}, extra={"lines": over})
        )
    return evolve(posting, lines=tuple(lines))


def _gone_back(family: Family, origin: StoredLine, returned: Mapping[int, int]) -> int:
    done = family.done(origin.number, "post", kind="supplier_return")
    return done + returned.get(origin.number, 0)


def _received(family: Family, line: Line, returned: Mapping[int, int]) -> StoredLine | None:
    """The line of the receipt that goods go back of."""
    root = family.root
    if root.kind != "receipt" or root.action != "post":
        return None
    same = [x for x in root.lines if x.product_id == line.product.id]
    if line.of_line is not None:
        return next((x for x in same if x.number == line.of_line), None)
    enough = (x for x in same if x.quantity - _gone_back(family, x, returned) >= line.quantity)
    return next(enough, same[0] if same else None)


def _over(line: Line, left: int) -> dict[str, object]:
    precision = line.product.precision
    return {
        "line": line.of_line,
        "sku": line.product.sku,
        "requested": format_quantity(line.quantity, precision),
        "returnable": format_quantity(max(left, 0), precision),
    }
