"""Goods that customers paid for and left in the shop (客存): handed over, and left there."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from dianku.api import Call, Page, Refused, Title
from dianku_console.pages.documents import NUMBER, named, product_names
from dianku_console.pages.scan import goods_of

SHOWN = 50


def _kept(call: Call) -> dict[str, Any]:
    """What waits in this store: all of it, or by a receipt, whose it is, or goods scanned."""
    code = str(call.query.get("code") or "").strip()
    found = _waiting(call, **({"kept_for": code[:200]} if code else {}))
    if code and not found["items"]:
        skus = [one["sku"] for one in goods_of(call, code)]
        found = _waiting(call, sku=skus) if skus else found
    # Of a receipt without kept goods something may be left here now.
    leaving = _leaving(call, code.upper()) if code and not found["items"] else None
    sales = found["items"]
    products = product_names(call, [*sales, *([leaving] if leaving else [])])
    return {
        "code": code,
        "sales": [_card(one, products) for one in sales],
        "leaving": leaving and _left_here(leaving, products),
        "more": found["next_cursor"],
    }


def _waiting(call: Call, **asked: Any) -> Any:
    store = call.query["store"] or None
    return call.ask("/documents", kept=True, store=store, sort="occurred_at", limit=SHOWN, **asked)


def _leaving(call: Call, number: str) -> Any:
    """A sale by its number, if the customer has something of it that can be left."""
    if not NUMBER.fullmatch(number) or not call.ctx.may("document.post.issue"):
        return None
    try:
        sale = call.ask(f"/documents/{quote(number, safe='')}")
    except Refused:
        return None
    here = sale["kind"] == "issue" and sale["action"] == "post"
    return sale if here and any(_held(line) for line in sale["lines"]) else None


def _held(line: Mapping[str, Any]) -> Decimal:
    """How much of a line the customer has."""
    return Decimal(line["left"] or 0) - Decimal(line["waiting"] or 0)


def _card(sale: Mapping[str, Any], products: Mapping[str, Any]) -> dict[str, Any]:
    lines = [line for line in sale["lines"] if Decimal(line["waiting"] or 0)]
    several = len(lines) > 1 or any(Decimal(line["waiting"]) > 1 for line in lines)
    return {**sale, "lines": [named(line, products) for line in lines], "several": several}


def _left_here(sale: Mapping[str, Any], products: Mapping[str, Any]) -> dict[str, Any]:
    lines = [
        {**named(line, products), "held": format(_held(line), "f")}
        for line in sale["lines"]
        if _held(line)
    ]
    return {**sale, "lines": lines}


PAGES = (
    Page(
        "/console/kept-goods",
        Title("客存", "Kept goods"),
        "document.view",
        "documents/kept_goods.html",
        _kept,
        place="sell",
        icon="package",
        order=46,
    ),
)
