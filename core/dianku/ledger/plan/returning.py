"""Customer returns: against the sale where it is known, onto the shelf, among the damaged, or away.

Never more comes back than was sold, less what came back before. What comes back is what was
taken, at the cost it left with; what is refunded is the share that was really paid, or less.
"""

from __future__ import annotations

from attrs import evolve

from dianku.catalog.records import Product
from dianku.context import Context
from dianku.errors import refuse
from dianku.ledger.commands import Line, Posting
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.plan.giving_back import (
    Taken,
    amount_between,
    returned_so_far,
    taken_between,
)
from dianku.ledger.plan.inbound import lot_id_of
from dianku.ledger.plan.keeping import move_kept
from dianku.ledger.plan.making import begin_posting, draft_line, raise_exception
from dianku.ledger.plan.matching import matched
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.mover import Mover
from dianku.ledger.posting.snapshot import Snapshot
from dianku.quantity import format_amount


def plan_customer_return(snapshot: Snapshot, posting: Posting, ctx: Context) -> Draft:
    """Goods come back from a customer."""
    family = snapshot.families.get(posting.of_document or "")
    if family is not None:
        posting = matched(posting, family)
    draft = begin_posting(
        snapshot,
        ctx,
        posting,
        of_document_id=family.root.id if family else None,
        of_number=posting.of_document,
    )
    mover = Mover(snapshot, draft)
    done: dict[int, int] = {}
    over: list[dict[str, object]] = []
    for line in posting.lines:
        if line.kept:
            move_kept(mover, line.product, -line.kept, line=line.number)
        amount = line.amount
        if family is not None and line.of_line is not None:
            start = returned_so_far(family, line.of_line) + done.get(line.of_line, 0)
            end = start + line.quantity
            done[line.of_line] = done.get(line.of_line, 0) + line.quantity
            origin = family.root.line(line.of_line)
            assert origin is not None, "matched above"
            taken = _in_named_lot(snapshot, line, taken_between(family, origin, start, end))
            paid = amount_between(origin, start, end)
            if amount is None:
                amount = paid
            elif amount > paid:
                over.append(_over_refunded(line, paid))
        else:
            taken = _valued_today(snapshot, draft, line)
        for part in taken:
            _back(mover, draft, line, part, snapshot.cache.product(part.product_id))
        cost = sum(part.value for part in taken)
        draft.lines.append(draft_line(line, cost=cost, amount=amount or 0))
    if over:
        raise refuse("over_refunded", extra={"lines": over})
    if family is None and ctx.actor.signed_in:
        _tell_without_sale(draft)
    return draft


def _tell_without_sale(draft: Draft) -> None:
    """Tell of money paid back by a person's word alone, on the product it was most for.

    A token is another program's, which knows the sale even where it does not name it.
    """
    most = max(draft.lines, key=lambda line: line.amount or 0)
    refunded = sum(line.amount or 0 for line in draft.lines)
    raise_exception(
        draft,
        "returned_without_sale",
        draft.store,
        most.product,
        person=draft.actor,
        refunded=format_amount(refunded),
    )


def _over_refunded(line: Line, paid: int) -> dict[str, object]:
    return {
        "line": line.of_line,
        "sku": line.product.sku,
        "requested": format_amount(line.amount or 0),
        "refundable": format_amount(paid),
    }


def _in_named_lot(snapshot: Snapshot, line: Line, taken: list[Taken]) -> list[Taken]:
    """The goods in the lot on their packs, where the return names it.

    Which lot a sale took is a guess; who reads the lot off what lies on the counter knows it.
    """
    if line.lot is None:
        return taken
    own, lot_id = line.product.id, lot_id_of(snapshot, line)
    return [
        evolve(part, lots=[(lot_id, part.quantity)]) if part.product_id == own else part
        for part in taken
    ]


def _valued_today(snapshot: Snapshot, draft: Draft, line: Line) -> list[Taken]:
    """Without the sale: today's components, each at today's cost in this store."""
    taken = []
    lot_id = lot_id_of(snapshot, line)
    for product, steps in line.parts:
        worth = snapshot.balance(draft.store.id, product.id).worth(steps)
        own = product is line.product
        lots = [(lot_id if own else 0, steps)]
        taken.append(Taken(product.id, lots, steps, worth, component=not own))
    return taken


def _back(mover: Mover, draft: Draft, line: Line, part: Taken, product: Product) -> None:
    flow = Flow.RETURNED_COMPONENT if part.component else Flow.RETURNED
    if line.disposition == "damaged":
        balance = mover.snapshot.balance(draft.store.id, product.id)
        balance.put_damaged(part.quantity, part.value)
        for lot_id, steps, value in part.by_lot():
            mover.note(
                draft.store,
                product,
                line=line.number,
                flow=flow,
                quantity=steps,
                value=value,
                bucket=Bucket.DAMAGED,
                lot_id=lot_id,
            )
    elif line.disposition == "discard":
        mover.pass_through(
            product, part.quantity, part.value, line=line.number, flow=flow, lost="returned"
        )
    else:
        mover.put(
            product,
            part.quantity,
            part.value,
            line=line.number,
            flow=flow,
            split=part.lots,
        )
