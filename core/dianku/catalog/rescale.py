"""What is kept in a product's steps outside its own row, when its precision changes.

That is its alert lines per store and its place in the recipes of others. Only a product that is
in no books yet may change its precision, so nothing else is concerned.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.storage.bulk import execute_set, select_set


@frozen
class Rescale:
    """A product's precision goes from `old` to `new`."""

    product_id: int
    old: int
    new: int

    @property
    def factors(self) -> tuple[int, int, int]:
        """The product, and what its steps are multiplied by, then divided by."""
        return self.product_id, 10 ** max(self.new - self.old, 0), 10 ** max(self.old - self.new, 0)


_COLUMNS = (("id", "int"), ("up", "int"), ("down", "int"))
_CUT = """
SELECT DISTINCT w.id FROM {rows} AS w
LEFT JOIN component AS c ON c.component_id = w.id
LEFT JOIN product_in_store AS s ON s.product_id = w.id
WHERE c.quantity % w.down <> 0 OR s.low_stock % w.down <> 0 OR s.max_stock % w.down <> 0
"""
_RECIPES = """
UPDATE component SET quantity = quantity * w.up / w.down FROM {rows} AS w
WHERE component.component_id = w.id
"""
_LINES = """
UPDATE product_in_store SET low_stock = low_stock * w.up / w.down,
    max_stock = max_stock * w.up / w.down
FROM {rows} AS w WHERE product_in_store.product_id = w.id
"""
_STAMP = """
UPDATE product SET version = :version WHERE id IN (
    SELECT c.product_id FROM component AS c JOIN {rows} AS w ON w.id = c.component_id)
"""


def cut_by(connection: Connection, rescales: Sequence[Rescale]) -> set[int]:
    """The products of which a line or a recipe elsewhere has more digits than it would keep."""
    rows = select_set(
        connection, _CUT, columns=_COLUMNS, rows=[rescale.factors for rescale in rescales]
    )
    return {row.id for row in rows}


def write_rescales(connection: Connection, rescales: Sequence[Rescale], *, version: int) -> None:
    """Bring lines and recipes to the new steps, and stamp whose recipes these are."""
    if not rescales:
        return
    rows = [rescale.factors for rescale in rescales]
    execute_set(connection, _RECIPES, columns=_COLUMNS, rows=rows)
    execute_set(connection, _LINES, columns=_COLUMNS, rows=rows)
    execute_set(connection, _STAMP, columns=_COLUMNS, rows=rows, version=version)
