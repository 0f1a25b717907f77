"""Closing the day (日结): what was taken at the counter, by kind of payment and by person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from dianku.api import Call, Page, Title

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
SUMS = ("sales", "refunds", "net")
EARLIER = 10
"""Days that were closed before, to look at again."""


def _day(call: Call) -> dict[str, Any]:
    """A day to close: what the books say now, and how it and the days before were closed."""
    given = str(call.query.get("day") or "")
    day = given if DAY.fullmatch(given) else None
    store = call.query["store"] or None
    asked = {"store": store, "channel": "counter", "from": day, "to": day, "by": "actor"}
    taken = call.ask("/takings", **asked)
    closed = call.ask("/closings", store=store, limit=EARLIER)["items"]
    day = day or taken["to"]
    same = {"store": store, "from": day, "to": day, "limit": 1}
    standing = call.ask("/closings", **same)["items"] if store and day else []
    return {
        "day": day or "",
        "today": not given,
        **_summed(taken),
        "closed": [_brief(one) for one in closed],
        "standing": [_brief(one) for one in standing],
        "float_start": _float_start(day, [*standing, *closed]),
    }


def _float_start(day: str | None, closed: Iterable[Mapping[str, Any]]) -> str:
    """What was in the drawer in the morning: as it was said, or as the day before left it."""
    for one in closed:
        name = "float_start" if one["business_date"] == day else "float_left"
        if one[name] is not None and one["business_date"] <= (day or ""):
            return str(one[name])
    return ""


def _summed(taken: Mapping[str, Any]) -> dict[str, Any]:
    """Takings by person, added up by kind of payment, and by person."""
    kinds = _grouped(taken["items"], "payment")
    return {
        "takings": taken,
        "kinds": kinds,
        "people": _grouped(taken["items"], "name"),
        "cash": next((str(one["net"]) for one in kinds if one["payment"] == "cash"), "0.00"),
        "unstated": any(one["payment"] is None for one in kinds),
    }


def _grouped(rows: Iterable[Mapping[str, Any]], by: str) -> list[dict[str, Any]]:
    """Rows added up by one of their names, each with those it is made of; the most first."""
    found: dict[Any, dict[str, Any]] = {}
    for row in rows:
        one = found.setdefault(
            row[by], {by: row[by], **dict.fromkeys(SUMS, Decimal(0)), "documents": 0, "rows": []}
        )
        for name in SUMS:
            one[name] += Decimal(row[name])
        one["documents"] += row["documents"]
        one["rows"].append(row)
    return sorted(found.values(), key=lambda one: (-one["net"], str(one[by])))


def _brief(closing: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **closing,
        "off": Decimal(closing["difference"] or 0),
        "href": f"/console/day-close/{quote(closing['id'], safe='')}",
    }


def _closed(call: Call) -> dict[str, Any]:
    """A day as it was closed."""
    closing = call.ask(f"/closings/{quote(call.path['id'], safe='')}")
    return {"closing": _brief(closing), **_summed(closing["takings"])}


PAGES = (
    Page(
        "/console/day-close",
        Title("日结", "Day close"),
        "document.view",
        "day_close/day.html",
        _day,
        place="sell",
        icon="wallet",
        order=90,
    ),
    Page(
        "/console/day-close/{id}",
        Title("日结单", "Closed day"),
        "document.view",
        "day_close/closed.html",
        _closed,
    ),
)
