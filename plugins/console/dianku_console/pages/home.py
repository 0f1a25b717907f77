"""The first page: what needs doing today, and how the shop stands."""

from __future__ import annotations

from typing import Any

from dianku.api import SIGNED_IN, Call, Page, Panel, Title
from dianku_console.pages.documents import TOLD, brief, product_names
from dianku_console.pages.exceptions import names_of
from dianku_console.pages.goods import goods_href

RUNNING_OUT = 5
"""Goods of a card; the rest is one tap away."""
EXPIRING_DAYS = 7
"""How near the last day of goods is that a person should hear of."""


def _first_steps(call: Call) -> dict[str, Any] | None:
    """What a new shop does first, until it has sold something: goods, then stock, then a sale."""
    if call.ask("/documents", kind="issue", limit=1, lines=0)["items"]:
        return None
    goods = bool(call.ask("/products", limit=1)["items"])
    stock = bool(call.ask("/documents", kind="receipt", limit=1, lines=0)["items"])
    steps = (
        ("goods", "/console/first", goods),
        ("stock", "/console/receive", stock),
        ("sale", "/console/sell", False),
    )
    return {
        "steps": [{"name": name, "href": href, "done": done} for name, href, done in steps],
        "next": next(name for name, _, done in steps if not done),
    }


def _exceptions(call: Call) -> dict[str, Any] | None:
    """What happened that a person has to look at; nothing on a good day."""
    found = call.ask("/exceptions", store=call.query["store"] or None, state="open", limit=5)
    if not found["items"]:
        return None
    names = names_of(call, found["items"])
    return {
        "exceptions": [
            {**one, "name": names.get(one["sku"], one["sku"] or "")} for one in found["items"]
        ]
    }


def _running_out(call: Call) -> dict[str, Any] | None:
    """Goods below their line, the emptiest first."""
    found = call.ask("/stock", store=call.query["store"] or None, low=True, limit=60)
    rows = sorted(found["items"], key=lambda row: (float(row["days_of_cover"] or 0), row["sku"]))
    if not rows:
        return None
    return {
        "rows": [{**row, "href": goods_href(row["sku"])} for row in rows[:RUNNING_OUT]],
        "count": len(rows),
        "more": bool(found["next_cursor"]),
    }


def _expiring(call: Call) -> dict[str, Any] | None:
    """Goods whose last day is near or past, the earliest first; nothing where none are."""
    asked = {"store": call.query["store"] or None, "expires_within": EXPIRING_DAYS}
    found = call.ask("/stock", **asked, sort="expires_on", limit=RUNNING_OUT)
    rows = [
        {**row, "href": goods_href(row["sku"]), "first": row["lots"][0]} for row in found["items"]
    ]
    return {"rows": rows, "more": bool(found["next_cursor"])} if rows else None


def _latest(call: Call) -> dict[str, Any] | None:
    """The last documents; None in a shop where nothing happened yet."""
    found = call.ask("/documents", store=call.query["store"] or None, limit=5, lines=TOLD)["items"]
    names = product_names(call, found)
    return {"documents": [brief(one, names) for one in found]} if found else None


PAGES = (Page("/console/", Title("首页", "Home"), SIGNED_IN, "home.html"),)
PANELS = (
    Panel(
        "console.first-steps",
        "home",
        Title("开始用店库", "Begin with Dianku"),
        "product.edit",
        "home/first_steps.html",
        _first_steps,
        order=0,
    ),
    Panel(
        "console.exceptions",
        "home",
        Title("要处理", "To settle"),
        "exception.view",
        "home/exceptions.html",
        _exceptions,
        order=10,
    ),
    Panel(
        "console.running-out",
        "home",
        Title("快没货了", "Running out"),
        "stock.view",
        "home/running_out.html",
        _running_out,
        order=30,
    ),
    Panel(
        "console.expiring",
        "home",
        Title("快到期", "Near their last day"),
        "stock.view",
        "home/expiring.html",
        _expiring,
        order=35,
    ),
    Panel(
        "console.latest",
        "home",
        Title("最近单据", "Latest documents"),
        "document.view",
        "home/latest.html",
        _latest,
        order=90,
    ),
)
