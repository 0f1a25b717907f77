"""Rows of summaries that say nothing and that nothing was posted for.

A row of nothing is right where what was posted came to nothing (a lone sale that was taken back),
so it weighs the same whether it is there or not. It is held against what must have been posted:
moves of its key, or the reversal without which a day's sales do not come to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dianku.clock import local_hour
from dianku.ledger.verify.folds import DAILY, HOUR_FIGURES, HOUR_KEYS, SALES, Fold

_DAY_MS = 86_400_000
_HOURS = Fold("sales_by_hour", HOUR_KEYS, HOUR_FIGURES, "")

# A business date is within two days of the moment, whatever the zone; that leads to the moves.
_DAILY = f"""
SELECT {", ".join(DAILY.keys)} FROM daily_summary AS s
WHERE quantity = 0 AND value = 0 AND NOT EXISTS (
  SELECT 1 FROM stock_move AS m WHERE m.product_id = s.product_id AND m.store_id = s.store_id
  AND m.occurred_at >= (CAST(s.business_date AS BIGINT) - 2) * {_DAY_MS}
  AND m.occurred_at < (CAST(s.business_date AS BIGINT) + 3) * {_DAY_MS}
  AND {" AND ".join(f"m.{k} = s.{k}" for k in DAILY.keys if k not in ("store_id", "product_id"))})
"""
_TAKEN_BACK = """
SELECT d.business_date, d.store_id, l.product_id, COALESCE(d.channel_id, 0) AS channel_id
FROM document AS d JOIN document_line AS l ON l.document_id = d.id
WHERE d.action = 'reversal' AND d.kind IN ('issue', 'customer_return')
UNION ALL SELECT business_date, store_id, product_id, channel_id FROM sales_history
"""
# Given back for nothing, too, leaves an hour without a figure.
_TAKEN_BACK_IN_HOUR = """
SELECT d.business_date, d.store_id, d.occurred_at, COALESCE(d.channel_id, 0) AS channel_id,
       s.timezone
FROM document AS d JOIN store AS s ON s.id = d.store_id
WHERE (d.kind = 'issue' AND d.action = 'reversal')
   OR (d.kind = 'customer_return' AND d.action IN ('post', 'reversal'))
"""


def empty_rows(connection: Connection) -> Iterator[tuple[Fold, tuple[Any, ...]]]:
    """Each row of nothing that should not be: its table and its key."""
    for row in connection.execute(sa.text(_DAILY)):
        yield DAILY, tuple(row)
    sales = _without_figures(connection, SALES)
    if sales:
        sales -= {tuple(row) for row in connection.execute(sa.text(_TAKEN_BACK))}
    hours = _without_figures(connection, _HOURS)
    if hours:
        hours -= {
            (d.business_date, d.store_id, local_hour(d.occurred_at, d.timezone), d.channel_id)
            for d in connection.execute(sa.text(_TAKEN_BACK_IN_HOUR))
        }
    for fold, keys in ((SALES, sales), (_HOURS, hours)):
        for key in sorted(keys):
            yield fold, key


def _without_figures(connection: Connection, fold: Fold) -> set[tuple[Any, ...]]:
    nothing = " AND ".join(f"{figure} = 0" for figure in fold.figures)
    sql = f"SELECT {', '.join(fold.keys)} FROM {fold.table} WHERE {nothing}"
    return {tuple(row) for row in connection.execute(sa.text(sql))}
