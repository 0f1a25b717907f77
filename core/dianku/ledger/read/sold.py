"""What was sold of late, per product and store, and for how many days there was anything to sell.

Windows end today, the store's business date, and include it; sales are net of returns and count
what left on its own or as a component (`SALE_FLOWS`). Sales per day are per day *in stock*: a
product that lay on the shelf for 3 days of 30 and sold 6 sells 2 a day. Reads `daily_summary`
by its key, day by day, for the products asked for and no others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy.engine import Connection, Row

from dianku.ledger.flows import SALE_FLOWS, Bucket
from dianku.quantity import divide_half_up
from dianku.storage.bulk import select_set

WINDOW_DAYS = 30
WEEK_DAYS = 7

Pair = tuple[int, int]
"""Store id and product id."""

_FLOWS = ", ".join(str(int(f)) for f in SALE_FLOWS)
# The rows are unpacked once, and day by day looked up in the order of the summary's key.
_BACK = f"""
WITH RECURSIVE w AS MATERIALIZED {{rows}},
back(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM back WHERE n < {WINDOW_DAYS - 1})
"""
_DAYS = f"""{_BACK}
SELECT w.store_id, w.product_id, d.business_date,
       SUM(CASE WHEN d.flow IN ({_FLOWS}) THEN -d.quantity ELSE 0 END) AS sold,
       SUM(CASE WHEN d.bucket = {int(Bucket.SELLABLE)} THEN d.quantity ELSE 0 END) AS change
FROM back CROSS JOIN w
JOIN daily_summary AS d ON d.business_date = w.today - back.n
     AND d.store_id = w.store_id AND d.product_id = w.product_id
GROUP BY w.store_id, w.product_id, d.business_date
"""
# A kit or service is not in the daily summary (its components moved); it is sold as itself here.
_COMPOSED = f"""{_BACK}
SELECT w.store_id, w.product_id, d.business_date,
       SUM(d.quantity - d.returned) AS sold, 0 AS change
FROM back CROSS JOIN w
JOIN sales_summary AS d ON d.business_date = w.today - back.n
     AND d.store_id = w.store_id AND d.product_id = w.product_id
GROUP BY w.store_id, w.product_id, d.business_date
"""
_COLUMNS = (("store_id", "int"), ("product_id", "int"), ("today", "int"))


@frozen
class Sold:
    """Steps sold within 7 and 30 days, and the days of the 30 with goods to sell."""

    sold_7d: int = 0
    sold_30d: int = 0
    days_in_stock: int = 0

    def cover_tenths(self, available: int) -> int | None:
        """Days the available goods last, in tenths of a day; None where nothing was sold."""
        if self.sold_30d <= 0 or self.days_in_stock <= 0:
            return None
        if available <= 0:
            return 0
        return divide_half_up(10 * available * self.days_in_stock, self.sold_30d)


def sold_lately(
    connection: Connection,
    pairs: Mapping[Pair, int],
    *,
    on_hand: Mapping[Pair, int],
    composed: frozenset[Pair] = frozenset(),
) -> dict[Pair, Sold]:
    """Windows that end on the day given for each pair.

    `on_hand` is the level at the end of that day; levels before it follow from what changed
    since. `composed` are kits and services, in stock on every day.
    """
    groups: dict[Pair, list[Row[Any]]] = defaultdict(list)
    for template, kinds in ((_DAYS, set(pairs) - composed), (_COMPOSED, set(pairs) & composed)):
        if kinds:
            rows = [(s, p, pairs[s, p]) for s, p in sorted(kinds)]
            for row in select_set(connection, template, columns=_COLUMNS, rows=rows):
                groups[row.store_id, row.product_id].append(row)
    return {
        pair: _sold(
            groups.get(pair, ()),
            last_day=last_day,
            on_hand=on_hand.get(pair, 0),
            always=pair in composed,
        )
        for pair, last_day in pairs.items()
    }


def _sold(rows: Sequence[Row[Any]], *, last_day: int, on_hand: int, always: bool) -> Sold:
    days = {row.business_date: (int(row.sold), int(row.change)) for row in rows}
    week = month = in_stock = 0
    level = on_hand
    for back in range(WINDOW_DAYS):
        sold, change = days.get(last_day - back, (0, 0))
        month += sold
        if back < WEEK_DAYS:
            week += sold
        # Goods were there if the day began or ended with some, or if any were sold.
        in_stock += always or level > 0 or level - change > 0 or sold > 0
        level -= change
    return Sold(sold_7d=week, sold_30d=month, days_in_stock=in_stock)
