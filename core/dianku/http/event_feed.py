"""The event log as one caller may see it: within their stores, in the order of commits.

Ids have no gaps in the log, so a page tells how far it looked even where nothing was for the
caller; nobody reads the same stretch twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.catalog.tables import store
from dianku.clock import format_ms
from dianku.context import Context
from dianku.storage.engine import Database
from dianku.storage.events import current
from dianku.storage.schema import event
from dianku.wire import Answer

EVENT_COUNTER = "event"


class EventRecord(Answer):
    """Something that happened. `store` null: it concerns the whole shop."""

    id: int
    type: str
    at: str
    store: str | None
    data: Any


class EventPage(Answer):
    """Events, oldest first; ask on with `cursor` = `next_cursor` while it is not null.

    `looked_to` is the last event looked at, for the caller or not: a later question may go on
    from there.
    """

    items: list[EventRecord]
    next_cursor: str | None
    looked_to: int


@frozen
class EventFeed:
    """What one caller may see of the log, narrowed to types and stores if any are named."""

    database: Database
    ctx: Context
    types: Sequence[str] = ()
    stores: Sequence[str] = ()

    def page(self, after: int, *, limit: int) -> EventPage:
        """The next events after an id."""
        with self.database.reading() as connection:
            head = current(connection, EVENT_COUNTER)
            rows = self._rows(connection, after, limit=limit) if head > after else []
        items = [
            EventRecord(
                id=row.id,
                type=row.type,
                at=format_ms(row.at),
                store=row.code,
                data=msgspec.json.decode(row.data),
            )
            for row in rows
        ]
        full = len(items) == limit
        looked_to = items[-1].id if full else max(head, after)
        return EventPage(
            items=items, next_cursor=str(looked_to) if full else None, looked_to=looked_to
        )

    def _rows(self, connection: Connection, after: int, *, limit: int) -> Sequence[Any]:
        query = (
            sa.select(event, store.c.code)
            .outerjoin(store, store.c.id == event.c.store_id)
            .where(event.c.id > after)
            .order_by(event.c.id)
            .limit(limit)
        )
        if self.types:
            query = query.where(event.c.type.in_(list(self.types)))
        if self.stores:
            query = query.where(store.c.code.in_(list(self.stores)))
        if self.ctx.actor.stores is not None:
            mine = store.c.code.in_(sorted(self.ctx.actor.stores))
            query = query.where(sa.or_(event.c.store_id.is_(None), mine))
        return connection.execute(query).all()
