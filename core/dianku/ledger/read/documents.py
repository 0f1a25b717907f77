"""Find documents: by number, product, barcode, store, person, channel, reference and time.

A reader with a store scope sees the documents of their stores, and the transfers to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from attrs import frozen
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from dianku.catalog.records import Store
from dianku.context import Context
from dianku.errors import refuse
from dianku.ledger.attached import attached_to
from dianku.ledger.read.document_records import document_records, for_reader
from dianku.ledger.read.kept import KEPT, KEPT_FOR, containing, with_kept
from dianku.ledger.read.left import with_left
from dianku.ledger.read.paging import SortColumn, fetch_page, sorting
from dianku.ledger.read.requests import DocumentFilter, DocumentPage
from dianku.ledger.read.scope import read_point
from dianku.ledger.requests import DocumentRecord

_SORTS: Mapping[str, SortColumn] = {
    "recorded_at": SortColumn("d.id"),
    "occurred_at": SortColumn("d.occurred_at"),
}
"""Ids grow in the order of recording."""

_FIND = """
SELECT d.id, {columns} FROM document AS d WHERE {conditions} ORDER BY {order_by} LIMIT :count
"""
_BY_NUMBER = "SELECT id, store_id, to_store_id FROM document WHERE number = :number"


@frozen
class DocumentSearch:
    """Documents as `ctx` may see them. `stores` are those in scope (all: the whole shop)."""

    ctx: Context
    stores: tuple[Store, ...]
    now_ms: int

    def page(self, connection: Connection, asked: DocumentFilter) -> DocumentPage:
        """Return the page a filter asks for. Raises `Refused`: sort, cursor or time unknown."""
        order = sorting(asked.sort, known=_SORTS, default="-recorded_at", last=("recorded_at",))
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
        records = document_records(
            connection,
            [k.id for k in shown],
            now_ms=self.now_ms,
            balances=False,
            lines_max=asked.lines,
        )
        if _kept_asked(asked):
            records = with_kept(connection, records)
        return DocumentPage(
            items=[for_reader(records[k.id], ctx=self.ctx) for k in shown],
            next_cursor=following,
        )

    def one(self, connection: Connection, number: str) -> DocumentRecord:
        """Return a document by its number.

        Raises:
            Refused: `not_found`, also for a document of stores out of scope: a number tells
                nothing then.
        """
        row = connection.execute(sa.text(_BY_NUMBER), {"number": number}).one_or_none()
        seen = {s.id for s in self.stores}
        if row is None or not {row.store_id, row.to_store_id} & seen:
            raise refuse("not_found", what="document", name=number)
        record = document_records(connection, [row.id], now_ms=self.now_ms)[row.id]
        record = replace(record, attachments=attached_to(connection, row.id))
        record = with_kept(connection, {row.id: record})[row.id]
        return for_reader(with_left(connection, row.id, record), ctx=self.ctx)

    def _conditions(
        self, asked: DocumentFilter
    ) -> tuple[list[str], dict[str, Sequence[Any]], dict[str, Any]]:
        conditions = ["1 = 1"]
        lists: dict[str, Sequence[Any]] = {}
        parameters: dict[str, Any] = {}
        if asked.store or self.ctx.actor.stores is not None:
            conditions.append("(d.store_id IN :stores OR d.to_store_id IN :stores)")
            lists["stores"] = [s.id for s in self.stores]
        for name, values, condition in (
            ("kinds", asked.kind, "d.kind IN :kinds"),
            ("channels", asked.channel, _IN_CHANNELS),
            ("skus", asked.sku, _WITH_PRODUCT),
            ("payments", asked.payment, _PAID_WITH),
            ("to_stores", asked.to_store, _TO_STORES),
        ):
            if values:
                conditions.append(condition)
                lists[name] = values
        for name, value, condition in (
            ("reference", asked.reference, "d.reference = :reference"),
            ("actor", asked.actor, "d.actor = :actor"),
            ("barcode", asked.barcode, _WITH_BARCODE),
        ):
            if value is not None:
                conditions.append(condition)
                parameters[name] = value
        if asked.number is not None:
            conditions.append(_NUMBER_BEGINS)
            number = asked.number.upper()
            parameters |= {"number": number, "number_end": number + "zzzz"}
            parameters["length"] = len(number)
        if asked.on_the_way:
            conditions.append(_ON_THE_WAY)
        if _kept_asked(asked):
            conditions.append(KEPT)
        if asked.kept_for is not None:
            conditions.append(KEPT_FOR)
            parameters["kept_for"] = containing(asked.kept_for)
        self._times(asked, conditions, parameters)
        return conditions, lists, parameters

    def _times(
        self, asked: DocumentFilter, conditions: list[str], parameters: dict[str, Any]
    ) -> None:
        """From and to by the goods' own time; a date is the business date of the document."""
        for point, sign, name in (
            (read_point(asked.from_, pointer="/from"), ">=", "from"),
            (read_point(asked.to, pointer="/to"), "<=", "to"),
        ):
            if point is None:
                continue
            if point.day is None:
                conditions.append(f"d.occurred_at {sign} :{name}_at")
                parameters[f"{name}_at"] = point.at_ms
            else:
                conditions.append(f"d.business_date {sign} :{name}_day")
                parameters[f"{name}_day"] = point.day


def _kept_asked(asked: DocumentFilter) -> bool:
    return asked.kept or asked.kept_for is not None


# The range lets the index on numbers serve under every collation; the prefix decides.
_NUMBER_BEGINS = """
(d.number >= :number AND d.number < :number_end AND substr(d.number, 1, :length) = :number)
"""
# First that it goes to a store: SQLite too then takes the index of these few, not every document.
_ON_THE_WAY = """
d.to_store_id IN (SELECT s.id FROM store AS s) AND d.kind = 'transfer' AND d.action = 'post'
AND NOT EXISTS (SELECT 1 FROM document AS r WHERE r.reverses_id = d.id)
AND (SELECT SUM(l.quantity) FROM document_line AS l WHERE l.document_id = d.id) > (
  SELECT COALESCE(SUM(l.quantity), 0)
  FROM document AS a JOIN document_line AS l ON l.document_id = a.id
  WHERE a.of_document_id = d.id AND a.action IN ('arrival', 'close')
    AND NOT EXISTS (SELECT 1 FROM document AS r WHERE r.reverses_id = a.id))
"""
_TO_STORES = "d.to_store_id IN (SELECT s.id FROM store AS s WHERE s.code IN :to_stores)"
_IN_CHANNELS = "d.channel_id IN (SELECT c.id FROM channel AS c WHERE c.name IN :channels)"
_WITH_PRODUCT = """
d.id IN (SELECT l.document_id FROM document_line AS l JOIN product AS p ON p.id = l.product_id
         WHERE p.sku IN :skus)
"""
_PAID_WITH = """
EXISTS (SELECT 1 FROM document_payment AS p WHERE p.document_id = d.id AND p.kind IN :payments)
"""
_WITH_BARCODE = """
d.id IN (SELECT l.document_id FROM document_line AS l JOIN barcode AS b
         ON b.product_id = l.product_id WHERE b.code = :barcode)
"""
