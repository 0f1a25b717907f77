"""Labels to print: price tags for the shelf and barcodes for goods that bear none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from dianku.api import Call, Page, Refused, Title
from dianku_console.barcodes import bars_of
from dianku_console.pages.goods import text_of, texts_of

SIZES: Mapping[str, tuple[int, int]] = {
    "s40x30": (40, 30),
    "s50x30": (50, 30),
    "s60x40": (60, 40),
    "s70x38": (70, 38),
}
"""Widths and heights in millimetres, as rolls of labels are sold."""
LABELS_MAX = 500
GOODS_MAX = 200
COPIES_MAX = 100


def _labels(call: Call) -> dict[str, Any]:
    skus = texts_of(call, "sku")[:GOODS_MAX]
    missing = False
    narrowed = {name: text_of(call, name).strip() for name in ("q", "category")}
    if text_of(call, "add").strip():
        found = call.ask("/products", q=text_of(call, "add").strip()[:200], limit=1)["items"]
        missing = not found
        skus = [*skus, *(one["sku"] for one in found if one["sku"] not in skus)]
    # Those of a shelf are asked for once; from then on the goods are named one by one.
    if not skus and any(narrowed.values()):
        kept = {name: value or None for name, value in narrowed.items()}
        page = call.ask("/products", limit=GOODS_MAX, **kept)
        skus = [one["sku"] for one in page["items"]]
    copies = max(1, min(_whole(text_of(call, "copies")), COPIES_MAX))
    size = text_of(call, "size")
    size = size if size in SIZES else "s50x30"
    rows = [row for row in (_label(call, sku) for sku in skus) if row is not None]
    printed = [row for row in rows for _ in range(copies)]
    return {
        "rows": rows,
        "labels": printed[:LABELS_MAX],
        "cut": len(printed) > LABELS_MAX,
        "sizes": [(name, f"{w} × {h}") for name, (w, h) in SIZES.items()],
        "size": size,
        "copies": copies,
        "sheet": text_of(call, "sheet") == "1",
        "priced": text_of(call, "plain") != "1",
        "missing": missing,
        "self": "/console/goods/labels?" + urlencode({"sku": skus}, doseq=True),
    }


def _label(call: Call, sku: str) -> dict[str, Any] | None:
    """What stands on a tag; None for a code nobody has, in an address from elsewhere."""
    try:
        # One by one, because only so a product comes with what this store asks for it.
        product = call.ask(f"/products/{quote(sku, safe='')}")
    except Refused as refused:
        if refused.problem.code != "not_found":
            raise
        return None
    stores = {one["store"]: one for one in product["stores"] or ()}
    own = stores.get(call.query["store"], {}).get("price")
    code = next((one["code"] for one in product["barcodes"] if one["factor"] == 1), sku)
    return {**product, "price": own or product["price"], "code": code, "bars": bars_of(code)}


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 1


PAGES = (
    Page(
        "/console/goods/labels",
        Title("打印标签", "Print labels"),
        "catalog.view",
        "goods/labels.html",
        _labels,
    ),
)
