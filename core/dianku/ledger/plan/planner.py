"""Plan one command: choose its planner, then let counts and the books have their say.

In order of arrival, each command seeing what the earlier ones of its batch did. A refusal puts
everything back and is the command's outcome; nothing here reads or writes the database.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence

from attrs import define, field

from dianku.context import Context
from dianku.errors import FieldError, Problem, Refused, invalid
from dianku.ledger.commands import (
    CloseTransfer,
    Command,
    CommitReservation,
    ExtendReservation,
    HandOver,
    Keep,
    Post,
    Posting,
    ReceiveTransfer,
    ReleaseReservation,
    Reserve,
    Reserving,
    Reverse,
    SweepReservations,
    Swept,
)
from dianku.ledger.plan.absorbing import absorb
from dianku.ledger.plan.adjusting import plan_adjustment, plan_cost_adjustment
from dianku.ledger.plan.handing_over import plan_hand_over, plan_keep
from dianku.ledger.plan.inbound import plan_receipt
from dianku.ledger.plan.outbound import plan_issue, plan_supplier_return, plan_write_off
from dianku.ledger.plan.paying import paid, paid_back
from dianku.ledger.plan.producing import plan_production
from dianku.ledger.plan.promising import (
    plan_commit,
    plan_extension,
    plan_release,
    plan_reservation,
    sweep,
)
from dianku.ledger.plan.returning import plan_customer_return
from dianku.ledger.plan.reversing import plan_reversal
from dianku.ledger.plan.reversing_corrections import take_absorption_back
from dianku.ledger.plan.transferring import plan_arrival, plan_close, plan_transfer
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.snapshot import Pair, Promise, Saved, Snapshot
from dianku.ledger.usual import Usual
from dianku.quantity import format_cost

_KINDS: dict[str, Callable[[Snapshot, Posting, Context], Draft]] = {
    "receipt": plan_receipt,
    "issue": plan_issue,
    "customer_return": plan_customer_return,
    "supplier_return": plan_supplier_return,
    "write_off": plan_write_off,
    "transfer": plan_transfer,
    "adjustment": plan_adjustment,
    "production": plan_production,
    "cost_adjustment": plan_cost_adjustment,
}

VALUE_MAX = 10**17
"""Largest figure of one movement, line or balance, in its own units: sums of them still fit."""

Planned = Draft | Promise | Swept | Problem


@define
class Task:
    """A command on its way through a batch.

    `resolved`: its posting or reservation with products looked up; `occurred_at`: the moment for
    commands that carry one of their own; `pairs`: the rows it touches; `numbers`, `codes`: the
    documents and reservations it refers to; `usual`: what receipts and
    sales are usual of what it brings.
    """

    command: Command
    ctx: Context
    resolved: Posting | Reserving | None = None
    occurred_at: int = 0
    pairs: frozenset[Pair] = frozenset()
    numbers: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    usual: Mapping[Pair, Usual] = field(factory=dict)


def plan_command(snapshot: Snapshot, task: Task) -> Planned:
    """Plan a command: its draft or promise, or the problem that refuses it."""
    if isinstance(task.resolved, Posting):
        refusal = _missing_original(snapshot, task.resolved)
        if refusal is not None:
            return refusal
    saved = snapshot.save(task.pairs)
    try:
        planned = _plan(snapshot, task)
        if isinstance(planned, Draft):
            planned.payments = _payments(snapshot, task, planned)
            _complete(snapshot, task, planned)
            _refuse_beyond(snapshot, saved)
    except Refused as refused:
        snapshot.restore(saved)
        return refused.problem
    return planned


def _missing_original(snapshot: Snapshot, posting: Posting) -> Problem | None:
    number = posting.of_document
    if number is None:
        return None
    family = snapshot.families.get(number)
    if family is None or family.root.store_id != posting.store.id:
        return Problem("not_found", {"what": "document", "name": number})
    return None


def _plan(snapshot: Snapshot, task: Task) -> Draft | Promise | Swept:
    command, ctx = task.command, task.ctx
    match command:
        case Post():
            assert isinstance(task.resolved, Posting), "resolved before it is planned"
            return _KINDS[task.resolved.kind](snapshot, task.resolved, ctx)
        case Reverse():
            return plan_reversal(snapshot, command, ctx)
        case HandOver():
            return plan_hand_over(snapshot, command, ctx, occurred_at=task.occurred_at)
        case Keep():
            return plan_keep(snapshot, command, ctx, occurred_at=task.occurred_at)
        case ReceiveTransfer():
            return plan_arrival(snapshot, command, ctx, occurred_at=task.occurred_at)
        case CloseTransfer():
            return plan_close(snapshot, command, ctx)
        case Reserve():
            assert isinstance(task.resolved, Reserving), "resolved before it is planned"
            code = secrets.token_hex(8)
            return plan_reservation(snapshot, task.resolved, ctx, code=code)
        case CommitReservation():
            return plan_commit(snapshot, command, ctx)
        case ReleaseReservation():
            return plan_release(snapshot, command, ctx)
        case ExtendReservation():
            return plan_extension(snapshot, command, ctx)
        case SweepReservations():
            return Swept(sweep(snapshot, command.codes))
        case _:
            raise TypeError(f"no planner for {type(command).__name__}")


def _payments(snapshot: Snapshot, task: Task, draft: Draft) -> Sequence[tuple[str, int]]:
    """How the draft was paid, or what it takes back of how another was."""
    if isinstance(task.resolved, Posting) and task.resolved.payments:
        return paid(task.resolved, draft)
    if isinstance(task.command, Reverse):
        return paid_back(snapshot, snapshot.families[task.command.number], draft)
    return ()


def _complete(snapshot: Snapshot, task: Task, draft: Draft) -> None:
    """Append the draft, and what counts have already seen of it."""
    snapshot.drafts.append(draft)
    absorb(snapshot, draft, task.ctx)
    if isinstance(task.command, Reverse):
        family = snapshot.families[task.command.number]
        take_absorption_back(snapshot, family, draft, task.ctx)


def _refuse_beyond(snapshot: Snapshot, saved: Saved) -> None:
    """Refuse what would no longer fit the columns it is written to and summed in."""
    drafts = snapshot.drafts[saved.drafts :]
    moved = (max(abs(m.quantity), abs(m.value)) for draft in drafts for m in draft.moves)
    told = (max(abs(x.amount or 0), abs(x.cost)) for draft in drafts for x in draft.lines)
    held = (max(map(abs, balance.figures)) for balance, _ in saved.balances)
    if any(figure > VALUE_MAX for figures in (moved, told, held) for figure in figures):
        raise invalid(FieldError("/lines", "amount_too_large", {"max": format_cost(VALUE_MAX)}))
