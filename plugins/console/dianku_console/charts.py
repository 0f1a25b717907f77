"""Bars of one measure over days, as figures that `parts.drawn` draws."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any


def bars(rows: Mapping[str, Mapping[str, Any]], *, last: str, days: int) -> dict[str, Any]:
    """A bar for each of the days up to `last`, those without a row at zero.

    A day on which more came back than was sold is drawn below the line.
    """
    end = date.fromisoformat(last)
    span = [end - timedelta(days=days - 1 - n) for n in range(days)]
    found = [rows.get(one.isoformat(), {}) for one in span]
    figures = [Decimal(str(one.get("quantity") or 0)) for one in found]
    drawn = [
        {
            "day": day.isoformat(),
            "quantity": str(value),
            "amount": row.get("amount") or "0",
            "returns": row.get("returns") or "0",
        }
        for day, row, value in zip(span, found, figures, strict=True)
    ]
    return {
        "bars": drawn,
        "heights": [float(value) for value in figures],
        "top": str(max(figures)),
        "week_at": range(days - 7, days),
        "first": span[0].isoformat(),
        "last": last,
        "sold": str(sum(figures, Decimal(0))),
        "week": str(sum(figures[-7:], Decimal(0))),
        "amount": str(sum((Decimal(str(one.get("amount") or 0)) for one in found), Decimal(0))),
        "empty": not any(figures),
    }
