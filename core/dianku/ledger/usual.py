"""What is usual for a product in a store, to notice a quantity that was mistyped.

Read before a document joins the queue, not while rows are locked: it only ever makes a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.ledger.flows import SALE_FLOWS, Bucket, Flow
from dianku.storage.bulk import select_set

WINDOW_DAYS = 90

FLOWS: Mapping[str, tuple[Flow, int]] = {
    "receipt": (Flow.RECEIVED, 1),
    "write_off": (Flow.WRITTEN_OFF, -1),
    "transfer": (Flow.TRANSFERRED_OUT, -1),
    "supplier_return": (Flow.SUPPLIER_RETURNED, -1),
    "production": (Flow.PRODUCED, 1),
}
"""Kinds whose quantities are held against the usual: their flow and its sign."""

# The days are listed, so that each is a look-up in the summary's key: a range of dates would
# read the whole shop's summary of the window for every product.
_USUAL = f"""
WITH RECURSIVE day (business_date) AS (
    SELECT CAST(:today AS INTEGER) - {WINDOW_DAYS - 1}
    UNION ALL SELECT business_date + 1 FROM day WHERE business_date < :today
)
SELECT s.store_id, s.product_id,
       COALESCE(SUM(CASE WHEN s.flow = :flow AND s.quantity * :sign > 0
                         THEN s.quantity * :sign END), 0) AS moved,
       SUM(CASE WHEN s.flow = :flow AND s.quantity * :sign > 0 THEN 1 ELSE 0 END) AS times,
       COALESCE(SUM(CASE WHEN s.flow IN ({", ".join(str(int(f)) for f in SALE_FLOWS)})
                         THEN -s.quantity END), 0) AS sold,
       MIN(s.business_date) AS first_day
FROM {{rows}} AS w CROSS JOIN day JOIN daily_summary AS s
  ON s.business_date = day.business_date AND s.store_id = w.store_id
 AND s.product_id = w.product_id AND s.bucket = {int(Bucket.SELLABLE)}
GROUP BY s.store_id, s.product_id
"""


@frozen
class Unusual:
    """From when a quantity is worth a question: so many times the usual, or days of sales."""

    times: int = 10
    days: int = 90


@frozen
class Usual:
    """What the last `WINDOW_DAYS` were like, in steps.

    `quantity`: what moved on an average day on which documents of the kind moved any, 0 without
    such a day; `days`: days since anything first moved, at most the window.
    """

    quantity: int
    sold: int
    days: int
    limits: Unusual


def read_usual(
    connection: Connection,
    pairs: Iterable[tuple[int, int]],
    *,
    kind: str,
    today: int,
    limits: Unusual,
) -> dict[tuple[int, int], Usual]:
    """Read what is usual of (store, product) pairs in documents of a kind of `FLOWS`.

    Those that did not move in the window are left out.
    """
    flow, sign = FLOWS[kind]
    rows = select_set(
        connection,
        _USUAL,
        columns=(("store_id", "int"), ("product_id", "int")),
        rows=sorted(pairs),
        today=today,
        flow=int(flow),
        sign=sign,
    )
    return {
        (row.store_id, row.product_id): Usual(
            quantity=int(row.moved) // int(row.times) if row.times else 0,
            sold=max(int(row.sold), 0),
            days=today - row.first_day + 1,
            limits=limits,
        )
        for row in rows
    }
