"""A year of a real shop's invoices through the ordinary posting path, held against the oracle.

    python tests/replay/replay.py FILE [--database URL] [--json OUT]

One document per invoice with its number as key, in the order of the file, dated as it was; then
stock of every product, the sellers of the last 7 and 30 days, and the totals must equal what
`oracle.py` works out from the same file, and `ledger verify` must find nothing. The rules are
written in `docs/replay.md`. Ends with status 1 and a list where anything differs.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from attrs import define, field

from dianku.catalog.requests import NewStore, ProductPatch
from dianku.catalog.upsert import ProductChange
from dianku.context import Context
from dianku.host import Host, HostConfig
from dianku.ledger.commands import Outcome, Post, Posted
from dianku.ledger.figures.requests import SalesQuery
from dianku.ledger.read.requests import StockFilter
from dianku.ledger.requests import LINES_MAX, NewDocument, NewLine

STORE = "london"
ZONE = "Europe/London"
WAITING_MAX = 1_000
"""Documents handed to the ledger and not answered yet: enough to fill its batches."""


@define
class Invoice:
    """Lines of one invoice that go the same way, in the order of the file."""

    key: str
    kind: str
    moment: dt.datetime
    lines: list[NewLine] = field(factory=list)


def rows_of(path: Path) -> Iterator[Mapping[str, Any]]:
    """Rows of the Parquet file or the CSV slice."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
        return
    from pyarrow import parquet  # the slice needs no pyarrow

    for batch in parquet.ParquetFile(path).iter_batches():
        yield from batch.to_pylist()


def is_posted(row: Mapping[str, Any]) -> bool:
    """Whether a line is posted: goods, priced, not of a bad-debt invoice."""
    goods = row["StockCode"][:5].isdecimal() and len(row["StockCode"]) >= 5
    return goods and float(row["UnitPrice"]) != 0 and not row["InvoiceNo"].startswith("A")


def read(path: Path) -> tuple[dict[str, str], dict[str, list[Invoice]], int, int]:
    """Names by sku, documents by invoice, and how many rows there were and are posted."""
    names: dict[str, str] = {}
    invoices: dict[str, list[Invoice]] = {}
    moments: dict[str, dt.datetime] = {}
    rows = posted = 0
    for row in rows_of(path):
        rows += 1
        number, moment = row["InvoiceNo"], row["InvoiceDate"]
        if isinstance(moment, str):
            moment = dt.datetime.fromisoformat(moment)
        moments.setdefault(number, moment.replace(tzinfo=ZoneInfo(ZONE)))
        if not is_posted(row):
            continue
        posted += 1
        sku = row["StockCode"].rstrip()
        names[sku] = (row["Description"] or "").strip() or names.get(sku, sku)
        quantity = int(row["Quantity"])
        amount = (Decimal(str(row["UnitPrice"])) * abs(quantity)).quantize(Decimal("0.01"))
        invoice = _document_for(invoices.setdefault(number, []), number, quantity, moments[number])
        invoice.lines.append(NewLine(sku=sku, quantity=Decimal(abs(quantity)), amount=amount))
    return names, invoices, rows, posted


def _document_for(
    documents: list[Invoice], number: str, quantity: int, moment: dt.datetime
) -> Invoice:
    """The document of an invoice a line belongs to: by its direction, at most a thousand lines."""
    kind = "issue" if quantity > 0 else "customer_return"
    for document in reversed(documents):
        if document.kind == kind and len(document.lines) < LINES_MAX:
            return document
    same = sum(d.kind == kind for d in documents)
    key = number if not documents else f"{number}/R" if kind == "customer_return" else number
    documents.append(Invoice(f"{key}.{same + 1}" if same else key, kind, moment))
    return documents[-1]


def make_goods(host: Host, names: Mapping[str, str], *, ctx: Context) -> None:
    """The store, and a product for every stock code, by the catalog's own way in."""
    host.catalog.create_store(NewStore(code=STORE, name="London", timezone=ZONE), ctx=ctx)
    changes = [
        ProductChange(sku, ProductPatch(name=names[sku][:200], unit="pc")) for sku in sorted(names)
    ]
    plan = host.catalog.upsert_products(changes)
    assert not plan.errors, plan.errors


def post(host: Host, invoices: Mapping[str, list[Invoice]], *, ctx: Context) -> int:
    """Post every document, keeping the ledger's queue filled; how many there were."""
    waiting: deque[tuple[str, Future[Outcome]]] = deque()
    count = 0
    for documents in invoices.values():
        for document in documents:
            new = NewDocument(
                kind=document.kind,  # type: ignore[arg-type]
                store=STORE,
                lines=document.lines,
                reference=document.key,
                occurred_at=document.moment,
            )
            waiting.append((document.key, host.ledger.submit(Post(new), key=document.key, ctx=ctx)))
            count += 1
            if len(waiting) >= WAITING_MAX:
                _settle(*waiting.popleft())
    while waiting:
        _settle(*waiting.popleft())
    return count


def _settle(key: str, future: Future[Outcome]) -> None:
    outcome = future.result(timeout=120)
    if not isinstance(outcome, Posted) or outcome.replayed:
        raise SystemExit(f"invoice {key} was not posted: {outcome}")


@define
class Comparison:
    """What differs between the shop and the oracle."""

    differences: list[str] = field(factory=list)

    def same(self, what: str, found: object, expected: object) -> None:
        """Note a difference."""
        if found != expected:
            self.differences.append(f"{what}: shop {found!r}, oracle {expected!r}")

    def same_table(
        self, what: str, found: Mapping[str, object], expected: Mapping[str, object]
    ) -> None:
        """Note every key that differs, or is on one side only."""
        for key in sorted(found.keys() | expected.keys()):
            self.same(f"{what} {key}", found.get(key), expected.get(key))


def compare(host: Host, oracle: Mapping[str, Any], *, ctx: Context) -> Comparison:
    """Hold the shop's own answers against the oracle's figures."""
    comparison = Comparison()
    rows = host.stock.each_row(StockFilter(store=[STORE]), ctx=ctx)
    stock = {row.sku: int(row.on_hand) for row in rows}
    comparison.same_table("stock of", stock, oracle["stock"])
    for name, expected in oracle["sellers"].items():
        end, _, window = name.partition("/")
        last = dt.date.fromisoformat(end)
        first = last - dt.timedelta(days=int(window) - 1)
        found = _sellers(host, first, last, ctx=ctx)
        comparison.same_table(f"sellers of {window} days to {end},", found, expected)
    comparison.same_table("total of", _totals(host, oracle, ctx=ctx), _oracle_totals(oracle))
    return comparison


def _sellers(host: Host, first: dt.date, last: dt.date, *, ctx: Context) -> dict[str, list[int]]:
    asked = SalesQuery(from_=first, to=last, store=[STORE], by="product", limit=100_000)
    rows = host.figures.sales(asked, ctx=ctx).items
    return {str(row.sku): [int(row.quantity or 0), _pence(row.amount)] for row in rows}


def _totals(host: Host, oracle: Mapping[str, Any], *, ctx: Context) -> dict[str, int]:
    first, last = (dt.date.fromisoformat(oracle[name]) for name in ("first_day", "last_day"))
    asked = SalesQuery(from_=first, to=last, by="store")
    [row] = [r for r in host.figures.sales(asked, ctx=ctx).items if r.store == STORE]
    return {
        "net units": int(Decimal(row.quantity or 0)),
        "net pence": _pence(row.amount),
        "returned units": int(Decimal(row.returns or 0)),
        "returned pence": _pence(row.returned_amount),
    }


def _oracle_totals(oracle: Mapping[str, Any]) -> dict[str, int]:
    totals = oracle["totals"]
    return {
        "net units": totals["sold"] - totals["returned"],
        "net pence": totals["sold_pence"] - totals["returned_pence"],
        "returned units": totals["returned"],
        "returned pence": totals["returned_pence"],
    }


def _pence(amount: str) -> int:
    return int(Decimal(amount).scaleb(2))


def replay(path: Path, *, folder: Path, database_url: str) -> dict[str, Any]:
    """Post a file into a new shop and compare; the figures to print."""
    command = [sys.executable, str(Path(__file__).with_name("oracle.py")), str(path)]
    for window in ("2010-03-31", "2010-06-30", "2010-09-30"):
        command += ["--window", window]
    oracle = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    names, invoices, rows, posted = read(path)
    config = HostConfig(data_dir=folder, database_url=database_url, plugins=False)
    host = Host.build(config)
    host.start(background=False)
    try:
        ctx = Context(host.access.actor("replay"), device="replay")
        make_goods(host, names, ctx=ctx)
        began = time.perf_counter()
        documents = post(host, invoices, ctx=ctx)
        seconds = time.perf_counter() - began
        comparison = compare(host, oracle, ctx=ctx)
        comparison.same("rows", rows, oracle["rows"])
        comparison.same("posted lines", posted, oracle["posted"])
        comparison.same("documents", documents, oracle["documents"])
        verified = host.ledger.verify()
        for difference in verified.differences:
            comparison.differences.append(f"ledger verify: {difference}")
    finally:
        host.close()
    return {
        "file": path.name,
        "database": database_url.partition(":")[0] or "sqlite",
        "rows": rows,
        "posted": posted,
        "excluded": oracle["excluded"],
        "documents": documents,
        "products": len(names),
        "seconds": round(seconds, 1),
        "lines_per_second": round(posted / seconds),
        "differences": comparison.differences,
    }


def main() -> None:
    """Replay a file and say what came of it."""
    parser = argparse.ArgumentParser(description="Replay invoices and compare with the oracle")
    parser.add_argument("file", type=Path)
    parser.add_argument("--database", default="", help="URL; default: a new SQLite file")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dianku-replay-") as folder:
        figures = replay(arguments.file, folder=Path(folder), database_url=arguments.database)
    left_out = sum(figures["excluded"].values())
    reasons = ", ".join(f"{n} {why}" for why, n in figures["excluded"].items())
    print(f"posted {figures['posted']} + excluded {left_out} ({reasons}) = {figures['rows']} lines")
    print(
        f"{figures['documents']} documents of {figures['products']} products on "
        f"{figures['database']} in {figures['seconds']} s, {figures['lines_per_second']} lines/s"
    )
    print(f"differing figures: {len(figures['differences'])}")
    for difference in figures["differences"][:50]:
        print(f"  {difference}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    balanced = figures["posted"] + left_out == figures["rows"]
    sys.exit(0 if balanced and not figures["differences"] else 1)


if __name__ == "__main__":
    main()
