"""Goods that were paid for and left in the shop (客存): how many of a line wait, and how they move.

A sold line is in three parts: returned, waiting in `kept`, and with the customer. What comes back
comes out of what the customer has, unless the return says that it is of the goods that wait, and
only then out of `kept`: so the bucket never holds goods that nobody has a claim to any more.
"""

from __future__ import annotations

from dianku.catalog.records import Product
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.posting.mover import Mover
from dianku.ledger.posting.snapshot import Family, StoredLine


def still_kept(family: Family, line: StoredLine) -> int:
    """Steps of a sale's line that wait in the shop: neither fetched nor returned.

    Some were left there when they were paid, some were brought back to wait (`keep`).
    """
    returned = sum(
        x.kept
        for child in family.living("post", kind="customer_return")
        for x in child.lines
        if x.of_line == line.number
    )
    left = line.kept + family.done(line.number, "keep")
    return left - family.done(line.number, "hand_over") - returned


def with_customer(family: Family, line: StoredLine) -> int:
    """Steps of a sale's line that the customer has: not returned, and not waiting."""
    returned = family.done(line.number, "post", kind="customer_return")
    return line.quantity - returned - still_kept(family, line)


def kept_share(quantity: int, *, kept: int, with_customer: int, said: int | None) -> int | None:
    """How many of `quantity` returned steps come out of `kept`; None if that cannot be.

    `said`: how many the caller says; None takes what the customer has first.
    """
    share = max(quantity - with_customer, 0) if said is None else said
    return share if share <= kept and quantity - share <= with_customer else None


def move_kept(mover: Mover, product: Product, steps: int, *, line: int) -> None:
    """Put goods aside for their owner (positive), or take them from there; they carry no value."""
    store = mover.draft.store
    mover.snapshot.balance(store.id, product.id).kept += steps
    mover.note(
        store,
        product,
        line=line,
        flow=Flow.KEPT,
        quantity=steps,
        value=0,
        bucket=Bucket.KEPT,
    )
