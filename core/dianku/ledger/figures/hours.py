"""Sales by hour of the day, from the lines of the documents of the period.

`sales_by_hour` knows no product, so quantity, cost and a filter of goods come from the lines as
sold: a kit as itself, a reversal with the signs turned round. Lines are added up in the database
by the quarter of an hour, the least step in which a zone changes its offset, and the quarters by
the store's clock here. The lines of a period are many, so it is bounded to a year. Sales of the
time before, imported as history, have a date and no hour: they are not among these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define
from sqlalchemy.engine import Connection

from dianku.catalog.records import Store
from dianku.clock import QUARTER_MS, local_hour
from dianku.ledger.read.paging import fetch
from dianku.ledger.read.tallies import SCALE

HOUR_DAYS_MAX = 366

_DAY_MS = 86_400_000
_ZONES_MS = 2 * _DAY_MS
"""Dates of all zones and cut-offs lie within two days of the same date in UTC."""
# A document is counted once, whichever of its lines the goods asked for are on.
_QUARTERS = f"""
SELECT d.store_id, d.occurred_at / {QUARTER_MS} AS quarter,
       COUNT(DISTINCT CASE WHEN d.kind = 'issue' AND d.action = 'post' THEN d.id END)
       - COUNT(DISTINCT CASE WHEN d.kind = 'issue' AND d.action = 'reversal' THEN d.id END)
       AS documents,
       SUM(CASE WHEN d.kind = 'issue' THEN l.quantity ELSE 0 END * {SCALE}) AS sold,
       SUM(CASE WHEN d.kind = 'issue' THEN COALESCE(l.amount, 0) ELSE 0 END) AS sold_amount,
       SUM(CASE WHEN d.kind = 'issue' THEN 0 ELSE l.quantity END * {SCALE}) AS returns,
       SUM(CASE WHEN d.kind = 'issue' THEN 0 ELSE COALESCE(l.amount, 0) END) AS returned_amount,
       SUM(CASE WHEN d.kind = 'issue' THEN l.cost ELSE -l.cost END) AS cost
FROM document AS d
JOIN document_line AS l ON l.document_id = d.id
JOIN product AS p ON p.id = l.product_id
WHERE d.occurred_at BETWEEN :first_at AND :last_at
  AND d.kind IN ('issue', 'customer_return') AND d.action IN ('post', 'reversal')
  AND {{conditions}}
GROUP BY d.store_id, d.occurred_at / {QUARTER_MS}
"""


@define
class HourSums:
    """What one hour of the day sold: quantities in thousandths, amounts in fen, cost in 1/10000.

    `quantity` and `amount` are net of what came back; `documents` counts sales.
    """

    key: int
    documents: int = 0
    quantity: int = 0
    amount: int = 0
    returns: int = 0
    returned_amount: int = 0
    cost: int = 0


def hour_sums(
    connection: Connection,
    *,
    stores: Sequence[Store],
    first: int,
    last: int,
    conditions: Sequence[str],
    lists: Mapping[str, Sequence[Any]],
) -> list[HourSums]:
    """Return the hours of day numbers `first` to `last` that had a sale or return, in order.

    `conditions` narrow documents `d` and products `p`; `lists` are their parameters.
    """
    zones = {store.id: store.timezone for store in stores}
    rows = fetch(
        connection,
        _QUARTERS.format(conditions=" AND ".join(conditions)),
        lists=lists,
        parameters={
            "first": first,
            "last": last,
            "first_at": first * _DAY_MS - _ZONES_MS,
            "last_at": last * _DAY_MS + _ZONES_MS,
        },
    )
    found: dict[int, HourSums] = {}
    for row in rows:
        hour = local_hour(int(row.quarter) * QUARTER_MS, zones[row.store_id])
        sums = found.setdefault(hour, HourSums(hour))
        sums.documents += int(row.documents)
        sums.quantity += int(row.sold) - int(row.returns)
        sums.amount += int(row.sold_amount) - int(row.returned_amount)
        sums.returns += int(row.returns)
        sums.returned_amount += int(row.returned_amount)
        sums.cost += int(row.cost)
    return [found[hour] for hour in sorted(found)]
