"""What of a document a person should look at twice: quantities, dates, prices beside costs.

Doubts are warnings and refuse nothing. Those about a quantity or a date stay with the document;
those that tell of a cost are only told beforehand, to whoever may see costs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dianku.clock import day_text, local_day
from dianku.context import Context
from dianku.ledger.commands import Line
from dianku.ledger.flows import Bucket
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.snapshot import Snapshot
from dianku.ledger.usual import Usual
from dianku.quantity import (
    COST_PER_MINOR,
    amount_of,
    format_amount,
    format_cost,
    format_quantity,
)

HISTORY_DAYS = 7
"""Goods with less history than this are not judged by their sales."""
WEEK_DAYS = 7


def doubt_quantities(snapshot: Snapshot, draft: Draft, lines: Iterable[Line]) -> None:
    """Warn of quantities that are out of all proportion to what the store is used to."""
    for line in lines:
        usual = snapshot.usual.get((draft.store.id, line.product.id))
        if usual is None or line.bucket == Bucket.DAMAGED:
            continue
        if draft.kind == "receipt":
            unusual = _much_to_receive(line.quantity, usual)
        else:
            unusual = _much_to_move(line.quantity, usual, one=10**line.product.precision)
        if unusual:
            precision = line.product.precision
            figures = {
                "quantity": format_quantity(line.quantity, precision),
                "usual": format_quantity(usual.quantity, precision),
                "sold_90_days": format_quantity(usual.sold, precision),
            }
            _warn(draft, "unusual_quantity", line, **figures)


def _much_to_receive(quantity: int, usual: Usual) -> bool:
    if usual.quantity > 0 and quantity >= usual.limits.times * usual.quantity:
        return True
    judged = usual.sold > 0 and usual.days >= HISTORY_DAYS
    return judged and quantity * usual.days >= usual.limits.days * usual.sold


def _much_to_move(quantity: int, usual: Usual, *, one: int) -> bool:
    """So many times the usual; where there is none yet, so many times what a week sells.

    Never less than so many pieces: of goods that hardly move two are many times the usual.
    """
    base = usual.quantity
    if not base and usual.sold > 0 and usual.days >= HISTORY_DAYS:
        base = usual.sold * WEEK_DAYS // usual.days or one
    return base > 0 and quantity >= usual.limits.times * max(base, one)


def doubt_dates(snapshot: Snapshot, draft: Draft, lines: Iterable[Line]) -> None:
    """Warn of goods that are past their date as they come in."""
    today = local_day(snapshot.now_ms, draft.store.timezone)
    for line in lines:
        if line.lot is None:
            continue
        _, expires_on = snapshot.lot_codes[
            snapshot.lot_ids[line.product.id, line.lot, line.expires_on]
        ]
        if expires_on and expires_on < today:
            _warn(draft, "expired_received", line, expires_on=day_text(expires_on))


def doubt_costs(draft: Draft, ctx: Context) -> list[tuple[str, dict[str, Any]]]:
    """What there is to say of prices beside costs, for whoever may see costs.

    `below_cost`: sold for less than it cost; `cost_above_price`: received for more than it is
    sold for, which is a carton's cost typed for a bottle more often than a bad bargain.
    """
    if not ctx.may("cost.view"):
        return []
    found: list[tuple[str, dict[str, Any]]] = []
    for line in draft.lines:
        amount = line.amount or 0
        data = {"line": line.number, "sku": line.product.sku, "amount": format_amount(amount)}
        if draft.kind == "issue" and amount * COST_PER_MINOR < line.cost:
            found.append(("below_cost", {**data, "cost": format_cost(line.cost)}))
        elif draft.kind == "receipt":
            price = line.product.price_in(draft.store.id) or 0
            worth = amount_of(line.quantity, price, line.product.precision)
            if price and amount > worth:
                found.append(("cost_above_price", {**data, "worth": format_amount(worth)}))
    return found


def _warn(draft: Draft, code: str, line: Line, **data: Any) -> None:
    draft.warnings.append((code, {"line": line.number, "sku": line.product.sku, **data}))
