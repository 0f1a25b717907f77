"""What happened that books and shelf disagree about: looked at, and settled with a note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from dianku.api import Call, Page, Title
from dianku_console.pages.goods import goods_href

ROWS = 40


def _list(call: Call) -> dict[str, Any]:
    state = "settled" if call.query.get("state") == "settled" else "open"
    found = call.ask(
        "/exceptions",
        state=state,
        store=call.query["store"] or None,
        sort="-raised_at",
        limit=ROWS,
        cursor=call.query.get("cursor") or None,
    )
    names = names_of(call, found["items"])
    return {
        "state": state,
        "exceptions": [
            {
                **one,
                "name": names.get(one["sku"], one["sku"] or ""),
                "goods": goods_href(one["sku"]) if one["sku"] else "",
                "paper": f"/console/documents/{quote(one['document'], safe='')}"
                if one["document"]
                else "",
            }
            for one in found["items"]
        ],
        "more": (
            "/console/exceptions?" + urlencode({"state": state, "cursor": found["next_cursor"]})
            if found["next_cursor"]
            else ""
        ),
    }


def names_of(call: Call, exceptions: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What the goods of exceptions are called, for who may see the catalog."""
    wanted = sorted({one["sku"] for one in exceptions if one["sku"]})
    if not wanted or not call.ctx.may("catalog.view"):
        return {}
    items = call.ask("/products", sku=wanted, limit=len(wanted), archived=None)["items"]
    return {one["sku"]: one["name"] for one in items}


PAGES = (
    Page(
        "/console/exceptions",
        Title("异常处理", "Exceptions"),
        "exception.view",
        "exceptions.html",
        _list,
        place="look",
        icon="triangle-alert",
    ),
)
