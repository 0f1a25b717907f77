"""Load documents that are referred to, and all that followed from them.

The documents are locked before any balance; what followed is read after the balances are locked,
since an absorption by another process changes only under those locks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from dianku.ledger.commands import (
    CloseTransfer,
    HandOver,
    Keep,
    Posting,
    ReceiveTransfer,
    Reverse,
)
from dianku.ledger.plan.planner import Task
from dianku.ledger.posting.snapshot import (
    Family,
    Original,
    Snapshot,
    StoredLine,
    StoredMove,
)
from dianku.storage.bulk import select_set
from dianku.storage.engine import Database

_ID = (("id", "int"),)
_NAME = (("name", "text"),)


def numbers_of(task: Task) -> Iterable[str]:
    """The documents a task refers to: one task of a batch may refer to each."""
    command = task.command
    if isinstance(command, Reverse | HandOver | Keep | ReceiveTransfer | CloseTransfer):
        yield command.number
    if isinstance(task.resolved, Posting) and task.resolved.of_document is not None:
        yield task.resolved.of_document


def load_roots(
    database: Database, connection: Connection, snapshot: Snapshot, tasks: Sequence[Task]
) -> list[Original]:
    """Lock and read the documents that are referred to, in the order of their ids."""
    numbers = sorted({n for task in tasks for n in task.numbers})
    if not numbers:
        return []
    rows = select_set(
        connection,
        "SELECT d.* FROM {rows} AS w JOIN document AS d ON d.number = w.name ORDER BY d.id"
        + for_update(database, "d"),
        columns=_NAME,
        rows=[(n,) for n in numbers],
    )
    roots = _originals(connection, rows)
    snapshot.cache.ensure(connection, ids={x.product_id for r in roots for x in r.lines})
    snapshot.cache.ensure(connection, ids={m.product_id for r in roots for m in r.moves})
    return roots


def for_update(database: Database, alias: str) -> str:
    """The clause that locks the rows of one table of a join; empty on SQLite."""
    clause = database.for_update()
    return f"{clause} OF {alias}" if clause else ""


def _originals(connection: Connection, rows: Sequence[Any]) -> list[Original]:
    ids = [(row.id,) for row in rows]
    if not ids:
        return []
    lines = _lines_of(connection, ids)
    moves = _moves_of(connection, ids)
    undone = {
        row.id: row.number
        for row in select_set(
            connection,
            "SELECT w.id, r.number FROM {rows} AS w JOIN document AS r ON r.reverses_id = w.id",
            columns=_ID,
            rows=ids,
        )
    }
    return [
        Original(
            id=row.id,
            number=row.number,
            kind=row.kind,
            action=row.action,
            store_id=row.store_id,
            to_store_id=row.to_store_id,
            channel_id=row.channel_id,
            reference=row.reference,
            of_document_id=row.of_document_id,
            reverses_id=row.reverses_id,
            cause_id=row.cause_id,
            supplier=row.supplier,
            occurred_at=row.occurred_at,
            reversed_by=undone.get(row.id),
            lines=tuple(lines.get(row.id, ())),
            moves=tuple(moves.get(row.id, ())),
        )
        for row in rows
    ]


def _lines_of(connection: Connection, ids: Sequence[tuple[int]]) -> dict[int, list[StoredLine]]:
    lines: dict[int, list[StoredLine]] = {}
    for x in select_set(
        connection,
        "SELECT l.* FROM {rows} AS w JOIN document_line AS l ON l.document_id = w.id "
        "ORDER BY l.document_id, l.line",
        columns=_ID,
        rows=ids,
    ):
        lines.setdefault(x.document_id, []).append(
            StoredLine(
                x.line,
                x.product_id,
                x.quantity,
                x.amount,
                x.cost,
                x.kept,
                x.counted,
                x.of_line,
                x.bucket,
                x.disposition,
                x.occurred_at,
                x.reason,
            )
        )
    return lines


def _moves_of(connection: Connection, ids: Sequence[tuple[int]]) -> dict[int, list[StoredMove]]:
    moves: dict[int, list[StoredMove]] = {}
    for m in select_set(
        connection,
        "SELECT m.* FROM {rows} AS w JOIN stock_move AS m ON m.document_id = w.id ORDER BY m.id",
        columns=_ID,
        rows=ids,
    ):
        moves.setdefault(m.document_id, []).append(
            StoredMove(
                m.line,
                m.store_id,
                m.product_id,
                m.bucket,
                m.flow,
                m.reason,
                m.lot_id,
                m.quantity,
                m.value,
                m.occurred_at,
            )
        )
    return moves


def load_children(connection: Connection, snapshot: Snapshot, roots: Sequence[Original]) -> None:
    """Read what followed from the documents, after their rows are locked."""
    if not roots:
        return
    rows = select_set(
        connection,
        "SELECT d.*, w.id AS root_id, CASE WHEN d.action = 'absorption' AND EXISTS "
        "(SELECT 1 FROM document AS r WHERE r.reverses_id = d.of_document_id) "
        "THEN 1 ELSE 0 END AS undone FROM {rows} AS w JOIN document AS d "
        "ON d.of_document_id = w.id OR d.cause_id = w.id ORDER BY d.id",
        columns=_ID,
        rows=[(root.id,) for root in roots],
    )
    unique = {row.id: row for row in rows}
    children = {child.id: child for child in _originals(connection, list(unique.values()))}
    undone = {row.id for row in rows if row.undone}
    over = _of_reversed(connection, roots)
    for root in roots:
        own = [children[row.id] for row in rows if row.root_id == root.id]
        living = [c for c in own if c.id not in undone]
        snapshot.families[root.number] = Family(root, living, root.id in over)


def load_payments(connection: Connection, snapshot: Snapshot, tasks: Sequence[Task]) -> None:
    """Read how the documents to reverse were paid, and what was refunded of them."""
    numbers = {task.command.number for task in tasks if isinstance(task.command, Reverse)}
    families = [snapshot.families[n] for n in numbers if n in snapshot.families]
    ids = {x.id for family in families for x in (family.root, *family.children)}
    if not ids:
        return
    for row in select_set(
        connection,
        "SELECT p.document_id, p.kind, p.amount FROM {rows} AS w "
        "JOIN document_payment AS p ON p.document_id = w.id ORDER BY p.document_id, p.part",
        columns=_ID,
        rows=[(i,) for i in sorted(ids)],
    ):
        snapshot.payments.setdefault(row.document_id, []).append((row.kind, row.amount))


def _of_reversed(connection: Connection, roots: Sequence[Original]) -> set[int]:
    """Returns whose sale was reversed. Whoever reverses that holds its balances, so not before."""
    returns = [(r.id,) for r in roots if r.kind == "customer_return" and r.of_document_id]
    if not returns:
        return set()
    found = select_set(
        connection,
        "SELECT w.id FROM {rows} AS w JOIN document AS d ON d.id = w.id "
        "JOIN document AS r ON r.reverses_id = d.of_document_id",
        columns=_ID,
        rows=returns,
    )
    return {row.id for row in found}
