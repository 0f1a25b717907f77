"""Taking back products that should never have been: the undo of an import.

What is in no books and part of nothing is deleted, so that its sku is free again; the rest is
archived. A deleted row leaves no version behind, so the catalog's floor is raised: caches from
before start afresh.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.catalog.product_rows import ids_of
from dianku.catalog.snapshot import CATALOG_FLOOR
from dianku.storage.bulk import execute_set, select_set
from dianku.storage.events import current

_ID = (("id", "int"),)
_KEPT = """
SELECT w.id FROM {rows} AS w
WHERE EXISTS (SELECT 1 FROM stock_balance AS b WHERE b.product_id = w.id)
    OR EXISTS (SELECT 1 FROM document_line AS l WHERE l.product_id = w.id)
    OR EXISTS (
        SELECT 1 FROM component AS c WHERE c.component_id = w.id
            AND c.product_id NOT IN (SELECT v.id FROM {rows} AS v))
    OR w.id IN (SELECT r.product_id FROM reservation_line AS r)
    OR w.id IN (SELECT h.product_id FROM sales_history AS h)
"""
_FLOOR = sa.text(
    "INSERT INTO counter (name, value) VALUES (:name, :version) "
    "ON CONFLICT (name) DO UPDATE SET value = :version"
)
_TABLES = ("barcode", "component", "product_in_store", "quick_key")


@frozen
class Withdrawn:
    """Skus that are gone, and those that had to stay and are archived."""

    deleted: list[str]
    archived: list[str]


def withdraw_products(
    connection: Connection, skus: Collection[str], *, version: int, now_ms: int
) -> Withdrawn:
    """Delete these products, or archive where something refers to them.

    The caller holds the catalog lock and has raised the version.
    """
    ids = ids_of(connection, skus)
    kept = _kept(connection, set(ids.values()))
    gone = [(i,) for i in ids.values() if i not in kept]
    for table in _TABLES:
        execute_set(
            connection,
            f"DELETE FROM {table} WHERE product_id IN (SELECT w.id FROM {{rows}} AS w)",
            columns=_ID,
            rows=gone,
        )
    execute_set(
        connection,
        "DELETE FROM product WHERE id IN (SELECT w.id FROM {rows} AS w)",
        columns=_ID,
        rows=gone,
    )
    execute_set(
        connection,
        "UPDATE product SET archived_at = :now_ms, version = :version "
        "WHERE archived_at IS NULL AND id IN (SELECT w.id FROM {rows} AS w)",
        columns=_ID,
        rows=[(i,) for i in kept],
        now_ms=now_ms,
        version=version,
    )
    if gone:
        floor = max(version, current(connection, CATALOG_FLOOR))
        connection.execute(_FLOOR, {"name": CATALOG_FLOOR, "version": floor})
    return Withdrawn(
        deleted=[sku for sku, i in ids.items() if i not in kept],
        archived=[sku for sku, i in ids.items() if i in kept],
    )


def _kept(connection: Connection, ids: set[int]) -> set[int]:
    """Those that something refers to, and so what they are themselves made of."""
    going = set(ids)
    while True:
        rows = select_set(connection, _KEPT, columns=_ID, rows=[(i,) for i in sorted(going)])
        kept = {row.id for row in rows}
        if not kept:
            return ids - going
        going -= kept
