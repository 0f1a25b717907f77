"""Days that were closed (日结): what was taken at the counter, and what was in the drawer.

A closing is a record of what the books said at that moment and what a person counted; it is never
changed. Closing a day again makes another one, which stands for the day from then on. Nothing is
locked by it: a sale that arrives later, from a till without a connection, is still that day's.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa
from attrs import frozen
from sqlalchemy.engine import Connection, Row

from dianku.catalog.channels import COUNTER
from dianku.catalog.records import Store
from dianku.catalog.snapshot import CatalogCache
from dianku.clock import Clock, day_number, day_text, format_ms
from dianku.context import Context
from dianku.errors import FieldError, invalid, refuse
from dianku.ledger.read.paging import SortColumn, by_id, fetch_page, sorting
from dianku.ledger.read.requests import (
    ClosingFilter,
    ClosingPage,
    ClosingRecord,
    NewClosing,
    Takings,
    TakingsFilter,
)
from dianku.ledger.read.scope import stores_in_scope, today
from dianku.ledger.read.takings import takings
from dianku.ledger.tables import day_closing
from dianku.ledger.wrong_fields import Errors
from dianku.quantity import AMOUNT_MAX, MINOR_DIGITS, format_amount, parse_amount
from dianku.storage.engine import Database
from dianku.storage.events import NewEvent, append

CASH = "cash"
DAYS_BACK_MAX = 400
"""How long ago a day may be that is closed only now."""

_SORTS: Mapping[str, SortColumn] = {
    "closed_at": SortColumn("c.closed_at"),
    "id": SortColumn("c.id"),
}
_SELECT = """
SELECT c.*, s.code AS store, {columns},
       (SELECT MAX(later.id) FROM day_closing AS later
        WHERE later.store_id = c.store_id AND later.business_date = c.business_date) AS newest
FROM day_closing AS c JOIN store AS s ON s.id = c.store_id
WHERE {conditions}
ORDER BY {order_by}
LIMIT :count
"""


@frozen
class Closings:
    """Closing days, and the days that were closed."""

    database: Database
    cache: CatalogCache
    clock: Clock

    def close(self, connection: Connection, new: NewClosing, *, ctx: Context) -> ClosingRecord:
        """Close a store's business day inside a writing transaction; `day.closed` follows.

        Raises:
            Refused: `not_found`, `forbidden` (store), `invalid` (a day that has not come or is
                long over, amounts that are none).
        """
        self.cache.refresh(connection)
        store = stores_in_scope(self.cache, ctx=ctx, named=[new.store])[0]
        now_ms = self.clock.now_ms()
        day, amounts = _checked(new, store, now_ms=now_ms)
        asked = TakingsFilter(
            channel=[COUNTER], from_=new.business_date, to=new.business_date, by="actor"
        )
        taken = takings(connection, asked, stores=[store], now_ms=now_ms)
        row = {
            "store_id": store.id,
            "business_date": day,
            "closed_at": now_ms,
            "actor": ctx.actor.name,
            "note": new.note or None,
            "takings": msgspec.json.encode(taken).decode(),
            **amounts,
        }
        made = connection.execute(sa.insert(day_closing).values(row).returning(day_closing.c.id))
        record = self._one(connection, str(made.scalar_one()), ctx=ctx)
        told = {"id": record.id, "store": record.store, "business_date": record.business_date}
        append(self.database, connection, [NewEvent("day.closed", told, store.id)], now_ms=now_ms)
        return record

    def page(self, asked: ClosingFilter, *, ctx: Context) -> ClosingPage:
        """Return a page of closings, the latest first.

        Raises:
            Refused: `not_found` or `forbidden` (store), `invalid` (sort, cursor).
        """
        order = sorting(asked.sort, known=_SORTS, default="-closed_at", last=("id",))
        with self.database.reading() as connection:
            self.cache.refresh(connection)
            stores = stores_in_scope(self.cache, ctx=ctx, named=asked.store)
            conditions, parameters = ["c.store_id IN :stores"], {}
            for name, sign, day in (("from", ">=", asked.from_), ("to", "<=", asked.to)):
                if day is not None:
                    conditions.append(f"c.business_date {sign} :{name}_day")
                    parameters[f"{name}_day"] = day_number(day)
            rows, following = fetch_page(
                connection,
                _SELECT,
                order,
                asked,
                conditions=conditions,
                lists={"stores": [s.id for s in stores]},
                parameters=parameters,
            )
        return ClosingPage(items=[_record(row) for row in rows], next_cursor=following)

    def one(self, closing_id: str, *, ctx: Context) -> ClosingRecord:
        """Return a closing. Raises `Refused`: `not_found`, also for a store out of scope."""
        with self.database.reading() as connection:
            return self._one(connection, closing_id, ctx=ctx)

    def _one(self, connection: Connection, closing_id: str, *, ctx: Context) -> ClosingRecord:
        row = by_id(connection, _SELECT, column="c.id", of=closing_id)
        if row is None or not ctx.sees_store(row.store):
            raise refuse("not_found", what="closing", name=closing_id)
        return _record(row)


def _checked(new: NewClosing, store: Store, *, now_ms: int) -> tuple[int, dict[str, int | None]]:
    """The business day as a number, and the amounts in minor units."""
    errors = Errors()
    here = today(store, now_ms=now_ms)
    day = here if new.business_date is None else day_number(new.business_date)
    if day > here:
        errors.add("/business_date", "day_ahead")
    elif day < here - DAYS_BACK_MAX:
        errors.add("/business_date", "too_old")
    amounts: dict[str, int | None] = {}
    for name in ("counted", "float_start", "float_left"):
        given: Decimal | None = getattr(new, name)
        if given is None:
            amounts[name] = None
            continue
        amounts[name] = errors.number(f"/{name}", given, MINOR_DIGITS, largest=AMOUNT_MAX)
        if given.is_finite() and given < 0:
            errors.add(f"/{name}", "negative")
    if errors.found:
        raise invalid(*errors.found)
    counted, left = amounts["counted"], amounts["float_left"]
    if left is not None and (counted is None or left > counted):
        params = {"counted": format_amount(counted or 0)}
        raise invalid(FieldError("/float_left", "more_than_counted", params))
    return day, amounts


def _record(row: Row[Any]) -> ClosingRecord:
    taken = msgspec.json.decode(row.takings, type=Takings)
    cash = sum(parse_amount(Decimal(one.net)) for one in taken.items if one.payment == CASH)
    expected = (row.float_start or 0) + cash
    return ClosingRecord(
        id=str(row.id),
        store=row.store,
        business_date=day_text(row.business_date),
        closed_at=format_ms(row.closed_at),
        actor=row.actor,
        takings=taken,
        cash=format_amount(cash),
        float_start=_amount(row.float_start),
        counted=_amount(row.counted),
        difference=None if row.counted is None else format_amount(row.counted - expected),
        float_left=_amount(row.float_left),
        note=row.note,
        stands=row.id == row.newest,
    )


def _amount(minor: int | None) -> str | None:
    return None if minor is None else format_amount(minor)
