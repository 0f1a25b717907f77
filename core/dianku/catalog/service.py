"""The catalog as a service: stores, categories, products, channels, and what a code stands for.

Every change is one transaction of one shape: the exclusive catalog lock first, then the catalog's
version, the change, its events last. So a poster never sees half a change, and two changes never
act on the same old picture. Who may call what is the route's to say; what depends on the caller
within an answer (costs, stores) is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from attrs import Factory, define, evolve
from sqlalchemy.engine import Connection

from dianku.catalog import categories, channels, store_settings, stores
from dianku.catalog.answers import product_record, scan_match
from dianku.catalog.compositions import users_of
from dianku.catalog.listing import ProductQuery, find_skus
from dianku.catalog.on_shelf import levels_of
from dianku.catalog.product_rows import ProductRow, load_rows, write_rows
from dianku.catalog.product_rules import patch_of
from dianku.catalog.records import Store
from dianku.catalog.requests import (
    CategoryPatch,
    CategoryRecord,
    ChannelPatch,
    ChannelRecord,
    NewCategory,
    NewChannel,
    NewProduct,
    NewStore,
    ProductPage,
    ProductPatch,
    ProductRecord,
    ScanAnswer,
    StorePatch,
    StoreRecord,
    StoreSettings,
    StoreSettingsRecord,
)
from dianku.catalog.scan import candidates, read_code
from dianku.catalog.snapshot import CATALOG_VERSION, CatalogCache, CatalogState
from dianku.catalog.tables import category, store
from dianku.catalog.upsert import ProductChange, UpsertPlan, plan_products, write_products
from dianku.catalog.withdrawal import Withdrawn, withdraw_products
from dianku.clock import Clock
from dianku.context import Context
from dianku.errors import Problem, Refused, refuse
from dianku.storage import events
from dianku.storage.engine import LOCK_CATALOG, Database
from dianku.storage.events import NewEvent

PRODUCT_CHANGED = "product.changed"
STORE_EDIT = "store.edit"
SCAN = "scan"
CATALOG_EDIT = "catalog.edit"
_CONFLICTS = ("has_movements", "composition_cycle")
"""Field errors that are refusals by the state of the shop: 409 where nothing else is wrong."""


@define
class CatalogChange:
    """A transaction that changes the catalog: its connection, version, time, and its events."""

    connection: Connection
    version: int
    now_ms: int
    events: list[NewEvent] = Factory(list)

    def changed(self, sku: str, change: str, *, store_id: int | None = None) -> None:
        """Note that a product was `created`, `updated`, `archived`, `unarchived`, `deleted`."""
        self.events.append(NewEvent(PRODUCT_CHANGED, {"sku": sku, "change": change}, store_id))


class CatalogService:
    """All that is asked of the catalog.

    Args:
        zone_changed: Called with a store's row number in the transaction that gave it another time
            zone: what is kept by the hour on its clock lies elsewhere then.
    """

    def __init__(
        self,
        database: Database,
        cache: CatalogCache,
        clock: Clock,
        *,
        zone_changed: Callable[[Connection, int], None] = lambda _connection, _store: None,
    ) -> None:
        self._database = database
        self._cache = cache
        self._clock = clock
        self._zone_changed = zone_changed

    @contextmanager
    def changing(self) -> Iterator[CatalogChange]:
        """A transaction that changes the catalog, alone; for imports as well as for one product."""
        with self._database.writing() as connection:
            self._database.lock(connection, LOCK_CATALOG)
            now_ms = self._clock.now_ms()
            version = events.bump(connection, CATALOG_VERSION)
            change = CatalogChange(connection, version, now_ms)
            yield change
            events.append(self._database, connection, change.events, now_ms=now_ms)

    # stores

    def create_store(self, new: NewStore, *, ctx: Context) -> StoreRecord:
        """Make a store. Raises `Refused`: `already_exists`, `invalid`, `forbidden`."""
        _require_store(ctx, STORE_EDIT, new.code)
        with self.changing() as change:
            return stores.create(change.connection, new, version=change.version)

    def patch_store(self, code: str, changes: StorePatch, *, ctx: Context) -> StoreRecord:
        """Change a store. Raises `Refused`: `not_found`, `invalid`, `forbidden`."""
        _require_store(ctx, STORE_EDIT, code)
        with self.changing() as change:
            before = stores.get(change.connection, code)
            after = stores.patch(change.connection, code, changes, version=change.version)
            if after.timezone != before.timezone:
                found = change.connection.execute(sa.select(store.c.id).where(store.c.code == code))
                self._zone_changed(change.connection, int(found.scalar_one()))
            return after

    def list_stores(self, *, ctx: Context) -> list[StoreRecord]:
        """The stores within the caller's scope, by code."""
        with self._database.reading() as connection:
            return [s for s in stores.list_all(connection) if ctx.sees_store(s.code)]

    def list_destinations(self) -> list[StoreRecord]:
        """Every store of the shop, by code: where goods may be sent, whoever's store it is."""
        with self._database.reading() as connection:
            return stores.list_all(connection)

    # categories

    def create_category(self, new: NewCategory, *, ctx: Context) -> CategoryRecord:  # noqa: ARG002
        """Make a category. Raises `Refused`: `already_exists`, `invalid`."""
        with self.changing() as change:
            return categories.create(change.connection, new, version=change.version)

    def patch_category(
        self,
        code: str,
        changes: CategoryPatch,
        *,
        ctx: Context,  # noqa: ARG002
    ) -> CategoryRecord:
        """Change a category. Raises `Refused`: `not_found`, `invalid`."""
        with self.changing() as change:
            return categories.patch(change.connection, code, changes, version=change.version)

    def list_categories(self, *, ctx: Context) -> list[CategoryRecord]:  # noqa: ARG002
        """Every category, by code."""
        with self._database.reading() as connection:
            return categories.list_all(connection)

    # channels

    def create_channel(self, new: NewChannel, *, ctx: Context) -> ChannelRecord:
        """Make a channel. Raises `Refused`: `already_exists`, `invalid`, `forbidden` (a store)."""
        channels.check_scope(ctx, new.stores)
        with self.changing() as change:
            return channels.create(change.connection, new, version=change.version)

    def patch_channel(
        self,
        name: str,
        changes: ChannelPatch,
        *,
        ctx: Context,
    ) -> ChannelRecord:
        """Change a channel. Raises `Refused`: `not_found`, `invalid`, `forbidden` (a store)."""
        with self.changing() as change:
            channels.check_scope(ctx, channels.get(change.connection, name).stores)
            if isinstance(changes.stores, list):
                channels.check_scope(ctx, changes.stores)
            return channels.patch(change.connection, name, changes, version=change.version)

    def list_channels(self, *, ctx: Context) -> list[ChannelRecord]:
        """The channels of the caller's stores and those of all stores, by name."""
        with self._database.reading() as connection:
            return channels.list_all(connection, ctx=ctx)

    # products

    def create_product(self, new: NewProduct, *, ctx: Context) -> ProductRecord:
        """Make a product. Raises `Refused`: `already_exists`, `composition_cycle`, `invalid`."""
        with self.changing() as change:
            if load_rows(change.connection, [new.sku]):
                raise refuse("already_exists", what="product", name=new.sku)
            self._write_one(change, ProductChange(new.sku, patch_of(new)))
            return self._record(change.connection, new.sku, ctx=ctx)

    def patch_product(self, sku: str, changes: ProductPatch, *, ctx: Context) -> ProductRecord:
        """Change a product.

        Raises:
            Refused: `not_found`, `invalid`, `composition_cycle`, or `has_movements` where the
                change would alter what numbers in the books mean.
        """
        with self.changing() as change:
            _row(change.connection, sku)
            self._write_one(change, ProductChange(sku, changes))
            return self._record(change.connection, sku, ctx=ctx)

    def get_product(self, sku: str, *, ctx: Context) -> ProductRecord:
        """A product, with its settings in each store. Raises `Refused`: `not_found`."""
        with self._database.reading() as connection:
            return self._record(connection, sku, ctx=ctx)

    def list_products(self, query: ProductQuery, *, ctx: Context) -> ProductPage:
        """A page of products. Raises `Refused`: `invalid`."""
        with self._database.reading() as connection:
            skus, following = find_skus(connection, query)
            rows = load_rows(connection, skus)
            precisions = _precisions(connection, list(rows.values()))
        return ProductPage(
            items=[
                product_record(rows[s], precisions=precisions, with_cost=ctx.may("cost.view"))
                for s in skus
            ],
            next_cursor=following,
        )

    def archive_product(self, sku: str, *, ctx: Context) -> ProductRecord:
        """Take a product from sale; its history stays. Done twice, it is done once.

        Raises:
            Refused: `not_found`; `composition_in_use` where a product on sale is made of it.
        """
        with self.changing() as change:
            row = _row(change.connection, sku)
            if row.archived_at is None:
                users = users_of(change.connection, row.id)
                if users:
                    raise refuse("composition_in_use", extra={"used_by": users}, name=sku)
                self._write_archived(change, row, archived_at=change.now_ms)
            return self._record(change.connection, sku, ctx=ctx)

    def unarchive_product(self, sku: str, *, ctx: Context) -> ProductRecord:
        """Put a product back on sale. Raises `Refused`: `not_found`, `archived` (a component)."""
        with self.changing() as change:
            row = _row(change.connection, sku)
            if row.archived_at is not None:
                parts = load_rows(change.connection, (part.sku for part in row.parts))
                for part in parts.values():
                    if part.archived_at is not None:
                        raise refuse("archived", name=part.sku)
                self._write_archived(change, row, archived_at=None)
            return self._record(change.connection, sku, ctx=ctx)

    def put_store_settings(
        self, sku: str, store_code: str, settings: StoreSettings, *, ctx: Context
    ) -> StoreSettingsRecord:
        """Set what is particular to a product in a store.

        Raises:
            Refused: `not_found`, `invalid`, `forbidden` outside the caller's stores.
        """
        _require_store(ctx, CATALOG_EDIT, store_code)
        with self.changing() as change:
            row = _row(change.connection, sku)
            store_id = change.connection.execute(
                sa.select(store.c.id).where(store.c.code == store_code)
            ).scalar()
            if store_id is None:
                raise refuse("not_found", what="store", name=store_code)
            store_settings.put(change.connection, row, store_id, settings, version=change.version)
            change.changed(sku, "updated", store_id=store_id)
            return store_settings.list_of(change.connection, row, stores={store_code})[0]

    def upsert_products(
        self, changes: Sequence[ProductChange], *, dry_run: bool = False
    ) -> UpsertPlan:
        """Create and change products as a set, or none of them: look at the plan's `errors`.

        A dry run says what would happen and writes nothing.
        """
        try:
            with self.changing() as change:
                plan = plan_products(change.connection, changes)
                _stop(plan, unless=not dry_run and not plan.errors)
                self.write_plan(change, plan)
                return plan
        except _NotWritten as left:
            return left.plan

    def withdraw_products(self, skus: Sequence[str]) -> Withdrawn:
        """Delete products that nothing refers to, archive the others: the undo of an import."""
        with self.changing() as change:
            done = withdraw_products(
                change.connection, skus, version=change.version, now_ms=change.now_ms
            )
            for sku in done.deleted:
                change.changed(sku, "deleted")
            for sku in done.archived:
                change.changed(sku, "archived")
            return done

    def write_plan(self, change: CatalogChange, plan: UpsertPlan) -> None:
        """Write a plan made in this same change, and note its events."""
        write_products(change.connection, plan, version=change.version, now_ms=change.now_ms)
        for sku in plan.created:
            change.changed(sku, "created")
        for sku in plan.updated:
            change.changed(sku, "updated")

    # scanning

    def scan(
        self, code: str, store_code: str | None = None, *, ctx: Context, with_stock: bool = True
    ) -> ScanAnswer:
        """What a code stands for; with the stock of a store where one is named.

        Left out in a shop of one store, it is that one: its scale's labels are read.

        Raises:
            Refused: `not_found` for the store or the code, `forbidden` outside the stores.
        """
        if store_code is not None:
            _require_store(ctx, SCAN, store_code)
        with self._database.reading() as connection:
            self._cache.refresh(connection)
            place = _place(self._cache.ensure(connection), store_code)
            names = candidates(code, place)
            catalog = self._cache.ensure(connection, skus=names, codes=names)
            readings = read_code(catalog, code, place)
            if not readings:
                raise refuse("not_found", what="barcode", name=code)
            shown = with_stock and place is not None and ctx.sees_store(place.code)
            levels = (
                levels_of(
                    connection,
                    catalog,
                    [reading.product for reading in readings],
                    place,
                    now_ms=self._clock.now_ms(),
                )
                if shown and place is not None
                else {}
            )
        return ScanAnswer(
            matches=[
                scan_match(reading, store=place, level=levels.get(reading.product.id))
                for reading in readings
            ]
        )

    # inside

    def _write_one(self, change: CatalogChange, wanted: ProductChange) -> None:
        plan = plan_products(change.connection, [wanted])
        errors = plan.errors.get(0, ())
        for code in _CONFLICTS:
            if errors and all(error.code == code for error in errors):
                names = ", ".join(error.pointer.split("/")[1] for error in errors)
                params = {"name": wanted.sku, "field": names, **errors[0].params}
                raise Refused(Problem(code, params, errors))
        if errors:
            raise Refused(Problem("invalid", errors=errors))
        self.write_plan(change, plan)

    def _write_archived(
        self, change: CatalogChange, row: ProductRow, *, archived_at: int | None
    ) -> None:
        write_rows(
            change.connection,
            [(row, evolve(row, archived_at=archived_at))],
            categories=_category_ids(change.connection),
            version=change.version,
            now_ms=change.now_ms,
        )
        change.changed(row.sku, "unarchived" if archived_at is None else "archived")

    def _record(self, connection: Connection, sku: str, *, ctx: Context) -> ProductRecord:
        row = _row(connection, sku)
        return product_record(
            row,
            precisions=_precisions(connection, [row]),
            with_cost=ctx.may("cost.view"),
            stores=store_settings.list_of(connection, row, stores=ctx.actor.stores),
        )


class _NotWritten(Exception):
    """A plan that is not to be written."""

    def __init__(self, plan: UpsertPlan) -> None:
        super().__init__()
        self.plan = plan


def _stop(plan: UpsertPlan, *, unless: bool) -> None:
    if not unless:
        raise _NotWritten(plan)


def _require_store(ctx: Context, permission: str, code: str) -> None:
    if not ctx.sees_store(code):
        raise refuse("forbidden", permission=permission, store=code)


def _row(connection: Connection, sku: str) -> ProductRow:
    row = load_rows(connection, [sku]).get(sku)
    if row is None:
        raise refuse("not_found", what="product", name=sku)
    return row


def _precisions(connection: Connection, rows: Sequence[ProductRow]) -> dict[str, int]:
    parts = load_rows(connection, (part.sku for row in rows for part in row.parts))
    return {sku: part.precision for sku, part in parts.items()}


def _category_ids(connection: Connection) -> dict[str, int]:
    rows = connection.execute(sa.select(category.c.code, category.c.id))
    return {row.code: row.id for row in rows}


def _place(catalog: CatalogState, code: str | None) -> Store | None:
    if code is not None:
        if code not in catalog.stores:
            raise refuse("not_found", what="store", name=code)
        return catalog.stores[code]
    return next(iter(catalog.stores.values())) if len(catalog.stores) == 1 else None
