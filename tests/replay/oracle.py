"""What the shop must show after the replay, worked out without a line of Dianku.

The rules are those of `docs/replay.md`: which lines are goods traded, which are left out and why,
which day a line falls on. This script reads the invoice lines (Parquet or the CSV slice), keeps
plain sums in dictionaries of integers, and prints them as JSON. `replay.py` posts the same lines
through the ledger and holds every figure against this one.

    python tests/replay/oracle.py FILE [--window 2010-12-09 ...]
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

GOODS = re.compile(r"[0-9]{5}")
"""UCI: a stock code is a 5-digit number assigned to each distinct product (letters may follow)."""

WINDOWS = (7, 30)


class Line(NamedTuple):
    """One invoice line as it stands in the file; price in pounds."""

    invoice: str
    code: str
    quantity: int
    moment: dt.datetime
    price: Decimal


def read(path: Path) -> Iterator[Line]:
    """Read the lines of a Parquet file or of the CSV slice."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield _line(row)
        return
    from pyarrow import parquet

    columns = ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice"]
    for row in parquet.read_table(path, columns=columns).to_pylist():
        yield _line(row)


def _line(row: dict[str, Any]) -> Line:
    moment = row["InvoiceDate"]
    if isinstance(moment, str):
        moment = dt.datetime.fromisoformat(moment)
    # A double's shortest decimal is the price as it was written.
    price = Decimal(str(row["UnitPrice"]))
    return Line(row["InvoiceNo"], row["StockCode"], int(row["Quantity"]), moment, price)


def excluded(line: Line) -> str | None:
    """Why a line is left out, by the first rule that holds; None if it is posted."""
    if line.invoice.startswith("A"):
        return "bad_debt"
    if not GOODS.match(line.code):
        return "not_goods"
    if line.price == 0:
        return "price_zero"
    return None


def pence(line: Line) -> int:
    """What the line was worth, signed as its quantity. Goods have whole pence, so this is exact."""
    amount = line.price * 100 * line.quantity
    if amount != amount.to_integral_value():
        raise ValueError(f"{line} is not worth whole pence")
    return int(amount)


def expected(lines: Iterable[Line], *, ends: Iterable[dt.date] = ()) -> dict[str, Any]:
    """Every figure the shop must show, as plain JSON.

    `ends`: last days of the windows wanted; the last day of the lines is always among them.
    """
    first_seen: dict[str, dt.date] = {}
    rows = 0
    left_out: Counter[str] = Counter()
    stock: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    by_day: dict[dt.date, dict[str, list[int]]] = defaultdict(dict)
    invoices: set[tuple[str, bool]] = set()
    for line in lines:
        rows += 1
        # An invoice is posted with its first line's time, whichever rule drops that line.
        day = first_seen.setdefault(line.invoice, line.moment.date())
        reason = excluded(line)
        if reason is not None:
            left_out[reason] += 1
            continue
        code, worth = line.code.strip(), pence(line)
        stock[code] -= line.quantity
        cell = by_day[day].setdefault(code, [0, 0])
        cell[0] += line.quantity
        cell[1] += worth
        side = "sold" if line.quantity > 0 else "returned"
        totals[side] += abs(line.quantity)
        totals[f"{side}_pence"] += abs(worth)
        totals[f"{side}_lines"] += 1
        invoices.add((line.invoice, line.quantity < 0))
    days = sorted(by_day)
    return {
        "rows": rows,
        "posted": rows - sum(left_out.values()),
        "excluded": dict(sorted(left_out.items())),
        "documents": len(invoices),
        "first_day": days[0].isoformat(),
        "last_day": days[-1].isoformat(),
        "totals": dict(sorted(totals.items())),
        "stock": dict(sorted(stock.items())),
        "sellers": {
            f"{end.isoformat()}/{window}": _sellers(by_day, end=end, window=window)
            for end in sorted({days[-1], *ends})
            for window in WINDOWS
        },
    }


def _sellers(
    by_day: dict[dt.date, dict[str, list[int]]], *, end: dt.date, window: int
) -> dict[str, list[int]]:
    """Units and pence by code, net of returns, of the `window` days that end with `end`."""
    sums: dict[str, list[int]] = {}
    for back in range(window):
        for code, cell in by_day.get(end - dt.timedelta(days=back), {}).items():
            total = sums.setdefault(code, [0, 0])
            total[0] += cell[0]
            total[1] += cell[1]
    return dict(sorted(sums.items()))


def main() -> None:
    """Print the expected figures of a file."""
    parser = argparse.ArgumentParser(description="Expected figures of the replay, as JSON")
    parser.add_argument("file", type=Path)
    parser.add_argument("--window", type=dt.date.fromisoformat, action="append", default=[])
    arguments = parser.parse_args()
    print(json.dumps(expected(read(arguments.file), ends=arguments.window)))


if __name__ == "__main__":
    main()
