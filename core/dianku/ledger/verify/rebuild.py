"""Rebuild every derived table from moves and lines; moves and documents are never touched.

One transaction under the exclusive catalog lock, so that nobody posts meanwhile; what comes out
is what `verify` expects, to the last row.
"""

from __future__ import annotations

import sqlalchemy as sa
from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.ledger import tables as t
from dianku.ledger.verify.folds import (
    BALANCES,
    COUNTED,
    FOLDS,
    HOUR_FIGURES,
    HOUR_KEYS,
    MOVED,
    Fold,
    last_costs,
    sales_hours,
)
from dianku.storage.bulk import insert_rows, update_rows
from dianku.storage.engine import LOCK_CATALOG, Database
from dianku.storage.events import bump


@frozen
class Rebuilt:
    """How many rows each derived table has now."""

    rows: dict[str, int]


def rebuild(database: Database) -> Rebuilt:
    """Write balances, lots and summaries anew."""
    with database.writing() as connection:
        database.lock(connection, LOCK_CATALOG)
        rows = {fold.table: _refill(connection, fold) for fold in FOLDS}
        rows["sales_by_hour"] = _refill_hours(connection)
        rows["stock_balance"] = _refresh_balances(connection)
        bump(connection, t.SUMMARIES)
        return Rebuilt(rows)


def _refill(connection: Connection, fold: Fold) -> int:
    keys = ", ".join(fold.keys)
    figures = ", ".join(fold.figures)
    sums = ", ".join(f"SUM({f})" for f in fold.figures)
    connection.execute(sa.text(f"DELETE FROM {fold.table}"))
    return connection.execute(
        sa.text(
            f"INSERT INTO {fold.table} ({keys}, {figures}) SELECT {keys}, {sums} "
            f"FROM ({fold.source}) AS s GROUP BY {keys} ORDER BY {keys}"
        )
    ).rowcount


def hours_anew(connection: Connection, store_id: int) -> None:
    """Put a store's sales under the hours of the time zone it has now; their days stay.

    In the transaction that changed the zone, under the exclusive catalog lock.
    """
    _refill_hours(connection, store_id)
    bump(connection, t.SUMMARIES)


def _refill_hours(connection: Connection, store_id: int = 0) -> int:
    """Write the hours of one store anew, or (0) of all."""
    connection.execute(
        sa.text("DELETE FROM sales_by_hour WHERE :store IN (0, store_id)"), {"store": store_id}
    )
    hours = sales_hours(connection, store_id=store_id)
    rows = [(*key, *figures) for key, figures in sorted(hours.items())]
    return insert_rows(connection, t.sales_by_hour, (*HOUR_KEYS, *HOUR_FIGURES), rows)


def _refresh_balances(connection: Connection) -> int:
    """Balances keep their rows; what moves and holds do not mention becomes nothing."""
    figures = BALANCES.figures
    connection.execute(
        sa.text(
            "UPDATE stock_balance SET moved = false, counted_at = 0, "
            + ", ".join(f"{f} = 0" for f in figures)
        )
    )
    sums = ", ".join(f"SUM({f}) AS {f}" for f in figures)
    held = connection.execute(
        sa.text(
            f"SELECT store_id, product_id, {sums} FROM ({BALANCES.source}) AS s "
            "GROUP BY store_id, product_id ORDER BY store_id, product_id"
        )
    ).all()
    insert_rows(
        connection,
        t.stock_balance,
        ("store_id", "product_id", *figures),
        [(row.store_id, row.product_id, *(int(getattr(row, f)) for f in figures)) for row in held],
        conflict="ON CONFLICT (store_id, product_id) DO UPDATE SET "
        + ", ".join(f"{f} = excluded.{f}" for f in figures),
    )
    connection.execute(sa.text(f"UPDATE stock_balance SET moved = true WHERE {MOVED}"))
    counted = connection.execute(sa.text(COUNTED)).all()
    pair = ("store_id", "product_id")
    update_rows(
        connection,
        t.stock_balance,
        sets=("moved", "counted_at"),
        where=pair,
        rows=[(True, row.counted_at, row.store_id, row.product_id) for row in counted],
    )
    update_rows(
        connection,
        t.stock_balance,
        sets=("last_cost",),
        where=pair,
        rows=[(cost, store, product) for store, product, cost in last_costs(connection)],
    )
    return int(connection.execute(sa.text("SELECT COUNT(*) FROM stock_balance")).scalar_one())
