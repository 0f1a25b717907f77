"""Products as their tables hold them, read and written as sets.

A `ProductRow` is all of one product in the units of the tables, with its barcodes and components;
two equal rows are the same product, which is how "nothing changed" is known. Components are named
by sku, so that a set may create a product and what it is made of together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen
from sqlalchemy.engine import Connection

from dianku.catalog.search import search_text
from dianku.catalog.tables import barcode, component, product
from dianku.storage.bulk import (
    execute_set,
    insert_rows,
    renew_statistics,
    select_set,
    update_rows,
)


@frozen
class Pack:
    """A barcode: base units per pack and the pack's own price in minor units."""

    code: str
    factor: int
    price: int | None


@frozen
class Part:
    """A component: what one base unit takes, in steps of the component."""

    sku: str
    quantity: int


@frozen
class ProductRow:
    """All of one product. `id` 0: not there yet. Lines in steps, price minor, cost 1/10000."""

    sku: str
    id: int = 0
    name: str = ""
    spec: str | None = None
    unit: str = ""
    display_unit: str | None = None
    display_factor: int | None = None
    category: str | None = None
    family: str | None = None
    price: int | None = None
    open_price_min: int | None = None
    open_price_max: int | None = None
    cost: int | None = None
    precision: int = 0
    track_lots: bool = False
    shelf_life_days: int | None = None
    low_stock: int | None = None
    overstock_days: int | None = None
    max_stock: int | None = None
    composition: str = "none"
    archived_at: int | None = None
    photo: str | None = None
    packs: tuple[Pack, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def stocked(self) -> bool:
        """Whether it has stock of its own."""
        return self.composition in {"none", "made"}


LARGE_LOAD = 500
"""New products from which on the planner's statistics are renewed at once."""

_PLAIN = (
    "sku",
    "name",
    "spec",
    "unit",
    "display_unit",
    "display_factor",
    "family",
    "price",
    "open_price_min",
    "open_price_max",
    "cost",
    "precision",
    "track_lots",
    "shelf_life_days",
    "low_stock",
    "overstock_days",
    "max_stock",
    "composition",
    "archived_at",
    "photo",
)
_COLUMNS = (*_PLAIN, "category_id", "search", "version")
_PICK = ", ".join(f"p.{name}" for name in _PLAIN)
_BY_SKU = f"""
SELECT p.id, {_PICK}, g.code AS category FROM {{rows}} AS w
JOIN product AS p ON p.sku = w.sku LEFT JOIN category AS g ON g.id = p.category_id
"""
_PACKS = """
SELECT b.product_id, b.code, b.factor, b.price FROM {rows} AS w
JOIN barcode AS b ON b.product_id = w.id ORDER BY b.product_id, b.position, b.code
"""
_PARTS = """
SELECT c.product_id, p.sku, c.quantity FROM {rows} AS w
JOIN component AS c ON c.product_id = w.id JOIN product AS p ON p.id = c.component_id
ORDER BY c.product_id, c.position
"""
_ID = (("id", "int"),)
_SKU = (("sku", "text"),)


def load_rows(connection: Connection, skus: Iterable[str]) -> dict[str, ProductRow]:
    """The products of these skus that there are, by sku."""
    wanted = [(sku,) for sku in dict.fromkeys(skus)]
    heads = select_set(connection, _BY_SKU, columns=_SKU, rows=wanted)
    ids = [(head.id,) for head in heads]
    packs: dict[int, list[Pack]] = {}
    for b in select_set(connection, _PACKS, columns=_ID, rows=ids):
        packs.setdefault(b.product_id, []).append(Pack(b.code, b.factor, b.price))
    parts: dict[int, list[Part]] = {}
    for c in select_set(connection, _PARTS, columns=_ID, rows=ids):
        parts.setdefault(c.product_id, []).append(Part(c.sku, c.quantity))
    return {
        head.sku: _row(head, tuple(packs.get(head.id, ())), tuple(parts.get(head.id, ())))
        for head in heads
    }


def _row(head: Any, packs: tuple[Pack, ...], parts: tuple[Part, ...]) -> ProductRow:
    values = {name: getattr(head, name) for name in _PLAIN}
    values["track_lots"] = bool(values["track_lots"])
    return ProductRow(**values, id=head.id, category=head.category, packs=packs, parts=parts)


def ids_of(connection: Connection, skus: Iterable[str]) -> dict[str, int]:
    """Row numbers by sku of the products that there are."""
    rows = select_set(
        connection,
        "SELECT p.sku, p.id FROM {rows} AS w JOIN product AS p ON p.sku = w.sku",
        columns=_SKU,
        rows=[(sku,) for sku in dict.fromkeys(skus)],
    )
    return {row.sku: row.id for row in rows}


def write_rows(
    connection: Connection,
    changed: Sequence[tuple[ProductRow | None, ProductRow]],
    *,
    categories: Mapping[str, int],
    version: int,
    now_ms: int,
) -> None:
    """Write products as (before, after) pairs, before None for a new one; each sku once."""
    new = [after for before, after in changed if before is None]
    insert_rows(
        connection,
        product,
        (*_COLUMNS, "created_at"),
        [(*_values(row, categories, version), now_ms) for row in new],
    )
    made = ids_of(connection, (row.sku for row in new)) if new else {}
    pairs = [(b, a if b is not None else evolve(a, id=made[a.sku])) for b, a in changed]
    update_rows(
        connection,
        product,
        sets=_COLUMNS,
        where=("id",),
        rows=[(*_values(row, categories, version), row.id) for b, row in pairs if b is not None],
    )
    _write_packs(connection, [row for b, row in pairs if b is None or b.packs != row.packs])
    _write_parts(connection, [row for b, row in pairs if b is None or b.parts != row.parts])
    if len(new) >= LARGE_LOAD:
        renew_statistics(connection, product, barcode, component)


def _values(row: ProductRow, categories: Mapping[str, int], version: int) -> tuple[Any, ...]:
    text = search_text(
        sku=row.sku, name=row.name, spec=row.spec, codes=(pack.code for pack in row.packs)
    )
    category_id = categories[row.category] if row.category is not None else None
    return (*(getattr(row, name) for name in _PLAIN), category_id, text, version)


def _write_packs(connection: Connection, rows: Sequence[ProductRow]) -> None:
    _delete_of(connection, "barcode", rows)
    insert_rows(
        connection,
        barcode,
        ("code", "product_id", "factor", "price", "position"),
        [
            (pack.code, row.id, pack.factor, pack.price, position)
            for row in rows
            for position, pack in enumerate(row.packs)
        ],
    )


def _write_parts(connection: Connection, rows: Sequence[ProductRow]) -> None:
    _delete_of(connection, "component", rows)
    ids = ids_of(connection, (part.sku for row in rows for part in row.parts))
    insert_rows(
        connection,
        component,
        ("product_id", "component_id", "quantity", "position"),
        [
            (row.id, ids[part.sku], part.quantity, position)
            for row in rows
            for position, part in enumerate(row.parts)
        ],
    )


def _delete_of(connection: Connection, table: str, rows: Sequence[ProductRow]) -> None:
    if rows:
        execute_set(
            connection,
            f"DELETE FROM {table} WHERE product_id IN (SELECT w.id FROM {{rows}} AS w)",
            columns=_ID,
            rows=[(row.id,) for row in rows],
        )
