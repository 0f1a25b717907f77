"""What is done with a scan: selling, receiving, writing off. One page, one button each."""

from __future__ import annotations

from typing import Any

from dianku.api import Call, Page, Title
from dianku_console.pages.documents import PAY_KINDS
from dianku_console.pages.goods import every

QUICK = 12
"""Keys for goods that have no barcode to scan, most sold first."""
LOOKED_AT = 200
MADE = 60
"""Goods made in the shop that have a key; more are found by their name."""


def _page(
    path: str, title: Title, *, kind: str, permission: str | None = None, **more: Any
) -> Page:
    """The page of one job, for who may post what it makes; `more` says where in the menu."""

    def data(call: Call) -> dict[str, Any]:
        store = call.query["store"]
        chosen = _chosen(call, store) if kind == "issue" and store else []
        return {
            "kind": kind,
            "store": store,
            "pay_kinds": PAY_KINDS,
            "chosen": chosen,
            "quick": _keys(call, kind) if store and not chosen else [],
            "others": _others(call, store) if kind == "transfer" else [],
        }

    return Page(path, title, permission or f"document.post.{kind}", "jobs/job.html", data, **more)


def _chosen(call: Call, store: str) -> list[Any]:
    """The keys a shop chose for its counter; none where it leaves them to us."""
    keys = call.ask("/quick-keys", store=store)["items"]
    return [one for one in keys if not one["archived"]]


def _keys(call: Call, kind: str) -> list[Any]:
    """Goods that are one tap away: at the counter those without a barcode, in the kitchen all."""
    if kind == "production":
        made: list[Any] = call.ask("/products", composition="made", sort="name", limit=MADE)[
            "items"
        ]
        return made
    return _without_barcode(call) if kind == "issue" else []


def _others(call: Call, store: str) -> list[Any]:
    """The stores that goods can be sent to."""
    return [one for one in call.ask("/transfers/destinations")["items"] if one["code"] != store]


def _without_barcode(call: Call) -> list[Any]:
    sold = call.ask("/stock", store=call.query["store"], sort="-sold_7d", limit=LOOKED_AT)["items"]
    skus = [row["sku"] for row in sold]
    known = {one["sku"]: one for one in every(call, "/products", sku=skus)} if skus else {}
    return [known[sku] for sku in skus if sku in known and not known[sku]["barcodes"]][:QUICK]


PAGES = (
    _page(
        "/console/sell",
        Title("卖货", "Sell"),
        kind="issue",
        place="sell",
        icon="shopping-cart",
        order=10,
    ),
    _page(
        "/console/return/without-sale",
        Title("无小票退货", "Return without a receipt"),
        kind="customer_return",
        permission="return.without_sale",
    ),
    _page(
        "/console/receive",
        Title("入库", "Receive"),
        kind="receipt",
        place="stock",
        icon="package-plus",
        order=10,
    ),
    _page(
        "/console/write-off",
        Title("报损", "Write off"),
        kind="write_off",
        place="stock",
        icon="trash-2",
        order=20,
    ),
    _page(
        "/console/transfer",
        Title("调拨", "Transfer"),
        kind="transfer",
        place="stock",
        icon="arrow-left-right",
        order=40,
        several_stores=True,
    ),
    _page(
        "/console/make",
        Title("加工", "Make"),
        kind="production",
        place="stock",
        icon="chef-hat",
        order=60,
    ),
    _page(
        "/console/send-back",
        Title("采购退货", "Back to supplier"),
        kind="supplier_return",
        place="stock",
        icon="package-minus",
        order=70,
    ),
)
