"""Take an import back as a whole, or say what stands in the way and change nothing.

Documents are reversed by the ledger, history is taken out, changed products get their old values
and made ones are withdrawn. In the way is whatever came later and builds on it: goods that have
been sold on, a product that is in somebody's document, a value changed again by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dianku.catalog.service import CatalogChange, CatalogService
from dianku.catalog.upsert import ProductChange, plan_products
from dianku.catalog.withdrawal import withdraw_products
from dianku.clock import Clock
from dianku.context import Context
from dianku.errors import Problem, refuse
from dianku.exchange.product_changes import decode_patch
from dianku.exchange.stock_import import Ledger
from dianku.exchange.tables import import_change, import_run
from dianku.ledger.commands import Reverse
from dianku.ledger.history import remove_history
from dianku.storage.bulk import execute_set, select_set
from dianku.storage.engine import Database

LISTED_MAX = 100
"""How many obstacles are named; there may be more."""
_SKU = (("sku", "text"),)
_OPEN = """
SELECT d.id, d.number FROM document AS d WHERE d.import_id = :id AND d.action = 'post'
AND NOT EXISTS (SELECT 1 FROM document AS r WHERE r.reverses_id = d.id) ORDER BY d.id DESC
"""
_SOLD_ON = """
SELECT s.code AS store, p.sku, m.store_id, m.product_id, MAX(m.document_id) AS last_id
FROM stock_move AS m
JOIN document AS d ON d.id = m.document_id
JOIN stock_balance AS b ON b.store_id = m.store_id AND b.product_id = m.product_id
JOIN store AS s ON s.id = m.store_id JOIN product AS p ON p.id = m.product_id
WHERE d.import_id = :id AND m.bucket = 0
    AND NOT EXISTS (SELECT 1 FROM document AS r WHERE r.reverses_id = d.id)
GROUP BY s.code, p.sku, m.store_id, m.product_id, b.on_hand, b.reserved
HAVING SUM(m.quantity) > 0 AND SUM(m.quantity) > b.on_hand - b.reserved
ORDER BY s.code, p.sku LIMIT 100
"""
_LATER = """
SELECT DISTINCT d.number FROM stock_move AS m JOIN document AS d ON d.id = m.document_id
WHERE m.product_id = :product AND m.store_id = :store AND m.document_id > :last
ORDER BY d.number LIMIT 10
"""
_BOOKED = """
SELECT p.sku, MIN(d.number) AS document FROM {rows} AS w JOIN product AS p ON p.sku = w.sku
JOIN document_line AS l ON l.product_id = p.id JOIN document AS d ON d.id = l.document_id
WHERE (d.import_id IS NULL OR d.import_id <> :id) AND (d.reverses_id IS NULL
    OR d.reverses_id NOT IN (SELECT o.id FROM document AS o WHERE o.import_id = :id))
GROUP BY p.sku ORDER BY p.sku
"""
_OTHERWISE = """
SELECT p.sku, 'sales_history' AS why FROM {rows} AS w JOIN product AS p ON p.sku = w.sku
WHERE p.id IN (SELECT h.product_id FROM sales_history AS h WHERE h.import_id <> :id)
UNION ALL SELECT p.sku, 'reservation' FROM {rows} AS w JOIN product AS p ON p.sku = w.sku
WHERE p.id IN (SELECT l.product_id FROM reservation_line AS l)
UNION ALL SELECT p.sku, 'component' FROM {rows} AS w JOIN product AS p ON p.sku = w.sku
WHERE p.id IN (SELECT c.component_id FROM component AS c JOIN product AS q ON q.id = c.product_id
    WHERE q.sku NOT IN (SELECT v.sku FROM {rows} AS v))
"""
_DROP_CATEGORIES = """
DELETE FROM category WHERE code IN (SELECT w.sku FROM {rows} AS w)
AND NOT EXISTS (SELECT 1 FROM product AS p WHERE p.category_id = category.id)
AND id NOT IN (SELECT c.parent_id FROM category AS c WHERE c.parent_id IS NOT NULL)
"""


class Undoing:
    """Undoes imports of one shop."""

    def __init__(
        self, database: Database, clock: Clock, *, catalog: CatalogService, ledger: Ledger
    ) -> None:
        self._database = database
        self._clock = clock
        self._catalog = catalog
        self._ledger = ledger

    def undo(self, run: Any, *, ctx: Context) -> None:
        """Undo the run of a row of `import_run`.

        Raises:
            Refused: `conflict` where there is nothing to undo, `import_not_undoable` with
                `depends` where later work builds on it.
        """
        if run.dry_run or run.status not in {"done", "failed"}:
            state = "dry_run" if run.dry_run else run.status
            reason = f"import {run.id}: {state}"
            raise refuse("conflict", reason=reason, extra={"import_status": state})
        changes = self._changes(run.id)
        with self._database.reading() as connection:
            numbers = [r.number for r in connection.execute(sa.text(_OPEN), {"id": run.id})]
            depends = _sold_on(connection, run.id) + _built_on(connection, run.id, changes)
        if depends:
            raise _not_undoable(depends)
        self._reverse(numbers, run=run, ctx=ctx)
        with self._catalog.changing() as change:
            marked = change.connection.execute(
                sa.update(import_run)
                .where(import_run.c.id == run.id, import_run.c.status == run.status)
                .values(status="undone", undone_at=change.now_ms, undone_by=ctx.actor.name)
            )
            if marked.rowcount != 1:  # another was faster
                raise refuse("conflict", reason=f"import {run.id}: undone")
            remove_history(change.connection, import_id=run.id)
            if changes:
                self._put_back(change, changes)

    def _changes(self, run_id: int) -> Sequence[Any]:
        with self._database.reading() as connection:
            found = sa.select(import_change).where(import_change.c.import_id == run_id)
            return connection.execute(found.order_by(import_change.c.position.desc())).all()

    def _reverse(self, numbers: Sequence[str], *, run: Any, ctx: Context) -> None:
        """Reverse documents, the latest first. One that is refused ends it; a retry goes on."""
        reason = f"import {run.id} undone"
        for number in numbers:
            key = f"import-undo:{run.id}:{number}"
            outcome = self._ledger.submit(Reverse(number, reason), key=key, ctx=ctx).result()
            if isinstance(outcome, Problem):
                raise _not_undoable([{"documents": [number], "why": outcome.code}])

    def _put_back(self, change: CatalogChange, changes: Sequence[Any]) -> None:
        old = [
            ProductChange(c.key, decode_patch(c.before))
            for c in changes
            if c.what == "product" and c.before is not None
        ]
        for patches in _each_once(old):
            plan = plan_products(change.connection, patches)
            if plan.errors:
                wrong = [patches[i].sku for i in plan.errors]
                raise _not_undoable([{"sku": sku, "why": "changed"} for sku in wrong])
            self._catalog.write_plan(change, plan)
        made = [c.key for c in changes if c.what == "product" and c.before is None]
        done = withdraw_products(
            change.connection, made, version=change.version, now_ms=change.now_ms
        )
        for sku in done.deleted:
            change.changed(sku, "deleted")
        for sku in done.archived:
            change.changed(sku, "archived")
        categories = [(c.key,) for c in changes if c.what == "category"]
        execute_set(change.connection, _DROP_CATEGORIES, columns=_SKU, rows=categories)


def _each_once(changes: Sequence[ProductChange]) -> list[list[ProductChange]]:
    """Changes in sets that name a product once, in order: a resumed run may have two of one."""
    sets: list[list[ProductChange]] = []
    depth: dict[str, int] = {}
    for change in changes:
        level = depth.get(change.sku, 0)
        depth[change.sku] = level + 1
        if level == len(sets):
            sets.append([])
        sets[level].append(change)
    return sets


def _sold_on(connection: Connection, run_id: int) -> list[dict[str, Any]]:
    """Goods the import brought in that are no longer there."""
    found = []
    for row in connection.execute(sa.text(_SOLD_ON), {"id": run_id}):
        later = connection.execute(
            sa.text(_LATER),
            {"product": row.product_id, "store": row.store_id, "last": row.last_id},
        ).scalars()
        found.append(
            {"sku": row.sku, "store": row.store, "documents": list(later), "why": "sold_on"}
        )
    return found


def _built_on(connection: Connection, run_id: int, changes: Sequence[Any]) -> list[dict[str, Any]]:
    """Products the import made that others use, and values that were changed again since."""
    made = [(c.key,) for c in changes if c.what == "product" and c.before is None]
    found: list[dict[str, Any]] = [
        {"sku": row.sku, "documents": [row.document], "why": "document"}
        for row in select_set(connection, _BOOKED, columns=_SKU, rows=made, id=run_id)
    ]
    found += [
        {"sku": row.sku, "why": row.why}
        for row in select_set(connection, _OTHERWISE, columns=_SKU, rows=made, id=run_id)
    ]
    latest: dict[str, ProductChange] = {}
    for c in changes:
        if c.what == "product" and c.before is not None and c.key not in latest:
            latest[c.key] = ProductChange(c.key, decode_patch(c.after))
    after = list(latest.values())
    plan = plan_products(connection, after)
    stale = [after[i].sku for i in plan.errors] + [*plan.updated, *plan.created]
    return found + [{"sku": sku, "why": "changed"} for sku in stale]


def _not_undoable(depends: Sequence[dict[str, Any]]) -> Exception:
    extra = {"depends": list(depends[:LISTED_MAX])}
    return refuse("import_not_undoable", extra=extra, count=len(depends))
