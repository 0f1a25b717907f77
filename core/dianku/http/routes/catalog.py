"""Stores, categories, products, channels, and what a scanned code stands for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta
from sqlalchemy.engine import Connection

from dianku.catalog import channels, stores
from dianku.catalog.listing import ProductQuery
from dianku.catalog.requests import (
    CategoryPatch,
    CategoryRecord,
    ChannelPatch,
    ChannelRecord,
    Composition,
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
from dianku.http.further_forms import product_change_faults, product_faults
from dianku.http.route import Call, Replied, Route
from dianku.http.routes.answers import ListQuery, Nothing, Page, once, page_of
from dianku.http.routes.attachments import check_photo
from dianku.storage.engine import LOCK_CATALOG
from dianku.wire import Code, Request


class ProductFilter(ListQuery, frozen=True):
    """Which products. Sorts: sku, name, created_at; left out, by how well `q` matches."""

    q: Annotated[str, Meta(max_length=200)] | None = None
    sku: list[Code] = []
    category: Code | None = None
    composition: Composition | None = None
    archived: bool | None = False
    sort: Annotated[str, Meta(max_length=100)] | None = None
    cursor: Annotated[str, Meta(max_length=2000)] | None = None


class ScanQuery(Request, frozen=True):
    """In which store the code was scanned: its scale's labels are read, its stock is shown."""

    store: Code | None = None


def _noted(
    call: Call,
    action: str,
    subject: str,
    change: Callable[[], Any],
    *,
    before: Callable[[Connection, str], Any] | None = None,
) -> Any:
    """Make a change and leave its line in the trail, both or neither.

    `before` reads what the subject is until then.
    """
    host = call.host
    with host.database.writing() as connection, host.database.joined(connection):
        host.database.lock(connection, LOCK_CATALOG)  # nobody changes it between the two
        old = None if before is None else before(connection, subject)
        record = change()
        line = {"subject": subject, "before": old, "after": record}
        host.access.note(connection, call.ctx, action, line)
        return record


def list_stores(call: Call) -> Page[StoreRecord]:
    """List the stores the caller may see."""
    found = call.host.catalog.list_stores(ctx=call.ctx)
    return page_of(found, call.query, name=lambda store: store.code)


def create_store(call: Call) -> Replied:
    """Make a store."""
    catalog, new = call.host.catalog, call.body
    return once(
        call,
        "store",
        lambda _: _noted(
            call, "store.create", new.code, lambda: catalog.create_store(new, ctx=call.ctx)
        ),
    )


def patch_store(call: Call) -> StoreRecord:
    """Change a store."""
    code = call.path["store"]
    catalog = call.host.catalog
    record: StoreRecord = _noted(
        call,
        "store.change",
        code,
        lambda: catalog.patch_store(code, call.body, ctx=call.ctx),
        before=stores.get,
    )
    return record


def list_categories(call: Call) -> Page[CategoryRecord]:
    """List categories."""
    found = call.host.catalog.list_categories(ctx=call.ctx)
    return page_of(found, call.query, name=lambda category: category.code)


def create_category(call: Call) -> Replied:
    """Make a category."""
    catalog = call.host.catalog
    return once(call, "category", lambda _: catalog.create_category(call.body, ctx=call.ctx))


def patch_category(call: Call) -> CategoryRecord:
    """Change a category."""
    return call.host.catalog.patch_category(call.path["code"], call.body, ctx=call.ctx)


def list_products(call: Call) -> ProductPage:
    """Find products."""
    asked: ProductFilter = call.query
    query = ProductQuery(
        q=asked.q,
        category=asked.category,
        skus=tuple(asked.sku),
        composition=asked.composition,
        archived=asked.archived,
        limit=asked.limit,
        cursor=asked.cursor,
        sort=tuple(part for part in (asked.sort or "").split(",") if part),
    )
    return call.host.catalog.list_products(query, ctx=call.ctx)


def create_product(call: Call) -> Replied:
    """Make a product."""
    check_photo(call.host, call.body.photo)
    catalog = call.host.catalog
    return once(call, "product", lambda _: catalog.create_product(call.body, ctx=call.ctx))


def get_product(call: Call) -> ProductRecord:
    """Show a product."""
    return call.host.catalog.get_product(call.path["sku"], ctx=call.ctx)


def patch_product(call: Call) -> ProductRecord:
    """Change a product."""
    check_photo(call.host, call.body.photo)
    return call.host.catalog.patch_product(call.path["sku"], call.body, ctx=call.ctx)


def archive_product(call: Call) -> Replied:
    """Take a product from sale."""
    catalog, sku = call.host.catalog, call.path["sku"]
    return once(call, "archive", lambda _: catalog.archive_product(sku, ctx=call.ctx), status=200)


def unarchive_product(call: Call) -> Replied:
    """Put a product back on sale."""
    catalog, sku = call.host.catalog, call.path["sku"]
    return once(
        call, "unarchive", lambda _: catalog.unarchive_product(sku, ctx=call.ctx), status=200
    )


def put_store_settings(call: Call) -> StoreSettingsRecord:
    """Set what is particular to a product in a store."""
    return call.host.catalog.put_store_settings(
        call.path["sku"], call.path["store"], call.body, ctx=call.ctx
    )


def list_channels(call: Call) -> Page[ChannelRecord]:
    """List the ways goods are sold by."""
    found = call.host.catalog.list_channels(ctx=call.ctx)
    return page_of(found, call.query, name=lambda channel: channel.name)


def create_channel(call: Call) -> Replied:
    """Make a channel."""
    catalog, new = call.host.catalog, call.body
    return once(
        call,
        "channel",
        lambda _: _noted(
            call, "channel.create", new.name, lambda: catalog.create_channel(new, ctx=call.ctx)
        ),
    )


def patch_channel(call: Call) -> ChannelRecord:
    """Change a channel."""
    name, catalog = call.path["name"], call.host.catalog
    record: ChannelRecord = _noted(
        call,
        "channel.change",
        name,
        lambda: catalog.patch_channel(name, call.body, ctx=call.ctx),
        before=channels.get,
    )
    return record


def scan(call: Call) -> ScanAnswer:
    """Say what a code may stand for; stock only to those who may see stock."""
    shown = call.ctx.may("stock.view")
    return call.host.catalog.scan(
        call.path["code"], call.query.store, ctx=call.ctx, with_stock=shown
    )


ROUTES = (
    Route(
        "GET",
        "/stores",
        list_stores,
        "catalog.view",
        "List stores",
        query=ListQuery,
        answer=Page[StoreRecord],
    ),
    Route(
        "POST",
        "/stores",
        create_store,
        "store.edit",
        "Make a store",
        request=NewStore,
        answer=StoreRecord,
        status=201,
        keyed=True,
    ),
    Route(
        "PATCH",
        "/stores/{store}",
        patch_store,
        "store.edit",
        "Change a store",
        request=StorePatch,
        answer=StoreRecord,
    ),
    Route(
        "GET",
        "/categories",
        list_categories,
        "catalog.view",
        "List categories",
        query=ListQuery,
        answer=Page[CategoryRecord],
    ),
    Route(
        "POST",
        "/categories",
        create_category,
        "product.edit",
        "Make a category",
        request=NewCategory,
        answer=CategoryRecord,
        status=201,
        keyed=True,
    ),
    Route(
        "PATCH",
        "/categories/{code}",
        patch_category,
        "product.edit",
        "Change a category",
        request=CategoryPatch,
        answer=CategoryRecord,
    ),
    Route(
        "GET",
        "/products",
        list_products,
        "catalog.view",
        "Find products",
        query=ProductFilter,
        answer=ProductPage,
    ),
    Route(
        "POST",
        "/products",
        create_product,
        "product.edit",
        "Make a product",
        request=NewProduct,
        answer=ProductRecord,
        further=product_faults,
        status=201,
        keyed=True,
    ),
    Route(
        "GET",
        "/products/{sku}",
        get_product,
        "catalog.view",
        "Show a product",
        answer=ProductRecord,
    ),
    Route(
        "PATCH",
        "/products/{sku}",
        patch_product,
        "product.edit",
        "Change a product",
        request=ProductPatch,
        answer=ProductRecord,
        further=product_change_faults,
    ),
    Route(
        "POST",
        "/products/{sku}/archive",
        archive_product,
        "product.edit",
        "Take a product from sale",
        request=Nothing,
        answer=ProductRecord,
        keyed=True,
        optional=True,
    ),
    Route(
        "POST",
        "/products/{sku}/unarchive",
        unarchive_product,
        "product.edit",
        "Put a product back on sale",
        request=Nothing,
        answer=ProductRecord,
        keyed=True,
        optional=True,
    ),
    Route(
        "PUT",
        "/products/{sku}/stores/{store}",
        put_store_settings,
        "product.edit",
        "Set what is particular to a product in a store",
        request=StoreSettings,
        answer=StoreSettingsRecord,
    ),
    Route(
        "GET",
        "/channels",
        list_channels,
        "catalog.view",
        "List channels",
        query=ListQuery,
        answer=Page[ChannelRecord],
    ),
    Route(
        "POST",
        "/channels",
        create_channel,
        "channel.edit",
        "Make a channel",
        request=NewChannel,
        answer=ChannelRecord,
        status=201,
        keyed=True,
    ),
    Route(
        "PATCH",
        "/channels/{name}",
        patch_channel,
        "channel.edit",
        "Change a channel",
        request=ChannelPatch,
        answer=ChannelRecord,
    ),
    Route(
        "GET",
        "/scan/{code}",
        scan,
        "scan",
        "What a code stands for",
        query=ScanQuery,
        answer=ScanAnswer,
    ),
)
