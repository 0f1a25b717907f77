"""The stock column of a product file, as opening stock: only where that was asked for."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve

from dianku.exchange.product_sheet import ProductRow
from dianku.exchange.stock_sheet import StockRow


def opening_rows(rows: Iterable[ProductRow]) -> list[StockRow]:
    """A level to set for each product of the file that says one."""
    return [
        StockRow(evolve(one.row, errors=[], notes=[]), one.sku, (), one.values["stock"])
        for one in rows
        if not one.failed and one.first is None and one.sku is not None and "stock" in one.values
    ]
