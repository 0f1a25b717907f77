"""Answers made from what was just planned, without reading it back.

They say the same as `document_records` would of the rows; a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping

from dianku.clock import day_text, format_ms
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.posting.draft import Draft, DraftLine
from dianku.ledger.posting.snapshot import Promise, Snapshot
from dianku.ledger.read.document_records import (
    SIGNED_KINDS,
    amount_text,
    payment_record,
    sum_of_amounts,
)
from dianku.ledger.requests import (
    BalanceRecord,
    DocumentRecord,
    LineRecord,
    LotQuantity,
    ReservationLineRecord,
    ReservationRecord,
    Warning,
)
from dianku.quantity import format_cost, format_quantity

_NOT_OF_THE_LINE = frozenset({Flow.KEPT, Flow.SETTLED, Flow.REATTRIBUTED})


def document_record(snapshot: Snapshot, draft: Draft) -> DocumentRecord:
    """The record of a draft that was written; warnings are worded at the edge."""
    lots = _lots(snapshot, draft) if snapshot.shelves else {}
    of_number = draft.of_draft.number if draft.of_draft else draft.of_number
    return DocumentRecord(
        number=draft.number,
        kind=draft.kind,
        action=draft.action,
        status=draft.status,
        store=draft.store.code,
        to_store=draft.to_store.code if draft.to_store else None,
        channel=draft.channel.name if draft.channel else None,
        reference=draft.reference,
        of_document=of_number,
        reverses=draft.reverses_number,
        supplier=draft.supplier,
        note=draft.note,
        occurred_at=format_ms(draft.occurred_at),
        recorded_at=format_ms(snapshot.now_ms),
        business_date=day_text(draft.business_date),
        late=draft.late,
        actor=draft.actor,
        device=draft.device,
        lines=[_line(draft, line, lots.get(line.number, [])) for line in draft.lines],
        line_count=len(draft.lines),
        amount=amount_text(sum_of_amounts(x.amount for x in draft.lines), kind=draft.kind),
        balances=_balances(snapshot, draft),
        warnings=[Warning(code=code, message="", data=dict(data)) for code, data in draft.warnings],
        payments=[payment_record(kind, amount) for kind, amount in draft.payments],
    )


def _line(draft: Draft, line: DraftLine, lots: list[LotQuantity]) -> LineRecord:
    precision = line.product.precision
    signed = draft.kind in SIGNED_KINDS
    quantity = line.quantity if signed else abs(line.quantity)
    return LineRecord(
        line=line.number,
        sku=line.product.sku,
        quantity=format_quantity(quantity, precision),
        amount=amount_text(line.amount, kind=draft.kind),
        cost=format_cost(line.cost if draft.kind == "cost_adjustment" else abs(line.cost)),
        lots=lots,
        counted=None if line.counted is None else format_quantity(line.counted, precision),
        difference=None if line.counted is None else format_quantity(line.quantity, precision),
        kept=format_quantity(abs(line.kept), precision) if line.kept else None,
        reason=line.reason,
        disposition=line.disposition,
        bucket="damaged" if line.bucket == Bucket.DAMAGED else None,
        of_line=line.of_line,
    )


def _lots(snapshot: Snapshot, draft: Draft) -> Mapping[int, list[LotQuantity]]:
    totals: dict[int, dict[int, int]] = {}
    products = {line.number: line.product for line in draft.lines}
    for move in draft.moves:
        if not move.lot_id or move.flow in _NOT_OF_THE_LINE or move.store_id != draft.store.id:
            continue
        if products[move.line].id != move.product_id:
            continue
        lots = totals.setdefault(move.line, {})
        lots[move.lot_id] = lots.get(move.lot_id, 0) + move.quantity
    return {
        line: [
            LotQuantity(
                lot=snapshot.lot_codes[lot_id][0],
                quantity=format_quantity(abs(steps), products[line].precision),
                expires_on=_day(snapshot.lot_codes[lot_id][1]),
            )
            for lot_id, steps in sorted(
                lots.items(), key=lambda kv: (snapshot.lot_codes[kv[0]][1], kv[0])
            )
            if steps
        ]
        for line, lots in totals.items()
    }


def _day(number: int) -> str | None:
    return day_text(number) if number else None


def _balances(snapshot: Snapshot, draft: Draft) -> list[BalanceRecord]:
    records = []
    for pair in {(m.store_id, m.product_id) for m in draft.moves}:
        store_id, product_id = pair
        balance = snapshot.balances[pair]
        precision = balance.precision
        records.append(
            BalanceRecord(
                sku=snapshot.cache.product(product_id).sku,
                store=snapshot.cache.stores_by_id[store_id].code,
                on_hand=format_quantity(balance.on_hand, precision),
                reserved=format_quantity(balance.reserved, precision),
                available=format_quantity(balance.available, precision),
                value=format_cost(balance.value),
            )
        )
    records.sort(key=lambda r: (r.sku, r.store))
    return records


def reservation_record(snapshot: Snapshot, promise: Promise) -> ReservationRecord:
    """The record of a promise; one past its end is `expired`, swept or not."""
    state = promise.state
    due = promise.expires_at is not None and promise.expires_at <= snapshot.now_ms
    if state == "active" and due:
        state = "expired"
    channel = snapshot.cache.channels_by_id.get(promise.channel_id or 0)
    paper = promise.document.number if promise.document else promise.document_number
    return ReservationRecord(
        id=promise.code,
        status=state,
        kind=promise.kind,
        store=snapshot.cache.stores_by_id[promise.store_id].code,
        channel=channel.name if channel else None,
        reference=promise.reference,
        expires_at=format_ms(promise.expires_at) if promise.expires_at is not None else None,
        due_on=_day(promise.due_on or 0),
        document=paper,
        lines=[
            ReservationLineRecord(
                line=number,
                sku=product.sku,
                quantity=format_quantity(quantity, product.precision),
                issued=format_quantity(issued, product.precision),
            )
            for number, ((product, quantity, _), issued) in enumerate(
                zip(promise.lines, promise.issued, strict=True), start=1
            )
        ],
    )
