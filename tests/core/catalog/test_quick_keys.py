"""Keys of goods on either database, and goods that go."""

from __future__ import annotations

from decimal import Decimal

from dianku.catalog import quick_keys
from dianku.catalog.quick_keys import QuickKey, QuickKeys
from dianku.catalog.requests import NewStore, ProductPatch
from dianku.catalog.service import CatalogService
from dianku.catalog.upsert import ProductChange
from dianku.context import Context
from dianku.storage.engine import Database


def test_keys_keep_their_order_and_go_with_their_goods(
    catalog: CatalogService, owner: Context, database: Database
) -> None:
    catalog.create_store(NewStore(code="S7", name="S7"), ctx=owner)
    goods = [
        ProductChange(sku, ProductPatch(name=sku, unit="pc", price=Decimal(3)))
        for sku in ("TEA", "CUP", "EGG")
    ]
    catalog.upsert_products(goods)
    wanted = [QuickKey(sku=sku, colour=at) for at, sku in enumerate(("EGG", "TEA", "CUP"))]
    with database.writing() as connection:
        quick_keys.put(connection, QuickKeys(store="S7", keys=wanted))
        quick_keys.put(connection, QuickKeys(keys=wanted[1:]))
        quick_keys.put(connection, QuickKeys(store="S7", keys=wanted[::-1]))
    assert catalog.withdraw_products(["TEA"]).deleted == ["TEA"]
    with database.reading() as connection:
        here = quick_keys.shown(connection, "S7")
        shops = quick_keys.shown(connection, None)
    assert [(key.sku, key.colour) for key in here.items] == [("CUP", 2), ("EGG", 0)]
    assert (here.chosen, shops.chosen) == ("store", "shop")
    assert [(key.sku, key.price) for key in shops.items] == [("CUP", "3.00")]
