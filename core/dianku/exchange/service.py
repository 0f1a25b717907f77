"""Imports and exports as a service: the one door for HTTP, the command line and the console.

An import runs in the caller's thread (`run_import`) or in one of its own (`start_import`), in
transactions of a few hundred rows, so that the shop keeps selling meanwhile.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from attrs import evolve
from msgspec import to_builtins
from msgspec.structs import replace

from dianku.catalog.service import CatalogService
from dianku.catalog.snapshot import CatalogCache
from dianku.clock import Clock
from dianku.context import Context
from dianku.errors import FieldError, Problem, Refused, invalid, refuse
from dianku.exchange.columns import columns_of, excerpt_of, fields_of
from dianku.exchange.exporting import ExportBook, ExportSource
from dianku.exchange.history_import import HistoryImport
from dianku.exchange.kernel_exports import kernel_exports
from dianku.exchange.layout import Table, find_tables, sheets_not_read, tables_as_they_stand
from dianku.exchange.product_import import ProductImport
from dianku.exchange.product_stock import opening_rows
from dianku.exchange.reading import Limits, Sheet, Workbook, read_workbook
from dianku.exchange.records import (
    IMPORT_KINDS,
    CellRemark,
    ImportKind,
    ImportRecord,
)
from dianku.exchange.runs import BROKEN_OFF, Options, Run, RunBook
from dianku.exchange.stock_import import StockImport
from dianku.exchange.undoing import Undoing
from dianku.ledger.read.queries import StockQueries
from dianku.storage.engine import Database

log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]
Enter = Callable[[Callable[[], str]], str]
"""Given what makes a run and tells its id: makes it, or tells of the run made before instead."""


class Exchange:
    """Spreadsheets in and out of one shop.

    `ledger` posts what imports move; `plugin_exports` gives what plugins export.
    """

    def __init__(
        self,
        database: Database,
        cache: CatalogCache,
        clock: Clock,
        *,
        catalog: CatalogService,
        ledger: Any,
        stock: StockQueries,
        plugin_exports: Callable[[], Iterable[ExportSource]] = tuple,
        limits: Limits | None = None,
    ) -> None:
        self._database = database
        self._cache = cache
        self._catalog = catalog
        self._ledger = ledger
        self._limits = limits or Limits()
        self._book = RunBook(database, clock)
        self._exports = ExportBook(
            kernel_exports(database, catalog=catalog, stock=stock), plugin_exports
        )
        self._undoing = Undoing(database, clock, catalog=catalog, ledger=ledger)
        self._threads: set[threading.Thread] = set()
        self._ended: dict[str, threading.Event] = {}

    def run_import(
        self,
        source: bytes | Path | BinaryIO,
        *,
        kind: str,
        filename: str,
        ctx: Context,
        progress: Progress | None = None,
        **options: Any,
    ) -> ImportRecord:
        """Import a file here and now; `options` are those of `Options`.

        Raises:
            Refused: `forbidden`, `invalid` (kind, store, mapping), `file_too_large`,
                `file_unreadable`, `columns_not_found`, `import_repeated`.
        """
        work = self._prepare(source, kind=kind, filename=filename, ctx=ctx, options=options)()
        work(progress or (lambda _done, _total: None))
        return self._book.get(work.run_id)

    def start_import(
        self,
        source: bytes | Path | BinaryIO,
        *,
        kind: str,
        filename: str,
        ctx: Context,
        enter: Enter = lambda begin: begin(),
        resume: str | None = None,
        **options: Any,
    ) -> ImportRecord:
        """Begin an import and go on with it in a thread; `get_import` says how far it is.

        What is wrong with the file as a whole is refused at once, as by `run_import`. `enter` may
        make the run in one transaction with a key; nothing of the file is done before it returns,
        and a run that was made before is not carried out again. `resume` is the run of this very
        file and these options that is to be taken up, once `is_broken_off` says so.
        """
        prepared = self._prepare(
            source, kind=kind, filename=filename, ctx=ctx, options=options, resume=resume
        )
        begun: list[_Work] = []

        def begin() -> str:
            begun.append(prepared())
            # Before anybody can know of the run, so that whoever does can wait for its end.
            self._ended[begun[0].run_id] = threading.Event()
            return begun[0].run_id

        try:
            run_id = enter(begin)
        except BaseException:
            for work in begun:
                work.forget()
                self._ended.pop(work.run_id).set()
            raise
        for work in begun:
            self._carry_in_thread(work)
        return self._book.get(run_id)

    def _carry_in_thread(self, work: _Work) -> None:
        thread = threading.Thread(
            target=self._in_thread, args=(work,), name=f"import {work.run_id}"
        )
        self._threads.add(thread)
        thread.start()

    def wait(self, import_id: str, *, seconds: float) -> None:
        """Wait until an import that was begun here has ended, at most so long."""
        ended = self._ended.get(import_id)
        if ended is not None:
            ended.wait(seconds)

    def _in_thread(self, work: _Work) -> None:
        try:
            work(lambda _done, _total: None)
        except Exception:
            log.exception("import %s broke off", work.run_id)
        finally:
            self._threads.discard(threading.current_thread())
            self._ended.pop(work.run_id).set()

    def run(
        self,
        file: Path,
        *,
        kind: str,
        ctx: Context,
        progress: Progress | None = None,
        **options: Any,
    ) -> ImportRecord:
        """Import a file of this machine: what `dianku import` does."""
        return self.run_import(
            file, kind=kind, filename=file.name, ctx=ctx, progress=progress, **options
        )

    def _prepare(
        self,
        source: bytes | Path | BinaryIO,
        *,
        kind: str,
        filename: str,
        ctx: Context,
        options: Mapping[str, Any],
        resume: str | None = None,
    ) -> Callable[[], _Work]:
        """Read a file; returns what makes its run."""
        ctx.require("import.run")
        chosen = Options(**options)
        self._check(kind, chosen, ctx=ctx)
        known: ImportKind = kind  # type: ignore[assignment]
        content = self._content(source)
        file_hash = hashlib.sha256(content).hexdigest()
        chosen = self._book.settled(chosen, kind=known, file_hash=file_hash, resume=resume)
        workbook = read_workbook(content, limits=self._limits)
        tables = _tables(workbook, chosen, kind=known)

        def begin() -> _Work:
            run = self._book.begin(
                kind=known,
                file_name=Path(filename).name[:200],
                file_hash=file_hash,
                options=chosen,
                actor=ctx.actor,
                resume=resume,
            )
            run.remarks.columns = columns_of(tables)
            run.remarks.heading_row = tables[0].first_row
            for sheet in sheets_not_read(workbook, tables):
                run.remarks.add_note(_not_read(sheet))
            for note in _left_aside(tables, chosen):
                run.remarks.add_note(note)
            return _Work(self, run, tables, escaped=workbook.escaped, ctx=ctx)

        return begin

    def forget(self, run: Run) -> None:
        """Let go of a run whose making was rolled back."""
        self._book.forget(run)

    def _check(self, kind: str, options: Options, *, ctx: Context) -> None:
        errors = []
        if kind not in IMPORT_KINDS:
            allowed = ", ".join(IMPORT_KINDS)
            errors.append(FieldError("/kind", "not_one_of", {"allowed": allowed}))
        if options.store is not None:
            with self._database.reading() as connection:
                self._cache.refresh(connection)
            if options.store not in self._cache.stores:
                errors.append(FieldError("/store", "unknown_store", {"name": options.store}))
            else:
                ctx.require("import.run", store=options.store)
        if errors:
            raise invalid(*errors)

    def _content(self, source: bytes | Path | BinaryIO) -> bytes:
        most = self._limits.file_bytes + 1
        if isinstance(source, bytes):
            return source
        if isinstance(source, Path):
            with source.open("rb") as stream:
                return stream.read(most)
        return source.read(most)

    def work(
        self, run: Run, tables: list[Table], *, escaped: bool, ctx: Context, progress: Progress
    ) -> None:
        """Carry a prepared run through to its end."""
        problem: Problem | None = None
        try:
            problem = self._carry(run, tables, escaped=escaped, ctx=ctx, progress=progress)
        except Refused as refused:
            problem = refused.problem
        except BaseException:
            problem = Problem(BROKEN_OFF)
            raise
        finally:
            run.remarks.excerpt = excerpt_of(tables, run.remarks.errors)
            self._book.end(run, problem)

    def _carry(
        self, run: Run, tables: list[Table], *, escaped: bool, ctx: Context, progress: Progress
    ) -> Problem | None:
        stock = StockImport(
            self._database, self._cache, book=self._book, ledger=self._ledger, run=run, ctx=ctx
        )
        if run.kind == "products":
            products = ProductImport(self._database, self._catalog, self._book, run)
            rows = products.read(tables, escaped=escaped)
            products.write(rows, progress=progress)
            if run.options.with_stock and not run.options.dry_run:
                stock.post_opening(opening_rows(rows))
            return None
        if run.kind == "sales-history":
            history = HistoryImport(
                self._database, self._cache, catalog=self._catalog, book=self._book, stock=stock
            )
            return history.carry(run, tables, escaped=escaped, ctx=ctx, progress=progress)
        stock.carry(tables, escaped=escaped, progress=progress)
        return None

    def get_import(self, import_id: str, *, ctx: Context) -> ImportRecord:
        """An import and how it stands. Raises `Refused`: `not_found`."""
        ctx.require("import.run")
        self._own(import_id, ctx)
        return self._book.get(import_id)

    def _own(self, import_id: str, ctx: Context) -> Any:
        """The row of a run; whoever is limited to stores has no business in others' files."""
        self._book.settle_dead(import_id)
        row = self._book.row(import_id)
        if ctx.actor.stores is not None and row.actor_id != ctx.actor.id:
            raise refuse("not_found", what="import", name=import_id)
        return row

    def is_broken_off(self, import_id: str) -> bool:
        """Whether an import ended before its end and is not under way here.

        Another process may have it all the same; taking it up is then `import_repeated`.
        """
        return self._book.is_dead(import_id)

    def list_imports(
        self, *, ctx: Context, limit: int = 50, before_id: int | None = None
    ) -> list[ImportRecord]:
        """The newest imports, newest first, without the cells they remark on.

        Whoever is limited to stores sees their own only. `before_id`: only those begun earlier.
        """
        ctx.require("import.run")
        own = None if ctx.actor.stores is None else ctx.actor.id
        found = self._book.list_ids(limit=limit, before_id=before_id, actor_id=own)
        for number in found:
            self._book.settle_dead(number)
        return [_in_a_list(self._book.get(number)) for number in found]

    def undo_import(self, import_id: str, *, ctx: Context) -> ImportRecord:
        """Take a whole import back.

        Raises:
            Refused: `not_found`, `conflict` (it is running, or undone already), or
                `import_not_undoable` with `depends`: what came later, by product.
        """
        ctx.require("import.run")
        self._undoing.undo(self._own(import_id, ctx), ctx=ctx)
        return self._book.get(import_id)

    def export(
        self,
        kind: str,
        *,
        ctx: Context,
        format: str = "csv",  # noqa: A002 - the query parameter's name
        filters: Mapping[str, Any] | None = None,
    ) -> Iterator[bytes]:
        """An export in pieces, in bounded memory.

        Raises:
            Refused: `not_found` (no such kind), `forbidden`, `invalid` (format, filters).
        """
        return self._exports.stream(kind, format_=format, ctx=ctx, filters=filters or {})

    def export_file(
        self,
        kind: str,
        file: Path,
        *,
        ctx: Context,
        progress: Progress | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> int:
        """Write an export to a file; its ending says the format. Returns the number of rows."""
        return self._exports.write_file(
            kind, file, ctx=ctx, filters=filters or {}, progress=progress
        )

    def is_of_plugin(self, kind: str) -> bool:
        """Whether what makes an export of this name is not the kernel, should there be one."""
        return self._exports.is_of_plugin(kind)

    def export_kinds(self, *, ctx: Context) -> list[str]:
        """The names of what the caller may export."""
        return self._exports.names(ctx)

    def close(self) -> None:
        """Wait for the imports that run in threads."""
        for thread in list(self._threads):
            thread.join()


class _Work:
    """A run that is ready to be carried out."""

    def __init__(
        self, exchange: Exchange, run: Run, tables: list[Table], *, escaped: bool, ctx: Context
    ) -> None:
        self._exchange = exchange
        self._run = run
        self._tables = tables
        self._escaped = escaped
        self._ctx = ctx
        self.run_id = str(run.id)

    def forget(self) -> None:
        self._exchange.forget(self._run)

    def __call__(self, progress: Progress) -> None:
        self._exchange.work(
            self._run, self._tables, escaped=self._escaped, ctx=self._ctx, progress=progress
        )


def _tables(workbook: Workbook, options: Options, *, kind: ImportKind) -> list[Table]:
    """The tables of a file; where the columns are not found, what there is to choose from."""
    row = options.heading_row
    try:
        return find_tables(
            workbook,
            kind=kind,
            mapping=options.mapping,
            heading_row=row,
            optional={"time"} if options.post else (),
        )
    except Refused as refused:
        if refused.problem.code != "columns_not_found":
            raise
        there = tables_as_they_stand(workbook, kind=kind, heading_row=row)
        extra = {
            "columns": to_builtins(columns_of(there)),
            "heading_row": there[0].first_row if there else None,
            "fields": to_builtins(fields_of(kind)),
        }
        raise Refused(evolve(refused.problem, extra=extra)) from refused


def _in_a_list(record: ImportRecord) -> ImportRecord:
    """A record among others: without what there is a line of for each cell."""
    columns = [replace(column, samples=[]) for column in record.columns]
    return replace(record, errors=[], notes=[], excerpt=[], fields=[], columns=columns)


def _left_aside(tables: list[Table], options: Options) -> Iterator[CellRemark]:
    """Columns that are called like something the import takes, and are not taken."""
    for table in tables:
        for column in table.unfit:
            yield _of_column(table, column.heading, "column_unfit")
        stock = table.by_field.get("stock")
        if stock is not None and not options.with_stock:
            yield _of_column(table, stock.heading, "stock_not_posted")


def _of_column(table: Table, heading: str, code: str) -> CellRemark:
    sheet = table.sheet.name or None
    return CellRemark(row=table.first_row, column=heading, value=None, code=code, sheet=sheet)


def _not_read(sheet: Sheet) -> CellRemark:
    code = "sheet_hidden" if sheet.hidden else "sheet_not_read"
    return CellRemark(
        row=1, column=None, value=None, code=code, params={"name": sheet.name}, sheet=sheet.name
    )


__all__ = ["Exchange"]
