"""Sales of the time before Dianku: kept as they came, and added to what reports read.

They move no stock. Rows stand in `sales_history` under the import they came with, their sums in
`sales_summary`; both are written in the caller's transaction, and taken out again together, so a
summary is at all times the sum of posted sales and of history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve, frozen
from sqlalchemy.engine import Connection

from dianku.ledger.tables import SUMMARIES, sales_history, sales_summary
from dianku.storage.bulk import insert_rows
from dianku.storage.events import bump

_SUMS = ("quantity", "amount", "returned", "returned_amount", "cost")
_KEY = ("business_date", "store_id", "product_id", "channel_id")
_ADD = ", ".join(f"{name} = sales_summary.{name} + excluded.{name}" for name in _SUMS)
_ADD_ROW = ", ".join(f"{name} = sales_history.{name} + excluded.{name}" for name in _SUMS)
_HISTORY_KEY = ", ".join((*_KEY, "import_id"))
_SUBTRACT = """
UPDATE sales_summary SET
    quantity = sales_summary.quantity - h.quantity,
    amount = sales_summary.amount - h.amount,
    returned = sales_summary.returned - h.returned,
    returned_amount = sales_summary.returned_amount - h.returned_amount,
    cost = sales_summary.cost - h.cost
FROM (SELECT * FROM sales_history WHERE import_id = {id}) AS h
WHERE sales_summary.business_date = h.business_date AND sales_summary.store_id = h.store_id
    AND sales_summary.product_id = h.product_id AND sales_summary.channel_id = h.channel_id
"""
_EMPTY = """
DELETE FROM sales_summary WHERE quantity = 0 AND amount = 0 AND returned = 0
    AND returned_amount = 0 AND cost = 0
    AND EXISTS (SELECT 1 FROM sales_history AS h WHERE h.import_id = {id}
        AND sales_summary.business_date = h.business_date AND sales_summary.store_id = h.store_id
        AND sales_summary.product_id = h.product_id AND sales_summary.channel_id = h.channel_id)
    AND NOT EXISTS (SELECT 1 FROM sales_history AS h WHERE h.import_id <> {id}
        AND sales_summary.business_date = h.business_date AND sales_summary.store_id = h.store_id
        AND sales_summary.product_id = h.product_id AND sales_summary.channel_id = h.channel_id)
"""


@frozen
class Sale:
    """What was sold of one product on one business date, in one store by one channel.

    Quantities in steps, amounts in minor units, both gross and positive; `returned` what came
    back. All zero says that none were sold. `cost` in 1/10000, less that of what came back.
    `stock_at_close` in steps.
    """

    business_date: int
    store_id: int
    product_id: int
    channel_id: int
    quantity: int = 0
    amount: int = 0
    returned: int = 0
    returned_amount: int = 0
    cost: int = 0
    promotion: str | None = None
    stock_at_close: int | None = None

    @property
    def key(self) -> tuple[int, int, int, int]:
        """What it is summed by, in the order rows are locked."""
        return (self.business_date, self.store_id, self.product_id, self.channel_id)


def write_history(connection: Connection, sales: Iterable[Sale], *, import_id: int) -> None:
    """Add sales of an import; those of one key are summed, the last said promotion stands."""
    summed = sorted(_summed(sales), key=lambda sale: sale.key)
    insert_rows(
        connection,
        sales_history,
        (*_KEY, "import_id", *_SUMS, "promotion", "stock_at_close"),
        [(*s.key, import_id, *_sums(s), s.promotion, s.stock_at_close) for s in summed],
        conflict=f"ON CONFLICT ({_HISTORY_KEY}) DO UPDATE SET {_ADD_ROW}, "
        "promotion = COALESCE(excluded.promotion, sales_history.promotion), "
        "stock_at_close = COALESCE(excluded.stock_at_close, sales_history.stock_at_close)",
    )
    insert_rows(
        connection,
        sales_summary,
        (*_KEY, *_SUMS),
        [(*s.key, *_sums(s)) for s in summed],
        conflict=f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {_ADD}",
    )
    bump(connection, SUMMARIES)


def remove_history(connection: Connection, *, import_id: int) -> int:
    """Take an import's sales out again; returns how many rows of history there were."""
    number = int(import_id)
    connection.exec_driver_sql(_SUBTRACT.format(id=number))
    connection.exec_driver_sql(_EMPTY.format(id=number))
    found = connection.exec_driver_sql(f"DELETE FROM sales_history WHERE import_id = {number}")
    bump(connection, SUMMARIES)
    return found.rowcount


def _sums(sale: Sale) -> tuple[int, int, int, int, int]:
    return (sale.quantity, sale.amount, sale.returned, sale.returned_amount, sale.cost)


def _summed(sales: Iterable[Sale]) -> Sequence[Sale]:
    found: dict[tuple[int, int, int, int], Sale] = {}
    for sale in sales:
        earlier = found.get(sale.key)
        if earlier is None:
            found[sale.key] = sale
            continue
        close = sale.stock_at_close
        found[sale.key] = evolve(
            earlier,
            quantity=earlier.quantity + sale.quantity,
            amount=earlier.amount + sale.amount,
            returned=earlier.returned + sale.returned,
            returned_amount=earlier.returned_amount + sale.returned_amount,
            cost=earlier.cost + sale.cost,
            promotion=sale.promotion or earlier.promotion,
            stock_at_close=close if close is not None else earlier.stock_at_close,
        )
    return list(found.values())
