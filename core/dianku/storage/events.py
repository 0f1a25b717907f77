"""Append to the event log, without gaps, in the order of commits.

`append` takes the commit lock and must be among the last things a transaction does: it holds
that lock until COMMIT, which is what makes ids visible in order (invariant of every cursor).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.storage.bulk import insert_rows, query
from dianku.storage.engine import LOCK_COMMIT, Database
from dianku.storage.schema import event

_BUMP = (
    "INSERT INTO counter (name, value) VALUES (:name, :by) "
    "ON CONFLICT (name) DO UPDATE SET value = counter.value + :by RETURNING value"
)


@frozen
class NewEvent:
    """What happened: a type such as `document.posted`, the store it concerns, plain data."""

    type: str
    data: Any
    store_id: int | None = None


def bump(connection: Connection, name: str, by: int = 1) -> int:
    """Raise a named counter and return its new value."""
    return int(query(connection, _BUMP, name=name, by=by)[0].value)


def current(connection: Connection, name: str) -> int:
    """The value of a named counter, 0 if it was never raised."""
    found = query(connection, "SELECT value FROM counter WHERE name = :name", name=name)
    return int(found[0].value) if found else 0


def append(
    database: Database, connection: Connection, events: Sequence[NewEvent], *, now_ms: int
) -> int:
    """Write events and return the id of the last one (0 if there were none)."""
    if not events:
        return 0
    database.lock(connection, LOCK_COMMIT)
    last = bump(connection, "event", len(events))
    write_events(connection, events, last=last, now_ms=now_ms)
    return last


def write_events(
    connection: Connection, events: Sequence[NewEvent], *, last: int, now_ms: int
) -> None:
    """Write events whose ids, ending at `last`, were drawn under the commit lock."""
    first = last - len(events) + 1
    insert_rows(
        connection,
        event,
        ("id", "type", "at", "store_id", "data"),
        [
            (first + i, e.type, now_ms, e.store_id, msgspec.json.encode(e.data).decode())
            for i, e in enumerate(events)
        ],
    )
