"""What is done with a scan: selling, receiving, writing off. One page, one button each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dianku.api import Call, Page, Title
from dianku_console.formats import SYMBOLS

QUICK = 12
"""Keys for goods that have no barcode to scan, most sold first."""
LOOKED_AT = 200


def _job(kind: str) -> Callable[[Call], dict[str, Any]]:
    def data(call: Call) -> dict[str, Any]:
        currency = call.ask("/me")["shop"]["currency"]
        return {
            "kind": kind,
            "store": call.query["store"],
            "symbol": SYMBOLS.get(currency, f"{currency} "),
            "quick": _without_barcode(call) if kind == "issue" and call.query["store"] else [],
        }

    return data


def _without_barcode(call: Call) -> list[Any]:
    sold = call.ask("/stock", store=call.query["store"], sort="-sold_7d", limit=LOOKED_AT)["items"]
    skus = [row["sku"] for row in sold]
    if not skus:
        return []
    found = call.ask("/products", sku=skus, limit=len(skus))["items"]
    known = {one["sku"]: one for one in found}
    return [known[sku] for sku in skus if sku in known and not known[sku]["barcodes"]][:QUICK]


PAGES = (
    Page(
        "/console/sell",
        Title("卖货", "Sell"),
        "document.post.issue",
        "jobs/job.html",
        _job("issue"),
        place="sell",
        icon="shopping-cart",
    ),
    Page(
        "/console/receive",
        Title("入库", "Receive"),
        "document.post.receipt",
        "jobs/job.html",
        _job("receipt"),
        place="stock",
        icon="package-plus",
    ),
    Page(
        "/console/write-off",
        Title("报损", "Write off"),
        "document.post.write_off",
        "jobs/job.html",
        _job("write_off"),
        place="stock",
        icon="trash-2",
    ),
)
