"""What can be read of stock: rows, the card, documents, reservations, exceptions.

Each call is one read-only transaction that sees one state of the database throughout. Store scope
and `cost.view` of the context are applied here; whether the caller may ask at all is the route's
to check. Lists are pages: `limit`, `cursor`, `sort`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from attrs import evolve, field, frozen
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from dianku.catalog.records import Store
from dianku.catalog.snapshot import CatalogCache
from dianku.clock import Clock
from dianku.context import Context
from dianku.errors import FieldError, invalid, refuse
from dianku.ledger.exceptions import exception_page, settle_exception
from dianku.ledger.read.alert_lines import ShopLines
from dianku.ledger.read.cards import StockCard
from dianku.ledger.read.composed import all_levels
from dianku.ledger.read.documents import DocumentSearch
from dianku.ledger.read.levels import Level
from dianku.ledger.read.paging import PAGE_MAX
from dianku.ledger.read.requests import (
    DocumentFilter,
    DocumentPage,
    ExceptionFilter,
    ExceptionPage,
    ExceptionRecord,
    MoveFilter,
    MovePage,
    ReservationFilter,
    ReservationPage,
    StockFilter,
    StockPage,
    StockRow,
    Takings,
    TakingsFilter,
)
from dianku.ledger.read.reservations import ReservationSearch
from dianku.ledger.read.scope import Point, read_point, stores_in_scope
from dianku.ledger.read.stock import StockReading
from dianku.ledger.read.takings import takings
from dianku.ledger.read.tallies import Tallies
from dianku.ledger.requests import DocumentRecord, ReservationRecord
from dianku.storage.engine import Database


@frozen
class StockQueries:
    """The read side of the ledger."""

    database: Database
    cache: CatalogCache
    clock: Clock
    shop_lines: Callable[[], ShopLines] = ShopLines
    tallies: Tallies = field(factory=Tallies)

    def stock(self, asked: StockFilter, *, ctx: Context) -> StockPage:
        """Return a page of stock, now or `as_of` a date or an instant.

        Raises:
            Refused: `invalid` (sort, cursor, as_of), `not_found` or `forbidden` (store; a sort by
                value without `cost.view`, for the order of what is hidden would show).
        """
        if "value" in (asked.sort or "").replace("-", "").split(","):
            ctx.require("cost.view")
        with self._reading() as connection:
            stores = stores_in_scope(self.cache, ctx=ctx, named=asked.store)
            point = read_point(asked.as_of, pointer="/as_of")
            if point is not None and asked.expires_within is not None:
                names = "as_of, expires_within"
                raise invalid(FieldError("/as_of", "only_one_of", {"names": names}))
            return self._reading_of(stores, ctx=ctx, point=point).page(connection, asked)

    def each_row(self, asked: StockFilter, *, ctx: Context) -> Iterator[StockRow]:
        """Yield every row a filter asks for, page by page, for exports."""
        asked = replace(asked, limit=PAGE_MAX)
        while True:
            page = self.stock(asked, ctx=ctx)
            yield from page.items
            if page.next_cursor is None:
                return
            asked = replace(asked, cursor=page.next_cursor)

    def levels(
        self, connection: Connection, pairs: Iterable[tuple[int, int]]
    ) -> dict[tuple[int, int], Level]:
        """Return levels by (store id, product id), kits and services included.

        For callers that hold a transaction and have checked the scope, such as a scan.
        """
        self.cache.refresh(connection)
        return all_levels(connection, pairs, cache=self.cache, now_ms=self.clock.now_ms())

    def moves(self, asked: MoveFilter, *, ctx: Context) -> MovePage:
        """Return a page of the stock card of one product.

        Raises:
            Refused: `not_found` (product, store), `forbidden` (store), `invalid`.
        """
        with self._reading() as connection:
            stores = stores_in_scope(self.cache, ctx=ctx, named=asked.store)
            self.cache.ensure(connection, skus=[asked.sku])
            product = self.cache.by_sku(asked.sku)
            if product is None:
                raise refuse("not_found", what="product", name=asked.sku)
            card = StockCard(product, stores, self.clock.now_ms(), ctx.may("cost.view"))
            return card.page(connection, asked)

    def documents(self, asked: DocumentFilter, *, ctx: Context) -> DocumentPage:
        """Return a page of documents, the latest first. Raises `Refused` as `stock` does."""
        with self._reading() as connection:
            stores = stores_in_scope(self.cache, ctx=ctx, named=asked.store)
            return DocumentSearch(ctx, stores, self.clock.now_ms()).page(connection, asked)

    def document(self, number: str, *, ctx: Context) -> DocumentRecord:
        """Return a document with today's balances. Raises `Refused`: `not_found`."""
        with self._reading() as connection:
            stores = stores_in_scope(self.cache, ctx=ctx)
            return DocumentSearch(ctx, stores, self.clock.now_ms()).one(connection, number)

    def takings(self, asked: TakingsFilter, *, ctx: Context) -> Takings:
        """Return what was taken. Raises `Refused`: `not_found` or `forbidden` (store)."""
        with self._reading() as connection:
            stores = stores_in_scope(self.cache, ctx=ctx, named=asked.store)
            return takings(connection, asked, stores=stores, now_ms=self.clock.now_ms())

    def reservations(self, asked: ReservationFilter, *, ctx: Context) -> ReservationPage:
        """Return a page of reservations, the latest first. Raises `Refused` as `stock` does."""
        with self._reading() as connection:
            stores = stores_in_scope(self.cache, ctx=ctx, named=asked.store)
            return ReservationSearch(stores, self.clock.now_ms()).page(connection, asked)

    def reservation(self, code: str, *, ctx: Context) -> ReservationRecord:
        """Return a reservation by its id. Raises `Refused`: `not_found`."""
        with self._reading() as connection:
            stores = stores_in_scope(self.cache, ctx=ctx)
            return ReservationSearch(stores, self.clock.now_ms()).one(connection, code)

    def exceptions(self, asked: ExceptionFilter, *, ctx: Context) -> ExceptionPage:
        """Return a page of exceptions, the latest first. Raises `Refused` as `stock` does."""
        with self._reading() as connection:
            stores = stores_in_scope(self.cache, ctx=ctx, named=asked.store)
            return exception_page(connection, asked, stores=stores)

    def settle(self, exception_id: str, note: str, *, ctx: Context) -> ExceptionRecord:
        """Settle an exception. Raises `Refused`: `not_found`, `forbidden`, `already_settled`."""
        return settle_exception(
            self.database, exception_id, note=note, ctx=ctx, now_ms=self.clock.now_ms()
        )

    def _reading_of(
        self, stores: Sequence[Store], *, ctx: Context, point: Point | None
    ) -> StockReading:
        now_ms = self.clock.now_ms()
        reading = StockReading(
            self.cache,
            tuple(stores),
            now_ms,
            ctx.may("cost.view"),
            shop=self.shop_lines(),
            tallies=self.tallies,
        )
        if point is None or all(not _is_past(point, s, now_ms=now_ms) for s in stores):
            return reading
        return evolve(reading, past=point)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self.database.reading() as connection:
            self.cache.refresh(connection)
            yield connection


def _is_past(point: Point, store: Store, *, now_ms: int) -> bool:
    return point.end_ms(store) <= now_ms
