"""What was scanned, and what is called as typed: the sheets a scan without a job opens."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from attrs import frozen

from dianku.api import Call, Page, Refused, Title
from dianku_console.pages.goods import goods_href

FOUND_MAX = 30
"""How many goods a search shows; who needs more says more."""
ELSEWHERE_MAX = 12
_WRAPPED = re.compile(r"(\D{0,3}?)(\d{14}|\d{13}|\d{12}|\d{8})(\D{0,3})")


@frozen
class Deed:
    """What one does with goods in hand: where, and who may."""

    word: str
    path: str
    permission: str
    icon: str


DEEDS = (
    Deed("sell", "/console/sell", "document.post.issue", "shopping-cart"),
    Deed("receive", "/console/receive", "document.post.receipt", "package-plus"),
    Deed("write_off", "/console/write-off", "document.post.write_off", "package-minus"),
)


def _scanned(call: Call) -> Mapping[str, Any]:
    """What a code stands for: one of the goods, several to choose from, or nothing."""
    code = call.path["code"]
    matches = goods_of(call, code)
    wanted = call.query.get("sku")
    # One barcode on several goods: the clerk has chosen one of them.
    chosen = [one for one in matches if one["sku"] == wanted] or matches
    one = chosen[0] if len(chosen) == 1 else None
    rows = _stock(call, [match["sku"] for match in chosen])
    others = _elsewhere(rows, call.query["store"]) if one else []
    link = urlencode({"scan": code})
    return {
        "code": code,
        "link": link,
        "matches": chosen,
        "one": one,
        "here": {row["sku"]: row for row in rows if row["store"] == call.query["store"]},
        "elsewhere": others[:ELSEWHERE_MAX],
        "elsewhere_more": max(0, len(others) - ELSEWHERE_MAX),
        "deeds": [deed for deed in DEEDS if call.ctx.may(deed.permission)],
        "scan_path": f"/console/scan/{quote(code, safe='')}",
        "goods_path": goods_href(one["sku"]) if one else "",
        "add_path": "/console/goods/new?" + urlencode({"barcode": code}),
        "gun": None if matches else _habit(call, code),
    }


def goods_of(call: Call, code: str) -> Sequence[Mapping[str, Any]]:
    """What a scanned code means; nothing where nobody knows it."""
    store = call.query["store"] or None
    try:
        found: Sequence[Mapping[str, Any]] = call.ask(f"/scan/{quote(code, safe='')}", store=store)[
            "matches"
        ]
    except Refused as refused:
        if refused.problem.status not in {404, 422}:
            raise
        return []
    return found


def _stock(call: Call, skus: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """The rows of stock of some goods in every store the reader sees."""
    if not skus or not call.ctx.may("stock.view"):
        return []
    found: Sequence[Mapping[str, Any]] = call.ask("/stock", sku=list(skus), limit=1000)["items"]
    return found


def _elsewhere(rows: Sequence[Mapping[str, Any]], store: str) -> Sequence[Mapping[str, Any]]:
    """Other stores, the one with most of it first."""
    others = [row for row in rows if row["store"] != store]
    others.sort(key=lambda row: (-float(row["available"]), row["store"]))
    return others


def _habit(call: Call, code: str) -> Mapping[str, str] | None:
    """Known goods inside of an unknown code: what a gun has put around it, to be unlearned."""
    cut = _WRAPPED.fullmatch(code)
    if cut is None or not (cut[1] or cut[3]) or not goods_of(call, cut[2]):
        return None
    return {"prefix": cut[1], "code": cut[2], "suffix": cut[3]}


def _found(call: Call) -> Mapping[str, Any]:
    """Goods by a word of their name, with what there is of them here."""
    words = str(call.query.get("q", "")).strip()[:200]
    products: Sequence[Mapping[str, Any]] = []
    more = False
    if words and call.ctx.may("catalog.view"):
        page = call.ask("/products", q=words, limit=FOUND_MAX)
        products, more = page["items"], page["next_cursor"] is not None
    rows: Sequence[Mapping[str, Any]] = []
    store = call.query["store"]
    if products and store and call.ctx.may("stock.view"):
        skus = [product["sku"] for product in products]
        rows = call.ask("/stock", sku=skus, store=store, limit=1000)["items"]
    return {
        "words": words,
        "exact": bool(words and goods_of(call, words)),
        "products": [
            {**product, "address": f"/console/scan/{quote(product['sku'], safe='')}"}
            for product in products
        ],
        "more": more,
        "here": {row["sku"]: row for row in rows},
        "add_path": "/console/goods/new?" + urlencode({"name": words}),
    }


PAGES = (
    Page("/console/scan/{code}", Title("扫码", "Scan"), "scan", "scan_sheet.html", _scanned),
    Page("/console/find", Title("查找商品", "Find products"), "scan", "scan_found.html", _found),
)
