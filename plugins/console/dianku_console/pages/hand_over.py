"""Goods that are promised to an order and wait to be picked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from dianku.api import Call, Page, Panel, Title
from dianku_console.pages.documents import named, product_names
from dianku_console.pages.scan import goods_of

SHOWN = 50
AT_HOME = 5
PERMISSION = "reservation.edit"


def _waiting(call: Call) -> dict[str, Any]:
    """What waits in this store: all of it, one order's, or what has a product that was scanned."""
    code = str(call.query.get("code") or "").strip()
    found = _promised(call, limit=SHOWN, reference=code or None)
    if code and not found["items"]:
        skus = [one["sku"] for one in goods_of(call, code)]
        found = _promised(call, limit=SHOWN, sku=skus) if skus else found
    return {"code": code, "orders": _named(call, found["items"]), "more": found["next_cursor"]}


def _at_home(call: Call) -> dict[str, Any] | None:
    """The first that were promised; nothing where none wait."""
    found = _promised(call, limit=AT_HOME)["items"]
    return {"orders": _named(call, found)} if found else None


def _promised(call: Call, **asked: Any) -> Any:
    store = call.query["store"] or None
    return call.ask("/reservations", status="active", store=store, sort="created_at", **asked)


def _named(call: Call, orders: Sequence[Any]) -> list[dict[str, Any]]:
    products = product_names(call, orders)
    return [_order(order, products) for order in orders]


def _order(order: Mapping[str, Any], products: Mapping[str, Any]) -> dict[str, Any]:
    """An order with what is still promised of each line."""
    lines = []
    for line in order["lines"]:
        issued = Decimal(line["issued"])
        left = Decimal(line["quantity"]) - issued
        if left:
            more = {"left": format(left, "f"), "begun": bool(issued)}
            lines.append(named(line, products) | more)
    several = len(lines) > 1 or any(Decimal(line["left"]) > 1 for line in lines)
    return {**order, "lines": lines, "several": several}


PAGES = (
    Page(
        "/console/hand-over",
        Title("取货", "Pick up"),
        PERMISSION,
        "documents/hand_over.html",
        _waiting,
        place="sell",
        icon="package-check",
        order=45,
    ),
)
PANELS = (
    Panel(
        "console.hand_over",
        "home",
        Title("等着取的货", "To be picked up"),
        PERMISSION,
        "home/hand_over.html",
        _at_home,
        order=25,
    ),
)
