"""Hand over goods that were paid for and kept (客存), and keep them once more.

Both are papers of the sale. Goods handed over by mistake are kept again; so are those that a
customer brings back to be looked after, not to be returned.
"""

from __future__ import annotations

from dianku.catalog.records import Store
from dianku.context import Context
from dianku.errors import FieldError, Problem, Refused, invalid, refuse
from dianku.ledger.commands import HandOver, Keep
from dianku.ledger.plan.keeping import move_kept, still_kept, with_customer
from dianku.ledger.plan.making import begin
from dianku.ledger.plan.transferring import line_quantities
from dianku.ledger.posting.draft import Draft, DraftLine
from dianku.ledger.posting.mover import Mover
from dianku.ledger.posting.snapshot import Family, Snapshot, StoredLine
from dianku.quantity import format_quantity


def plan_hand_over(
    snapshot: Snapshot, command: HandOver, ctx: Context, *, occurred_at: int
) -> Draft:
    """Kept goods leave; never more than were left. Refuses whoever may not sell in the store."""
    family, store = _sale(snapshot, command.number, ctx)
    wanted = line_quantities(snapshot, family, command.request, left=still_kept)
    short = []
    for origin, steps in wanted:
        product = snapshot.cache.product(origin.product_id)
        there = still_kept(family, origin)
        if steps > there or not steps:
            short.append(
                {
                    "line": origin.number,
                    "sku": product.sku,
                    "store": store.code,
                    "requested": format_quantity(steps, product.precision),
                    "available": format_quantity(there, product.precision),
                }
            )
    if short:
        skus = ", ".join(str(row["sku"]) for row in short[:5])
        raise Refused(
            Problem(
                "insufficient_stock", {"skus": skus, "count": len(short)}, extra={"short": short}
            )
        )
    draft = _paper(snapshot, family, store, ctx, action="hand_over", occurred_at=occurred_at)
    mover = Mover(snapshot, draft)
    for number, (origin, steps) in enumerate(wanted, start=1):
        product = snapshot.cache.product(origin.product_id)
        move_kept(mover, product, -steps, line=number)
        draft.lines.append(DraftLine(number, product, steps, of_line=origin.number))
    return draft


def plan_keep(snapshot: Snapshot, command: Keep, ctx: Context, *, occurred_at: int) -> Draft:
    """Goods that the customer has wait in the shop; never more than the customer has.

    Refuses whoever may not sell in the store, and what has no stock of its own.
    """
    family, store = _sale(snapshot, command.number, ctx)
    wanted = line_quantities(snapshot, family, command.request, left=with_customer)
    errors = [
        fault
        for index, asked in enumerate(command.request.lines)
        for origin, steps in wanted
        if origin.number == asked.line
        for fault in _not_kept(snapshot, family, origin, steps, index=index)
    ]
    if errors:
        raise invalid(*errors)
    draft = _paper(snapshot, family, store, ctx, action="keep", occurred_at=occurred_at)
    draft.note = command.request.note
    mover = Mover(snapshot, draft)
    for number, (origin, steps) in enumerate(wanted, start=1):
        product = snapshot.cache.product(origin.product_id)
        move_kept(mover, product, steps, line=number)
        draft.lines.append(DraftLine(number, product, steps, of_line=origin.number, kept=steps))
    return draft


def _not_kept(
    snapshot: Snapshot, family: Family, origin: StoredLine, steps: int, *, index: int
) -> list[FieldError]:
    product = snapshot.cache.product(origin.product_id)
    if not product.stocked:
        return [FieldError(f"/lines/{index}/line", "no_own_stock", {"name": product.sku})]
    if steps > with_customer(family, origin) or not steps:
        return [FieldError(f"/lines/{index}/quantity", "more_than_sold")]
    return []


def _sale(snapshot: Snapshot, number: str, ctx: Context) -> tuple[Family, Store]:
    family = snapshot.families.get(number)
    if family is None or family.root.kind != "issue" or family.root.action != "post":
        raise refuse("not_found", what="document", name=number)
    store = snapshot.cache.stores_by_id[family.root.store_id]
    ctx.require("document.post.issue", store=store.code)
    if family.root.reversed:
        raise refuse("already_reversed", number=family.root.reversed_by)
    return family, store


def _paper(
    snapshot: Snapshot, family: Family, store: Store, ctx: Context, *, action: str, occurred_at: int
) -> Draft:
    return begin(
        snapshot,
        ctx,
        kind="issue",
        action=action,
        store=store,
        occurred_at=occurred_at,
        of_document_id=family.root.id,
        of_number=family.root.number,
        channel=snapshot.cache.channels_by_id.get(family.root.channel_id or 0),
        reference=family.root.reference,
    )
