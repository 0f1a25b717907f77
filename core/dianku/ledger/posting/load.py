"""Load what a batch needs, taking locks in the ledger's one order.

Documents and reservations that are touched, then (store, product) rows in their order (missing
ones inserted first), then, each in a statement of its own that sees what the locks have settled:
holds that are due, lots, counts, and what moved since. Everything is set-based: the number of
statements does not grow with the batch, and the usual sale needs two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection

from dianku.catalog.snapshot import CatalogCache
from dianku.ledger.commands import (
    Posting,
    Reserving,
)
from dianku.ledger.plan.planner import Task
from dianku.ledger.posting.balance import STORED, Balance
from dianku.ledger.posting.load_counts import load_counts
from dianku.ledger.posting.load_documents import (
    for_update,
    load_children,
    load_payments,
    load_roots,
)
from dianku.ledger.posting.load_lots import load_shelves
from dianku.ledger.posting.load_promises import load_promises, release_due
from dianku.ledger.posting.snapshot import (
    Original,
    Pair,
    Snapshot,
)
from dianku.ledger.resolve import pairs_of
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
    roots = load_roots(database, connection, snapshot, tasks)
    load_promises(database, connection, snapshot, tasks)
    for task in tasks:
        task.pairs = frozenset(_pairs(task, snapshot, roots))
    pairs = sorted({pair for task in tasks for pair in task.pairs})
    _ensure_products(connection, cache, pairs)
    _load_balances(database, connection, snapshot, pairs)
    release_due(connection, snapshot)
    load_children(connection, snapshot, roots)
    load_payments(connection, snapshot, tasks)
    load_shelves(connection, snapshot, tasks, pairs)
    load_counts(connection, snapshot, tasks)
    for task in tasks:
        snapshot.usual.update(task.usual)
    return snapshot


def _pairs(task: Task, snapshot: Snapshot, roots: Sequence[Original]) -> set[Pair]:
    """The (store, product) rows a task touches."""
    pairs: set[Pair] = set()
    resolved = task.resolved
    if isinstance(resolved, Posting):
        pairs |= _posting_pairs(resolved)
    elif isinstance(resolved, Reserving):
        pairs |= pairs_of(resolved.lines, resolved.store.id)
    for root in roots:
        if root.number in task.numbers:
            pairs |= {(m.store_id, m.product_id) for m in root.moves}
            stores = {root.store_id, root.to_store_id or root.store_id}
            pairs |= {
                (s, x.product_id)
                for s in stores
                for x in root.lines
                if snapshot.cache.product(x.product_id).stocked
            }
    for code in task.codes:
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


def _ensure_products(connection: Connection, cache: CatalogCache, pairs: Sequence[Pair]) -> None:
    cache.ensure(connection, ids={product_id for _, product_id in pairs})


def _load_balances(
    database: Database, connection: Connection, snapshot: Snapshot, pairs: Sequence[Pair]
) -> None:
    if not pairs:
        return
    product_of = snapshot.cache.product
    for row in _locked(database, connection, pairs):
        pair, columns = row[:2], row[2:]
        product = product_of(row.product_id)
        balance = Balance(row.store_id, row.product_id, product.precision, *columns)
        snapshot.balances[pair] = balance
        snapshot.loaded[pair] = columns
        if not balance.moved:
            balance.last_cost = product.cost or 0


def _locked(database: Database, connection: Connection, pairs: Sequence[Pair]) -> Sequence[Any]:
    """The rows of the pairs, locked in their order, those that are missing made first.

    SQLite has locked everything by now, so there the rows may be looked for before any is made.
    """
    statement = _BALANCES + for_update(database, "b")
    if database.dialect == "sqlite":
        rows = select_set(connection, statement, columns=_PAIR, rows=pairs)
        if len(rows) == len(pairs):
            return rows
    execute_set(connection, _INSERT_MISSING, columns=_PAIR, rows=pairs)
    return select_set(connection, statement, columns=_PAIR, rows=pairs)
