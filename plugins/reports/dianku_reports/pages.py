"""The reports as people look at them: cards of the home page."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from dianku.api import Call, Panel, Title
from dianku_reports.rooms import goods_path

WEEK_DAYS = 7
HOT = 5
"""Products of the card; the report has the rest."""


def _sales(call: Call, **query: Any) -> dict[str, Any]:
    answer: dict[str, Any] = call.ask(
        "/reports/sales", store=call.query["store"] or None, limit=100, **query
    )
    return answer


def _sum(rows: list[dict[str, Any]], name: str) -> Decimal:
    return sum((Decimal(row[name]) for row in rows), Decimal(0))


def _today(call: Call) -> dict[str, Any] | None:
    """Today's sales by hour, and the same day of last week beside them."""
    hours = _sales(call, days=1, by="hour")
    today = date.fromisoformat(hours["to"])
    then = (today - timedelta(days=WEEK_DAYS)).isoformat()
    before = _sales(call, **{"from": then, "to": then, "by": "hour"})
    if not hours["items"] and not before["items"]:
        return None
    amounts = {row["hour"]: Decimal(row["amount"]) for row in hours["items"]}
    first, last = min(amounts, default=8), max(amounts, default=20)
    return {
        "amount": str(_sum(hours["items"], "amount")),
        "before": str(_sum(before["items"], "amount")),
        "documents": sum(row["documents"] for row in hours["items"]),
        "bars": [
            (f"{hour}:00", float(amounts.get(hour, 0)), str(amounts.get(hour, 0)))
            for hour in range(min(first, 8), max(last, 20) + 1)
        ],
    }


def _week(call: Call) -> dict[str, Any] | None:
    """The last seven days, a bar each."""
    found = _sales(call, days=WEEK_DAYS, by="day")
    if not found["items"]:
        return None
    amounts = {row["day"]: Decimal(row["amount"]) for row in found["items"]}
    end = date.fromisoformat(found["to"])
    days = [(end - timedelta(days=back)).isoformat() for back in reversed(range(WEEK_DAYS))]
    return {
        "amount": str(_sum(found["items"], "amount")),
        "days": [(day, float(amounts.get(day, 0)), str(amounts.get(day, 0))) for day in days],
    }


def _hot(call: Call) -> dict[str, Any] | None:
    """What sold most in seven days."""
    rows = _sales(call, days=WEEK_DAYS, by="product", order="hot")["items"][:HOT]
    for row in rows:
        row["href"] = goods_path(row["sku"])
    return {"rows": rows} if rows else None


PANELS = (
    Panel(
        "reports.today",
        "home",
        Title("今天销售", "Sales today"),
        "reports.view",
        "today.html",
        _today,
        order=20,
    ),
    Panel(
        "reports.week",
        "home",
        Title("近7天销售", "Sales of 7 days"),
        "reports.view",
        "week.html",
        _week,
        order=25,
    ),
    Panel(
        "reports.hot",
        "home",
        Title("近7天热销", "Hot sellers of 7 days"),
        "reports.view",
        "hot.html",
        _hot,
        order=40,
    ),
)
