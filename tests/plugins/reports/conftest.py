"""The plugin's own view of a shop with two weeks of trading in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from dianku.api import Actor, Context, Shop
from dianku.catalog.service import CatalogService
from dianku.catalog.snapshot import CatalogCache
from dianku.clock import SetClock
from dianku.demo.fill import fill_shop
from dianku.ledger.figures.figures import Figures
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.service import Ledger
from dianku.messages import Messages
from dianku.storage.engine import Database
from dianku.storage.fence import FencedDatabase

NOW_MS = int(datetime(2026, 3, 31, 10, 0, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def plugin_shop(database: Database) -> Iterator[Shop]:
    fill_shop(database, now_ms=NOW_MS, days=12)
    clock, cache = SetClock(NOW_MS), CatalogCache()
    fence = FencedDatabase(database, plugin="reports")
    yield Shop(
        plugin="reports",
        catalog=CatalogService(database, cache, clock),
        ledger=Ledger(database, cache, clock),
        stock=StockQueries(database, cache, clock),
        figures=Figures(database, cache, clock),
        settings={},
        clock=clock,
        messages=Messages(),
        log=logging.getLogger("reports"),
        rights=frozenset({"stock.view", "document.view", "cost.view", "reports.view"}),
        tables=fence,
    )
    fence.close()


@pytest.fixture
def reader() -> Context:
    """Sees one store, and no costs."""
    rights = frozenset({"stock.view", "document.view", "reports.view"})
    return Context(Actor("reader", "readonly", rights, frozenset({"XQ01"})))
