"""Cells that sold most in a week, the best first, without looking at those that did not.

A cell is a product in a store. What a filter wants is decided on the cells found here; as every
other cell sold less, a page that is full of them is the page.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.ledger.read.sold import WEEK_DAYS
from dianku.ledger.read.tallies import LEFT_THOUSANDTHS, Rank, Tallies, Window, state_of

BEST = """
SELECT p.id AS product_id, w.id AS store_id, {columns}
FROM {rows} AS sold
JOIN product AS p ON p.id = sold.product_id
JOIN store AS w ON w.id = sold.store_id
LEFT JOIN stock_balance AS b ON b.store_id = w.id AND b.product_id = p.id
LEFT JOIN product_in_store AS ps ON ps.store_id = w.id AND ps.product_id = p.id
WHERE {conditions}
ORDER BY {order_by}
LIMIT :count
"""
_BY = (LEFT_THOUSANDTHS,)
CELL = (("store_id", "int"), ("product_id", "int"), ("quantity", "int"))


@frozen
class Best:
    """Cells as (store id, product id, steps sold); `all`: no other cell sold anything."""

    cells: list[tuple[int, int, int]]
    all: bool


def best_cells(
    connection: Connection,
    tallies: Tallies,
    *,
    days: Mapping[int, int],
    at_most: int | None,
    count: int,
) -> Best | None:
    """At least `count` cells that sold most in the week that ends on each store's day.

    With `at_most` (thousandths) those that sold no more. Cells that tie with the last are all
    there. None where the tallies cannot say.
    """
    windows = [Window("left", d - WEEK_DAYS + 1, d, (store_id,)) for store_id, d in days.items()]
    state = state_of(connection)
    heads: list[int] = []
    for window in windows:
        with tallies.at(connection, window, state=state) as tally:
            if tally is None:
                return None
            rank = tally.rank(_BY)
            first = _first(rank, at_most)
            heads += [entry[0] for entry in rank[first : min(first + count, _end(rank))]]
    least = sorted(heads)[count - 1] if len(heads) > count else -1
    found: list[tuple[int, int, int]] = []
    for window in windows:
        with tallies.at(connection, window, state=state) as tally:
            if tally is None:
                return None
            rank = tally.rank(_BY)
            last = bisect_right(rank, least, key=lambda entry: entry[0])
            found += [
                (window.stores[0], product_id, tally.totals[product_id][0])
                for _, product_id in rank[_first(rank, at_most) : last]
            ]
    return Best(found, all=len(heads) <= count)


def _first(rank: Rank, at_most: int | None) -> int:
    return 0 if at_most is None else bisect_left(rank, (-at_most,))


def _end(rank: Rank) -> int:
    """Where what sold nothing begins."""
    return bisect_left(rank, (0,))
