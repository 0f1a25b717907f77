"""Receipts: goods come in at what was invoiced for them, free goods at nothing."""

from __future__ import annotations

from dianku.context import Context
from dianku.ledger.commands import Line, Posting
from dianku.ledger.flows import Flow
from dianku.ledger.plan.doubts import doubt_dates, doubt_quantities
from dianku.ledger.plan.making import begin_posting, draft_line
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.lots import Split
from dianku.ledger.posting.mover import Mover
from dianku.ledger.posting.snapshot import Snapshot
from dianku.quantity import COST_PER_MINOR


def plan_receipt(snapshot: Snapshot, posting: Posting, ctx: Context) -> Draft:
    """Goods in, with lots where they are kept, at the line's amount."""
    draft = begin_posting(snapshot, ctx, posting)
    mover = Mover(snapshot, draft)
    for line in posting.lines:
        value = (line.amount or 0) * COST_PER_MINOR
        mover.put(
            line.product,
            line.quantity,
            value,
            line=line.number,
            flow=Flow.RECEIVED,
            split=named_split(snapshot, line),
        )
        draft.lines.append(draft_line(line, cost=value, lot_id=lot_id_of(snapshot, line)))
    doubt_quantities(snapshot, draft, posting.lines)
    doubt_dates(snapshot, draft, posting.lines)
    return draft


def lot_id_of(snapshot: Snapshot, line: Line) -> int:
    """The lot a line names, 0 for none."""
    if line.lot is None:
        return 0
    return snapshot.lot_ids[line.product.id, line.lot, line.expires_on]


def named_split(snapshot: Snapshot, line: Line, quantity: int | None = None) -> Split:
    """All of a line's goods in the lot it names."""
    steps = line.quantity if quantity is None else quantity
    return [(lot_id_of(snapshot, line), steps)]
