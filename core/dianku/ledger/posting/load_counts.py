"""Load the counts that a movement may have come too late for, and what moved since a count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy.engine import Connection

from dianku.ledger.commands import (
    Posting,
    Reverse,
)
from dianku.ledger.plan.absorbing import BOUNDARY_MS
from dianku.ledger.plan.planner import Task
from dianku.ledger.posting.mover import COUNT_REASON
from dianku.ledger.posting.snapshot import (
    Count,
    Pair,
    Snapshot,
)
from dianku.storage.bulk import select_set

_PAIR = (("store_id", "int"), ("product_id", "int"))


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


_LOTS_MOVED_SINCE = """
SELECT w.store_id, w.product_id, w.since, m.lot_id, SUM(m.quantity) AS quantity
FROM {rows} AS w JOIN stock_move AS m
  ON m.product_id = w.product_id AND m.store_id = w.store_id AND m.bucket = 0
 AND (m.occurred_at > w.since OR (m.occurred_at = w.since AND m.reason <> :count))
GROUP BY w.store_id, w.product_id, w.since, m.lot_id
"""


_CLOSE_CALLS = """
SELECT DISTINCT w.store_id, w.product_id, w.since
FROM {rows} AS w JOIN stock_move AS m
  ON m.product_id = w.product_id AND m.store_id = w.store_id AND m.bucket = 0
 AND m.occurred_at BETWEEN w.since - :near AND w.since + :near AND m.reason <> :count
"""


def load_counts(connection: Connection, snapshot: Snapshot, tasks: Sequence[Task]) -> None:
    """Read the counts that a movement of the batch may have come too late for."""
    since: dict[Pair, int] = {}
    moments: set[tuple[int, int, int]] = set()
    of_lots: set[tuple[int, int, int]] = set()
    for task in tasks:
        moment = _earliest(task, snapshot)
        for pair in task.pairs:
            if moment <= snapshot.balances[pair].counted_at + BOUNDARY_MS:
                since[pair] = min(moment - BOUNDARY_MS, since.get(pair, moment))
        moments |= set(_counted(task))
        of_lots |= set(_counted(task, of_lots=True))
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
            connection,
            _CLOSE_CALLS,
            columns=columns,
            rows=asked,
            count=COUNT_REASON,
            near=BOUNDARY_MS,
        ):
            snapshot.close_calls.add(((row.store_id, row.product_id), row.since))

    if of_lots:
        for row in select_set(
            connection, _LOTS_MOVED_SINCE, columns=columns, rows=sorted(of_lots), count=COUNT_REASON
        ):
            lot = (row.store_id, row.product_id), row.since, row.lot_id
            snapshot.lots_moved_since[lot] = int(row.quantity)


def _earliest(task: Task, snapshot: Snapshot) -> int:
    """The earliest moment a task speaks of; reversals may touch every count of their rows."""
    if isinstance(task.command, Reverse):
        return 0
    if isinstance(task.resolved, Posting):
        moments = [x.occurred_at for x in task.resolved.lines if x.occurred_at is not None]
        return min([task.resolved.occurred_at, *moments])
    return task.occurred_at or snapshot.now_ms


def _counted(task: Task, *, of_lots: bool = False) -> Iterable[tuple[int, int, int]]:
    posting = task.resolved
    if isinstance(posting, Posting) and posting.kind == "adjustment":
        for line in posting.lines:
            if line.counted is not None and (line.lot is not None or not of_lots):
                _, later = posting.counted_at(line)
                yield posting.store.id, line.product.id, later
