"""Whether a person took another price than the list and its bounds admit, without the right to.

Only people who are signed in are judged, and only after the fact: the goods are sold, offline
perhaps an hour ago, and a refusal would hide it. A token is another program's, which has prices
and rights of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dianku.context import Context
from dianku.ledger.commands import Line, PriceChanged
from dianku.quantity import MINOR_DIGITS, amount_of

PERMISSION = "price.change"
ROUNDING = 10**MINOR_DIGITS
"""So much beside the list in all is more than rounding down may let off, in minor units."""


def is_judged(kind: str, ctx: Context) -> bool:
    """Whether a document's prices are held against the list."""
    return kind == "issue" and ctx.actor.signed_in and not ctx.may(PERMISSION)


def price_changed(lines: Sequence[Line]) -> PriceChanged | None:
    """What was sold for what nobody had said, by more than rounding; None where nothing was.

    Goods without a list price and without bounds are left out: there is nothing to hold them
    against. Goods with bounds are held to these, others to no less than the list: a line too dear
    does not make up for one too cheap.
    """
    off = [(abs(fair - taken), line, fair, taken) for line, fair, taken in _held(lines)]
    if sum(less for less, *_ in off) < ROUNDING:
        return None
    most = max(off, key=lambda each: each[0])[1]
    return PriceChanged(
        most.product, sum(fair for *_, fair, _ in off), sum(taken for *_, taken in off)
    )


def _held(lines: Sequence[Line]) -> Iterator[tuple[Line, int, int]]:
    """Lines that were sold for something else than they could be, with the nearest they could."""
    for line in lines:
        if line.amount is not None:
            fair = _fair(line, line.amount)
            if fair != line.amount:
                yield line, fair, line.amount


def _fair(line: Line, taken: int) -> int:
    """What comes nearest to what was taken and may be taken by anybody; the list's always may."""
    if line.product.open_price == (None, None):
        return max(taken, line.listed or 0)
    least, most = (
        None if bound is None else amount_of(line.quantity, bound, line.product.precision)
        for bound in line.product.open_price
    )
    if line.listed:
        least = min(line.listed, least or 0)
        most = None if most is None else max(line.listed, most)
    if most is not None:
        taken = min(taken, most)
    return max(taken, least or 0)
