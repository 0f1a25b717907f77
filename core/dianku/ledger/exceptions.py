"""Exceptions: what a person should look at, and how they settle it.

Posting raises them (sold without stock, paid but short, a count's close call); settling is the
one thing that changes them, once. `UPDATE ... WHERE settled_at IS NULL` decides who was first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from dianku.catalog.records import Store
from dianku.clock import format_ms
from dianku.context import Context
from dianku.errors import refuse
from dianku.ledger.read.paging import SortColumn, by_id, fetch_page, sorting
from dianku.ledger.read.requests import ExceptionFilter, ExceptionPage, ExceptionRecord
from dianku.ledger.tables import stock_exception
from dianku.storage.engine import Database
from dianku.storage.events import NewEvent, append

_SORTS: Mapping[str, SortColumn] = {
    "raised_at": SortColumn("e.raised_at"),
    "id": SortColumn("e.id"),
}
_SELECT = """
SELECT e.*, s.code AS store, p.sku, d.number AS document, {columns}
FROM stock_exception AS e
JOIN store AS s ON s.id = e.store_id
LEFT JOIN product AS p ON p.id = e.product_id
LEFT JOIN document AS d ON d.id = e.document_id
WHERE {conditions}
ORDER BY {order_by}
LIMIT :count
"""
_SETTLE = (
    sa.update(stock_exception)
    .where(stock_exception.c.id == sa.bindparam("of"), stock_exception.c.settled_at.is_(None))
    .values(settled_at=sa.bindparam("at"), settled_by=sa.bindparam("by"), note=sa.bindparam("why"))
)


def exception_page(
    connection: Connection, asked: ExceptionFilter, *, stores: Sequence[Store]
) -> ExceptionPage:
    """Return a page of exceptions of some stores. Raises `Refused`: sort or cursor unknown."""
    order = sorting(asked.sort, known=_SORTS, default="-raised_at", last=("id",))
    conditions = ["e.store_id IN :stores"]
    lists: dict[str, Sequence[Any]] = {"stores": [s.id for s in stores]}
    parameters: dict[str, Any] = {}
    if asked.state is not None:
        conditions.append(f"e.settled_at IS {'' if asked.state == 'open' else 'NOT '}NULL")
    if asked.type is not None:
        conditions.append("e.type = :type")
        parameters["type"] = asked.type
    if asked.sku:
        conditions.append("p.sku IN :skus")
        lists["skus"] = asked.sku
    shown, following = fetch_page(
        connection,
        _SELECT,
        order,
        asked,
        conditions=conditions,
        lists=lists,
        parameters=parameters,
    )
    return ExceptionPage(
        items=[_record(row) for row in shown],
        next_cursor=following,
    )


def settle_exception(
    database: Database, exception_id: str, *, note: str, ctx: Context, now_ms: int
) -> ExceptionRecord:
    """Mark an exception as dealt with, saying how; the event `exception.settled` follows.

    Raises:
        Refused: `not_found`, `forbidden` for another store, `already_settled`.
    """
    with database.writing() as connection:
        row = _one(connection, exception_id)
        if not ctx.sees_store(row.store):
            raise refuse("forbidden", permission="store", store=row.store)
        parameters = {"of": row.id, "at": now_ms, "by": ctx.actor.name, "why": note}
        if connection.execute(_SETTLE, parameters).rowcount != 1:
            raise refuse("already_settled", name=exception_id)
        settled = _record(_one(connection, exception_id))
        data = {"id": settled.id, "type": settled.type, "store": settled.store, "sku": settled.sku}
        event = NewEvent("exception.settled", data, store_id=row.store_id)
        append(database, connection, [event], now_ms=now_ms)
    return settled


def _one(connection: Connection, exception_id: str) -> Row[Any]:
    row = by_id(connection, _SELECT, column="e.id", of=exception_id)
    if row is None:
        raise refuse("not_found", what="exception", name=exception_id)
    return row


def _record(row: Row[Any]) -> ExceptionRecord:
    settled = row.settled_at is not None
    return ExceptionRecord(
        id=str(row.id),
        type=row.type,
        state="settled" if settled else "open",
        store=row.store,
        sku=row.sku,
        document=row.document,
        data=msgspec.json.decode(row.data),
        raised_at=format_ms(row.raised_at),
        settled_at=format_ms(row.settled_at) if settled else None,
        settled_by=row.settled_by,
        note=row.note,
    )
