"""Goods out: sales, write-offs, returns to the supplier.

Demand is summed per product over the whole document before anything is taken, kits through their
components: the same product twice in a cart, or once alone and once in a gift box, is one demand.
Under the strict policy it must fit what is available; under the permissive one the customer is
served, and what was short or promised is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from dianku.catalog.records import Product
from dianku.context import Context
from dianku.errors import FieldError, Problem, Refused
from dianku.ledger.commands import Line, Posting
from dianku.ledger.composition import parts_of
from dianku.ledger.draft import Draft
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.lots import Split
from dianku.ledger.mover import Mover
from dianku.ledger.plan.keeping import move_kept
from dianku.ledger.plan.making import (
    begin_posting,
    draft_line,
    raise_exception,
    seen_by_count,
    short_of,
)
from dianku.ledger.snapshot import Snapshot
from dianku.quantity import format_quantity, share_of


def plan_issue(
    snapshot: Snapshot, posting: Posting, ctx: Context, *, guarded: bool = True
) -> Draft:
    """Sell: goods, kits and services leave; `guarded` False when a hold was kept for it."""
    lines: Sequence[Line] = posting.lines
    if posting.strict and guarded:
        lines = fit(snapshot, posting)
    draft = begin_posting(snapshot, ctx, posting)
    if posting.partial:
        _tell_partial(draft, posting, lines)
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
    if not posting.strict:
        _tell_short(snapshot, posting, draft)
    return draft


def plan_write_off(snapshot: Snapshot, posting: Posting, ctx: Context) -> Draft:
    """Goods that are spoilt, gone or used by the shop itself, by reason."""
    return _plan_strict_out(snapshot, posting, ctx, Flow.WRITTEN_OFF)


def plan_supplier_return(snapshot: Snapshot, posting: Posting, ctx: Context) -> Draft:
    """Goods back to the supplier, at today's average; against the receipt where known."""
    if posting.of_document is not None:
        posting = _against_receipt(snapshot, posting)
    return _plan_strict_out(snapshot, posting, ctx, Flow.SUPPLIER_RETURNED)


def _plan_strict_out(snapshot: Snapshot, posting: Posting, ctx: Context, flow: Flow) -> Draft:
    lines = fit(snapshot, posting) if posting.strict else posting.lines
    family = snapshot.families.get(posting.of_document or "")
    draft = begin_posting(
        snapshot,
        ctx,
        posting,
        of_document_id=family.root.id if family else None,
        of_number=posting.of_document,
    )
    if posting.partial:
        _tell_partial(draft, posting, lines)
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
    return draft


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


def fit(snapshot: Snapshot, posting: Posting) -> Sequence[Line]:
    """Hold the lines against what is available: all of them, or (partial) what fits.

    Raises:
        Refused: `insufficient_stock` with every short product, summed over the document.
    """
    there: dict[tuple[int, int], int] = {}
    wanted: dict[tuple[int, int], int] = {}
    kept: list[Line] = []
    for asked in posting.lines:
        line, needs = asked, _needs(snapshot, posting, asked, there)
        if posting.partial:
            line, needs = _shrunk(snapshot, posting, line, needs, there, wanted)
            if not line.quantity:
                continue
        kept.append(line)
        for key, steps in needs.items():
            wanted[key] = wanted.get(key, 0) + steps
    short = [
        (snapshot.cache.product(product_id), steps, max(there[product_id, bucket], 0))
        for (product_id, bucket), steps in wanted.items()
        if steps > max(there[product_id, bucket], 0)
    ]
    if not short and kept:
        return kept
    if not short:
        short = [
            (product, steps, max(there.get((product.id, line.bucket), 0), 0))
            for line in posting.lines
            for product, steps in line.parts
        ]
    raise short_of(posting.store, short)


def _needs(
    snapshot: Snapshot, posting: Posting, line: Line, there: dict[tuple[int, int], int]
) -> dict[tuple[int, int], int]:
    """What a line needs of what is available, by (product, bucket); notes what is there.

    Goods past their date are not available, so a line that takes just those needs nothing of it;
    nor does a movement that a count has seen already.
    """
    needs: dict[tuple[int, int], int] = {}
    for product, steps in line.parts:
        pair = posting.store.id, product.id
        balance = snapshot.balances[pair]
        key = product.id, line.bucket
        if line.bucket == Bucket.DAMAGED:
            there[key] = balance.damaged
            needs[key] = needs.get(key, 0) + steps
            continue
        there[key] = balance.available
        if seen_by_count(snapshot, pair, posting.occurred_at):
            continue
        freed = _expired_taken(snapshot, posting, line, product, steps)
        if steps > freed:
            needs[key] = needs.get(key, 0) + steps - freed
    return needs


def _expired_taken(
    snapshot: Snapshot, posting: Posting, line: Line, product: Product, steps: int
) -> int:
    if posting.kind == "issue":
        return 0
    shelf = snapshot.shelf((posting.store.id, product.id))
    if shelf is None:
        return 0
    if line.lot is not None:
        lot = shelf.find(line.lot, line.expires_on)
        held = lot.quantity if lot is not None and lot.expired(shelf.today) else 0
        return min(steps, held)
    return min(steps, shelf.expired) if line.reason == "expired" else 0


def _shrunk(
    snapshot: Snapshot,
    posting: Posting,
    line: Line,
    needs: dict[tuple[int, int], int],
    there: dict[tuple[int, int], int],
    wanted: dict[tuple[int, int], int],
) -> tuple[Line, dict[tuple[int, int], int]]:
    """As much of a line as still fits, its amount in proportion."""
    room = line.quantity
    for key, steps in needs.items():
        left = max(there[key], 0) - wanted.get(key, 0)
        room = min(room, max(left, 0) * line.quantity // steps) if steps else room
    if room >= line.quantity:
        return line, needs
    if not line.product.stocked:
        room -= room % 10**line.product.precision
    parts = (
        ((line.product, room),)
        if line.product.stocked
        else parts_of(line.product, room, line.recipe, snapshot.cache)
    )
    amount = None if line.amount is None else share_of(line.amount, room, line.quantity)
    smaller = evolve(line, quantity=room, parts=parts, amount=amount, kept=min(line.kept, room))
    return smaller, _needs(snapshot, posting, smaller, there) if room else {}


def _tell_partial(draft: Draft, posting: Posting, lines: Sequence[Line]) -> None:
    posted = {line.number: line.quantity for line in lines}
    for line in posting.lines:
        given = posted.get(line.number, 0)
        if given < line.quantity:
            precision = line.product.precision
            draft.warnings.append(
                (
                    "partial",
                    {
                        "line": line.number,
                        "sku": line.product.sku,
                        "requested": format_quantity(line.quantity, precision),
                        "posted": format_quantity(given, precision),
                    },
                )
            )


def _tell_short(snapshot: Snapshot, posting: Posting, draft: Draft) -> None:
    """Warn of goods the books did not show, and of goods that were promised to somebody."""
    taken: dict[int, int] = {}
    for line in posting.lines:
        for product, steps in line.parts:
            taken[product.id] = taken.get(product.id, 0) + steps
    for product_id, steps in taken.items():
        pair = draft.store.id, product_id
        if seen_by_count(snapshot, pair, draft.occurred_at):
            continue
        balance = snapshot.balances[pair]
        short = min(steps, -balance.on_hand)
        if short <= 0 and balance.on_hand >= balance.reserved and not posting.fact:
            continue
        product = snapshot.cache.product(product_id)
        if short > 0:
            figures = {
                "short": format_quantity(short, product.precision),
                "on_hand": format_quantity(balance.on_hand, product.precision),
            }
            code = "paid_no_stock" if posting.fact else "sold_without_stock"
            draft.warnings.append((code, {"sku": product.sku, **figures}))
            raise_exception(draft, code, draft.store, product, **figures)
        elif balance.on_hand < balance.reserved:
            promised = [
                {"reservation": hold.code, "reference": hold.reference}
                for hold in snapshot.holds.get(pair, ())
            ]
            data = {
                "orders": ", ".join(str(p["reference"] or p["reservation"]) for p in promised),
                "reservations": promised,
            }
            code = "paid_no_stock" if posting.fact else "promised_stock"
            draft.warnings.append((code, {"sku": product.sku, **data}))
            raise_exception(draft, code, draft.store, product, **data)
        elif posting.fact and balance.available < 0:
            figures = {"on_hand": format_quantity(balance.on_hand, product.precision)}
            draft.warnings.append(("paid_no_stock", {"sku": product.sku, **figures}))
            raise_exception(draft, "paid_no_stock", draft.store, product, **figures)


def _against_receipt(snapshot: Snapshot, posting: Posting) -> Posting:
    """Hold a supplier return against its receipt: never more than came, less what went back."""
    family = snapshot.families[posting.of_document or ""]
    lines: list[Line] = []
    errors: list[FieldError] = []
    over: list[dict[str, object]] = []
    returned: dict[int, int] = {}
    for line in posting.lines:
        if line.of_line is None:
            lines.append(line)
            continue
        origin = family.root.line(line.of_line)
        if family.root.kind != "receipt" or origin is None or origin.product_id != line.product.id:
            errors.append(
                FieldError(
                    f"/lines/{line.number - 1}/of_line", "no_such_line", {"line": line.of_line}
                )
            )
            continue
        done = family.done(line.of_line, "post", kind="supplier_return")
        done += returned.get(line.of_line, 0)
        left = origin.quantity - done
        if family.root.reversed or line.quantity > left:
            over.append(_over(line, left))
            continue
        returned[line.of_line] = returned.get(line.of_line, 0) + line.quantity
        amount = line.amount
        if amount is None and origin.amount is not None:
            amount = share_of(origin.amount, done + line.quantity, origin.quantity) - share_of(
                origin.amount, done, origin.quantity
            )
        lines.append(evolve(line, amount=amount))
    if errors:
        raise Refused(Problem("invalid", errors=errors))
    if over:
        raise Refused(
            Problem("over_returned", {"number": posting.of_document}, extra={"lines": over})
        )
    return evolve(posting, lines=tuple(lines))


def _over(line: Line, left: int) -> dict[str, object]:
    precision = line.product.precision
    return {
        "line": line.of_line,
        "sku": line.product.sku,
        "requested": format_quantity(line.quantity, precision),
        "returnable": format_quantity(max(left, 0), precision),
    }
