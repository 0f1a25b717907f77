"""Load what a batch needs, taking locks in the ledger's one order.

Documents and reservations that are touched, then (store, product) rows in their order (missing
ones inserted first), then, each in a statement of its own that sees what the locks have settled:
holds that are due, lots, counts, and what moved since. Everything is set-based: the number of
statements does not grow with the batch, and the usual sale needs two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dianku.catalog.snapshot import CatalogCache
from dianku.clock import local_day
from dianku.ledger.balance import STORED, Balance
from dianku.ledger.commands import (
    CloseTransfer,
    CommitReservation,
    ExtendReservation,
    HandOver,
    Line,
    Posting,
    ReceiveTransfer,
    ReleaseReservation,
    Reserving,
    Reverse,
    SweepReservations,
)
from dianku.ledger.lots import LotShelf, LotStock
from dianku.ledger.mover import COUNT_REASON
from dianku.ledger.plan.absorbing import BOUNDARY_MS
from dianku.ledger.plan.planner import Task
from dianku.ledger.resolve import pairs_of
from dianku.ledger.snapshot import (
    Count,
    Family,
    Hold,
    Original,
    Pair,
    Promise,
    Snapshot,
    StoredLine,
    StoredMove,
)
from dianku.storage.bulk import execute_set, select_set
from dianku.storage.engine import Database

_PAIR = (("store_id", "int"), ("product_id", "int"))
_ID = (("id", "int"),)
_NAME = (("name", "text"),)

_INSERT_MISSING = """
INSERT INTO stock_balance (store_id, product_id)
SELECT w.store_id, w.product_id FROM {rows} AS w
WHERE NOT EXISTS (SELECT 1 FROM stock_balance AS b
                  WHERE b.store_id = w.store_id AND b.product_id = w.product_id)
ORDER BY w.store_id, w.product_id
ON CONFLICT DO NOTHING
"""
_BALANCES = f"""
SELECT b.store_id, b.product_id, {", ".join("b." + name for name in STORED)}
FROM {{rows}} AS w JOIN stock_balance AS b
  ON b.store_id = w.store_id AND b.product_id = w.product_id
ORDER BY b.store_id, b.product_id
"""
_HOLDS = """
SELECT h.reservation_id, h.store_id, h.product_id, h.quantity, h.expires_at, r.code, r.reference
FROM {rows} AS w JOIN reservation_hold AS h
  ON h.store_id = w.store_id AND h.product_id = w.product_id AND h.active
JOIN reservation AS r ON r.id = h.reservation_id
"""
_LOTS = """
SELECT w.store_id, w.product_id, l.id, l.code, l.expires_on, b.quantity
FROM {rows} AS w JOIN lot_balance AS b
  ON b.store_id = w.store_id AND b.product_id = w.product_id
JOIN lot AS l ON l.id = b.lot_id
"""
_COUNTS = """
SELECT d.store_id, l.product_id, l.document_id, l.line, l.occurred_at, d.number
FROM {rows} AS w JOIN document_line AS l
  ON l.product_id = w.product_id AND l.counted IS NOT NULL AND l.bucket = 0
 AND l.occurred_at >= w.since
JOIN document AS d ON d.id = l.document_id AND d.store_id = w.store_id
WHERE NOT EXISTS (SELECT 1 FROM document AS r WHERE r.reverses_id = d.id)
"""
_MOVED_SINCE = """
SELECT w.store_id, w.product_id, w.since, COALESCE(SUM(m.quantity), 0) AS quantity
FROM {rows} AS w LEFT JOIN stock_move AS m
  ON m.product_id = w.product_id AND m.store_id = w.store_id AND m.bucket = 0
 AND (m.occurred_at > w.since OR (m.occurred_at = w.since AND m.reason <> :count))
GROUP BY w.store_id, w.product_id, w.since
"""
_CLOSE_CALLS = """
SELECT DISTINCT w.store_id, w.product_id, w.since
FROM {rows} AS w JOIN stock_move AS m
  ON m.product_id = w.product_id AND m.store_id = w.store_id AND m.bucket = 0
 AND m.occurred_at BETWEEN w.since - :near AND w.since + :near AND m.reason <> :count
"""


def load(
    database: Database,
    connection: Connection,
    cache: CatalogCache,
    tasks: Sequence[Task],
    *,
    now_ms: int,
) -> Snapshot:
    """Lock and read all that the tasks touch; sets each task's `pairs`."""
    snapshot = Snapshot(cache, now_ms)
    roots = _load_roots(database, connection, snapshot, tasks)
    _load_promises(database, connection, snapshot, tasks)
    for task in tasks:
        task.pairs = frozenset(_pairs(task, snapshot, roots))
    pairs = sorted({pair for task in tasks for pair in task.pairs})
    _ensure_products(connection, cache, pairs)
    _load_balances(database, connection, snapshot, pairs)
    _release_due(connection, snapshot)
    _load_children(connection, snapshot, roots)
    _load_shelves(connection, snapshot, tasks, pairs)
    _load_counts(connection, snapshot, tasks)
    for task in tasks:
        snapshot.usual.update(task.usual)
    return snapshot


def numbers_of(task: Task) -> Iterable[str]:
    """The documents a task refers to: one task of a batch may refer to each."""
    command = task.command
    if isinstance(command, Reverse | HandOver | ReceiveTransfer | CloseTransfer):
        yield command.number
    if isinstance(task.resolved, Posting) and task.resolved.of_document is not None:
        yield task.resolved.of_document


def codes_of(task: Task) -> Iterable[str]:
    """The reservations a task refers to."""
    command = task.command
    if isinstance(command, CommitReservation | ReleaseReservation | ExtendReservation):
        yield command.code
    elif isinstance(command, SweepReservations):
        yield from command.codes


def _load_roots(
    database: Database, connection: Connection, snapshot: Snapshot, tasks: Sequence[Task]
) -> list[Original]:
    """Lock and read the documents that are referred to, in the order of their ids."""
    numbers = sorted({n for task in tasks for n in numbers_of(task)})
    if not numbers:
        return []
    rows = select_set(
        connection,
        "SELECT d.* FROM {rows} AS w JOIN document AS d ON d.number = w.name ORDER BY d.id"
        + _for_update(database, "d"),
        columns=_NAME,
        rows=[(n,) for n in numbers],
    )
    roots = _originals(connection, rows)
    snapshot.cache.ensure(connection, ids={x.product_id for r in roots for x in r.lines})
    snapshot.cache.ensure(connection, ids={m.product_id for r in roots for m in r.moves})
    return roots


def _for_update(database: Database, alias: str) -> str:
    clause = database.for_update()
    return f"{clause} OF {alias}" if clause else ""


def _originals(connection: Connection, rows: Sequence[Any]) -> list[Original]:
    ids = [(row.id,) for row in rows]
    if not ids:
        return []
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
                x.line, x.product_id, x.quantity, x.amount, x.cost, x.kept, x.counted, x.of_line,
                x.bucket, x.disposition, x.occurred_at, x.reason,
            )
        )
    moves: dict[int, list[StoredMove]] = {}
    for m in select_set(
        connection,
        "SELECT m.* FROM {rows} AS w JOIN stock_move AS m ON m.document_id = w.id ORDER BY m.id",
        columns=_ID,
        rows=ids,
    ):
        moves.setdefault(m.document_id, []).append(
            StoredMove(
                m.line, m.store_id, m.product_id, m.bucket, m.flow, m.reason, m.lot_id,
                m.quantity, m.value, m.occurred_at,
            )
        )
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


def _load_promises(
    database: Database, connection: Connection, snapshot: Snapshot, tasks: Sequence[Task]
) -> None:
    """Lock and read the reservations that are referred to."""
    codes = sorted({c for task in tasks for c in codes_of(task)})
    if not codes:
        return
    rows = select_set(
        connection,
        "SELECT r.* FROM {rows} AS w JOIN reservation AS r ON r.code = w.name ORDER BY r.id"
        + _for_update(database, "r"),
        columns=_NAME,
        rows=[(c,) for c in codes],
    )
    read_promises(connection, snapshot, rows)


def read_promises(connection: Connection, snapshot: Snapshot, rows: Sequence[Any]) -> None:
    """Read the lines of reservation rows into `snapshot.promises`; holds come with the rows."""
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
            active=False,
            document_number=next((x.number for x in lines.get(row.id, ())), None),
        )


def _pairs(task: Task, snapshot: Snapshot, roots: Sequence[Original]) -> set[Pair]:
    """The (store, product) rows a task touches."""
    pairs: set[Pair] = set()
    resolved = task.resolved
    if isinstance(resolved, Posting):
        pairs |= _posting_pairs(resolved)
    elif isinstance(resolved, Reserving):
        pairs |= pairs_of(resolved.lines, resolved.store.id)
    numbers = set(numbers_of(task))
    for root in roots:
        if root.number in numbers:
            pairs |= {(m.store_id, m.product_id) for m in root.moves}
            stores = {root.store_id, root.to_store_id or root.store_id}
            pairs |= {
                (s, x.product_id)
                for s in stores
                for x in root.lines
                if snapshot.cache.product(x.product_id).stocked
            }
    for code in codes_of(task):
        promise = snapshot.promises.get(code)
        if promise is not None:
            pairs |= {(promise.store_id, i) for i in promise.holds}
            for product, _, recipe in promise.lines:
                leaves = [i for i, _ in recipe] if recipe else [product.id]
                if recipe or product.stocked:
                    pairs |= {(promise.store_id, i) for i in leaves}
    return pairs


def _posting_pairs(posting: Posting) -> set[Pair]:
    pairs = pairs_of(posting.lines, posting.store.id)
    if posting.kind == "production":
        pairs |= {(posting.store.id, i) for line in posting.lines for i, _ in line.recipe}
    if posting.to_store is not None:
        pairs |= pairs_of(posting.lines, posting.to_store.id)
    return pairs


def _ensure_products(
    connection: Connection, cache: CatalogCache, pairs: Sequence[Pair]
) -> None:
    cache.ensure(connection, ids={product_id for _, product_id in pairs})


def _load_balances(
    database: Database, connection: Connection, snapshot: Snapshot, pairs: Sequence[Pair]
) -> None:
    if not pairs:
        return
    execute_set(connection, _INSERT_MISSING, columns=_PAIR, rows=pairs)
    rows = select_set(
        connection, _BALANCES + _for_update(database, "b"), columns=_PAIR, rows=pairs
    )
    for row in rows:
        product = snapshot.cache.product(row.product_id)
        balance = Balance(
            row.store_id,
            row.product_id,
            product.precision,
            row.on_hand,
            row.reserved,
            row.damaged,
            row.kept,
            row.in_transit,
            row.expired,
            row.value,
            row.damaged_value,
            row.in_transit_value,
            row.last_cost,
            bool(row.moved),
            row.counted_at,
        )
        snapshot.balances[balance.pair] = balance
        snapshot.loaded[balance.pair] = balance.state()
        if not balance.moved and not balance.last_cost:
            balance.last_cost = product.cost or 0


def _release_due(connection: Connection, snapshot: Snapshot) -> None:
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
            promise.active = True


def _load_children(
    connection: Connection, snapshot: Snapshot, roots: Sequence[Original]
) -> None:
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
    for root in roots:
        own = [children[row.id] for row in rows if row.root_id == root.id]
        living = [c for c in own if c.id not in undone]
        snapshot.families[root.number] = Family(root, living)


def _load_shelves(
    connection: Connection, snapshot: Snapshot, tasks: Sequence[Task], pairs: Sequence[Pair]
) -> None:
    """Read the lots of goods that keep them, and make sure the lots that are named exist."""
    tracked = [p for p in pairs if snapshot.cache.product(p[1]).track_lots]
    if not tracked:
        return
    for pair in tracked:
        zone = snapshot.cache.stores_by_id[pair[0]].timezone
        snapshot.shelves[pair] = LotShelf(local_day(snapshot.now_ms, zone))
    for row in select_set(connection, _LOTS, columns=_PAIR, rows=tracked):
        snapshot.shelves[row.store_id, row.product_id].lots.append(
            LotStock(row.id, row.code, row.expires_on, row.quantity)
        )
        snapshot.lot_codes[row.id] = row.code, row.expires_on
    named = _name_lots(connection, snapshot, tasks) | _lots_of_families(connection, snapshot)
    for pair in tracked:
        shelf = snapshot.shelves[pair]
        known = {x.lot_id for x in shelf.lots}
        for lot_id, product_id, code, expires_on in named:
            if product_id == pair[1] and lot_id not in known:
                shelf.lots.append(LotStock(lot_id, code, expires_on, 0))
        snapshot.balances[pair].expired = shelf.expired


_NamedLot = tuple[int, int, str, int]


def _name_lots(
    connection: Connection, snapshot: Snapshot, tasks: Sequence[Task]
) -> set[_NamedLot]:
    """Create the lots that incoming lines name; returns (id, product, code, expires on)."""
    wanted: dict[tuple[int, str, int], int | None] = {}
    for task in tasks:
        if not isinstance(task.resolved, Posting):
            continue
        if task.resolved.kind not in {"receipt", "customer_return", "adjustment", "production"}:
            continue
        for line in task.resolved.lines:
            if line.lot is not None and not _takes_out(line):
                wanted[line.product.id, line.lot, line.expires_on] = line.made_on
    if not wanted:
        return set()
    columns = (("product_id", "int"), ("code", "text"), ("expires_on", "int"), ("made_on", "int"))
    rows = [(*key, made_on) for key, made_on in sorted(wanted.items(), key=lambda kv: kv[0])]
    execute_set(
        connection,
        "INSERT INTO lot (product_id, code, expires_on, made_on) "
        "SELECT w.product_id, w.code, w.expires_on, w.made_on FROM {rows} AS w WHERE true "
        "ORDER BY w.product_id, w.code, w.expires_on ON CONFLICT DO NOTHING",
        columns=columns,
        rows=rows,
    )
    found = select_set(
        connection,
        "SELECT l.id, l.product_id, l.code, l.expires_on FROM {rows} AS w JOIN lot AS l "
        "ON l.product_id = w.product_id AND l.code = w.code AND l.expires_on = w.expires_on",
        columns=columns,
        rows=rows,
    )
    for row in found:
        snapshot.lot_ids[row.product_id, row.code, row.expires_on] = row.id
        snapshot.lot_codes[row.id] = row.code, row.expires_on
    return {(row.id, row.product_id, row.code, row.expires_on) for row in found}


def _takes_out(line: Line) -> bool:
    return line.counted is None and line.quantity < 0


def _lots_of_families(connection: Connection, snapshot: Snapshot) -> set[_NamedLot]:
    """The lots that documents referred to have moved: they may come back."""
    ids = {
        m.lot_id
        for family in snapshot.families.values()
        for original in (family.root, *family.children)
        for m in original.moves
        if m.lot_id
    }
    if not ids:
        return set()
    rows = select_set(
        connection,
        "SELECT l.id, l.product_id, l.code, l.expires_on FROM {rows} AS w "
        "JOIN lot AS l ON l.id = w.id",
        columns=_ID,
        rows=[(i,) for i in sorted(ids)],
    )
    for row in rows:
        snapshot.lot_codes[row.id] = row.code, row.expires_on
    return {(row.id, row.product_id, row.code, row.expires_on) for row in rows}


def _load_counts(connection: Connection, snapshot: Snapshot, tasks: Sequence[Task]) -> None:
    """Read the counts that a movement of the batch may have come too late for."""
    since: dict[Pair, int] = {}
    moments: set[tuple[int, int, int]] = set()
    for task in tasks:
        moment = _earliest(task, snapshot)
        for pair in task.pairs:
            if moment <= snapshot.balances[pair].counted_at + BOUNDARY_MS:
                since[pair] = min(moment - BOUNDARY_MS, since.get(pair, moment))
        moments |= set(_counted(task))
    columns = (*_PAIR, ("since", "int"))
    if since:
        rows = [(*pair, moment) for pair, moment in sorted(since.items())]
        for row in select_set(connection, _COUNTS, columns=columns, rows=rows):
            snapshot.counts.setdefault((row.store_id, row.product_id), []).append(
                Count(row.document_id, row.number, row.line, row.occurred_at)
            )
    if moments:
        asked = sorted(moments)
        for row in select_set(
            connection, _MOVED_SINCE, columns=columns, rows=asked, count=COUNT_REASON
        ):
            key = (row.store_id, row.product_id), row.since
            snapshot.moved_since[key] = int(row.quantity)
        for row in select_set(
            connection, _CLOSE_CALLS, columns=columns, rows=asked, count=COUNT_REASON,
            near=BOUNDARY_MS,
        ):
            snapshot.close_calls.add(((row.store_id, row.product_id), row.since))


def _earliest(task: Task, snapshot: Snapshot) -> int:
    """The earliest moment a task speaks of; reversals may touch every count of their rows."""
    if isinstance(task.command, Reverse):
        return 0
    if isinstance(task.resolved, Posting):
        moments = [x.occurred_at for x in task.resolved.lines if x.occurred_at is not None]
        return min([task.resolved.occurred_at, *moments])
    return task.occurred_at or snapshot.now_ms


def _counted(task: Task) -> Iterable[tuple[int, int, int]]:
    posting = task.resolved
    if isinstance(posting, Posting) and posting.kind == "adjustment":
        for line in posting.lines:
            if line.counted is not None:
                _, later = posting.counted_at(line)
                yield posting.store.id, line.product.id, later


def due_reservations(connection: Connection, now_ms: int, *, limit: int) -> Sequence[Any]:
    """Active reservations past their end, oldest first: what the sweeper marks."""
    return connection.execute(
        sa.text(
            "SELECT code FROM reservation WHERE state = 'active' AND expires_at <= :now "
            "ORDER BY expires_at LIMIT :limit"
        ),
        {"now": now_ms, "limit": limit},
    ).all()
