"""How a document was paid: as it was said, and taken back with the document.

What is said must come to what the lines come to, or a till and the books would part ways.
"""

from __future__ import annotations

from collections.abc import Sequence

from dianku.errors import invalid
from dianku.ledger.commands import Posting
from dianku.ledger.payments import fault_of, shared
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.snapshot import Family, Snapshot


def paid(posting: Posting, draft: Draft) -> Sequence[tuple[str, int]]:
    """The payments of a posting.

    Raises:
        Refused: `invalid` where they do not come to the amount of the lines: of those that a
            partial sale leaves, and of what a return against its sale is worth.
    """
    fault = fault_of(posting.payments, _amount(draft))
    if fault is not None:
        raise invalid(fault)
    return posting.payments


def paid_back(snapshot: Snapshot, family: Family, draft: Draft) -> Sequence[tuple[str, int]]:
    """What a reversal takes back of the payments of its document, negative.

    Of each kind what was not refunded of it; where that is not what is left to give back (a
    refund in another kind, or one of which nobody said), each kind's share of what is left.
    """
    payments = snapshot.payments.get(family.root.id)
    if not payments:
        return ()
    amount = -_amount(draft)
    left: dict[str, int] = {}
    for kind, part in payments:
        left[kind] = left.get(kind, 0) + part
    paid_in = dict(left)
    for child in family.living("post", kind="customer_return"):
        for kind, part in snapshot.payments.get(child.id, ()):
            left[kind] = left.get(kind, 0) - part
    if min(left.values()) < 0 or sum(left.values()) != amount:
        left = dict(zip(paid_in, shared(amount, list(paid_in.values())), strict=True))
    return [(kind, -part) for kind, part in left.items() if part]


def _amount(draft: Draft) -> int:
    return sum(line.amount or 0 for line in draft.lines)
