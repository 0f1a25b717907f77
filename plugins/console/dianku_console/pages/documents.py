"""Every change of stock, to be found again: the list of documents, and one of them whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, get_args
from urllib.parse import quote, urlencode

from dianku.api import Call, Page, PaymentKind, Refused, Title
from dianku_console.pages.goods import goods_href


class GoingOn(NamedTuple):
    """What is done with what is left of a document: goods come back, go back or arrive."""

    job: str
    permission: str
    page: str


ROWS = 40
"""Documents of one part of the list; the next ones are fetched when they are asked for."""
TOLD = 3
"""Goods that a row of the list names; of what else is in the document it says how much."""
GOODS = 20
"""Goods that a word may mean, at most: documents of any of them are found."""
NUMBER = re.compile(r"[A-Za-z]{2,4}\d{4,8}(-\d*)?")
"""How the number of a document begins."""
KINDS: Mapping[str, str] = {
    "issue": "shopping-cart",
    "receipt": "package-plus",
    "customer_return": "undo-2",
    "supplier_return": "corner-up-left",
    "write_off": "trash-2",
    "transfer": "truck",
    "adjustment": "list-checks",
    "production": "chef-hat",
    "cost_adjustment": "scale",
}
"""The kinds of document, each with its icon."""
NARROWS = ("sku", "channel", "payment")
"""What a figure of a report leads here with, besides what a person may type."""
GOING_ON: Mapping[str, GoingOn] = {
    "issue": GoingOn("customer_return", "document.post.customer_return", "return"),
    "receipt": GoingOn("supplier_return", "document.post.supplier_return", "return"),
    "transfer": GoingOn("arrival", "document.post.transfer", "arrival"),
}
"""What goes on from which kind of document."""
PAY_KINDS: Sequence[str] = [kind for kind in get_args(PaymentKind) if kind != "exchange"]
"""How sales are paid, in the order of the chips; an exchange follows from what comes back."""
MONEY_KINDS = frozenset({"issue", "customer_return"})


def _list(call: Call) -> dict[str, Any]:
    asked = {
        name: str(call.query.get(name) or "") for name in ("q", "kind", "from", "to", *NARROWS)
    }
    filters = {
        "store": call.query["store"] or None,
        **{name: asked[name] or None for name in ("kind", *NARROWS)},
        "from": _day(asked["from"]),
        "to": _day(asked["to"]),
        "limit": ROWS,
        "lines": TOLD,
        "cursor": call.query.get("cursor") or None,
    }
    found = _found(call, asked["q"].strip(), filters)
    names = product_names(call, found["items"])
    next_query = {name: value for name, value in asked.items() if value}
    return {
        "asked": asked,
        "kinds": KINDS,
        "pay_kinds": get_args(PaymentKind),
        "documents": [brief(one, names) for one in found["items"]],
        "more": (
            "/console/documents?" + urlencode({**next_query, "cursor": found["next_cursor"]})
            if found["next_cursor"]
            else ""
        ),
    }


def _found(call: Call, words: str, filters: Mapping[str, Any]) -> Any:
    """Documents by what a person typed: a number, a person, a reference, or goods."""
    if not words:
        return call.ask("/documents", **filters)
    if NUMBER.fullmatch(words):
        found = call.ask("/documents", number=words.upper(), **filters)
        if found["items"]:
            return found
    for name in ("reference", "actor"):
        found = call.ask("/documents", **{name: words}, **filters)
        if found["items"]:
            return found
    goods = call.ask("/products", q=words, limit=GOODS)["items"]
    if not goods:
        return {"items": [], "next_cursor": None}
    return call.ask("/documents", **{**filters, "sku": [one["sku"] for one in goods]})


def _day(text: str) -> str | None:
    return text if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else None


def product_names(call: Call, documents: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The products of documents' lines by code, as the API lists them."""
    skus = sorted({line["sku"] for one in documents for line in one["lines"]})
    found: dict[str, Any] = {}
    for start in range(0, len(skus), 200):
        some = skus[start : start + 200]
        items = call.ask("/products", sku=some, limit=len(some), archived=None)["items"]
        found |= {one["sku"]: one for one in items}
    return found


def brief(document: Mapping[str, Any], products: Mapping[str, Any]) -> dict[str, Any]:
    """A document as a row of a list: what it was, of what, and how much."""
    lines = document["lines"]
    return {
        **document,
        "icon": KINDS.get(document["kind"], "receipt-text"),
        "what": [
            {"name": name_of(line["sku"], products), "quantity": line["quantity"]}
            for line in lines[:TOLD]
        ],
        "others": max(0, document["line_count"] - TOLD),
        "total": total(document),
        "href": f"/console/documents/{quote(document['number'], safe='')}",
    }


def total(document: Mapping[str, Any]) -> str | None:
    """What was taken or given back for a document's goods; None where it is not about money."""
    whole = Decimal(document["amount"] or 0)
    if document["kind"] not in MONEY_KINDS and not whole:
        return None
    return str(-whole if document["kind"] == "customer_return" else whole)


def name_of(sku: str, products: Mapping[str, Any]) -> str:
    """What a product is called; its code where it cannot be had."""
    return str(products[sku]["name"]) if sku in products else sku


def named(line: Mapping[str, Any], products: Mapping[str, Any]) -> dict[str, Any]:
    """A line of a document or an order, with what its product is called and counted in."""
    product = products.get(line["sku"], {})
    return {
        **line,
        "name": name_of(line["sku"], products),
        "spec": product.get("spec"),
        "unit": product.get("unit", ""),
    }


def _one(call: Call) -> dict[str, Any]:
    number = call.path["number"]
    document = call.ask(f"/documents/{quote(number, safe='')}")
    products = product_names(call, [document])
    return {
        "document": document,
        "icon": KINDS.get(document["kind"], "receipt-text"),
        "lines": [
            {**named(line, products), "href": goods_href(line["sku"])} for line in document["lines"]
        ],
        "total": total(document),
        "related": _related(document),
        **_going_on(call, document),
        "exceptions": _exceptions(call, number),
    }


def _going_on(call: Call, document: Mapping[str, Any]) -> dict[str, Any]:
    """Where what is left of it is done, for whom may do it."""
    left = any(Decimal(line["left"] or 0) for line in document["lines"])
    going_on = GOING_ON.get(document["kind"])
    if not left or going_on is None or not call.ctx.may(going_on.permission):
        return {"going_on": "", "closing": False}
    return {
        "going_on": f"/console/documents/{quote(document['number'], safe='')}/{going_on.page}",
        "closing": going_on.job == "arrival",
    }


def _related(document: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Other documents it belongs with: (which way, number)."""
    pairs = [
        ("of_document", document.get("of_document")),
        ("reverses", document.get("reverses")),
        ("reversed_by", document.get("reversed_by")),
    ]
    return [(name, str(number)) for name, number in pairs if number]


def _exceptions(call: Call, number: str) -> list[Any]:
    """What a person still has to look at because of this document."""
    try:
        found = call.ask("/exceptions", state="open", limit=200)["items"]
    except Refused:
        return []
    return [one for one in found if one.get("document") == number]


PAGES = (
    Page(
        "/console/documents",
        Title("单据", "Documents"),
        "document.view",
        "documents/list.html",
        _list,
        place="look",
        icon="receipt-text",
    ),
    Page(
        "/console/documents/{number}",
        Title("单据", "Document"),
        "document.view",
        "documents/one.html",
        _one,
    ),
)
