"""Import what moves stock: opening stock, receipts, counts. All of it is posted by the ledger.

Rows become documents of up to a thousand lines, each with a key made of the file and the rows it
holds: a run that died is taken up again without doubling anything. What the ledger refuses is an
error of its row; the other rows of that document are posted without it.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec
from attrs import field, frozen

from dianku.catalog.records import Product, Store
from dianku.catalog.scan import candidates
from dianku.catalog.snapshot import CatalogCache
from dianku.clock import day_of, local_day, to_ms
from dianku.context import Context
from dianku.errors import Problem
from dianku.exchange.layout import Table
from dianku.exchange.naming import find_by_name, named_products
from dianku.exchange.product_changes import skus_among
from dianku.exchange.product_import import Progress, texts_of
from dianku.exchange.runs import Run, RunBook, keep_remarks
from dianku.exchange.stock_sheet import (
    Dated,
    Places,
    StockRow,
    dated,
    has_codes,
    mark_repeats,
    read_stock,
    settle_product,
)
from dianku.ledger.commands import Post
from dianku.ledger.requests import LINES_MAX, NewDocument, NewLine
from dianku.ledger.resolve import AHEAD_MS
from dianku.quantity import parse_quantity
from dianku.storage.bulk import select_set
from dianku.storage.engine import Database

IN_FLIGHT = 8
"""Documents handed to the ledger before the first answer is waited for."""
_LEVELS = """
SELECT w.store_id, w.product_id, b.on_hand, b.moved FROM {rows} AS w
JOIN stock_balance AS b ON b.store_id = w.store_id AND b.product_id = w.product_id
"""
_PAIR = (("store_id", "int"), ("product_id", "int"))


class Ledger(Protocol):
    """What of the ledger an import needs."""

    def submit(self, command: Any, *, key: str | None, ctx: Context) -> Any:
        """Hand over a command; the future's result is an outcome or a `Problem`."""
        ...


@frozen
class Planned:
    """A row with its line and the verdict it gets when that is posted."""

    one: StockRow
    line: NewLine
    verdict: str


@frozen
class Head:
    """What the lines of one document share."""

    kind: str
    store: str
    channel: str | None = None
    supplier: str | None = None
    reference: str | None = None
    occurred_at: datetime | None = None


@frozen
class _Sent:
    head: Head
    lines: Sequence[Planned]
    future: Any = field(eq=False)


class StockImport:
    """One run of a file that moves stock; without a `book` nothing is kept of how far it is."""

    def __init__(
        self,
        database: Database,
        cache: CatalogCache,
        *,
        book: RunBook | None,
        ledger: Ledger,
        run: Run,
        ctx: Context,
    ) -> None:
        self._database = database
        self._cache = cache
        self._book = book
        self._ledger = ledger
        self._run = run
        self._ctx = ctx

    def carry(self, tables: Sequence[Table], *, escaped: bool, progress: Progress) -> None:
        """Read, settle and post every row."""
        rows = self.read(tables, escaped=escaped)
        self.settle(rows)
        if self._run.kind != "receipts":
            mark_repeats(rows)
        documents = self._documents(rows)
        if self._run.options.dry_run:
            for _, lines in documents:
                for planned in lines:
                    self.close(planned.one, planned.verdict)
            return
        self.post(documents, progress=progress)

    def read(self, tables: Sequence[Table], *, escaped: bool) -> list[StockRow]:
        """Every data row, cleaned."""
        texts = texts_of(tables, "sku") | texts_of(tables, "barcode")
        with self._database.reading() as connection:
            known = skus_among(connection, texts)
        rows = read_stock(tables, kind=self._run.kind, escaped=escaped, known=known)
        if not has_codes(rows):
            with self._database.reading() as connection:
                find_by_name(rows, named_products(connection))
        self._run.rows = len(rows)
        return rows

    def settle(self, rows: Sequence[StockRow], *, missing_allowed: bool = False) -> None:
        """Give each row its store and its product, or an error."""
        with self._database.reading() as connection:
            self._cache.refresh(connection)
            stores = {
                code: store
                for code, store in self._cache.stores.items()
                if self._ctx.sees_store(code)
            }
            places = Places(stores, default=self._run.options.store)
            codes: set[str] = set()
            for one in rows:
                places.settle(one)
                for name in one.names:
                    codes |= candidates(name, one.store)
            state = self._cache.ensure(connection, skus=codes, codes=codes)
        for one in rows:
            if one.names:
                settle_product(one, state, missing_allowed=missing_allowed)

    def _documents(self, rows: Sequence[StockRow]) -> list[tuple[Head, list[Planned]]]:
        """Rows as documents; those that are wrong or idle get their verdict here."""
        levels = self._levels(rows) if self._run.kind == "opening-stock" else {}
        groups: dict[Head, list[Planned]] = {}
        for one in rows:
            store, product = one.store, one.product
            when = self.when(one) if self._run.kind != "opening-stock" else None
            if one.failed or store is None or product is None or one.quantity is None:
                self.close(one, "failed")
                continue
            verdict = self._verdict(one, store, product, levels)
            if verdict == "unchanged":
                self.close(one, verdict)
                continue
            moment = self.moment(when, store)
            head = self._head(one, store, moment)
            line = self._line(one, product, moment)
            groups.setdefault(head, []).append(Planned(one, line, verdict))
        return list(groups.items())

    def _levels(self, rows: Sequence[StockRow]) -> Mapping[tuple[int, int], tuple[int, bool]]:
        pairs = {
            (one.store.id, one.product.id)
            for one in rows
            if one.store is not None and one.product is not None
        }
        with self._database.reading() as connection:
            found = select_set(connection, _LEVELS, columns=_PAIR, rows=sorted(pairs))
        return {(r.store_id, r.product_id): (r.on_hand, bool(r.moved)) for r in found}

    def _verdict(
        self,
        one: StockRow,
        store: Store,
        product: Product,
        levels: Mapping[tuple[int, int], tuple[int, bool]],
    ) -> str:
        quantity = one.quantity or Decimal(0)
        if one.second or (self._run.kind == "receipts" and quantity == 0):
            return "unchanged"
        if self._run.kind != "opening-stock":
            return "created"
        on_hand, moved = levels.get((store.id, product.id), (0, False))
        if parse_quantity(quantity, product.precision) == on_hand and "lot" not in one.values:
            return "unchanged"
        return "updated" if moved else "created"

    def when(self, one: StockRow) -> Dated | None:
        """When a row says it happened; what lies ahead of its store's clock is its error."""
        found = dated(one)
        if found is None or one.store is None or self._book is None:
            return found
        now_ms = self._book.now_ms()
        if found.moment is not None:
            ahead = to_ms(found.moment) > now_ms + AHEAD_MS
        else:
            ahead = found.day > local_day(now_ms, one.store.timezone)
        if ahead:
            one.row.wrong("time", "in_future", minutes=AHEAD_MS // 60_000)
        return found

    def moment(self, when: Dated | None, store: Store) -> datetime | None:
        """When a row happened; a date alone is noon of it, today's date is now."""
        if when is None or self._book is None:
            return None
        if when.moment is not None:
            return when.moment
        day = day_of(when.day)
        zone = ZoneInfo(store.timezone)
        if when.day >= local_day(self._book.now_ms(), store.timezone):
            return None
        return datetime.combine(day, time(12), tzinfo=zone)

    def _head(self, one: StockRow, store: Store, moment: datetime | None) -> Head:
        if self._run.kind != "receipts":
            return Head("adjustment", store.code)
        supplier, reference = one.values.get("supplier"), one.values.get("reference")
        return Head(
            "receipt",
            store.code,
            supplier=str(supplier) if supplier is not None else None,
            reference=str(reference) if reference is not None else None,
            occurred_at=moment,
        )

    def _line(self, one: StockRow, product: Product, moment: datetime | None) -> NewLine:
        values: dict[str, Any] = {
            name: one.values[name]
            for name in ("lot", "made_on", "expires_on")
            if name in one.values
        }
        if "amount" in one.values:
            values["amount"] = one.values["amount"]
        elif "cost" in one.values:
            values["unit_cost"] = one.values["cost"]
        if self._run.kind != "receipts":
            return NewLine(sku=product.sku, counted=one.quantity, occurred_at=moment, **values)
        return NewLine(sku=product.sku, quantity=one.quantity, **values)

    def close(self, one: StockRow, verdict: str) -> None:
        """Give a row its verdict, and keep what there is to say of its cells."""
        self._run.count(verdict)
        keep_remarks(self._run, one.row.errors, one.row.notes)

    def post(
        self, documents: Iterable[tuple[Head, Sequence[Planned]]], *, progress: Progress
    ) -> None:
        """Post documents, a few in flight at a time; every row gets its verdict."""
        waiting: deque[_Sent] = deque()
        for head, lines in _slices(documents):
            waiting.append(self._send(head, lines))
            if len(waiting) >= IN_FLIGHT:
                self._receive(waiting, progress=progress)
        while waiting:
            self._receive(waiting, progress=progress)

    def _send(self, head: Head, lines: Sequence[Planned]) -> _Sent:
        new = NewDocument(
            kind=head.kind,  # type: ignore[arg-type]
            store=head.store,
            lines=[planned.line for planned in lines],
            channel=head.channel,
            supplier=head.supplier,
            reference=head.reference,
            occurred_at=head.occurred_at,
        )
        command = Post(new, import_id=self._run.id)
        return _Sent(
            head, lines, self._ledger.submit(command, key=self._key(new, lines), ctx=self._ctx)
        )

    def _key(self, new: NewDocument, lines: Sequence[Planned]) -> str:
        """One key for these rows of this file: the same after a crash, another on another run."""
        rows = [(p.one.row.table.sheet.name, p.one.row.number) for p in lines]
        said = [self._run.kind, self._run.file_hash, self._run.attempt, rows, new]
        return "import:" + hashlib.sha256(msgspec.json.encode(said)).hexdigest()

    def _receive(self, waiting: deque[_Sent], *, progress: Progress) -> None:
        sent = waiting.popleft()
        outcome = sent.future.result()
        if isinstance(outcome, Problem):
            left = self._refused(outcome, sent.lines)
            if left:
                waiting.appendleft(self._send(sent.head, left))
                return
        else:
            for planned in sent.lines:
                self.close(planned.one, planned.verdict)
        if self._book is not None:
            with self._database.writing() as connection:
                self._book.save(connection, self._run)
        progress(self._run.progress, self._run.rows)

    def _refused(self, problem: Problem, lines: Sequence[Planned]) -> list[Planned]:
        """Put a refusal to the rows it is about; returns those that may still be posted."""
        blamed: set[int] = set()
        for error in problem.errors:
            parts = error.pointer.split("/")
            if len(parts) > 2 and parts[1] == "lines" and parts[2].isdigit():
                index = int(parts[2])
                name = "quantity" if parts[-1] in {"counted", "quantity"} else parts[-1]
                lines[index].one.row.wrong(name, error.code, **dict(error.params))
                blamed.add(index)
        short = {s.get("sku") for s in problem.extra.get("short", ()) if isinstance(s, dict)}
        for index, planned in enumerate(lines):
            if planned.line.sku in short:
                planned.one.row.wrong("quantity", problem.code)
                blamed.add(index)
        if not blamed:
            for index, planned in enumerate(lines):
                planned.one.row.wrong(None, problem.code, **dict(problem.params))
                blamed.add(index)
        for index in sorted(blamed):
            self.close(lines[index].one, "failed")
        return [planned for index, planned in enumerate(lines) if index not in blamed]

    def post_opening(self, rows: Sequence[StockRow]) -> None:
        """Post a product file's stock as opening stock, beside the verdicts of its rows."""
        aside = Run(
            self._run.id,
            "opening-stock",
            self._run.file_hash,
            self._run.attempt,
            self._run.options,
        )
        inner = StockImport(
            self._database,
            self._cache,
            book=None,
            ledger=self._ledger,
            run=aside,
            ctx=self._ctx,
        )
        inner.settle(rows)
        mark_repeats(rows)
        inner.post(inner._documents(rows), progress=lambda _done, _total: None)
        for remark in (*aside.remarks.errors, *aside.remarks.notes):
            self._run.remarks.add_note(remark)


def _slices(
    documents: Iterable[tuple[Head, Sequence[Planned]]],
) -> Iterator[tuple[Head, Sequence[Planned]]]:
    for head, lines in documents:
        for start in range(0, len(lines), LINES_MAX):
            yield head, lines[start : start + LINES_MAX]
