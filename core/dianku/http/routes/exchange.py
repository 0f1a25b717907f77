"""Spreadsheets in and out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Literal
from urllib.parse import quote

from msgspec import Meta, structs

from dianku.errors import FieldError, Refused, invalid, refuse
from dianku.exchange.kernel_exports import MoveExport, ProductExport
from dianku.exchange.records import ImportKind, ImportRecord
from dianku.http.edge import edge_of
from dianku.http.plugin_threads import handled
from dianku.http.route import Call, Replied, Route, Stream
from dianku.http.routes.answers import REPLAYED, Nothing, Page
from dianku.http.routes.attachments import hash_of
from dianku.http.wording import worded_choice, worded_remarks
from dianku.idempotency import digest, keyed, recall, release
from dianku.ledger.read.requests import DocumentFilter, StockFilter
from dianku.wire import Code, Request

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


FieldName = Annotated[str, Meta(max_length=100)]
Heading = Annotated[str, Meta(min_length=1, max_length=2000)]
UNDONE = "undone"
WAIT_S = 20.0
"""How long a call waits for its import to end."""


class ImportForm(Request, frozen=True):
    """What a file is, and how it is to be taken.

    `mapping` is JSON: field to the heading or letter of its column, null: it is in none. What it
    does not name is guessed. `heading_row`: where the headings stand, from 1; 0: there are none.
    """

    kind: ImportKind
    dry_run: bool = False
    again: bool = False
    store: Code | None = None
    mapping: dict[FieldName, Heading | None] | None = None
    heading_row: Annotated[int, Meta(ge=0, le=1000)] | None = None
    create_missing: bool = False
    post: bool = False
    with_stock: bool = False


class ImportsQuery(Request, frozen=True):
    """Which imports; each is read with its counts, so a page is shorter than of other lists."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    cursor: Annotated[str, Meta(max_length=20)] | None = None


class ExportForm(Request, frozen=True):
    """The kind of file."""

    format: Literal["csv", "xlsx"] = "csv"


def start_import(call: Call) -> Replied:
    """Take in a spreadsheet; the same file twice is refused unless `again`.

    Most are done within the call. One that takes longer goes on, and `GET /imports/{id}` says
    how far it is. A key replays the import as it stands now; one that was cut off, by a kill or a
    cut of power, is taken up where it was.
    """
    if call.upload is None:
        raise refuse("unreadable_body", reason="no file")
    form: ImportForm = call.body
    wanted = digest("import", {"file": hash_of(call.upload.file)}, form)
    known = recall(call.host.database, key=call.key, digest=wanted)
    exchange = call.host.exchange
    resume = None if known is None else str(known["id"])
    if resume is not None and not exchange.is_broken_off(resume):
        return _as_it_stands(call, resume)
    replayed = resume is not None

    def enter(begin: Callable[[], str]) -> str:
        # The key is claimed with the run and before the file has any effect: of two calls with
        # one key the second finds the first's run, or is refused and has done nothing.
        nonlocal replayed
        if replayed:  # what the first had done when it was cut off is recognised
            return begin()
        kept = keyed(
            call.host.database, key=call.key, digest=wanted, effect=lambda _: {"id": begin()}
        )
        replayed = kept.replayed
        return str(kept.body["id"])

    try:
        record = exchange.start_import(
            call.upload.file,
            kind=form.kind,
            filename=call.upload.filename,
            ctx=call.ctx,
            enter=enter,
            resume=resume,
            **{name: value for name, value in structs.asdict(form).items() if name != "kind"},
        )
    except Refused as refused:
        if resume is None or refused.problem.code != "import_repeated":
            messages, language = edge_of(call).messages, call.ctx.language
            raise Refused(worded_choice(refused.problem, messages, language=language)) from refused
        return _as_it_stands(call, resume)  # another took it up at the same instant
    exchange.wait(record.id, seconds=WAIT_S)
    record = exchange.get_import(record.id, ctx=call.ctx)
    return Replied(_worded(call, record), 201, REPLAYED if replayed else {})


def _as_it_stands(call: Call, import_id: str) -> Replied:
    """The answer to a key that was used: its import, at its end if that comes in time."""
    call.host.exchange.wait(import_id, seconds=WAIT_S)
    record = call.host.exchange.get_import(import_id, ctx=call.ctx)
    return Replied(_worded(call, record), 201, REPLAYED)


def list_imports(call: Call) -> Page[ImportRecord]:
    """List imports, the newest first; `GET /imports/{id}` tells an import's cells."""
    asked: ImportsQuery = call.query
    cursor = asked.cursor
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise invalid(FieldError("/cursor", "unknown_cursor"))
    found = call.host.exchange.list_imports(
        ctx=call.ctx, limit=asked.limit + 1, before_id=int(cursor) if cursor else None
    )
    items = [_worded(call, record) for record in found[: asked.limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > asked.limit else None)


def get_import(call: Call) -> ImportRecord:
    """Show how an import stands."""
    return _worded(call, call.host.exchange.get_import(call.path["id"], ctx=call.ctx))


def undo_import(call: Call) -> Replied:
    """Undo an import.

    It takes several transactions, so its key is claimed first: who repeats it goes on with it.
    """
    database, exchange, undone = call.host.database, call.host.exchange, call.path["id"]
    wanted = digest("import-undo", call.path, None)
    kept = keyed(database, key=call.key, digest=wanted, effect=lambda _: None, status=200)
    standing = ""
    try:
        standing = exchange.get_import(undone, ctx=call.ctx).status
        if kept.replayed and standing == UNDONE:
            return _undone(call, replayed=True)
        exchange.undo_import(undone, ctx=call.ctx)
    except Refused:
        if call.key is not None and standing not in {"", UNDONE}:
            now = exchange.get_import(undone, ctx=call.ctx)
            if now.status == UNDONE:  # another with this key was faster
                return _undone(call, replayed=True)
        release(database, key=call.key, digest=wanted)
        raise
    return _undone(call, replayed=False)


def _undone(call: Call, *, replayed: bool) -> Replied:
    record = call.host.exchange.get_import(call.path["id"], ctx=call.ctx)
    return Replied(_worded(call, record), 200, REPLAYED if replayed else {})


async def export(call: Call) -> Stream:
    """Write a table as a spreadsheet without formulas, in pieces.

    Which rows is said as for the list or report of that kind: `stock` takes what `GET /stock`
    takes, and so on; parameters a kind has no use for are refused.
    """
    filters = dict(call.query or {})
    form = str(filters.pop("format", "csv"))
    kind, edge = call.path["kind"], edge_of(call)
    of_plugin = call.host.exchange.is_of_plugin(kind)
    threads = edge.plugin_threads if of_plugin else edge.threads
    loop = asyncio.get_running_loop()

    def begun() -> tuple[bytes, Iterator[bytes]]:
        pieces = call.host.exchange.export(kind, ctx=call.ctx, format=form, filters=filters)
        return next(pieces, b""), pieces

    # The first piece is made before the answer begins: a refusal still has its own status.
    first, rest = await loop.run_in_executor(threads, handled, lambda _: begun(), None)

    async def chunks() -> AsyncIterator[bytes]:
        piece: bytes | None = first
        while piece is not None:
            yield piece
            # What would end the server is an error of its plugin here, too.
            piece = await loop.run_in_executor(threads, handled, lambda _: next(rest, None), None)

    name = quote(f"{kind}.{form}")
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{name}",
        "x-content-type-options": "nosniff",
    }
    return Stream(chunks(), CSV if form == "csv" else XLSX, headers)


def _worded(call: Call, record: ImportRecord) -> ImportRecord:
    return worded_remarks(record, edge_of(call).messages, language=call.ctx.language)


ROUTES = (
    Route(
        "POST",
        "/imports",
        start_import,
        "import.run",
        "Take in a spreadsheet",
        form=ImportForm,
        answer=ImportRecord,
        status=201,
        keyed=True,
    ),
    Route(
        "GET",
        "/imports",
        list_imports,
        "import.run",
        "List imports",
        query=ImportsQuery,
        answer=Page[ImportRecord],
    ),
    Route(
        "GET",
        "/imports/{id}",
        get_import,
        "import.run",
        "How an import stands",
        answer=ImportRecord,
    ),
    Route(
        "POST",
        "/imports/{id}/undo",
        undo_import,
        "import.run",
        "Undo an import",
        request=Nothing,
        answer=ImportRecord,
        optional=True,
        keyed=True,
    ),
    Route(
        "GET",
        "/exports/{kind}",
        export,
        "export.run",
        "Write a spreadsheet",
        query=dict,
        described=(ExportForm, ProductExport, StockFilter, MoveExport, DocumentFilter),
        media_type=CSV,
        media_types=(XLSX,),
    ),
)
