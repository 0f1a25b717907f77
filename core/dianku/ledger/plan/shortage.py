"""Tell a person of goods that left although the books did not show them, or had promised them.

Whatever is posted without being held against the stock comes here: the counter, a manager who
overrides the policy, a fact, an order that a hold was kept for.
"""

from __future__ import annotations

from collections.abc import Iterable

from dianku.catalog.records import Product
from dianku.ledger.commands import Posting
from dianku.ledger.plan.making import raise_exception, seen_by_count
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.snapshot import Snapshot
from dianku.quantity import format_quantity


def tell_short(
    snapshot: Snapshot, posting: Posting, draft: Draft, taken: Iterable[tuple[Product, int]]
) -> None:
    """Warn of goods the books did not show, and of goods that were promised to somebody.

    `taken`: the sellable goods that left and their steps. Nobody can be refused any more where it
    is a fact or (a strict posting that was not held against the stock) what a hold was kept for.
    """
    paid = posting.fact or posting.strict
    wanted: dict[int, int] = {}
    for product, steps in taken:
        wanted[product.id] = wanted.get(product.id, 0) + steps
    for product_id, steps in wanted.items():
        pair = draft.store.id, product_id
        if seen_by_count(snapshot, pair, draft.occurred_at):
            continue
        balance = snapshot.balances[pair]
        short = min(steps, -balance.on_hand)
        if short <= 0 and balance.on_hand >= balance.reserved and not posting.fact:
            continue
        product = snapshot.cache.product(product_id)
        if short > 0:
            figures = {
                "short": format_quantity(short, product.precision),
                "on_hand": format_quantity(balance.on_hand, product.precision),
            }
            code = "paid_no_stock" if paid else "sold_without_stock"
            draft.warnings.append((code, {"sku": product.sku, **figures}))
            raise_exception(draft, code, draft.store, product, **figures)
        elif balance.on_hand < balance.reserved:
            promised = [
                {"reservation": hold.code, "reference": hold.reference}
                for hold in snapshot.holds.get(pair, ())
            ]
            data = {
                "orders": ", ".join(str(p["reference"] or p["reservation"]) for p in promised),
                "reservations": promised,
            }
            code = "paid_no_stock" if paid else "promised_stock"
            draft.warnings.append((code, {"sku": product.sku, **data}))
            raise_exception(draft, code, draft.store, product, **data)
        elif posting.fact and balance.available < 0:
            figures = {"on_hand": format_quantity(balance.on_hand, product.precision)}
            draft.warnings.append(("paid_no_stock", {"sku": product.sku, **figures}))
            raise_exception(draft, "paid_no_stock", draft.store, product, **figures)
