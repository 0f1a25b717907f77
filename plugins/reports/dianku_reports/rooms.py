"""The reports as pages of the console: the monitor, sales, write-offs.

They ask the API for what they show, as any plugin's pages do; each figure leads to what is behind
it, and an export has the same filters as the page it is begun from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import quote, urlencode

from dianku.api import Call, Page, Refused, Title

ROWS = 50
"""Rows of a page; more of them come in its place, so that it never grows."""
CHART_DAYS = 92
"""Bars of a chart, at most: a longer period is a table only."""
PERIODS = (7, 30, 90)
SALES_BY = ("product", "category", "channel", "store", "day", "hour")
REASONS = ("expired", "damaged", "lost", "stolen", "sample", "own_use", "other")
"""Why goods are written off, as the API has it; each has words."""
LOSSES_BY = ("reason", "product", "actor", "day")
SORTS = ("-sold_7d", "sold_7d", "on_hand", "-on_hand", "name", "expires_on", "-value")
STATES: Mapping[str, Mapping[str, str]] = {
    "low": {"low": "true"},
    "over": {"over": "true"},
    "expiring": {"expires_within": "7"},
}
"""What a person may narrow the stock to, as the API is asked for it."""


def _asked(call: Call, *names: str) -> dict[str, str]:
    return {name: str(call.query.get(name) or "").strip() for name in names}


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value}


def _address(path: str, query: Mapping[str, Any]) -> str:
    given = _given(query)
    return f"{path}?{urlencode(given)}" if given else path


def _to_cents(value: str | None) -> str | None:
    """A sum of costs as it is read; the export has it as exact as the books."""
    if value is None:
        return None
    return str(Decimal(value).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))


def goods_path(sku: str) -> str:
    """The address of a product's page, where a console shows one."""
    return f"/console/goods/{quote(sku, safe='')}"


def _answer(call: Call, path: str, query: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the API says; None where what a person typed cannot be asked.

    Raises:
        Refused: for any other reason.
    """
    try:
        answer: dict[str, Any] = call.ask(path, **query)
    except Refused as refused:
        if refused.problem.status in {400, 422}:
            return None
        raise
    return answer


def _categories(call: Call) -> list[Any]:
    try:
        return list(call.ask("/categories", limit=1000)["items"])
    except Refused:
        return []


def _monitor(call: Call) -> dict[str, Any]:
    """Stock, 7-day sales and line side by side; the emptiest and best selling can come first."""
    asked = _asked(call, "q", "category", "state", "sort")
    if asked["sort"] not in SORTS or (asked["sort"] == "-value" and not call.ctx.may("cost.view")):
        asked["sort"] = SORTS[0]
    filters = _given(
        {
            "store": call.query["store"],
            "q": asked["q"],
            "category": asked["category"],
            **STATES.get(asked["state"], {}),
        }
    )
    cursor = call.query.get("cursor")
    query = {**filters, "sort": asked["sort"], "limit": ROWS, "cursor": cursor or None}
    found = _answer(call, "/reports/stock", query)
    rows = found["items"] if found else []
    return {
        "asked": asked,
        "sorts": [one for one in SORTS if one != "-value" or call.ctx.may("cost.view")],
        "categories": _categories(call),
        "states": ("", *STATES),
        "wrong": found is None,
        "rows": [
            {
                **row,
                "href": goods_path(row["sku"]),
                "tone": _tone(row),
                "sold_href": _sold(row),
                "value": _to_cents(row["value"]),
            }
            for row in rows
        ],
        "first": _address("/console/monitor", asked) if cursor else "",
        "more": (
            _address("/console/monitor", {**asked, "cursor": found["next_cursor"]})
            if found and found["next_cursor"]
            else ""
        ),
        "exports": _exports("reports.stock", filters),
    }


def _tone(row: Mapping[str, Any]) -> str:
    """How a row of stock stands: out, low, over, or nothing to say."""
    if row["low"]:
        return "out" if Decimal(row["available"]) <= 0 else "low"
    return "over" if row["over"] else ""


def _sold(row: Mapping[str, Any]) -> str:
    return _address("/console/sales", {"days": 30, "by": "day", "sku": row["sku"]})


def _exports(kind: str, query: Mapping[str, Any]) -> dict[str, str]:
    return {
        form: _address(f"/api/v1/exports/{kind}", {"format": form, **query})
        for form in ("xlsx", "csv")
    }


def _period(asked: Mapping[str, str], *, days: int) -> dict[str, Any]:
    """The period as the API takes it: from and to where both or the first are typed, else days."""
    if asked["from"]:
        return _given({"from": asked["from"], "to": asked["to"]})
    return {"days": asked["days"] or days}


def _sales(call: Call) -> dict[str, Any]:
    """What sold how much: a chart of the days, and a table by whatever is asked for."""
    asked = _asked(
        call, "days", "from", "to", "by", "order", "measure", "category", "channel", "sku"
    )
    asked["by"] = asked["by"] if asked["by"] in SALES_BY else "product"
    asked["order"] = asked["order"] if asked["order"] in {"hot", "slow"} else "hot"
    asked["measure"] = asked["measure"] if asked["measure"] in {"quantity", "amount"} else "amount"
    period = _period(asked, days=PERIODS[0])
    if "days" in period:
        asked["days"] = str(period["days"])
    narrow = _given({"store": call.query["store"]} | {n: asked[n] for n in _NARROWS})
    grouped = {name: asked[name] for name in ("by", "order", "measure")}
    cursor = call.query.get("cursor")
    filters = {**period, **narrow}
    found = _answer(
        call, "/reports/sales", {**filters, **grouped, "limit": ROWS, "cursor": cursor or None}
    )
    if found is None:
        return {"asked": asked, "wrong": True, **_SALES_WORDS, "categories": _categories(call)}
    categories = _categories(call)
    totals = call.ask("/reports/sales", **filters, by="store", limit=1000)["items"]
    bounds = {"from": found["from"], "to": found["to"]}
    rows = _with_shares(found["items"], asked["measure"])
    here = {**asked, "cursor": ""}
    return {
        "asked": asked,
        "wrong": False,
        **_SALES_WORDS,
        "categories": categories,
        "names": {one["code"]: one["name"] for one in categories},
        **bounds,
        "totals": _totals(totals),
        "bars": _bars(call, filters, bounds=bounds, by=asked["by"]),
        "rows": [
            {**row, "href": _behind_sale(row, here, bounds), "margin": _to_cents(row["margin"])}
            for row in rows
        ],
        "first": _address("/console/sales", here) if cursor else "",
        "more": (
            _address("/console/sales", {**asked, "cursor": found["next_cursor"]})
            if found["next_cursor"]
            else ""
        ),
        "exports": _exports("reports.sales", {**filters, **grouped}),
    }


_NARROWS = ("category", "channel", "sku")
_SALES_WORDS = {"periods": PERIODS, "groups": SALES_BY}


def _totals(rows: Sequence[Mapping[str, Any]]) -> dict[str, str | None]:
    """The sums of a period; None where the reader may not see it, or nobody knows."""

    def whole(name: str) -> str | None:
        values = [row[name] for row in rows]
        if not values or any(value is None for value in values):
            return None
        return _to_cents(str(sum((Decimal(value) for value in values), Decimal(0))))

    return {name: whole(name) for name in ("amount", "returned_amount", "margin")}


def _bars(
    call: Call, filters: Mapping[str, Any], *, bounds: Mapping[str, str], by: str
) -> list[tuple[str, float, str]]:
    """A bar for every day of the period, or for every hour; none where they were too many."""
    if by == "hour":
        items = call.ask("/reports/sales", **filters, by="hour", limit=24)["items"]
        hours = {int(row["hour"]): row["amount"] for row in items}
        span = range(min(hours, default=0), max(hours, default=-1) + 1)
        return [(f"{h}:00", float(hours.get(h, 0)), str(hours.get(h, 0))) for h in span]
    first, last = date.fromisoformat(bounds["from"]), date.fromisoformat(bounds["to"])
    count = (last - first).days + 1
    if not 1 < count <= CHART_DAYS:
        return []
    items = call.ask("/reports/sales", **filters, by="day", limit=CHART_DAYS)["items"]
    amounts = {row["day"]: row["amount"] for row in items}
    if not amounts:
        return []
    days = [(first + timedelta(days=n)).isoformat() for n in range(count)]
    return [(day, float(amounts.get(day, 0)), str(amounts.get(day, 0))) for day in days]


def _with_shares(rows: Sequence[Mapping[str, Any]], measure: str) -> list[dict[str, Any]]:
    """Each row with its length beside the longest, in hundredths."""
    most = max((Decimal(row[measure] or 0) for row in rows), default=Decimal(0))
    return [
        {**row, "share": float(max(Decimal(row[measure] or 0), Decimal(0)) / most * 100)}
        if most > 0
        else {**row, "share": 0.0}
        for row in rows
    ]


def _behind_sale(
    row: Mapping[str, Any], asked: Mapping[str, str], bounds: Mapping[str, str]
) -> str:
    """Where a row's figures come from: documents, or the same report one step finer."""
    documents = {"kind": "issue", **bounds, "sku": asked["sku"], "channel": asked["channel"]}
    by = asked["by"]
    if by == "category":
        # What is in no category has nothing to be narrowed by.
        return (
            _address("/console/sales", {**asked, "by": "product", "category": row["category"]})
            if row["category"]
            else ""
        )
    if by == "store":
        return _address("/console/sales", {**asked, "by": "product", "store": row["store"]})
    if by == "hour":
        return ""
    if by == "day":
        documents |= {"from": row["day"], "to": row["day"]}
    elif by == "channel":
        documents["channel"] = row["channel"] or ""
    else:
        documents["sku"] = row["sku"]
    return _address("/console/documents", documents)


def _write_offs(call: Call) -> dict[str, Any]:
    """What was written off, why, and by whom."""
    asked = _asked(call, "days", "from", "to", "by", "reason", "sku")
    asked["by"] = asked["by"] if asked["by"] in LOSSES_BY else "reason"
    period = _period(asked, days=PERIODS[1])
    if "days" in period:
        asked["days"] = str(period["days"])
    narrow = _given({"store": call.query["store"], "reason": asked["reason"], "sku": asked["sku"]})
    filters = {**period, **narrow}
    cursor = call.query.get("cursor")
    words = {"asked": asked, "periods": PERIODS, "groups": LOSSES_BY, "reasons": REASONS}
    query = {**filters, "by": asked["by"], "limit": ROWS, "cursor": cursor or None}
    found = _answer(call, "/reports/write-offs", query)
    if found is None:
        return {**words, "wrong": True}
    bounds = {"from": found["from"], "to": found["to"]}
    measure = "value" if call.ctx.may("cost.view") else "quantity"
    whole = call.ask("/reports/write-offs", **filters, by="day", limit=1000)
    values = [row["value"] for row in whole["items"]]
    known = bool(values) and whole["next_cursor"] is None and None not in values
    return {
        **words,
        "wrong": False,
        **bounds,
        "total": _to_cents(str(sum((Decimal(v) for v in values), Decimal(0)))) if known else None,
        "rows": [
            {**row, "href": _behind_loss(row, asked, bounds), "value": _to_cents(row["value"])}
            for row in _with_shares(found["items"], measure)
        ],
        "first": _address("/console/write-offs", asked) if cursor else "",
        "more": (
            _address("/console/write-offs", {**asked, "cursor": found["next_cursor"]})
            if found["next_cursor"]
            else ""
        ),
        "exports": _exports("reports.write-offs", {**filters, "by": asked["by"]}),
    }


def _behind_loss(
    row: Mapping[str, Any], asked: Mapping[str, str], bounds: Mapping[str, str]
) -> str:
    documents = {"kind": "write_off", **bounds, "sku": asked["sku"]}
    if asked["by"] == "reason":
        if not row["reason"]:
            return ""
        return _address("/console/write-offs", {**asked, "by": "product", "reason": row["reason"]})
    if asked["by"] == "product":
        documents["sku"] = row["sku"]
    elif asked["by"] == "actor":
        documents["q"] = row["actor"] or ""
    else:
        documents |= {"from": row["day"], "to": row["day"]}
    return _address("/console/documents", documents)


PAGES = (
    Page(
        "/console/monitor",
        Title("库存监控", "Stock monitor"),
        "stock.view",
        "monitor.html",
        _monitor,
        place="look",
        icon="monitor",
    ),
    Page(
        "/console/sales",
        Title("销售报表", "Sales"),
        "reports.view",
        "sales.html",
        _sales,
        place="look",
        icon="chart-column",
    ),
    Page(
        "/console/write-offs",
        Title("报损报告", "Write-offs"),
        "reports.view",
        "write_offs.html",
        _write_offs,
        place="look",
        icon="trash-2",
    ),
)
