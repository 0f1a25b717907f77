"""Receipts: goods come in at what was invoiced for them, free goods at nothing."""

from __future__ import annotations

from dianku.context import Context
from dianku.ledger.commands import Line, Posting
from dianku.ledger.flows import Flow
from dianku.ledger.plan.making import begin_posting, draft_line
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.lots import Split
from dianku.ledger.posting.mover import Mover
from dianku.ledger.posting.snapshot import Snapshot
from dianku.quantity import COST_PER_MINOR, format_quantity

HISTORY_DAYS = 7
"""Goods with less history than this are not judged by their sales."""


def plan_receipt(snapshot: Snapshot, posting: Posting, ctx: Context) -> Draft:
    """Goods in, with lots where they are kept, at the line's amount."""
    draft = begin_posting(snapshot, ctx, posting)
    mover = Mover(snapshot, draft)
    for line in posting.lines:
        value = (line.amount or 0) * COST_PER_MINOR
        _warn_unusual(snapshot, draft, line)
        mover.put(
            line.product,
            line.quantity,
            value,
            line=line.number,
            flow=Flow.RECEIVED,
            split=named_split(snapshot, line),
        )
        draft.lines.append(draft_line(line, cost=value, lot_id=lot_id_of(snapshot, line)))
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


def _warn_unusual(snapshot: Snapshot, draft: Draft, line: Line) -> None:
    usual = snapshot.usual.get((draft.store.id, line.product.id))
    if usual is None:
        return
    precision = line.product.precision
    often = usual.receipt > 0 and line.quantity >= usual.limits.times * usual.receipt
    sold, days = usual.sold, usual.days
    long = sold > 0 and days >= HISTORY_DAYS and line.quantity * days >= usual.limits.days * sold
    if often or long:
        draft.warnings.append(
            (
                "unusual_quantity",
                {
                    "line": line.number,
                    "sku": line.product.sku,
                    "quantity": format_quantity(line.quantity, precision),
                    "usual": format_quantity(usual.receipt, precision),
                    "sold_90_days": format_quantity(sold, precision),
                },
            )
        )
