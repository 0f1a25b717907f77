"""Bars of one measure over days, as figures a template draws: an SVG needs no script."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

HEIGHT = 100
STEP = 10
"""Units of the drawing from one bar to the next; a bar is 7 of them wide."""


def bars(rows: Mapping[str, Mapping[str, Any]], *, last: str, days: int) -> dict[str, Any]:
    """A bar for each of the days up to `last`, those without a row at zero.

    A day on which more came back than was sold is drawn below the line.
    """
    end = date.fromisoformat(last)
    span = [end - timedelta(days=days - 1 - n) for n in range(days)]
    found = [rows.get(one.isoformat(), {}) for one in span]
    figures = [Decimal(str(one.get("quantity") or 0)) for one in found]
    top, floor = max([*figures, Decimal(1)]), min([*figures, Decimal(0)])
    scale = Decimal(HEIGHT) / (top - floor)
    drawn = []
    for at, (day, row, value) in enumerate(zip(span, found, figures, strict=True)):
        height = abs(value) * scale
        drawn.append(
            {
                "day": day.isoformat(),
                "quantity": str(value),
                "amount": row.get("amount") or "0",
                "returns": row.get("returns") or "0",
                "x": at * STEP,
                "y": f"{(top - max(value, Decimal(0))) * scale:.2f}",
                "height": f"{height:.2f}",
                "week": at >= days - 7,
            }
        )
    return {
        "bars": drawn,
        "width": days * STEP,
        "height": HEIGHT,
        "zero": f"{top * scale:.2f}",
        "top": str(top),
        "first": span[0].isoformat(),
        "last": last,
        "sold": str(sum(figures, Decimal(0))),
        "week": str(sum(figures[-7:], Decimal(0))),
        "amount": str(sum((Decimal(str(one.get("amount") or 0)) for one in found), Decimal(0))),
        "empty": not any(figures),
    }
