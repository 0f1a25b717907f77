from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from dianku.catalog.requests import NewBarcode, NewComponent, NewProduct, ProductPatch
from dianku.catalog.service import CatalogService
from dianku.catalog.snapshot import CatalogCache
from dianku.context import Context
from dianku.storage.engine import Database


def _make(catalog: CatalogService, ctx: Context, sku: str, *codes: str) -> None:
    catalog.create_product(
        NewProduct(
            sku=sku,
            name=sku,
            unit="个",
            price=Decimal(1),
            barcodes=[NewBarcode(code=code) for code in codes],
        ),
        ctx=ctx,
    )


def test_cache_sees_what_another_process_changed(
    catalog: CatalogService, owner: Context, database: Database
) -> None:
    _make(catalog, owner, "A", "1")
    cache = CatalogCache()
    with database.reading() as connection:
        assert cache.refresh(connection)
        cache.ensure(connection, skus=["A", "B"], codes=["1", "2"])
    held = cache.by_sku("A")
    assert held is not None
    assert cache.by_sku("B") is None
    assert cache.holds(skus=["A", "B"], codes=["1", "2"])
    _make(catalog, owner, "B", "2")
    catalog.patch_product("A", ProductPatch(price=Decimal(2), barcodes=[]), ctx=owner)
    with database.reading() as connection:
        assert cache.refresh(connection)
        assert not cache.refresh(connection)
        assert not cache.holds(skus=["A"])
        state = cache.ensure(connection, skus=["A", "B"], codes=["1", "2"])
    assert state is cache.state
    changed = cache.by_sku("A")
    assert changed is not None
    assert (held.price, changed.price) == (100, 200)
    assert [p.sku for p, _ in cache.by_barcode("2")] == ["B"]
    assert cache.by_barcode("1") == []


def test_state_in_hand_stays_whole_while_the_catalog_changes(
    catalog: CatalogService, owner: Context, database: Database, cache: CatalogCache
) -> None:
    _make(catalog, owner, "A", "1")
    with database.reading() as connection:
        cache.refresh(connection)
        state = cache.ensure(connection, skus=["A"], codes=["1"])
    catalog.patch_product("A", ProductPatch(price=Decimal(2)), ctx=owner)
    with database.reading() as connection:
        cache.refresh(connection)
    assert cache.by_sku("A") is None
    product = state.by_sku("A")
    assert product is not None
    assert product.price == 100
    assert len(state.by_barcode("1")) == 1


def test_reader_of_an_old_snapshot_never_puts_it_into_the_shared_state(
    catalog: CatalogService, owner: Context, database: Database, cache: CatalogCache
) -> None:
    _make(catalog, owner, "A")
    with database.reading() as old:
        cache.refresh(old)
        version = cache.version
        catalog.patch_product("A", ProductPatch(price=Decimal(2)), ctx=owner)
        with database.reading() as new:
            assert cache.refresh(new)
        assert not cache.refresh(old)
        own = cache.ensure(old, skus=["A"])
        assert own.version == version
        product = own.by_sku("A")
        assert product is not None
        assert product.price == 100
        assert cache.by_sku("A") is None
    with database.reading() as new:
        product = cache.ensure(new, skus=["A"]).by_sku("A")
    assert product is not None
    assert product.price == 200


def test_stores_and_channels_are_as_of_the_version(
    catalog: CatalogService, database: Database, cache: CatalogCache
) -> None:
    assert catalog
    with database.reading() as connection:
        cache.refresh(connection)
    assert set(cache.stores) == {"S1", "S2"}
    assert cache.channels["counter"].policy == "permissive"
    assert cache.stores_by_id[cache.stores["S1"].id].code == "S1"
    assert cache.channels_by_id[cache.channels["counter"].id].name == "counter"


def _make_box(catalog: CatalogService, ctx: Context) -> None:
    _make(catalog, ctx, "UNIT", "1")
    catalog.create_product(
        NewProduct(
            sku="BOX",
            name="BOX",
            unit="个",
            composition="kit",
            components=[NewComponent(sku="UNIT", quantity=Decimal(2))],
            barcodes=[NewBarcode(code="2")],
        ),
        ctx=ctx,
    )


def test_name_is_held_only_when_its_product_is_there_with_its_components(
    catalog: CatalogService, owner: Context, database: Database
) -> None:
    """What a second thread sees between the statements of a first that loads."""
    _make_box(catalog, owner)
    cache = CatalogCache()
    seen = []

    def look(*_: Any) -> None:
        held = cache.holds(skus=["BOX"]) or cache.holds(codes=["2"])
        seen.append(not held or cache.by_sku("BOX") is not None)

    with database.reading() as connection:
        cache.refresh(connection)
        sa.event.listen(connection.engine, "before_cursor_execute", look)
        cache.ensure(connection, skus=["BOX"], codes=["2"])
        sa.event.remove(connection.engine, "before_cursor_execute", look)
    assert len(seen) > 4
    assert all(seen)


def test_component_changed_drops_what_is_composed_of_it(
    catalog: CatalogService, owner: Context, database: Database, cache: CatalogCache
) -> None:
    _make_box(catalog, owner)
    with database.reading() as connection:
        cache.refresh(connection)
        cache.ensure(connection, skus=["BOX"])
    catalog.patch_product("UNIT", ProductPatch(price=Decimal(2)), ctx=owner)
    with database.reading() as connection:
        cache.refresh(connection)
        assert not cache.holds(skus=["BOX"])
        state = cache.ensure(connection, skus=["BOX"])
    box = state.by_sku("BOX")
    assert box is not None
    assert [state.product(i).price for i, _ in box.components] == [200]
