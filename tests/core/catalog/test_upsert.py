from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from dianku.catalog.requests import (
    Display,
    NewBarcode,
    NewComponent,
    OpenPrice,
    ProductPatch,
    StoreSettings,
)
from dianku.catalog.service import CatalogService
from dianku.catalog.snapshot import CatalogCache
from dianku.catalog.upsert import ProductChange
from dianku.context import Context
from dianku.storage.engine import Database


def _change(sku: str, **fields: object) -> ProductChange:
    return ProductChange(sku, ProductPatch(**fields))  # type: ignore[arg-type]


def _part(sku: str, quantity: str) -> NewComponent:
    return NewComponent(sku=sku, quantity=Decimal(quantity))


def _set() -> list[ProductChange]:
    """A kit before what it is made of: the order of a file is nobody's plan."""
    return [
        _change(
            "BOX", name="礼盒", unit="盒", composition="kit", components=[_part("TEA", "0.25")]
        ),
        _change("TEA", name="茶", unit="kg", precision=2, price=Decimal(80)),
        _change("CUP", name="杯", unit="个", barcodes=[NewBarcode(code="1")]),
    ]


def test_upsert_creates_then_finds_nothing_changed(
    catalog: CatalogService, owner: Context, database: Database
) -> None:
    plan = catalog.upsert_products(_set())
    assert plan.created == ["BOX", "TEA", "CUP"]
    assert catalog.get_product("BOX", ctx=owner).components[0].quantity == "0.25"
    plan = catalog.upsert_products(_set())
    assert (plan.created, plan.updated, plan.unchanged) == ([], [], ["BOX", "TEA", "CUP"])
    with database.reading() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM event").scalar()
    assert count == 3


def test_upsert_with_errors_names_each_row_and_writes_nothing(
    catalog: CatalogService,
    database: Database,
    database_digest: Callable[..., str],
) -> None:
    catalog.upsert_products(_set())
    before = database_digest(database)
    plan = catalog.upsert_products(
        [
            _change("NEW", name="新", unit="个"),
            _change("NONE"),
            _change("TEA", price=Decimal(-1), low_stock=Decimal("0.001")),
            _change("TEA", price=Decimal(1)),
            _change("CUP", composition="kit", components=[_part("BOX", "1")]),
            _change("TWO", name="二", unit="盒", composition="kit", components=[_part("CUP", "1")]),
            _change("BAG", name="袋", unit="盒", composition="kit", components=[_part("BAG", "1")]),
        ]
    )
    assert {i: {(e.pointer, e.code) for e in found} for i, found in plan.errors.items()} == {
        1: {("/name", "required"), ("/unit", "required")},
        2: {("/price", "negative"), ("/low_stock", "too_many_digits")},
        3: {("/sku", "duplicate")},
        6: {("/components/0/sku", "self_reference")},
    }
    assert plan.created == ["NEW", "TWO"]
    assert database_digest(database) == before


def test_upsert_as_a_dry_run_says_what_would_happen_and_writes_nothing(
    catalog: CatalogService, database: Database, database_digest: Callable[..., str]
) -> None:
    before = database_digest(database)
    plan = catalog.upsert_products(_set(), dry_run=True)
    assert plan.created == ["BOX", "TEA", "CUP"]
    assert database_digest(database) == before


def test_upsert_finds_a_circle_that_only_the_whole_set_closes(catalog: CatalogService) -> None:
    plan = catalog.upsert_products(
        [
            _change("A", name="A", unit="个", composition="kit", components=[_part("B", "1")]),
            _change("B", name="B", unit="个", composition="kit", components=[_part("C", "1")]),
            _change("C", name="C", unit="个", composition="kit", components=[_part("A", "1")]),
            _change("D", name="D", unit="个", composition="kit", components=[_part("A", "1")]),
        ]
    )
    assert sorted(plan.errors) == [0, 1, 2]
    assert {e.code for found in plan.errors.values() for e in found} == {"composition_cycle"}


def test_upsert_of_precision_and_recipe_together_keeps_what_the_recipe_says(
    catalog: CatalogService, owner: Context
) -> None:
    catalog.upsert_products(
        [
            _change("P", name="P", unit="个"),
            _change("K", name="K", unit="盒", composition="kit", components=[_part("P", "2")]),
            _change("L", name="L", unit="盒", composition="kit", components=[_part("P", "5")]),
        ]
    )
    plan = catalog.upsert_products(
        [_change("P", precision=1), _change("K", components=[_part("P", "0.2")])]
    )
    assert plan.updated == ["P", "K"]
    assert catalog.get_product("K", ctx=owner).components[0].quantity == "0.2"
    assert catalog.get_product("L", ctx=owner).components[0].quantity == "5.0"


def test_undo_of_an_upsert_puts_every_field_back(catalog: CatalogService, owner: Context) -> None:
    catalog.upsert_products(_set())
    before = {s: catalog.get_product(s, ctx=owner) for s in ("BOX", "TEA", "CUP")}
    plan = catalog.upsert_products(
        [
            _change(
                "TEA",
                price=None,
                open_price=OpenPrice(min=Decimal(2)),
                cost=Decimal("3.3333"),
                low_stock=Decimal("1.5"),
                spec="x",
            ),
            _change(
                "CUP",
                name="大杯",
                display=Display(unit="箱", factor=24),
                barcodes=[NewBarcode(code="2", factor=6, price=Decimal(5))],
                precision=1,
            ),
            _change("BOX", components=[_part("CUP", "1")], shelf_life_days=30),
        ]
    )
    assert plan.updated == ["TEA", "CUP", "BOX"]
    assert catalog.upsert_products(plan.undo).updated == ["TEA", "CUP", "BOX"]
    assert {s: catalog.get_product(s, ctx=owner) for s in before} == before


def test_withdrawn_products_are_deleted_or_archived_where_something_refers_to_them(
    catalog: CatalogService, owner: Context, database: Database, cache: CatalogCache
) -> None:
    catalog.upsert_products(_set())
    catalog.upsert_products(
        [_change("SET", name="套", unit="套", composition="kit", components=[_part("CUP", "1")])]
    )
    catalog.put_store_settings("TEA", "S1", StoreSettings(shelf="A"), ctx=owner)
    with database.reading() as connection:
        cache.refresh(connection)
        cache.ensure(connection, skus=["TEA", "BOX", "CUP", "SET"])
    done = catalog.withdraw_products(["BOX", "TEA", "CUP"])
    assert (done.deleted, done.archived) == (["BOX", "TEA"], ["CUP"])
    with database.reading() as connection:
        cache.refresh(connection)
        state = cache.ensure(connection, skus=["TEA", "BOX", "CUP"])
    assert state.by_sku("TEA") is None
    cup = state.by_sku("CUP")
    assert cup is not None
    assert cup.archived
    assert catalog.upsert_products(_set()).created == ["BOX", "TEA"]


def test_upsert_of_thousands_of_products_is_one_set(
    catalog: CatalogService, database: Database
) -> None:
    count = 4000
    changes = [
        _change(
            f"{i:06d}",
            name=f"商品{i}",
            unit="个",
            price=Decimal(i) / 100,
            barcodes=[NewBarcode(code=f"69{i:011d}")],
        )
        for i in range(count)
    ]
    assert len(catalog.upsert_products(changes).created) == count
    assert len(catalog.upsert_products(changes).unchanged) == count
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM barcode").scalar() == count
