"""Hand over goods that were paid for and left in the shop (客存)."""

from __future__ import annotations

from dianku.context import Context
from dianku.errors import Problem, Refused, refuse
from dianku.ledger.commands import HandOver
from dianku.ledger.plan.keeping import move_kept, still_kept
from dianku.ledger.plan.making import begin
from dianku.ledger.plan.transferring import line_quantities
from dianku.ledger.posting.draft import Draft, DraftLine
from dianku.ledger.posting.mover import Mover
from dianku.ledger.posting.snapshot import Snapshot
from dianku.quantity import format_quantity


def plan_hand_over(
    snapshot: Snapshot, command: HandOver, ctx: Context, *, occurred_at: int
) -> Draft:
    """Kept goods leave; never more than were left. Refuses whoever may not sell in the store."""
    family = snapshot.families.get(command.number)
    if family is None or family.root.kind != "issue" or family.root.action != "post":
        raise refuse("not_found", what="document", name=command.number)
    store = snapshot.cache.stores_by_id[family.root.store_id]
    ctx.require("document.post.issue", store=store.code)
    if family.root.reversed:
        raise refuse("already_reversed", number=family.root.reversed_by)
    wanted = line_quantities(snapshot, family, command.request, left=still_kept)
    draft = begin(
        snapshot,
        ctx,
        kind="issue",
        action="hand_over",
        store=store,
        occurred_at=occurred_at,
        of_document_id=family.root.id,
        of_number=family.root.number,
        channel=snapshot.cache.channels_by_id.get(family.root.channel_id or 0),
        reference=family.root.reference,
    )
    mover = Mover(snapshot, draft)
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
            continue
        number = len(draft.lines) + 1
        move_kept(mover, product, -steps, line=number)
        draft.lines.append(DraftLine(number, product, steps, of_line=origin.number))
    if short:
        skus = ", ".join(str(row["sku"]) for row in short[:5])
        raise Refused(
            Problem(
                "insufficient_stock", {"skus": skus, "count": len(short)}, extra={"short": short}
            )
        )
    return draft
