"""Begin and finish a draft: the head it shares with every other, and what follows from its moves.

`finish` is where every document meets the counts (a movement a count has already seen is absorbed
by it), and where a shortage becomes a warning and an exception for a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dianku.catalog.records import Product, Store
from dianku.clock import business_day
from dianku.context import Context
from dianku.errors import Problem, Refused
from dianku.ledger.commands import Line, Posting
from dianku.ledger.posting.draft import Draft, DraftLine, Raised
from dianku.ledger.posting.snapshot import Pair, Snapshot
from dianku.quantity import format_quantity

LATE_MS = 10 * 60_000
"""A document whose goods moved longer ago than this is marked late."""


def begin(
    snapshot: Snapshot,
    ctx: Context,
    *,
    kind: str,
    store: Store,
    action: str = "post",
    occurred_at: int | None = None,
    **more: Any,
) -> Draft:
    """A draft with its head filled in; `more` are further fields of `Draft`."""
    moment = snapshot.now_ms if occurred_at is None else occurred_at
    return Draft(
        kind=kind,
        action=action,
        store=store,
        occurred_at=moment,
        business_date=business_day(
            moment, zone=store.timezone, cutoff_minutes=store.day_cutoff_minutes
        ),
        late=snapshot.now_ms - moment > LATE_MS,
        actor=ctx.actor.name,
        device=ctx.device,
        **more,
    )


def begin_posting(snapshot: Snapshot, ctx: Context, posting: Posting, **more: Any) -> Draft:
    """A draft for a posting."""
    return begin(
        snapshot,
        ctx,
        kind=posting.kind,
        store=posting.store,
        occurred_at=posting.occurred_at,
        to_store=posting.to_store,
        channel=posting.channel,
        reference=posting.reference,
        supplier=posting.supplier,
        note=posting.note,
        import_id=posting.import_id,
        **more,
    )


def draft_line(line: Line, **changes: Any) -> DraftLine:
    """The line to write for a resolved line."""
    drafted = DraftLine(
        number=line.number,
        product=line.product,
        quantity=line.quantity,
        amount=line.amount,
        kept=line.kept,
        counted=line.counted,
        of_line=line.of_line,
        reason=line.reason,
        disposition=line.disposition,
        bucket=line.bucket,
        occurred_at=line.occurred_at,
        barcode=line.barcode,
        recipe=line.recipe,
    )
    for name, value in changes.items():
        setattr(drafted, name, value)
    return drafted


def short_of(
    store: Store,
    short: Iterable[tuple[Product, int, int]],
    *,
    needed: Iterable[tuple[Product, int, int]] = (),
) -> Refused:
    """The refusal `insufficient_stock` with all (product, requested, available) that are short.

    `needed`: all that was to leave, where the lines do not say so themselves.
    """
    rows = _asked_and_there(store, short)
    extra = {"short": rows}
    if all_rows := _asked_and_there(store, needed):
        extra["needed"] = all_rows
    names = ", ".join(row["sku"] for row in rows[:5])
    return Refused(Problem("insufficient_stock", {"skus": names, "count": len(rows)}, extra=extra))


def _asked_and_there(
    store: Store, goods: Iterable[tuple[Product, int, int]]
) -> list[dict[str, str]]:
    return [
        {
            "sku": product.sku,
            "store": store.code,
            "requested": format_quantity(wanted, product.precision),
            "available": format_quantity(there, product.precision),
        }
        for product, wanted, there in goods
    ]


def seen_by_count(snapshot: Snapshot, pair: Pair, occurred_at: int) -> bool:
    """Whether a count later than the movement has already seen it, so that nothing moves now."""
    return snapshot.counts_after(pair, occurred_at) is not None


def raise_exception(
    draft: Draft, type_: str, store: Store, product: Product | None, **data: Any
) -> None:
    """Note an exception for a person, with the product's sku among its data."""
    if product is not None:
        data = {"sku": product.sku, **data}
    draft.raised.append(Raised(type_, store.id, product.id if product else None, data))
