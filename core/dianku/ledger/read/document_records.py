"""Documents as they are answered, rebuilt from the tables.

An answer is never stored: a replayed key, `GET /documents/{number}` and the list all read the
same rows through `document_records`, so that they cannot differ. What came later (a reversal, the
arrivals of a transfer) shows in `status`; `balances` are today's. Records come out whole;
`for_reader` takes away what a reader may not see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy.engine import Connection, Row

from dianku.clock import day_of, day_text, format_ms
from dianku.context import Context
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.read.levels import Level, levels
from dianku.ledger.requests import (
    BalanceRecord,
    DocumentRecord,
    LineRecord,
    LotQuantity,
    PaymentRecord,
    Warning,
)
from dianku.quantity import format_amount, format_cost, format_quantity
from dianku.storage.bulk import select_set

_ID = (("id", "int"),)

_DOCUMENTS = """
SELECT d.*, s.code AS store, t.code AS to_store, c.name AS channel,
       o.number AS of_document, r.number AS reverses
FROM {rows} AS w JOIN document AS d ON d.id = w.id
JOIN store AS s ON s.id = d.store_id
LEFT JOIN store AS t ON t.id = d.to_store_id
LEFT JOIN channel AS c ON c.id = d.channel_id
LEFT JOIN document AS o ON o.id = d.of_document_id
LEFT JOIN document AS r ON r.id = d.reverses_id
"""
_LINES = """
SELECT l.*, p.sku, p.precision FROM {rows} AS w
JOIN document_line AS l ON l.document_id = w.id AND l.line <= :lines
JOIN product AS p ON p.id = l.product_id
ORDER BY l.document_id, l.line
"""
_SUMS = """
SELECT l.document_id, COUNT(*) AS line_count, SUM(l.amount) AS amount
FROM {rows} AS w JOIN document_line AS l ON l.document_id = w.id GROUP BY l.document_id
"""
_PAYMENTS = """
SELECT p.document_id, p.kind, p.amount FROM {rows} AS w
JOIN document_payment AS p ON p.document_id = w.id
ORDER BY p.document_id, p.part
"""
_LOTS = f"""
SELECT m.document_id, m.line, m.product_id, m.store_id, m.bucket, m.flow, m.lot_id,
       lot.code, lot.expires_on, SUM(m.quantity) AS quantity
FROM {{rows}} AS w JOIN stock_move AS m ON m.document_id = w.id AND m.line <= :lines
JOIN lot ON lot.id = m.lot_id
WHERE m.flow NOT IN ({int(Flow.KEPT)}, {int(Flow.SETTLED)}, {int(Flow.REATTRIBUTED)})
GROUP BY m.document_id, m.line, m.product_id, m.store_id, m.bucket, m.flow, m.lot_id,
         lot.code, lot.expires_on
ORDER BY lot.expires_on, lot.code
"""
_TOUCHED = """
SELECT DISTINCT m.document_id, m.store_id, m.product_id
FROM {rows} AS w JOIN stock_move AS m ON m.document_id = w.id
"""
_REVERSED = """
SELECT w.id FROM {rows} AS w JOIN document AS r ON r.reverses_id = w.id
"""
_ARRIVED = """
SELECT d.of_document_id AS id, d.action, COALESCE(l.of_line, l.line) AS line,
       SUM(l.quantity) AS quantity
FROM {rows} AS w JOIN document AS d ON d.of_document_id = w.id
JOIN document_line AS l ON l.document_id = d.id
WHERE d.action IN ('arrival', 'close')
  AND NOT EXISTS (SELECT 1 FROM document AS r WHERE r.reverses_id = d.id)
GROUP BY d.of_document_id, d.action, COALESCE(l.of_line, l.line)
"""

_ABSORBED = """
SELECT d.of_document_id AS id, l.of_line, SUM(l.quantity) AS quantity
FROM {rows} AS w JOIN document AS d ON d.of_document_id = w.id AND d.action = 'absorption'
JOIN document_line AS l ON l.document_id = d.id
GROUP BY d.of_document_id, l.of_line
"""

_EVERY_LINE = 2**31 - 1
SIGNED_KINDS = frozenset({"adjustment", "production"})
"""Kinds whose line quantity has a sign of its own; all others are shown positive."""

_LineKey = tuple[int, int, int]
"""Document, line, product: the parts of a kit move under its line, but are not its goods."""


def document_records(
    connection: Connection,
    ids: Iterable[int],
    *,
    now_ms: int,
    balances: bool = True,
    lines_max: int | None = None,
) -> dict[int, DocumentRecord]:
    """Read the records of documents by id; ids that are not there are left out.

    Constant in statements whatever the number of documents. `balances` False leaves the list of
    balances empty (a list of documents does not need today's stock). With `lines_max` the first so
    many lines of each are told; `line_count` and `amount` are of all. `now_ms` decides which holds
    are due and which lots are expired.
    """
    rows = [(i,) for i in sorted(set(ids))]
    if not rows:
        return {}
    heads = select_set(connection, _DOCUMENTS, columns=_ID, rows=rows)
    most = _EVERY_LINE if lines_max is None else lines_max
    lines = _by_document(select_set(connection, _LINES, columns=_ID, rows=rows, lines=most))
    lots = _lots(select_set(connection, _LOTS, columns=_ID, rows=rows, lines=most))
    sums = _sums(connection, rows, lines=lines if lines_max is None else None)
    absorbed = _absorbed(connection, lines)
    states = _statuses(connection, rows, heads=heads, lines=lines if lines_max is None else None)
    payments = _by_document(select_set(connection, _PAYMENTS, columns=_ID, rows=rows))
    held = _balances(connection, rows, now_ms=now_ms) if balances else {}
    return {
        head.id: _document(
            head,
            status=states[head.id],
            sums=sums.get(head.id, (0, None)),
            lines=[
                _line(row, kind=head.kind, lots=lots, absorbed=absorbed.get((head.id, row.line), 0))
                for row in lines.get(head.id, ())
            ],
            balances=held.get(head.id, []),
            payments=[payment_record(p.kind, p.amount) for p in payments.get(head.id, ())],
        )
        for head in heads
    }


def for_reader(record: DocumentRecord, *, ctx: Context) -> DocumentRecord:
    """Leave out what `ctx` may not see: costs without `cost.view`, balances of other stores."""
    costs = ctx.may("cost.view")
    if costs and ctx.actor.stores is None:
        return record
    balances = [b for b in record.balances if ctx.sees_store(b.store)]
    if costs:
        return msgspec.structs.replace(record, balances=balances)
    # A receipt's amount is what was paid for the goods: their cost under another name.
    hide_amount = record.kind in {"receipt", "supplier_return", "cost_adjustment"}
    return msgspec.structs.replace(
        record,
        amount=None if hide_amount else record.amount,
        balances=[msgspec.structs.replace(b, value=None) for b in balances],
        lines=[
            msgspec.structs.replace(x, cost=None, amount=None if hide_amount else x.amount)
            for x in record.lines
        ],
    )


def _document(
    head: Row[Any],
    *,
    status: str,
    sums: tuple[int, int | None],
    lines: list[LineRecord],
    balances: list[BalanceRecord],
    payments: list[PaymentRecord],
) -> DocumentRecord:
    line_count, amount = sums
    return DocumentRecord(
        number=head.number,
        kind=head.kind,
        action=head.action,
        status=status,
        store=head.store,
        to_store=head.to_store,
        channel=head.channel,
        reference=head.reference,
        of_document=head.of_document,
        reverses=head.reverses,
        supplier=head.supplier,
        note=head.note,
        occurred_at=format_ms(head.occurred_at),
        recorded_at=format_ms(head.recorded_at),
        business_date=day_text(head.business_date),
        late=bool(head.late),
        actor=head.actor,
        device=head.device,
        lines=lines,
        line_count=line_count,
        amount=amount_text(amount, kind=head.kind),
        balances=balances,
        warnings=_warnings(head.warnings),
        payments=payments,
    )


def _line(
    row: Row[Any],
    *,
    kind: str,
    lots: Mapping[_LineKey, list[tuple[str, int, int]]],
    absorbed: int,
) -> LineRecord:
    def steps(number: int) -> str:
        return format_quantity(number, row.precision)

    return LineRecord(
        line=row.line,
        sku=row.sku,
        quantity=steps(row.quantity if kind in SIGNED_KINDS else abs(row.quantity)),
        amount=amount_text(row.amount, kind=kind),
        cost=format_cost(row.cost if kind == "cost_adjustment" else abs(row.cost)),
        lots=[
            LotQuantity(
                lot=code,
                quantity=steps(quantity),
                expires_on=day_of(expires_on).isoformat() if expires_on else None,
            )
            for code, expires_on, quantity in lots.get(
                (row.document_id, row.line, row.product_id), ()
            )
        ],
        counted=None if row.counted is None else steps(row.counted),
        difference=None if row.counted is None else steps(row.quantity + absorbed),
        kept=steps(abs(row.kept)) if row.kept else None,
        reason=row.reason,
        disposition=row.disposition,
        bucket=Bucket(row.bucket).name.lower() if row.bucket else None,
        of_line=row.of_line,
    )


def _sums(
    connection: Connection,
    rows: Sequence[tuple[int]],
    *,
    lines: Mapping[int, Sequence[Row[Any]]] | None,
) -> dict[int, tuple[int, int | None]]:
    """How many lines each document has, and what all their amounts come to.

    Of `lines`, where all of them were read.
    """
    if lines is None:
        found = select_set(connection, _SUMS, columns=_ID, rows=rows)
        return {
            row.document_id: (row.line_count, None if row.amount is None else int(row.amount))
            for row in found
        }
    return {
        document_id: (len(some), sum_of_amounts(row.amount for row in some))
        for document_id, some in lines.items()
    }


def _absorbed(
    connection: Connection, lines: Mapping[int, Sequence[Row[Any]]]
) -> dict[tuple[int, int], int]:
    """What counts have absorbed since, by (document, line)."""
    counts = sorted({i for i, rows in lines.items() if any(r.counted is not None for r in rows)})
    if not counts:
        return {}
    rows = select_set(connection, _ABSORBED, columns=_ID, rows=[(i,) for i in counts])
    return {(row.id, row.of_line): int(row.quantity) for row in rows}


def _by_document(rows: Sequence[Row[Any]]) -> dict[int, list[Row[Any]]]:
    groups: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        groups[row.document_id].append(row)
    return groups


def _lots(rows: Sequence[Row[Any]]) -> dict[_LineKey, list[tuple[str, int, int]]]:
    """(code, expires_on, quantity) per line.

    Goods that pass through two places in one line (out of a store and into the other's transit)
    make two sets of moves with the same lots: the greatest of them is what the line moved.
    """
    found: dict[_LineKey, dict[tuple[str, int], int]] = defaultdict(dict)
    for row in rows:
        lots = found[row.document_id, row.line, row.product_id]
        key = (row.code, row.expires_on)
        lots[key] = max(lots.get(key, 0), abs(int(row.quantity)))
    return {
        line: [(code, expires_on, q) for (code, expires_on), q in lots.items() if q]
        for line, lots in found.items()
    }


def _statuses(
    connection: Connection,
    rows: Sequence[tuple[int]],
    *,
    heads: Sequence[Row[Any]],
    lines: Mapping[int, Sequence[Row[Any]]] | None,
) -> dict[int, str]:
    """Say `posted` or `reversed`; of a transfer `sent`, `partly_received`, `received`, `closed`.

    By `lines`, where all of them were read.
    """
    states = {h.id: "posted" for h in heads}
    transfers = {h.id for h in heads if h.kind == "transfer" and h.action == "post"}
    if transfers:
        if lines is None:  # what is still to come may be of the lines beyond
            some = [(i,) for i in transfers]
            whole = select_set(connection, _LINES, columns=_ID, rows=some, lines=_EVERY_LINE)
            lines = _by_document(whole)
        arrived: dict[int, dict[int, int]] = defaultdict(dict)
        closed: set[int] = set()
        for row in select_set(connection, _ARRIVED, columns=_ID, rows=[(i,) for i in transfers]):
            if row.action == "close":
                closed.add(row.id)
            else:
                arrived[row.id][row.line] = int(row.quantity)
        for i in transfers:
            states[i] = "closed" if i in closed else _arrival(lines.get(i, ()), arrived[i])
    for row in select_set(connection, _REVERSED, columns=_ID, rows=rows):
        states[row.id] = "reversed"
    return states


def _arrival(lines: Sequence[Row[Any]], arrived: Mapping[int, int]) -> str:
    if not any(arrived.values()):
        return "sent"
    if all(arrived.get(line.line, 0) >= line.quantity for line in lines):
        return "received"
    return "partly_received"


def _balances(
    connection: Connection, rows: Sequence[tuple[int]], *, now_ms: int
) -> dict[int, list[BalanceRecord]]:
    touched = select_set(connection, _TOUCHED, columns=_ID, rows=rows)
    found = levels(connection, {(t.store_id, t.product_id) for t in touched}, now_ms=now_ms)
    groups: dict[int, list[BalanceRecord]] = defaultdict(list)
    for t in touched:
        level = found.get((t.store_id, t.product_id))
        if level is not None:
            groups[t.document_id].append(balance_record(level))
    for balances in groups.values():
        balances.sort(key=lambda b: (b.sku, b.store))
    return groups


def sum_of_amounts(amounts: Iterable[int | None]) -> int | None:
    """What the amounts of lines come to, in minor units; None where no line has one."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def amount_text(amount: int | None, *, kind: str) -> str | None:
    """Write an amount of a document as it is told: of a reversal what it takes back, no minus."""
    if amount is None:
        return None
    return format_amount(amount if kind == "cost_adjustment" else abs(amount))


def balance_record(level: Level) -> BalanceRecord:
    """Write a level as it stands in an answer."""
    return BalanceRecord(
        sku=level.sku,
        store=level.store,
        on_hand=format_quantity(level.on_hand, level.precision),
        reserved=format_quantity(level.reserved, level.precision),
        available=format_quantity(level.available, level.precision),
        value=format_cost(level.value),
    )


def payment_record(kind: str, amount: int) -> PaymentRecord:
    """Write a payment as it stands in an answer: as large as it was, also on a reversal."""
    return PaymentRecord(kind=kind, amount=format_amount(abs(amount)))


def _warnings(text: str | None) -> list[Warning]:
    """Warnings as first given: `[{code, data}]`; they are worded at the edge."""
    if not text:
        return []
    return [
        Warning(code=w["code"], message=w.get("message", ""), data=w.get("data", {}))
        for w in msgspec.json.decode(text)
    ]
