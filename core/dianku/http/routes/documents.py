"""Documents: posted one by one or in batches, found, reversed, handed over, transferred.

Posting is asynchronous all the way: the loop waits for the poster, no thread is held.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from msgspec import structs
from sqlalchemy.exc import OperationalError

from dianku.errors import FieldError, Problem, invalid
from dianku.http.edge import edge_of
from dianku.http.further import batch_faults, document_faults
from dianku.http.problem_answers import problem_body
from dianku.http.route import Call, Replied, Route
from dianku.http.routes.answers import REPLAYED
from dianku.http.wording import Record, named_in, worded
from dianku.ledger.commands import (
    CloseTransfer,
    HandOver,
    Keep,
    Post,
    Posted,
    ReceiveTransfer,
    Reverse,
)
from dianku.ledger.posting.together import TOGETHER_MAX
from dianku.ledger.read.requests import DocumentFilter, DocumentPage
from dianku.ledger.requests import (
    DocumentForecast,
    DocumentRecord,
    KeyedDocument,
    LineQuantities,
    NewBatch,
    NewDocument,
    NewKeeping,
    NewReversal,
    TransferClose,
)
from dianku.wire import Answer

log = logging.getLogger("dianku.http")

POST = "document.post"


class BatchResult(Answer):
    """What became of one document of a batch."""

    key: str | None
    status: str
    number: str | None = None
    problem: dict[str, Any] | None = None


class Destination(Answer):
    """A store that goods may be sent to, also by who sees nothing else of it."""

    code: str
    name: str


class Destinations(Answer):
    """Every store of the shop, by code."""

    items: list[Destination]


class BatchAnswer(Answer):
    """What became of each document of a batch, in order."""

    results: list[BatchResult]


async def answered(call: Call, command: Any, *, status: int = 201) -> Replied | Problem:
    """Have a command posted, and answer with its record or its refusal."""
    edge = edge_of(call)
    outcome = await edge.landing.posted(call.host.ledger, command, key=call.key, ctx=call.ctx)
    if isinstance(outcome, Problem):
        return outcome
    record = _worded(call, outcome.record)
    return Replied(record, status, REPLAYED if outcome.replayed else {})


async def post_document(call: Call) -> Replied | Problem:
    """Post one document."""
    return await answered(call, Post(call.body))


def check_document(call: Call) -> DocumentForecast | Problem:
    """Say what posting a document now would do, and keep nothing of it."""
    found: DocumentForecast | Problem = call.host.ledger.foresee(call.body, ctx=call.ctx)
    if isinstance(found, Problem):
        return found
    return _worded(call, found)


async def post_batch(call: Call) -> BatchAnswer:
    """Post documents in order, each on its own: one that is refused or breaks leaves the others be.

    With `together` all of them or none. Where the database cannot be had all share that answer.
    """
    landing = edge_of(call).landing
    documents = call.body.documents
    if call.body.together and len(documents) > TOGETHER_MAX:
        raise invalid(FieldError("/documents", "too_many_together", {"max": TOGETHER_MAX}))
    commands = [(Post(entry), entry.key) for entry in documents]
    post = landing.posted_together if call.body.together else landing.posted_all
    outcomes = await post(call.host.ledger, commands, ctx=call.ctx)
    if all(isinstance(outcome, OperationalError) for outcome in outcomes):
        raise outcomes[0]
    results = [
        _result(call, entry, outcome) for entry, outcome in zip(documents, outcomes, strict=True)
    ]
    return BatchAnswer(results=results)


def list_documents(call: Call) -> DocumentPage:
    """Find documents."""
    page = call.host.stock.documents(call.query, ctx=call.ctx)
    _look_up_goods(call, page.items)
    items = [_worded(call, record) for record in page.items]
    return structs.replace(page, items=items)


def get_document(call: Call) -> DocumentRecord:
    """Show one document."""
    record = call.host.stock.document(call.path["number"], ctx=call.ctx)
    _look_up_goods(call, [record])
    return _worded(call, record)


async def reverse(call: Call) -> Replied | Problem:
    """Reverse a document for what is still reversible."""
    return await answered(call, Reverse(call.path["number"], call.body.reason))


async def moved_on(call: Call, command: Any) -> Replied | Problem:
    """Have something done to a document, and answer with that document as it stands now."""
    edge = edge_of(call)
    outcome = await edge.landing.posted(call.host.ledger, command, key=call.key, ctx=call.ctx)
    if isinstance(outcome, Problem):
        return outcome
    loop = asyncio.get_running_loop()
    record = await loop.run_in_executor(edge.threads, get_document, call)
    return Replied(record, 200, REPLAYED if outcome.replayed else {})


async def hand_over(call: Call) -> Replied | Problem:
    """Hand over goods that were paid for and kept."""
    return await moved_on(call, HandOver(call.path["number"], call.body))


async def keep(call: Call) -> Replied | Problem:
    """Keep goods of a sale that the customer leaves in the shop."""
    return await moved_on(call, Keep(call.path["number"], call.body))


def list_destinations(call: Call) -> Destinations:
    """The stores a transfer may name, beyond those the caller may look into."""
    found = call.host.catalog.list_destinations()
    return Destinations(items=[Destination(code=one.code, name=one.name) for one in found])


async def receive(call: Call) -> Replied | Problem:
    """Receive what arrived of a transfer."""
    return await moved_on(call, ReceiveTransfer(call.path["number"], call.body))


async def close(call: Call) -> Replied | Problem:
    """Close a transfer short."""
    return await moved_on(call, CloseTransfer(call.path["number"], call.body.loss_to))


def _worded(call: Call, record: Record) -> Record:
    """A record with its warnings in words; names are those that are in memory, as on posting."""
    messages, catalog = edge_of(call).messages, call.host.cache.state
    return worded(record, messages, language=call.ctx.language, catalog=catalog)


def _look_up_goods(call: Call, records: Sequence[DocumentRecord]) -> None:
    """Have the names of what records warn of in memory."""
    skus = named_in(records)
    if skus and not call.host.cache.holds(skus=skus):
        with call.host.database.reading() as connection:
            call.host.cache.refresh(connection)
            call.host.cache.ensure(connection, skus=skus)


def _result(
    call: Call, entry: KeyedDocument, outcome: Posted | Problem | BaseException
) -> BatchResult:
    if isinstance(outcome, BaseException):
        outcome = _broken(call, outcome)
    if isinstance(outcome, Problem):
        problem = problem_body(
            outcome,
            messages=edge_of(call).messages,
            language=call.ctx.language,
            request_id=call.ctx.request_id if outcome.code == "internal_error" else "",
        )
        return BatchResult(key=entry.key, status="refused", problem=problem)
    status = "replayed" if outcome.replayed else "created"
    return BatchResult(key=entry.key, status=status, number=outcome.record.number)


def _broken(call: Call, error: BaseException) -> Problem:
    """What is told of a document that broke: nothing of it was posted."""
    request_id = call.ctx.request_id
    if isinstance(error, OperationalError):
        log.warning("request %s: the database is not available: %s", request_id, error)
        return Problem("busy")
    log.error("request %s: a document of a batch broke", request_id, exc_info=error)
    return Problem("internal_error", {"request_id": request_id})


ROUTES = (
    Route(
        "POST",
        "/documents",
        post_document,
        POST,
        "Post a document",
        request=NewDocument,
        answer=DocumentRecord,
        status=201,
        keyed=True,
        further=document_faults,
    ),
    Route(
        "POST",
        "/documents/check",
        check_document,
        POST,
        "Say what posting a document would do, without posting it",
        request=NewDocument,
        answer=DocumentForecast,
        further=document_faults,
    ),
    Route(
        "POST",
        "/documents/batch",
        post_batch,
        POST,
        "Post documents in order, each on its own",
        request=NewBatch,
        answer=BatchAnswer,
        further=batch_faults,
    ),
    Route(
        "GET",
        "/documents",
        list_documents,
        "document.view",
        "Find documents",
        query=DocumentFilter,
        answer=DocumentPage,
    ),
    Route(
        "GET",
        "/documents/{number}",
        get_document,
        "document.view",
        "Show a document",
        answer=DocumentRecord,
    ),
    Route(
        "POST",
        "/documents/{number}/reverse",
        reverse,
        "document.reverse",
        "Reverse a document",
        request=NewReversal,
        answer=DocumentRecord,
        status=201,
        keyed=True,
    ),
    Route(
        "POST",
        "/documents/{number}/hand_over",
        hand_over,
        "document.post.issue",
        "Hand over goods kept for a customer",
        request=LineQuantities,
        answer=DocumentRecord,
        keyed=True,
    ),
    Route(
        "POST",
        "/documents/{number}/keep",
        keep,
        "document.post.issue",
        "Keep goods of a sale for the customer",
        request=NewKeeping,
        answer=DocumentRecord,
        keyed=True,
    ),
    Route(
        "GET",
        "/transfers/destinations",
        list_destinations,
        "document.post.transfer",
        "Stores that goods may be sent to",
        answer=Destinations,
    ),
    Route(
        "POST",
        "/transfers/{number}/receive",
        receive,
        "document.post.transfer",
        "Receive what arrived of a transfer",
        request=LineQuantities,
        answer=DocumentRecord,
        keyed=True,
    ),
    Route(
        "POST",
        "/transfers/{number}/close",
        close,
        "document.post.transfer",
        "Close a transfer short",
        request=TransferClose,
        answer=DocumentRecord,
        keyed=True,
    ),
)
