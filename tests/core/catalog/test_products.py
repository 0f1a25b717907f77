from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from dianku.catalog.requests import (
    Display,
    NewBarcode,
    NewCategory,
    NewComponent,
    NewProduct,
    OpenPrice,
    OpenPriceRecord,
    ProductPatch,
    StoreSettings,
)
from dianku.catalog.service import CatalogService
from dianku.catalog.tables import product
from dianku.context import Context
from dianku.errors import Refused
from dianku.ledger.tables import sales_history, stock_balance
from dianku.storage.engine import Database


def _number(text: str) -> Decimal:
    return Decimal(text)


def _cola(**changes: Any) -> NewProduct:
    values: dict[str, Any] = {
        "sku": "0001",
        "name": "可乐",
        "unit": "瓶",
        "spec": "330ml",
        "category": "drinks",
        "barcodes": [
            NewBarcode(code="6921168509256"),
            NewBarcode(code="16921168509253", factor=12, price=_number("30")),
        ],
        "price": _number("3.5"),
        "open_price": OpenPrice(min=_number("3")),
        "cost": _number("2.1234"),
        "low_stock": _number("10"),
        "family": "cola",
    }
    return NewProduct(**{**values, **changes})


def _errors(refused: pytest.ExceptionInfo[Refused]) -> set[tuple[str, str]]:
    return {(e.pointer, e.code) for e in refused.value.problem.errors}


def _move(database: Database, sku: str) -> None:
    """Say that a product has moved, as a posting would."""
    with database.writing() as connection:
        product_id = connection.execute(sa.select(product.c.id).where(product.c.sku == sku))
        connection.execute(
            sa.insert(stock_balance).values(
                store_id=1, product_id=product_id.scalar_one(), on_hand=3, moved=True
            )
        )


@pytest.fixture
def drinks(catalog: CatalogService, owner: Context) -> CatalogService:
    catalog.create_category(NewCategory(code="drinks", name="饮料"), ctx=owner)
    return catalog


def test_product_created_is_answered_as_it_was_given(
    drinks: CatalogService, owner: Context
) -> None:
    record = drinks.create_product(_cola(), ctx=owner)
    assert record == drinks.get_product("0001", ctx=owner)
    plain = msgspec.to_builtins(record)
    stores = plain.pop("stores")
    assert [s["store"] for s in stores] == ["S1", "S2"]
    assert plain == {
        "sku": "0001",
        "name": "可乐",
        "spec": "330ml",
        "unit": "瓶",
        "display": None,
        "category": "drinks",
        "barcodes": [
            {"code": "6921168509256", "factor": 1, "price": None},
            {"code": "16921168509253", "factor": 12, "price": "30.00"},
        ],
        "price": "3.50",
        "open_price": {"min": "3.00", "max": None},
        "cost": "2.1234",
        "precision": 0,
        "track_lots": False,
        "shelf_life_days": None,
        "low_stock": "10",
        "overstock_days": None,
        "max_stock": None,
        "composition": "none",
        "components": [],
        "family": "cola",
        "archived": False,
        "photo": None,
    }


@pytest.mark.parametrize(
    ("bounds", "wrong"),
    [
        (OpenPrice(), ("/open_price/min", "required")),
        (OpenPrice(min=Decimal(3), max=Decimal("2.99")), ("/open_price/max", "too_small")),
        (OpenPrice(min=Decimal(3), max=Decimal(3)), None),
        (None, None),
    ],
)
def test_open_price_has_a_bound_and_its_bounds_are_in_their_order(
    drinks: CatalogService,
    owner: Context,
    bounds: OpenPrice | None,
    wrong: tuple[str, str] | None,
) -> None:
    drinks.create_product(_cola(), ctx=owner)
    patch = ProductPatch(open_price=bounds)
    if wrong is None:
        found = drinks.patch_product("0001", patch, ctx=owner).open_price
        assert found == (bounds and OpenPriceRecord(min="3.00", max="3.00"))
        return
    with pytest.raises(Refused) as refused:
        drinks.patch_product("0001", patch, ctx=owner)
    assert _errors(refused) == {wrong}


def test_cost_is_hidden_from_who_may_not_see_it(
    drinks: CatalogService, owner: Context, clerk: Context
) -> None:
    drinks.create_product(_cola(), ctx=owner)
    record = drinks.get_product("0001", ctx=clerk)
    assert record.cost is None
    assert [s.store for s in record.stores or []] == ["S1"]


def test_sku_is_kept_as_written_and_taken_once(drinks: CatalogService, owner: Context) -> None:
    for sku in ("0001", "1", "Ab-1", "aB-1"):
        drinks.create_product(_cola(sku=sku), ctx=owner)
    with pytest.raises(Refused) as refused:
        drinks.create_product(_cola(sku="0001"), ctx=owner)
    assert refused.value.problem.code == "already_exists"


def test_product_with_many_wrong_fields_names_them_all_and_changes_nothing(
    drinks: CatalogService,
    owner: Context,
    database: Database,
    database_digest: Callable[..., str],
) -> None:
    before = database_digest(database)
    with pytest.raises(Refused) as refused:
        drinks.create_product(
            NewProduct(
                sku="BAD",
                name="坏",
                unit="瓶",
                display=Display(unit="瓶", factor=1),
                category="nowhere",
                barcodes=[
                    NewBarcode(code="1", price=_number("-1")),
                    NewBarcode(code="1", price=_number("1.001")),
                ],
                price=_number("NaN"),
                open_price=OpenPrice(min=_number("-1"), max=_number("0.001")),
                cost=_number("0.00001"),
                low_stock=_number("1.5"),
                max_stock=_number("1e999999"),
                track_lots=True,
                composition="kit",
                components=[
                    NewComponent(sku="BAD", quantity=_number("1")),
                    NewComponent(sku="missing", quantity=_number("0")),
                    NewComponent(sku="missing", quantity=_number("-2")),
                ],
            ),
            ctx=owner,
        )
    assert refused.value.problem.code == "invalid"
    assert _errors(refused) == {
        ("/display/unit", "same_unit"),
        ("/display/factor", "too_small"),
        ("/category", "unknown_category"),
        ("/barcodes/0/price", "negative"),
        ("/barcodes/1/price", "too_many_digits"),
        ("/barcodes/1/code", "duplicate"),
        ("/price", "not_finite"),
        ("/open_price/min", "negative"),
        ("/open_price/max", "too_many_digits"),
        ("/cost", "too_many_digits"),
        ("/low_stock", "too_many_digits"),
        ("/max_stock", "too_large"),
        ("/track_lots", "not_stocked"),
        ("/components/0/sku", "self_reference"),
        ("/components/1/sku", "unknown_product"),
        ("/components/1/quantity", "not_positive"),
        ("/components/2/sku", "unknown_product"),
        ("/components/2/sku", "duplicate"),
        ("/components/2/quantity", "not_positive"),
    }
    assert database_digest(database) == before


@pytest.mark.parametrize(
    ("composition", "parts", "code"),
    [
        ("none", 1, "not_composed"),
        ("kit", 0, "components_required"),
        ("made", 0, "components_required"),
        ("service", 0, None),
        ("service", 1, None),
        ("made", 1, None),
    ],
)
@pytest.mark.sqlite_only
def test_composition_has_the_components_it_needs(
    drinks: CatalogService, owner: Context, composition: Any, parts: int, code: str | None
) -> None:
    drinks.create_product(_cola(), ctx=owner)
    new = NewProduct(
        sku="X",
        name="X",
        unit="次",
        composition=composition,
        components=[NewComponent(sku="0001", quantity=_number("2"))] * parts,
    )
    if code is None:
        assert drinks.create_product(new, ctx=owner).composition == composition
        return
    with pytest.raises(Refused) as refused:
        drinks.create_product(new, ctx=owner)
    assert _errors(refused) == {("/components", code)}


def test_archived_component_is_refused(drinks: CatalogService, owner: Context) -> None:
    drinks.create_product(_cola(), ctx=owner)
    drinks.archive_product("0001", ctx=owner)
    with pytest.raises(Refused) as refused:
        drinks.create_product(
            NewProduct(
                sku="K",
                name="K",
                unit="盒",
                composition="kit",
                components=[NewComponent(sku="0001", quantity=_number("1"))],
            ),
            ctx=owner,
        )
    assert _errors(refused) == {("/components/0/sku", "archived")}


def test_patch_changes_what_is_given_clears_null_and_leaves_the_rest(
    drinks: CatalogService, owner: Context
) -> None:
    before = drinks.create_product(_cola(), ctx=owner)
    after = drinks.patch_product(
        "0001", ProductPatch(price=_number("4"), family=None, category=None), ctx=owner
    )
    assert (after.price, after.family, after.category) == ("4.00", None, None)
    assert (after.cost, after.barcodes, after.name) == (before.cost, before.barcodes, before.name)
    assert drinks.patch_product("0001", ProductPatch(barcodes=[]), ctx=owner).barcodes == []


def test_patch_of_a_product_that_is_not_there_is_not_found(
    drinks: CatalogService, owner: Context
) -> None:
    for call in (
        lambda: drinks.patch_product("no", ProductPatch(), ctx=owner),
        lambda: drinks.get_product("no", ctx=owner),
        lambda: drinks.archive_product("no", ctx=owner),
        lambda: drinks.put_store_settings("no", "S1", StoreSettings(), ctx=owner),
    ):
        with pytest.raises(Refused) as refused:
            call()
        assert refused.value.problem.code == "not_found"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        (ProductPatch(precision=3), "/precision"),
        (ProductPatch(track_lots=True), "/track_lots"),
        (ProductPatch(composition="service"), "/composition"),
    ],
)
def test_what_numbers_mean_stands_once_a_product_has_moved(
    drinks: CatalogService, owner: Context, database: Database, changes: ProductPatch, pointer: str
) -> None:
    drinks.create_product(_cola(), ctx=owner)
    drinks.create_product(_cola(sku="free"), ctx=owner)
    _move(database, "0001")
    before = drinks.get_product("0001", ctx=owner)
    with pytest.raises(Refused) as refused:
        drinks.patch_product("0001", changes, ctx=owner)
    assert refused.value.problem.code == "has_movements"
    assert refused.value.problem.params["field"] == pointer[1:]
    assert _errors(refused) == {(pointer, "has_movements")}
    assert drinks.get_product("0001", ctx=owner) == before
    drinks.patch_product("free", changes, ctx=owner)


def test_precision_stands_once_there_are_sales_of_the_time_before(
    drinks: CatalogService, owner: Context, database: Database
) -> None:
    drinks.create_product(_cola(), ctx=owner)
    with database.writing() as connection:
        connection.execute(
            sa.insert(sales_history).values(
                business_date=1, store_id=1, product_id=1, channel_id=1, import_id=1, quantity=2
            )
        )
    with pytest.raises(Refused) as refused:
        drinks.patch_product("0001", ProductPatch(precision=1), ctx=owner)
    assert refused.value.problem.code == "has_movements"
    assert drinks.patch_product("0001", ProductPatch(track_lots=True), ctx=owner).track_lots


def test_made_product_may_become_plain_after_it_moved(
    drinks: CatalogService, owner: Context, database: Database
) -> None:
    drinks.create_product(_cola(), ctx=owner)
    _move(database, "0001")
    made = ProductPatch(
        composition="made",
        components=[NewComponent(sku="flour", quantity=_number("1"))],
    )
    drinks.create_product(_cola(sku="flour"), ctx=owner)
    assert drinks.patch_product("0001", made, ctx=owner).composition == "made"


def test_precision_carries_lines_store_lines_and_recipes_with_it(
    drinks: CatalogService, owner: Context
) -> None:
    drinks.create_product(_cola(), ctx=owner)
    drinks.put_store_settings("0001", "S1", StoreSettings(low_stock=_number("7")), ctx=owner)
    kit = NewProduct(
        sku="K",
        name="K",
        unit="盒",
        composition="kit",
        components=[NewComponent(sku="0001", quantity=_number("6"))],
    )
    drinks.create_product(kit, ctx=owner)

    finer = drinks.patch_product("0001", ProductPatch(precision=2), ctx=owner)
    assert finer.low_stock == "10.00"
    assert (finer.stores or [])[0].low_stock == "7.00"
    assert drinks.get_product("K", ctx=owner).components[0].quantity == "6.00"

    coarser = drinks.patch_product("0001", ProductPatch(precision=0), ctx=owner)
    assert coarser.low_stock == "10"
    assert drinks.get_product("K", ctx=owner).components[0].quantity == "6"


def test_precision_that_would_cut_a_line_or_a_recipe_is_refused(
    drinks: CatalogService, owner: Context
) -> None:
    for sku, low in (("own", "1.5"), ("store", "1"), ("recipe", "1")):
        drinks.create_product(_cola(sku=sku, precision=1, low_stock=_number(low)), ctx=owner)
    drinks.put_store_settings("store", "S1", StoreSettings(max_stock=_number("7.5")), ctx=owner)
    drinks.create_product(
        NewProduct(
            sku="K",
            name="K",
            unit="盒",
            composition="kit",
            components=[NewComponent(sku="recipe", quantity=_number("0.5"))],
        ),
        ctx=owner,
    )
    for sku in ("own", "store", "recipe"):
        with pytest.raises(Refused) as refused:
            drinks.patch_product(sku, ProductPatch(precision=0), ctx=owner)
        assert _errors(refused) == {("/precision", "breaks_lines")}


def test_store_settings_are_set_cleared_and_left(drinks: CatalogService, owner: Context) -> None:
    drinks.create_product(_cola(), ctx=owner)
    set_all = StoreSettings(carried=True, price=_number("3.8"), low_stock=_number("4"), shelf="A-3")
    record = drinks.put_store_settings("0001", "S2", set_all, ctx=owner)
    assert (record.carried, record.price, record.low_stock, record.shelf) == (
        True,
        "3.80",
        "4",
        "A-3",
    )
    record = drinks.put_store_settings("0001", "S2", StoreSettings(shelf=None), ctx=owner)
    assert (record.shelf, record.price) == (None, "3.80")
    record = drinks.put_store_settings("0001", "S2", StoreSettings(), ctx=owner)
    assert record.price == "3.80"


def test_store_settings_with_wrong_numbers_name_each(
    drinks: CatalogService, owner: Context
) -> None:
    drinks.create_product(_cola(), ctx=owner)
    wrong = StoreSettings(price=_number("-1"), low_stock=_number("0.5"), max_stock=_number("NaN"))
    with pytest.raises(Refused) as refused:
        drinks.put_store_settings("0001", "S1", wrong, ctx=owner)
    assert _errors(refused) == {
        ("/price", "negative"),
        ("/low_stock", "too_many_digits"),
        ("/max_stock", "not_finite"),
    }


def test_store_settings_of_a_store_out_of_scope_are_forbidden(
    drinks: CatalogService, owner: Context, clerk: Context
) -> None:
    drinks.create_product(_cola(), ctx=owner)
    drinks.put_store_settings("0001", "S1", StoreSettings(shelf="A"), ctx=clerk)
    with pytest.raises(Refused) as refused:
        drinks.put_store_settings("0001", "S2", StoreSettings(shelf="A"), ctx=clerk)
    assert refused.value.problem.code == "forbidden"
    with pytest.raises(Refused) as refused:
        drinks.put_store_settings("0001", "S9", StoreSettings(), ctx=owner)
    assert refused.value.problem.code == "not_found"


def test_carried_follows_the_first_movement_until_it_is_set(
    drinks: CatalogService, owner: Context, database: Database
) -> None:
    drinks.create_product(_cola(), ctx=owner)
    assert [s.carried for s in drinks.get_product("0001", ctx=owner).stores or []] == [False] * 2
    _move(database, "0001")
    assert [s.carried for s in drinks.get_product("0001", ctx=owner).stores or []] == [True, False]
    record = drinks.put_store_settings("0001", "S1", StoreSettings(carried=False), ctx=owner)
    assert not record.carried


def test_every_change_of_a_product_is_an_event_and_an_idle_patch_is_none(
    drinks: CatalogService, owner: Context, database: Database
) -> None:
    drinks.create_product(_cola(), ctx=owner)
    drinks.patch_product("0001", ProductPatch(price=_number("9")), ctx=owner)
    drinks.patch_product("0001", ProductPatch(price=_number("9.00")), ctx=owner)
    drinks.put_store_settings("0001", "S1", StoreSettings(shelf="A"), ctx=owner)
    drinks.archive_product("0001", ctx=owner)
    with database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT type, data FROM event ORDER BY id").all()
    assert {row.type for row in rows} == {"product.changed"}
    assert [msgspec.json.decode(row.data)["change"] for row in rows] == [
        "created",
        "updated",
        "updated",
        "archived",
    ]
