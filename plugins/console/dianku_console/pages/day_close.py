"""Closing the day (日结): what was taken at the counter, by kind of payment and by person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from dianku.api import Call, Page, Title

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _takings(call: Call) -> dict[str, Any]:
    given = str(call.query.get("day") or "")
    day = given if DAY.fullmatch(given) else None
    asked = {
        "store": call.query["store"] or None,
        "channel": "counter",
        "from": day,
        "to": day,
    }
    by_kind = call.ask("/takings", **asked)
    cash = [row["net"] for row in by_kind["items"] if row["payment"] == "cash"]
    return {
        "day": day or "",
        "takings": by_kind,
        "people": _people(call.ask("/takings", **asked, by="actor")["items"]),
        "cash": cash[0] if cash else "0.00",
        "unstated": any(row["payment"] is None for row in by_kind["items"]),
    }


def _people(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What each person took, by kind; who took most first."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        one = found.setdefault(row["name"], {"name": row["name"], "net": Decimal(0), "kinds": []})
        one["net"] += Decimal(row["net"])
        one["kinds"].append(row)
    return sorted(found.values(), key=lambda one: (-one["net"], one["name"]))


PAGES = (
    Page(
        "/console/day-close",
        Title("日结", "Day close"),
        "document.view",
        "day_close.html",
        _takings,
        place="sell",
        icon="wallet",
        order=90,
    ),
)
