"""What goes on from a document: goods that come back, go back to the supplier, or arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from dianku.api import Call, Page, Panel, Title, refuse
from dianku_console.pages.documents import GOING_ON, PAY_KINDS, TOLD, brief, named, product_names
from dianku_console.pages.scan import goods_of

SALES = 20
"""Sales to choose from where goods come back without a receipt."""
ARRIVALS = 100
AT_HOME = 5
"""Transfers that home shows; their page has them all."""


def _left(call: Call) -> dict[str, Any]:
    """The lines of a document with what is left of each."""
    number = call.path["number"]
    document = call.ask(f"/documents/{quote(number, safe='')}")
    going_on = GOING_ON.get(document["kind"])
    if going_on is None or document["action"] != "post":
        raise refuse("not_found", what="document", name=number)
    job = going_on.job
    products = product_names(call, [document])
    kinds = [one["kind"] for one in document["payments"]]
    return {
        "document": document,
        "job": job,
        "permission": going_on.permission,
        "store": document["to_store"] if job == "arrival" else document["store"],
        "lines": [_line(line, products) for line in document["lines"] if Decimal(line["left"])],
        "gone": sum(1 for line in document["lines"] if not Decimal(line["left"])),
        "pay_kinds": PAY_KINDS,
        "paid_by": kinds[0] if len(set(kinds)) == 1 else "",
        "href": f"/console/documents/{quote(number, safe='')}",
    }


def _line(line: Mapping[str, Any], products: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **named(line, products),
        "done": str(Decimal(line["quantity"]) - Decimal(line["left"])),
    }


def _sales(call: Call) -> dict[str, Any]:
    """Sales that goods may be of: the latest, or those with a product that was scanned."""
    store, code = call.query["store"], str(call.query.get("code") or "").strip()
    skus: Sequence[str] = ()
    if code:
        skus = [one["sku"] for one in goods_of(call, code)]
    found: Any = {"items": []}
    if skus or not code:
        asked = {
            "kind": "issue",
            "store": store or None,
            "sku": list(skus),
            "limit": SALES,
            "lines": TOLD,
        }
        found = call.ask("/documents", **asked)
    sales = [one for one in found["items"] if one["action"] == "post" and one["status"] == "posted"]
    names = product_names(call, sales)
    return {"code": code, "documents": [brief(one, names) for one in sales]}


def _arrivals(call: Call) -> dict[str, Any]:
    """Transfers on the way to this store, and those on the way from it."""
    store = call.query["store"]
    coming = _on_the_way(call, to_store=store or None, limit=ARRIVALS)
    going = _on_the_way(call, store=store, limit=ARRIVALS) if store else []
    return {"coming": coming, "going": [one for one in going if one["to_store"] != store]}


def _on_the_way(call: Call, **asked: Any) -> list[dict[str, Any]]:
    items = call.ask("/documents", on_the_way=True, lines=TOLD, **asked)["items"]
    names = product_names(call, items)
    return [brief(one, names) for one in items]


def _coming(call: Call) -> dict[str, Any] | None:
    """Goods on the way here; nothing where none are."""
    coming = _on_the_way(call, to_store=call.query["store"] or None, limit=AT_HOME)
    return {"documents": coming} if coming else None


PAGES = (
    Page(
        "/console/documents/{number}/return",
        Title("退货", "Return"),
        "document.view",
        "documents/left.html",
        _left,
    ),
    Page(
        "/console/documents/{number}/arrival",
        Title("到货", "Arrival"),
        "document.post.transfer",
        "documents/left.html",
        _left,
    ),
    Page(
        "/console/return",
        Title("退货", "Return"),
        "document.post.customer_return",
        "documents/sales.html",
        _sales,
        place="sell",
        icon="undo-2",
        order=20,
    ),
    Page(
        "/console/arrivals",
        Title("到货", "Arrivals"),
        "document.post.transfer",
        "documents/arrivals.html",
        _arrivals,
        place="stock",
        icon="truck",
        order=50,
        several_stores=True,
    ),
)
PANELS = (
    Panel(
        "console.arrivals",
        "home",
        Title("在路上的货", "On the way here"),
        "document.post.transfer",
        "home/arrivals.html",
        _coming,
        order=20,
    ),
)
