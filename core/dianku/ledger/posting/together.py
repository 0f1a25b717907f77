"""Documents that are posted all or none, as one: an exchange is a return and a sale.

They stand side by side in the queue, are planned one after the other, each on what those before
it left, and written by one transaction. Where one is refused, what was planned of the others is
taken back and they are told so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from attrs import define

from dianku.errors import FieldError, Problem
from dianku.ledger.commands import Posting
from dianku.ledger.plan.planner import Planned, Task, plan_command

if TYPE_CHECKING:
    from dianku.ledger.posting.poster import Entry
    from dianku.ledger.posting.snapshot import Snapshot

TOGETHER_MAX = 20
"""Documents that may be posted as one."""

EXCHANGE = "exchange"
"""The kind of payment that goods coming back are (`dianku.ledger.requests.PaymentKind`)."""

NOT_ALONE = Problem("not_posted_alone")
"""What those are told whose neighbour was refused."""


@define(eq=False)
class Together:
    """Marks the entries of the queue that stand or fall as one; so many they are."""

    size: int


def halves(entries: Sequence[Entry]) -> tuple[Sequence[Entry], Sequence[Entry]] | None:
    """Two parts of a batch that keep together what is posted as one; None where that is all."""
    units = groupby(entries, key=lambda e: id(e if e.together is None else e.together))
    ends = list(accumulate(len(list(unit)) for _, unit in units))
    if len(ends) == 1:
        return None
    middle = ends[len(ends) // 2 - 1]
    return entries[:middle], entries[middle:]


def plan_all(
    snapshot: Snapshot, entries: Sequence[Entry], *, refused: Mapping[int, Problem]
) -> dict[int, Planned]:
    """Plan entries in their order, by their ids; of what is posted as one each or none.

    `refused`: by their ids, entries that are refused before they are planned.
    """
    planned: dict[int, Planned] = dict(refused)
    done: set[int] = set()
    for entry in entries:
        together = entry.together
        if together is None:
            if id(entry) not in refused:
                planned[id(entry)] = plan_command(snapshot, entry.task)
        elif id(together) not in done:
            done.add(id(together))
            unit = [e for e in entries if e.together is together]
            planned.update(_plan_unit(snapshot, unit, refused=refused))
    return planned


def _plan_unit(
    snapshot: Snapshot, unit: Sequence[Entry], *, refused: Mapping[int, Problem]
) -> dict[int, Planned]:
    """What became of each of a unit: each a draft, or each a problem."""
    assert unit[0].together is not None, "what is posted by itself is planned by itself"
    if len(unit) < unit[0].together.size:
        # The keys of the others were used before, for documents that stand without these.
        return {id(e): Problem("idempotency_conflict") for e in unit}
    saved = snapshot.save({pair for e in unit for pair in e.task.pairs})
    planned: dict[int, Planned] = {}
    for entry in unit:
        found = refused.get(id(entry)) or plan_command(snapshot, entry.task)
        if isinstance(found, Problem):
            snapshot.restore(saved)
            return {id(e): found if e is entry else NOT_ALONE for e in unit}
        planned[id(entry)] = found
    return planned


def unmatched(tasks: Sequence[Task]) -> dict[int, Problem]:
    """Documents paid by exchange that no others are exchanged for, by their places.

    What sales are paid by exchange comes back at once for as much: goods cannot be sold for a
    return that is still to come.
    """
    postings = [task.resolved for task in tasks if isinstance(task.resolved, Posting)]
    if len(postings) < len(tasks):
        return {}  # one was posted before, with its key: what it stands for is answered
    balance = 0
    found: dict[int, Problem] = {}
    for place, posting in enumerate(postings):
        for i, (kind, amount) in enumerate(posting.payments):
            if kind == EXCHANGE:
                balance += amount if posting.kind == "issue" else -amount
                wrong = FieldError(f"/payments/{i}/kind", "exchange_unmatched")
                found[place] = Problem("invalid", errors=[wrong])
    return found if balance else {}


def named_twice(entries: Sequence[Entry]) -> dict[int, Problem]:
    """Entries that name a key or a document which one before them names, by their places.

    What the first does to it the second would not see.
    """
    seen: set[object] = set()
    found = {}
    for place, entry in enumerate(entries):
        task = entry.task
        for name, values in (("key", {entry.key} - {None}), ("of_document", {*task.numbers})):
            if values & seen:
                error = FieldError(f"/{name}", "named_twice")
                found[place] = Problem("invalid", errors=[error])
            seen |= values
    return found
