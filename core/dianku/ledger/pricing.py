"""Whether a person took less than the list says, without the right to change prices.

Only people who are signed in are judged, and only after the fact: the goods are sold, offline
perhaps an hour ago, and a refusal would hide it. A token is another program's, which has prices
and rights of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from dianku.context import Context
from dianku.ledger.commands import Line, PriceChanged
from dianku.quantity import MINOR_DIGITS

PERMISSION = "price.change"
ROUNDING = 10**MINOR_DIGITS
"""So much below the list in all is more than rounding down may let off, in minor units."""


def is_judged(kind: str, ctx: Context) -> bool:
    """Whether a document's prices are held against the list."""
    return kind == "issue" and ctx.actor.signed_in and not ctx.may(PERMISSION)


def price_changed(lines: Sequence[Line]) -> PriceChanged | None:
    """What was sold below the list by more than rounding; None where nothing was.

    Goods without a list price are left out: there is nothing to hold them against. So is what was
    sold above it: a line too dear does not make up for one too cheap.
    """
    below = [
        (line.listed - line.amount, line)
        for line in lines
        if line.listed and line.amount is not None and line.listed > line.amount
    ]
    if sum(less for less, _ in below) < ROUNDING:
        return None
    most = max(below, key=lambda each: each[0])[1]
    listed = sum(line.listed or 0 for _, line in below)
    return PriceChanged(most.product, listed, sum(line.amount or 0 for _, line in below))
