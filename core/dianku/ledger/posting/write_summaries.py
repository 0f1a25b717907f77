"""Fold a batch into the day's, the sale's and the hour's summaries, in the posting transaction.

Rows are added up in memory first, so that each is touched once and in its order.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection

from dianku.clock import local_hour
from dianku.ledger import tables as t
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.snapshot import Snapshot
from dianku.storage.bulk import insert_rows


def write_summaries(connection: Connection, snapshot: Snapshot) -> None:
    """Add what the batch moved and sold to the three summaries."""
    daily: dict[tuple[Any, ...], list[int]] = {}
    sales: dict[tuple[Any, ...], list[int]] = {}
    hours: dict[tuple[Any, ...], list[int]] = {}
    for draft in snapshot.drafts:
        for m in draft.moves:
            _add(
                daily,
                (m.business_date, m.store_id, m.product_id, m.bucket, m.flow, m.reason),
                (m.quantity, m.value),
            )
        if draft.kind in {"issue", "customer_return"} and draft.action in {"post", "reversal"}:
            _add_sales(draft, sales, hours)
    _upsert(
        connection,
        t.daily_summary,
        daily,
        ("business_date", "store_id", "product_id", "bucket", "flow", "reason"),
        ("quantity", "value"),
    )
    _upsert(
        connection,
        t.sales_summary,
        sales,
        ("business_date", "store_id", "product_id", "channel_id"),
        ("quantity", "amount", "returned", "returned_amount", "cost"),
    )
    _upsert(
        connection,
        t.sales_by_hour,
        hours,
        ("business_date", "store_id", "hour", "channel_id"),
        ("documents", "amount", "returned_amount"),
    )


def _add_sales(
    draft: Draft, sales: dict[tuple[Any, ...], list[int]], hours: dict[tuple[Any, ...], list[int]]
) -> None:
    """Fold a sale's or return's lines, as sold (a kit as itself), into the day and the hour."""
    channel_id = draft.channel.id if draft.channel else 0
    amount = 0
    sold = draft.kind == "issue"
    for line in draft.lines:
        paid = line.amount or 0
        amount += paid
        figures = (
            (line.quantity, paid, 0, 0, line.cost)
            if sold
            else (0, 0, line.quantity, paid, -line.cost)
        )
        _add(sales, (draft.business_date, draft.store.id, line.product.id, channel_id), figures)
    documents = (1 if draft.action == "post" else -1) if sold else 0
    hour = local_hour(draft.occurred_at, draft.store.timezone)
    _add(
        hours,
        (draft.business_date, draft.store.id, hour, channel_id),
        (documents, amount, 0) if sold else (0, 0, amount),
    )


def _add(
    totals: dict[tuple[Any, ...], list[int]], key: tuple[Any, ...], figures: tuple[int, ...]
) -> None:
    found = totals.get(key)
    if found is None:
        totals[key] = list(figures)
    else:
        for i, figure in enumerate(figures):
            found[i] += figure


def _upsert(
    connection: Connection,
    table: Any,
    totals: dict[tuple[Any, ...], list[int]],
    keys: tuple[str, ...],
    figures: tuple[str, ...],
) -> None:
    adds = ", ".join(f"{c} = {table.name}.{c} + excluded.{c}" for c in figures)
    insert_rows(
        connection,
        table,
        (*keys, *figures),
        [(*key, *values) for key, values in sorted(totals.items())],
        conflict=f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {adds}",
    )
