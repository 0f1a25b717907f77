"""A shop with the services that spreadsheets go through, on both databases."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from dianku.catalog.requests import NewStore
from dianku.catalog.service import CatalogService
from dianku.catalog.snapshot import CatalogCache
from dianku.clock import SetClock
from dianku.context import Actor, Context
from dianku.exchange.service import Exchange
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.service import Ledger
from dianku.storage.engine import Database
from dianku.testing.shop import Shop

POSTS = ("receipt", "issue", "customer_return", "adjustment")
RIGHTS = frozenset(
    {"import.run", "export.run", "catalog.view", "catalog.edit", "stock.view", "document.view"}
    | {"cost.view", "backfill", "store.edit", "document.reverse", "document.post"}
    | {f"document.post.{kind}" for kind in POSTS}
)


@pytest.fixture
def ctx() -> Context:
    return Context(Actor("tester", "manager", RIGHTS), language="en")


class Services:
    """What a test asks of."""

    def __init__(self, database: Database, clock: SetClock) -> None:
        self.database = database
        self.cache = CatalogCache()
        self.catalog = CatalogService(database, self.cache, clock)
        self.ledger = Ledger(database, self.cache, clock)
        self.stock = StockQueries(database, self.cache, clock)
        self.exchange = Exchange(
            database, self.cache, clock, catalog=self.catalog, ledger=self.ledger, stock=self.stock
        )


@pytest.fixture
def services(database: Database, clock: SetClock, ctx: Context) -> Iterator[Services]:
    made = Services(database, clock)
    made.catalog.create_store(NewStore(code="S1", name="一店"), ctx=ctx)
    Shop(database)  # makes the channel that is there from the start
    made.ledger.start()
    yield made
    made.exchange.close()
    made.ledger.close()


@pytest.fixture
def as_csv() -> Callable[[Sequence[Sequence[Any]]], bytes]:
    def write(rows: Sequence[Sequence[Any]]) -> bytes:
        buffer = io.StringIO()
        csv.writer(buffer).writerows(rows)
        return buffer.getvalue().encode()

    return write


@pytest.fixture
def as_xlsx() -> Callable[..., bytes]:
    def write(*sheets: Sequence[Sequence[Any]]) -> bytes:
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer, {"strings_to_formulas": False}) as book:
            for rows in sheets:
                sheet = book.add_worksheet()
                for i, row in enumerate(rows):
                    for j, value in enumerate(row):
                        sheet.write(i, j, value)
        return buffer.getvalue()

    return write
