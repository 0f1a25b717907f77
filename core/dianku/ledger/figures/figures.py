"""Totals of a period: sales, flows, and what the stock is worth.

Periods are business dates, both ends included. Everything is read from the summaries that posting
keeps (but for flows by actor and sales by hour, which read a year at most), so a period costs what
its days hold and not what the shop has ever moved. Store scope and `cost.view` are applied here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from attrs import field, frozen
from sqlalchemy.engine import Connection

from dianku.catalog.snapshot import CatalogCache
from dianku.clock import Clock, day_number, day_of
from dianku.context import Context
from dianku.ledger.figures.flows import FlowFigures
from dianku.ledger.figures.requests import (
    FlowsQuery,
    FlowsTotals,
    SalesQuery,
    SalesTotals,
    ValueBy,
    ValueTotals,
)
from dianku.ledger.figures.sales import SalesFigures, business_today
from dianku.ledger.figures.value import ValueFigures
from dianku.ledger.read.scope import stores_in_scope
from dianku.ledger.read.tallies import Tallies
from dianku.storage.engine import Database


@frozen
class Figures:
    """Totals over the ledger's summaries."""

    database: Database
    cache: CatalogCache
    clock: Clock
    tallies: Tallies = field(factory=Tallies)

    def today(self, *, ctx: Context, stores: Sequence[str] = ()) -> date:
        """Tell the business date windows end on: the latest of the stores in scope."""
        with self._reading():
            chosen = stores_in_scope(self.cache, ctx=ctx, named=stores)
            return day_of(business_today(chosen, now_ms=self.clock.now_ms()))

    def sales(self, asked: SalesQuery, *, ctx: Context) -> SalesTotals:
        """Return sales net of returns, grouped and ordered as asked.

        Raises:
            Refused: `invalid`, or `not_found` or `forbidden` for a store.
        """
        with self._reading() as connection:
            figures = SalesFigures(
                stores=stores_in_scope(self.cache, ctx=ctx, named=asked.store),
                channels={i: c.name for i, c in self.cache.channels_by_id.items()},
                now_ms=self.clock.now_ms(),
                costs=ctx.may("cost.view"),
                tallies=self.tallies,
            )
            return figures.totals(connection, asked)

    def flows(self, asked: FlowsQuery, *, ctx: Context) -> FlowsTotals:
        """Return what came and went by chosen flows. Raises `Refused` as `sales` does."""
        with self._reading() as connection:
            stores = stores_in_scope(self.cache, ctx=ctx, named=asked.store)
            return FlowFigures(stores, ctx.may("cost.view")).totals(connection, asked)

    def stock_value(
        self,
        *,
        ctx: Context,
        at: date | None = None,
        by: ValueBy = "store",
        stores: Sequence[str] = (),
        limit: int = 100,
        offset: int = 0,
    ) -> ValueTotals:
        """Return what the stock was worth at the end of a business date (None: now)."""
        with self._reading() as connection:
            chosen = stores_in_scope(self.cache, ctx=ctx, named=stores)
            now = business_today(chosen, now_ms=self.clock.now_ms())
            day = now if at is None else day_number(at)
            figures = ValueFigures(chosen, ctx.may("cost.view"))
            return figures.totals(
                connection, day=day, by=by, past=day < now, limit=limit, offset=offset
            )

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self.database.reading() as connection:
            self.cache.refresh(connection)
            yield connection
