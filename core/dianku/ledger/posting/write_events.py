"""What the event log is told of a batch: documents, exceptions, promises, and stock by store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dianku.ledger.posting.snapshot import Pair, Promise, Snapshot
from dianku.quantity import format_quantity
from dianku.storage.events import NewEvent

STOCK_EVENT_MAX = 500
"""Most products in one `stock.changed` event."""


def document_events(snapshot: Snapshot) -> list[NewEvent]:
    """`document.posted` of each draft, and `exception.raised` of what it raised."""
    events = []
    for d in snapshot.drafts:
        events.append(
            NewEvent(
                "document.posted",
                {
                    "number": d.number,
                    "kind": d.kind,
                    "action": d.action,
                    "store": d.store.code,
                    "channel": d.channel.name if d.channel else None,
                    "reference": d.reference,
                    "skus": [x.product.sku for x in d.lines],
                },
                d.store.id,
            )
        )
        events += [
            NewEvent(
                "exception.raised", {"type": r.type, "document": d.number, **r.data}, r.store_id
            )
            for r in d.raised
        ]
    return events


def promise_events(promises: Sequence[Promise]) -> list[NewEvent]:
    """`reservation.changed` of each promise."""
    return [
        NewEvent("reservation.changed", {"id": p.code, "status": p.state}, p.store_id)
        for p in promises
    ]


def stock_chunks(changed: Iterable[Pair]) -> list[tuple[int, list[int]]]:
    """What changed, by store, in pieces of at most `STOCK_EVENT_MAX` products."""
    stores: dict[int, list[int]] = {}
    for store_id, product_id in sorted(changed):
        stores.setdefault(store_id, []).append(product_id)
    return [
        (store_id, products[i : i + STOCK_EVENT_MAX])
        for store_id, products in stores.items()
        for i in range(0, len(products), STOCK_EVENT_MAX)
    ]


def stock_events(snapshot: Snapshot, chunks: Sequence[tuple[int, list[int]]]) -> list[NewEvent]:
    """`stock.changed` by store: how each product that changed stands after the batch."""
    events = []
    for store_id, products in chunks:
        items = []
        for product_id in products:
            balance = snapshot.balances[store_id, product_id]
            digits = balance.precision
            items.append(
                {
                    "sku": snapshot.cache.product(product_id).sku,
                    "on_hand": format_quantity(balance.on_hand, digits),
                    "reserved": format_quantity(balance.reserved, digits),
                    "available": format_quantity(balance.available, digits),
                }
            )
        store = snapshot.cache.stores_by_id[store_id].code
        events.append(NewEvent("stock.changed", {"store": store, "items": items}, store_id))
    return events
