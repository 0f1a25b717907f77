"""Reservations as they stand: a hold whose end has passed is expired, swept or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from attrs import frozen
from sqlalchemy.engine import Connection, Row

from dianku.catalog.records import Store
from dianku.clock import day_of, format_ms
from dianku.errors import refuse
from dianku.ledger.read.paging import SortColumn, fetch_page, sorting
from dianku.ledger.read.requests import ReservationFilter, ReservationPage
from dianku.ledger.requests import ReservationLineRecord, ReservationRecord
from dianku.quantity import format_quantity
from dianku.storage.bulk import select_set

_ID = (("id", "int"),)
_SORTS: Mapping[str, SortColumn] = {
    "created_at": SortColumn("r.created_at"),
    "id": SortColumn("r.id"),
}
_FIND = """
SELECT r.id, {columns} FROM reservation AS r WHERE {conditions} ORDER BY {order_by} LIMIT :count
"""
_HEADS = """
SELECT r.*, s.code AS store, c.name AS channel, d.number AS document
FROM {rows} AS w JOIN reservation AS r ON r.id = w.id
JOIN store AS s ON s.id = r.store_id
LEFT JOIN channel AS c ON c.id = r.channel_id
LEFT JOIN document AS d ON d.id = r.document_id
"""
_LINES = """
SELECT l.reservation_id, l.line, l.quantity, l.issued, p.sku, p.precision FROM {rows} AS w
JOIN reservation_line AS l ON l.reservation_id = w.id
JOIN product AS p ON p.id = l.product_id
ORDER BY l.reservation_id, l.line
"""
_BY_CODE = "SELECT id, store_id FROM reservation WHERE code = :code"
_DUE = "(r.state = 'active' AND r.expires_at IS NOT NULL AND r.expires_at <= :now)"
_IN_CHANNELS = "r.channel_id IN (SELECT c.id FROM channel AS c WHERE c.name IN :channels)"
_WITH_PRODUCT = """
r.id IN (SELECT l.reservation_id FROM reservation_line AS l JOIN product AS p
         ON p.id = l.product_id WHERE p.sku IN :skus)
"""


def reservation_records(
    connection: Connection, ids: Iterable[int], *, now_ms: int
) -> dict[int, ReservationRecord]:
    """Read reservations by id; ids that are not there are left out. Two statements in all."""
    rows = [(i,) for i in sorted(set(ids))]
    if not rows:
        return {}
    lines: dict[int, list[ReservationLineRecord]] = defaultdict(list)
    for line in select_set(connection, _LINES, columns=_ID, rows=rows):
        lines[line.reservation_id].append(
            ReservationLineRecord(
                line=line.line,
                sku=line.sku,
                quantity=format_quantity(line.quantity, line.precision),
                issued=format_quantity(line.issued, line.precision),
            )
        )
    return {
        head.id: _record(head, lines=lines[head.id], now_ms=now_ms)
        for head in select_set(connection, _HEADS, columns=_ID, rows=rows)
    }


def _record(
    head: Row[Any], *, lines: list[ReservationLineRecord], now_ms: int
) -> ReservationRecord:
    due = head.state == "active" and head.expires_at is not None and head.expires_at <= now_ms
    return ReservationRecord(
        id=head.code,
        status="expired" if due else head.state,
        kind=head.kind,
        store=head.store,
        channel=head.channel,
        reference=head.reference,
        expires_at=None if head.expires_at is None else format_ms(head.expires_at),
        due_on=None if head.due_on is None else day_of(head.due_on).isoformat(),
        document=head.document,
        lines=lines,
    )


@frozen
class ReservationSearch:
    """Reservations of the stores in scope."""

    stores: tuple[Store, ...]
    now_ms: int

    def page(self, connection: Connection, asked: ReservationFilter) -> ReservationPage:
        """Return the page a filter asks for. Raises `Refused`: sort or cursor unknown."""
        order = sorting(asked.sort, known=_SORTS, default="-created_at", last=("id",))
        conditions, lists, parameters = self._conditions(asked)
        shown, following = fetch_page(
            connection,
            _FIND,
            order,
            asked,
            conditions=conditions,
            lists=lists,
            parameters=parameters,
        )
        records = reservation_records(connection, [k.id for k in shown], now_ms=self.now_ms)
        return ReservationPage(
            items=[records[k.id] for k in shown],
            next_cursor=following,
        )

    def one(self, connection: Connection, code: str) -> ReservationRecord:
        """Return a reservation by its id. Raises `Refused`: `not_found`, also out of scope."""
        row = connection.execute(sa.text(_BY_CODE), {"code": code}).one_or_none()
        if row is None or row.store_id not in {s.id for s in self.stores}:
            raise refuse("not_found", what="reservation", name=code)
        return reservation_records(connection, [row.id], now_ms=self.now_ms)[row.id]

    def _conditions(
        self, asked: ReservationFilter
    ) -> tuple[list[str], dict[str, Sequence[Any]], dict[str, Any]]:
        conditions = ["r.store_id IN :stores"]
        lists: dict[str, Sequence[Any]] = {"stores": [s.id for s in self.stores]}
        parameters: dict[str, Any] = {}
        if asked.channel:
            conditions.append(_IN_CHANNELS)
            lists["channels"] = asked.channel
        if asked.sku:
            conditions.append(_WITH_PRODUCT)
            lists["skus"] = asked.sku
        for name, value in (("reference", asked.reference), ("kind", asked.kind)):
            if value is not None:
                conditions.append(f"r.{name} = :{name}")
                parameters[name] = value
        if asked.status is not None:
            parameters["status"] = asked.status
            if asked.status == "expired":
                conditions.append(f"(r.state = :status OR {_DUE})")
                parameters["now"] = self.now_ms
            elif asked.status == "active":
                conditions.append(f"r.state = :status AND NOT {_DUE}")
                parameters["now"] = self.now_ms
            else:
                conditions.append("r.state = :status")
        return conditions, lists, parameters
