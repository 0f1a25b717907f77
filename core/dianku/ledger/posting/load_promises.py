"""Load reservations that are referred to, and release the holds on locked rows that are due."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dianku.ledger.commands import (
    CommitReservation,
    ExtendReservation,
    ReleaseReservation,
    SweepReservations,
)
from dianku.ledger.plan.planner import Task
from dianku.ledger.posting.load_documents import for_update
from dianku.ledger.posting.snapshot import (
    Hold,
    Promise,
    Snapshot,
)
from dianku.storage.bulk import select_set
from dianku.storage.engine import Database

_ID = (("id", "int"),)
_NAME = (("name", "text"),)
_PAIR = (("store_id", "int"), ("product_id", "int"))


_HOLDS = """
SELECT h.reservation_id, h.store_id, h.product_id, h.quantity, h.expires_at, r.code, r.reference
FROM {rows} AS w JOIN reservation_hold AS h
  ON h.store_id = w.store_id AND h.product_id = w.product_id AND h.active
JOIN reservation AS r ON r.id = h.reservation_id
"""


def codes_of(task: Task) -> Iterable[str]:
    """The reservations a task refers to."""
    command = task.command
    if isinstance(command, CommitReservation | ReleaseReservation | ExtendReservation):
        yield command.code
    elif isinstance(command, SweepReservations):
        yield from command.codes


def load_promises(
    database: Database, connection: Connection, snapshot: Snapshot, tasks: Sequence[Task]
) -> None:
    """Lock and read the reservations that are referred to."""
    codes = sorted({c for task in tasks for c in task.codes})
    if not codes:
        return
    rows = select_set(
        connection,
        "SELECT r.* FROM {rows} AS w JOIN reservation AS r ON r.code = w.name ORDER BY r.id"
        + for_update(database, "r"),
        columns=_NAME,
        rows=[(c,) for c in codes],
    )
    read_promises(connection, snapshot, rows)


def read_promises(connection: Connection, snapshot: Snapshot, rows: Sequence[Any]) -> None:
    """Read the lines of reservation rows into `snapshot.promises`.

    What they hold is found with the balances (`release_due`); of what has been issued whole
    nothing is held any more, and no balance tells of it, so it counts as held here.
    """
    ids = [(row.id,) for row in rows]
    lines: dict[int, list[Any]] = {}
    for x in select_set(
        connection,
        "SELECT l.*, d.number FROM {rows} AS w JOIN reservation AS r ON r.id = w.id "
        "JOIN reservation_line AS l ON l.reservation_id = r.id "
        "LEFT JOIN document AS d ON d.id = r.document_id ORDER BY l.reservation_id, l.line",
        columns=_ID,
        rows=ids,
    ):
        lines.setdefault(x.reservation_id, []).append(x)
    holds: dict[int, list[Any]] = {}
    for h in select_set(
        connection,
        "SELECT h.* FROM {rows} AS w JOIN reservation_hold AS h ON h.reservation_id = w.id",
        columns=_ID,
        rows=ids,
    ):
        holds.setdefault(h.reservation_id, []).append(h)
    products = {x.product_id for group in lines.values() for x in group}
    products |= {h.product_id for group in holds.values() for h in group}
    snapshot.cache.ensure(connection, ids=products)
    for row in rows:
        snapshot.promises[row.code] = Promise(
            id=row.id,
            code=row.code,
            store_id=row.store_id,
            channel_id=row.channel_id,
            reference=row.reference,
            kind=row.kind,
            state=row.state,
            created_at=row.created_at,
            expires_at=row.expires_at,
            due_on=row.due_on,
            document=None,
            actor=row.actor,
            lines=[
                (
                    snapshot.cache.product(x.product_id),
                    x.quantity,
                    tuple((i, q) for i, q in msgspec.json.decode(x.recipe or "[]")),
                )
                for x in lines.get(row.id, ())
            ],
            holds={h.product_id: h.quantity for h in holds.get(row.id, ())},
            issued=tuple(x.issued for x in lines.get(row.id, ())),
            held=frozenset(
                h.product_id for h in holds.get(row.id, ()) if h.active and not h.quantity
            ),
            document_number=next((x.number for x in lines.get(row.id, ())), None),
        )


def release_due(connection: Connection, snapshot: Snapshot) -> None:
    """Read the holds on the locked rows and release those past their end.

    A statement of its own after the locks: on PostgreSQL a guard that looks at reservations in
    the statement that locks sees them as they were before the lock was had, and oversells.
    """
    reserved = [p for p, b in snapshot.balances.items() if b.reserved]
    if not reserved:
        return
    codes = {p.id: p for p in snapshot.promises.values()}
    for row in select_set(connection, _HOLDS, columns=_PAIR, rows=reserved):
        pair = row.store_id, row.product_id
        if row.expires_at is not None and row.expires_at <= snapshot.now_ms:
            snapshot.balances[pair].reserved -= row.quantity
            snapshot.released.append((row.reservation_id, row.product_id))
            continue
        snapshot.holds.setdefault(pair, []).append(
            Hold(row.reservation_id, row.code, row.reference, row.quantity, row.expires_at)
        )
        promise = codes.get(row.reservation_id)
        if promise is not None:
            promise.held |= {row.product_id}


def due_reservations(connection: Connection, now_ms: int, *, limit: int) -> Sequence[Any]:
    """Active reservations past their end, oldest first: what the sweeper marks."""
    return connection.execute(
        sa.text(
            "SELECT code FROM reservation WHERE state = 'active' AND expires_at <= :now "
            "ORDER BY expires_at LIMIT :limit"
        ),
        {"now": now_ms, "limit": limit},
    ).all()
