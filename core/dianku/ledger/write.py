"""Write what a batch planned, each guard once more as a condition.

A balance is updated only if it still is what the plan was made from; a statement that finds fewer
rows than the plan names raises `PlanOutdated`, and the whole batch is rolled back and planned
anew. Order of locks: rows (held since loading), lots, summaries in their order, and last, under
the commit lock, numbers and event ids, which are therefore without gaps in the order of commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from attrs import define, field
from sqlalchemy.engine import Connection

from dianku.clock import day_of, local_day, local_hour
from dianku.errors import DiankuError
from dianku.ledger import tables as t
from dianku.ledger.balance import STORED
from dianku.ledger.draft import Draft
from dianku.ledger.snapshot import Promise, Snapshot
from dianku.quantity import format_quantity
from dianku.storage.bulk import insert_rows, select_set, update_rows
from dianku.storage.engine import LOCK_COMMIT, Database
from dianku.storage.events import NewEvent, write_events

PREFIXES = {
    "receipt": "RK",
    "issue": "CK",
    "customer_return": "XT",
    "supplier_return": "CT",
    "write_off": "BS",
    "transfer": "DB",
    "adjustment": "TZ",
    "production": "JG",
    "cost_adjustment": "CB",
}
"""Document numbers begin with the initials of the kind's Chinese name (入库单 RK, 出库单 CK...)."""

STOCK_EVENT_MAX = 500
"""Most products in one `stock.changed` event."""

_encode = msgspec.json.encode


class PlanOutdated(DiankuError):
    """A row was not what the plan was made from; nothing may be written."""


@define
class KeyRow:
    """A claimed key and what came of its command."""

    key: tuple[int, int]
    digest: tuple[int, int]
    draft: Draft | None = None
    promise: Promise | None = None


@define
class _Ids:
    """Rows of counters, raised at once."""

    values: dict[str, int] = field(factory=dict)

    def take(self, name: str) -> int:
        """The next value of a counter."""
        self.values[name] += 1
        return self.values[name]


def write(
    database: Database, connection: Connection, snapshot: Snapshot, keys: Sequence[KeyRow]
) -> None:
    """Write all drafts, promises and balances of the snapshot, and the keys' effects.

    Raises:
        PlanOutdated: a guard found no row.
    """
    _write_balances(connection, snapshot)
    _write_lots(connection, snapshot)
    _write_holds(connection, snapshot)
    _write_summaries(connection, snapshot)
    promises = [p for p in snapshot.promises.values() if p.changed]
    if snapshot.drafts or promises:
        database.lock(connection, LOCK_COMMIT)
        ids = _number(connection, snapshot, promises)
        _write_promises(connection, snapshot, promises)
        _write_documents(connection, snapshot, ids)
        events = [*_document_events(snapshot), *_promise_events(snapshot, promises),
                  *_stock_events(snapshot)]
        write_events(connection, events, last=ids.values["event"] + len(events),
                     now_ms=snapshot.now_ms)
    _write_keys(connection, keys)


def _expect(changed: int, planned: int, what: str) -> None:
    if changed != planned:
        raise PlanOutdated(f"{what}: {changed} of {planned} rows were as planned")


def _write_balances(connection: Connection, snapshot: Snapshot) -> None:
    rows = [
        (*balance.state(), *pair, *snapshot.loaded[pair])
        for pair, balance in sorted(snapshot.changed().items())
    ]
    changed = update_rows(
        connection,
        t.stock_balance,
        sets=STORED,
        where=("store_id", "product_id", *STORED),
        rows=rows,
    )
    _expect(changed, len(rows), "stock_balance")


def _write_lots(connection: Connection, snapshot: Snapshot) -> None:
    rows = [
        (*pair, lot.lot_id, lot.quantity)
        for pair, shelf in sorted(snapshot.shelves.items())
        for lot in sorted(shelf.lots, key=lambda x: x.lot_id)
        if lot.lot_id in shelf.changed
    ]
    insert_rows(
        connection,
        t.lot_balance,
        ("store_id", "product_id", "lot_id", "quantity"),
        rows,
        conflict="ON CONFLICT (store_id, product_id, lot_id) "
        "DO UPDATE SET quantity = excluded.quantity",
    )


def _write_holds(connection: Connection, snapshot: Snapshot) -> None:
    """Holds that ended: past their time, committed or given back."""
    ended = {(r, p): False for r, p in snapshot.released}
    for promise in snapshot.promises.values():
        if promise.changed and not promise.is_new and not promise.active:
            ended.update({(promise.id, product_id): False for product_id in promise.holds})
    update_rows(
        connection,
        t.reservation_hold,
        sets=("active",),
        where=("reservation_id", "product_id"),
        rows=[(False, *key) for key in sorted(ended)],
    )
    extended = [
        (promise.expires_at, promise.id, product_id)
        for promise in snapshot.promises.values()
        if promise.changed and promise.active and not promise.is_new
        for product_id in sorted(promise.holds)
    ]
    update_rows(
        connection,
        t.reservation_hold,
        sets=("expires_at",),
        where=("reservation_id", "product_id"),
        rows=extended,
    )


def _write_summaries(connection: Connection, snapshot: Snapshot) -> None:
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
    _upsert(connection, t.daily_summary, daily,
            ("business_date", "store_id", "product_id", "bucket", "flow", "reason"),
            ("quantity", "value"))
    _upsert(connection, t.sales_summary, sales,
            ("business_date", "store_id", "product_id", "channel_id"),
            ("quantity", "amount", "returned", "returned_amount", "cost"))
    _upsert(connection, t.sales_by_hour, hours,
            ("business_date", "store_id", "hour", "channel_id"),
            ("documents", "amount", "returned_amount"))


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


_BUMP = """
INSERT INTO counter (name, value) SELECT w.name, w.by_ FROM {rows} AS w WHERE true
ORDER BY w.name
ON CONFLICT (name) DO UPDATE SET value = counter.value + excluded.value
RETURNING name, value
"""


def _number(connection: Connection, snapshot: Snapshot, promises: Sequence[Promise]) -> _Ids:
    """Raise every counter the batch needs in one statement, and number drafts and promises."""
    wanted: dict[str, int] = {
        "document": len(snapshot.drafts),
        "move": sum(len(d.moves) for d in snapshot.drafts),
        "exception": sum(len(d.raised) for d in snapshot.drafts),
        "reservation": sum(p.is_new for p in promises),
        "event": len(snapshot.drafts) + sum(len(d.raised) for d in snapshot.drafts)
        + len(promises) + len(_stock_chunks(snapshot)),
    }
    series = [_series(draft, snapshot.now_ms) for draft in snapshot.drafts]
    for name in series:
        wanted[name] = wanted.get(name, 0) + 1
    rows = select_set(
        connection,
        _BUMP,
        columns=(("name", "text"), ("by_", "int")),
        rows=sorted(wanted.items()),
    )
    ids = _Ids({row.name: row.value - wanted[row.name] for row in rows})
    for draft, name in zip(snapshot.drafts, series, strict=True):
        draft.id = ids.take("document")
        draft.number = f"{name}-{ids.take(name):06d}"
    for promise in promises:
        if promise.is_new:
            promise.id = ids.take("reservation")
    return ids


def _series(draft: Draft, now_ms: int) -> str:
    day = day_of(local_day(now_ms, draft.store.timezone))
    return f"{PREFIXES[draft.kind]}{day:%y%m%d}"


def _write_promises(
    connection: Connection, snapshot: Snapshot, promises: Sequence[Promise]
) -> None:
    new = [p for p in promises if p.is_new]
    insert_rows(
        connection,
        t.reservation,
        ("id", "code", "store_id", "channel_id", "reference", "kind", "state", "created_at",
         "expires_at", "due_on", "document_id", "actor"),
        [
            (p.id, p.code, p.store_id, p.channel_id, p.reference, p.kind, p.state, p.created_at,
             p.expires_at, p.due_on, p.document.id if p.document else None, p.actor)
            for p in new
        ],
    )
    insert_rows(
        connection,
        t.reservation_line,
        ("reservation_id", "line", "product_id", "quantity", "recipe"),
        [
            (p.id, number, product.id, quantity, _encode(recipe).decode() if recipe else None)
            for p in new
            for number, (product, quantity, recipe) in enumerate(p.lines, start=1)
        ],
    )
    insert_rows(
        connection,
        t.reservation_hold,
        ("reservation_id", "product_id", "store_id", "quantity", "active", "expires_at"),
        [
            (p.id, product_id, p.store_id, steps, p.active, p.expires_at)
            for p in new
            for product_id, steps in p.holds.items()
        ],
    )
    old = [
        (p.state, p.expires_at, p.document.id if p.document else None, p.id)
        for p in promises
        if not p.is_new
    ]
    changed = update_rows(
        connection, t.reservation, sets=("state", "expires_at", "document_id"), where=("id",),
        rows=old,
    )
    _expect(changed, len(old), "reservation")


def _write_documents(connection: Connection, snapshot: Snapshot, ids: _Ids) -> None:
    now = snapshot.now_ms
    drafts = snapshot.drafts
    insert_rows(
        connection,
        t.document,
        ("id", "number", "kind", "action", "store_id", "to_store_id", "channel_id", "reference",
         "of_document_id", "reverses_id", "cause_id", "supplier", "note", "loss_to",
         "occurred_at", "recorded_at", "business_date", "late", "actor", "device", "import_id",
         "warnings"),
        [
            (d.id, d.number, d.kind, d.action, d.store.id, d.to_store.id if d.to_store else None,
             d.channel.id if d.channel else None, d.reference,
             d.of_draft.id if d.of_draft else d.of_document_id, d.reverses_id,
             d.cause.id if d.cause else None, d.supplier, d.note, d.loss_to, d.occurred_at, now,
             d.business_date, d.late, d.actor, d.device, d.import_id,
             _warnings(d))
            for d in drafts
        ],
    )
    insert_rows(
        connection,
        t.document_line,
        ("document_id", "line", "product_id", "barcode", "quantity", "counted", "amount", "cost",
         "variance", "kept", "of_line", "reason", "disposition", "bucket", "lot_id",
         "occurred_at", "recipe"),
        [
            (d.id, x.number, x.product.id, x.barcode, x.quantity, x.counted, x.amount, x.cost,
             x.variance, x.kept, x.of_line, x.reason, x.disposition, int(x.bucket), x.lot_id,
             x.occurred_at, _encode(x.recipe).decode() if x.recipe else None)
            for d in drafts
            for x in d.lines
        ],
    )
    insert_rows(
        connection,
        t.stock_move,
        ("id", "document_id", "line", "store_id", "product_id", "bucket", "flow", "reason",
         "lot_id", "quantity", "value", "occurred_at", "recorded_at", "business_date"),
        [
            (ids.take("move"), d.id, m.line, m.store_id, m.product_id, int(m.bucket),
             int(m.flow), m.reason, m.lot_id, m.quantity, m.value, m.occurred_at, now,
             m.business_date)
            for d in drafts
            for m in d.moves
        ],
    )
    insert_rows(
        connection,
        t.stock_exception,
        ("id", "type", "store_id", "product_id", "document_id", "data", "raised_at"),
        [
            (ids.take("exception"), r.type, r.store_id, r.product_id, d.id,
             _encode(r.data).decode(), now)
            for d in drafts
            for r in d.raised
        ],
    )


def _warnings(draft: Draft) -> str | None:
    if not draft.warnings:
        return None
    return _encode([{"code": code, "data": data} for code, data in draft.warnings]).decode()


def _document_events(snapshot: Snapshot) -> list[NewEvent]:
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
            NewEvent("exception.raised", {"type": r.type, "document": d.number, **r.data},
                     r.store_id)
            for r in d.raised
        ]
    return events


def _promise_events(snapshot: Snapshot, promises: Sequence[Promise]) -> list[NewEvent]:
    return [
        NewEvent("reservation.changed", {"id": p.code, "status": p.state}, p.store_id)
        for p in promises
    ]


def _stock_chunks(snapshot: Snapshot) -> list[tuple[int, list[int]]]:
    """What changed, by store, in pieces of at most `STOCK_EVENT_MAX` products."""
    stores: dict[int, list[int]] = {}
    for store_id, product_id in sorted(snapshot.changed()):
        stores.setdefault(store_id, []).append(product_id)
    return [
        (store_id, products[i : i + STOCK_EVENT_MAX])
        for store_id, products in stores.items()
        for i in range(0, len(products), STOCK_EVENT_MAX)
    ]


def _stock_events(snapshot: Snapshot) -> list[NewEvent]:
    events = []
    for store_id, products in _stock_chunks(snapshot):
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


def _write_keys(connection: Connection, keys: Sequence[KeyRow]) -> None:
    """Give the claimed keys their effects."""
    rows = sorted(
        ("document", k.draft.id, *k.key) if k.draft is not None
        else ("reservation", k.promise.id if k.promise else 0, *k.key)
        for k in keys
    )
    changed = update_rows(
        connection, t.posted_key, sets=("subject", "subject_id"), where=("key_high", "key_low"),
        rows=rows,
    )
    _expect(changed, len(rows), "posted_key")
