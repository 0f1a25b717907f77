"""Making and changing goods: the form, categories, and setting one product's stock right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from dianku.api import Call, Page, Title
from dianku_console.pages.goods import categories_of, every, goods_href, text_of

BLANK: Mapping[str, Any] = {
    "sku": "",
    "name": "",
    "spec": None,
    "unit": "",
    "display": None,
    "category": None,
    "barcodes": [],
    "price": None,
    "open_price": None,
    "cost": None,
    "precision": 0,
    "track_lots": False,
    "shelf_life_days": None,
    "low_stock": None,
    "overstock_days": None,
    "max_stock": None,
    "composition": "none",
    "components": [],
    "family": None,
    "archived": False,
}
COMPOSITIONS = ("none", "kit", "service", "made")


def _form(call: Call, product: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    packs = list(product["barcodes"]) or [{"code": "", "factor": 1, "price": None}]
    return {
        "product": product,
        "packs": packs,
        "categories": [(c["code"], c["label"]) for c in categories_of(call)],
        "compositions": COMPOSITIONS,
        "names": {},
        "set_here": None,
        **more,
    }


def _new(call: Call) -> dict[str, Any]:
    code = text_of(call, "barcode").strip()[:128]
    product = {
        **BLANK,
        "name": text_of(call, "name").strip()[:200],
        "category": text_of(call, "category") or None,
        "barcodes": [{"code": code, "factor": 1, "price": None}] if code else [],
    }
    return _form(call, product, new=True, address="", scanned=code, back="/console/goods")


def _edit(call: Call) -> dict[str, Any]:
    sku = call.path["sku"]
    product = call.ask(f"/products/{quote(sku, safe='')}")
    names = {}
    if product["components"]:
        skus = [one["sku"] for one in product["components"]]
        names = {one["sku"]: one["name"] for one in every(call, "/products", sku=skus)}
    settings = {one["store"]: one for one in product["stores"] or ()}
    return _form(
        call,
        product,
        new=False,
        address=quote(sku, safe=""),
        scanned="",
        back=goods_href(sku),
        names=names,
        set_here=settings.get(call.query["store"]),
    )


def _right(call: Call) -> dict[str, Any]:
    """What the books say of a product in one store, to be set against what is there."""
    sku = call.path["sku"]
    product = call.ask(f"/products/{quote(sku, safe='')}")
    rows = {row["store"]: row for row in every(call, "/stock", sku=sku)}
    stores = [one["code"] for one in every(call, "/stores")]
    store = text_of(call, "in") or call.query["store"] or (stores[0] if len(stores) == 1 else "")
    store = store if store in stores else ""
    row = rows.get(store)
    on_hand = row["on_hand"] if row else "0"
    return {
        "product": product,
        "store": store,
        # Nobody counts all stores at once: who looks at all of them says which one it was.
        "stores": [] if store else [(c, goods_href(sku, f"stock?in={quote(c)}")) for c in stores],
        "on_hand": on_hand,
        "lots": row["lots"] if row and product["track_lots"] else [],
        "back": goods_href(sku),
    }


def _categories(call: Call) -> dict[str, Any]:
    found = categories_of(call)
    return {"rows": found, "choices": [(c["code"], c["label"]) for c in found]}


PAGES = (
    Page(
        "/console/goods/new",
        Title("新增商品", "Add a product"),
        "product.edit",
        "goods/form.html",
        _new,
    ),
    Page(
        "/console/goods/categories",
        Title("商品分类", "Categories"),
        "catalog.view",
        "goods/categories.html",
        _categories,
    ),
    Page(
        "/console/goods/{sku}/edit",
        Title("修改商品", "Change a product"),
        "product.edit",
        "goods/form.html",
        _edit,
    ),
    Page(
        "/console/goods/{sku}/stock",
        Title("改准库存", "Set the stock right"),
        "document.post.adjustment",
        "goods/right.html",
        _right,
    ),
)
