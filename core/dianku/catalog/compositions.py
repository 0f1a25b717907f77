"""Compositions: what is made of what, and never of itself, through any depth.

Under the exclusive catalog lock the graph read here stands still until the transaction ends, so
two changes made at once cannot close a circle together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy.engine import Connection

from dianku.storage.bulk import select_set

Edges = Mapping[str, Sequence[str]]
"""Components by product, both as skus."""

_BELOW = """
WITH RECURSIVE below(id) AS (
    SELECT p.id FROM {rows} AS w JOIN product AS p ON p.sku = w.sku
    UNION
    SELECT c.component_id FROM component AS c JOIN below ON c.product_id = below.id
)
SELECT o.sku, p.sku AS part FROM below JOIN component AS c ON c.product_id = below.id
JOIN product AS o ON o.id = c.product_id JOIN product AS p ON p.id = c.component_id
"""
_USERS = """
SELECT DISTINCT o.sku FROM {rows} AS w JOIN component AS c ON c.component_id = w.id
JOIN product AS o ON o.id = c.product_id WHERE o.archived_at IS NULL ORDER BY o.sku
"""


def edges_below(connection: Connection, skus: Iterable[str]) -> dict[str, list[str]]:
    """All that these products are made of, down to the last."""
    edges: dict[str, list[str]] = {}
    rows = [(sku,) for sku in dict.fromkeys(skus)]
    for row in select_set(connection, _BELOW, columns=(("sku", "text"),), rows=rows):
        edges.setdefault(row.sku, []).append(row.part)
    return edges


def users_of(connection: Connection, product_id: int) -> list[str]:
    """Skus of the products, not archived, that take this one."""
    rows = select_set(connection, _USERS, columns=(("id", "int"),), rows=[(product_id,)])
    return [row.sku for row in rows]


def way_to(edges: Edges, start: str, goal: str) -> list[str]:
    """A shortest way from a product down to `goal`, both included; empty if there is none."""
    came_from = {start: start}
    waiting = deque([start])
    while waiting:
        sku = waiting.popleft()
        if sku == goal:
            way = [goal]
            while way[-1] != start:
                way.append(came_from[way[-1]])
            return way[::-1]
        for part in edges.get(sku, ()):
            if part not in came_from:
                came_from[part] = sku
                waiting.append(part)
    return []


def in_circles(edges: Edges, among: Collection[str]) -> set[str]:
    """The products of `among` that are made of themselves; linear in the size of the graph.

    Whatever no product of a circle is needed for is taken away from below until nothing more
    can be; only what is left is searched one by one.
    """
    users: dict[str, list[str]] = {}
    open_parts: dict[str, int] = {}
    for sku, parts in edges.items():
        open_parts[sku] = len(set(parts))
        for part in set(parts):
            users.setdefault(part, []).append(sku)
    free = [part for part in users if not open_parts.get(part)]
    while free:
        for user in users.get(free.pop(), ()):
            open_parts[user] -= 1
            if not open_parts[user]:
                free.append(user)
    return {
        sku
        for sku in among
        if open_parts.get(sku) and any(way_to(edges, part, sku) for part in edges[sku])
    }
