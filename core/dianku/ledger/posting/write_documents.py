"""Write documents, lines, moves, exceptions and promises, numbered under the commit lock.

These are append-only: a row that is written here is never changed (invariant I2).
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field
from msgspec.json import encode
from sqlalchemy.engine import Connection

from dianku.clock import day_of, local_day
from dianku.ledger import tables as t
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.guards import expect
from dianku.ledger.posting.snapshot import Promise, Snapshot
from dianku.storage.bulk import insert_rows, select_set, update_rows

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


@define
class Ids:
    """Rows of counters, raised at once."""

    values: dict[str, int] = field(factory=dict)

    def take(self, name: str) -> int:
        """The next value of a counter."""
        self.values[name] += 1
        return self.values[name]


_BUMP = """
INSERT INTO counter (name, value) SELECT w.name, w.by_ FROM {rows} AS w WHERE true
ORDER BY w.name
ON CONFLICT (name) DO UPDATE SET value = counter.value + excluded.value
RETURNING name, value
"""


def number_drafts(
    connection: Connection, snapshot: Snapshot, promises: Sequence[Promise], *, chunks: int
) -> Ids:
    """Raise every counter the batch needs in one statement, and number drafts and promises."""
    wanted: dict[str, int] = {
        "document": len(snapshot.drafts),
        "move": sum(len(d.moves) for d in snapshot.drafts),
        "exception": sum(len(d.raised) for d in snapshot.drafts),
        "reservation": sum(p.is_new for p in promises),
        "event": len(snapshot.drafts)
        + sum(len(d.raised) for d in snapshot.drafts)
        + len(promises)
        + chunks,
    }
    series = _series(snapshot)
    for name in series:
        wanted[name] = wanted.get(name, 0) + 1
    rows = select_set(
        connection,
        _BUMP,
        columns=(("name", "text"), ("by_", "int")),
        rows=sorted(wanted.items()),
    )
    ids = Ids({row.name: row.value - wanted[row.name] for row in rows})
    for draft, name in zip(snapshot.drafts, series, strict=True):
        draft.id = ids.take("document")
        draft.number = f"{name}-{ids.take(name):06d}"
    for promise in promises:
        if promise.is_new:
            promise.id = ids.take("reservation")
    return ids


def _series(snapshot: Snapshot) -> list[str]:
    """The series each draft takes its number from: its kind, and today in its store."""
    zones = {draft.store.timezone for draft in snapshot.drafts}
    days = {zone: f"{day_of(local_day(snapshot.now_ms, zone)):%y%m%d}" for zone in zones}
    return [PREFIXES[draft.kind] + days[draft.store.timezone] for draft in snapshot.drafts]


def write_promises(connection: Connection, promises: Sequence[Promise]) -> None:
    """Write new reservations with what they hold, and how old ones stand now."""
    new = [p for p in promises if p.is_new]
    insert_rows(
        connection,
        t.reservation,
        (
            "id",
            "code",
            "store_id",
            "channel_id",
            "reference",
            "kind",
            "state",
            "created_at",
            "expires_at",
            "due_on",
            "document_id",
            "actor",
        ),
        [
            (
                p.id,
                p.code,
                p.store_id,
                p.channel_id,
                p.reference,
                p.kind,
                p.state,
                p.created_at,
                p.expires_at,
                p.due_on,
                p.document.id if p.document else None,
                p.actor,
            )
            for p in new
        ],
    )
    insert_rows(
        connection,
        t.reservation_line,
        ("reservation_id", "line", "product_id", "quantity", "recipe"),
        [
            (p.id, number, product.id, quantity, encode(recipe).decode() if recipe else None)
            for p in new
            for number, (product, quantity, recipe) in enumerate(p.lines, start=1)
        ],
    )
    insert_rows(
        connection,
        t.reservation_hold,
        ("reservation_id", "product_id", "store_id", "quantity", "active", "expires_at"),
        [
            (p.id, product_id, p.store_id, steps, product_id in p.held, p.expires_at)
            for p in new
            for product_id, steps in p.holds.items()
        ],
    )
    _write_changed(connection, [p for p in promises if not p.is_new])


def _write_changed(connection: Connection, promises: Sequence[Promise]) -> None:
    old = [
        (p.state, p.expires_at, p.due_on, p.document.id if p.document else None, p.id)
        for p in promises
    ]
    changed = update_rows(
        connection,
        t.reservation,
        sets=("state", "expires_at", "due_on", "document_id"),
        where=("id",),
        rows=old,
    )
    expect(changed, len(old), "reservation")
    issued = [
        (steps, p.id, line)
        for p in promises
        if any(p.issued)
        for line, steps in enumerate(p.issued, start=1)
    ]
    update_rows(
        connection,
        t.reservation_line,
        sets=("issued",),
        where=("reservation_id", "line"),
        rows=issued,
    )


def write_documents(connection: Connection, snapshot: Snapshot, ids: Ids) -> None:
    """Write every draft with its lines, moves and exceptions."""
    now = snapshot.now_ms
    drafts = snapshot.drafts
    _write_heads(connection, drafts, now)
    _write_lines(connection, drafts)
    _write_payments(connection, drafts)
    _write_moves(connection, drafts, now, ids)
    insert_rows(
        connection,
        t.stock_exception,
        ("id", "type", "store_id", "product_id", "document_id", "data", "raised_at"),
        [
            (
                ids.take("exception"),
                r.type,
                r.store_id,
                r.product_id,
                d.id,
                encode(r.data).decode(),
                now,
            )
            for d in drafts
            for r in d.raised
        ],
    )


def _write_heads(connection: Connection, drafts: Sequence[Draft], now: int) -> None:
    insert_rows(
        connection,
        t.document,
        (
            "id",
            "number",
            "kind",
            "action",
            "store_id",
            "to_store_id",
            "channel_id",
            "reference",
            "of_document_id",
            "reverses_id",
            "cause_id",
            "supplier",
            "note",
            "loss_to",
            "occurred_at",
            "recorded_at",
            "business_date",
            "late",
            "actor",
            "device",
            "import_id",
            "warnings",
        ),
        [
            (
                d.id,
                d.number,
                d.kind,
                d.action,
                d.store.id,
                d.to_store.id if d.to_store else None,
                d.channel.id if d.channel else None,
                d.reference,
                d.of_draft.id if d.of_draft else d.of_document_id,
                d.reverses_id,
                d.cause.id if d.cause else None,
                d.supplier,
                d.note,
                d.loss_to,
                d.occurred_at,
                now,
                d.business_date,
                d.late,
                d.actor,
                d.device,
                d.import_id,
                _warnings(d),
            )
            for d in drafts
        ],
    )


def _write_lines(connection: Connection, drafts: Sequence[Draft]) -> None:
    insert_rows(
        connection,
        t.document_line,
        (
            "document_id",
            "line",
            "product_id",
            "barcode",
            "quantity",
            "counted",
            "amount",
            "cost",
            "variance",
            "kept",
            "of_line",
            "reason",
            "disposition",
            "bucket",
            "lot_id",
            "occurred_at",
            "recipe",
        ),
        [
            (
                d.id,
                x.number,
                x.product.id,
                x.barcode,
                x.quantity,
                x.counted,
                x.amount,
                x.cost,
                x.variance,
                x.kept,
                x.of_line,
                x.reason,
                x.disposition,
                int(x.bucket),
                x.lot_id,
                x.occurred_at,
                encode(x.recipe).decode() if x.recipe else None,
            )
            for d in drafts
            for x in d.lines
        ],
    )


def _write_payments(connection: Connection, drafts: Sequence[Draft]) -> None:
    """Write how drafts were paid; of those of which nobody said, nothing, not even a statement."""
    insert_rows(
        connection,
        t.document_payment,
        ("document_id", "part", "kind", "amount"),
        [
            (d.id, part, kind, amount)
            for d in drafts
            if d.payments
            for part, (kind, amount) in enumerate(d.payments, start=1)
        ],
    )


def _write_moves(connection: Connection, drafts: Sequence[Draft], now: int, ids: Ids) -> None:
    insert_rows(
        connection,
        t.stock_move,
        (
            "id",
            "document_id",
            "line",
            "store_id",
            "product_id",
            "bucket",
            "flow",
            "reason",
            "lot_id",
            "quantity",
            "value",
            "occurred_at",
            "recorded_at",
            "business_date",
        ),
        [
            (
                ids.take("move"),
                d.id,
                m.line,
                m.store_id,
                m.product_id,
                int(m.bucket),
                int(m.flow),
                m.reason,
                m.lot_id,
                m.quantity,
                m.value,
                m.occurred_at,
                now,
                m.business_date,
            )
            for d in drafts
            for m in d.moves
        ],
    )


def _warnings(draft: Draft) -> str | None:
    if not draft.warnings:
        return None
    return encode([{"code": code, "data": data} for code, data in draft.warnings]).decode()
