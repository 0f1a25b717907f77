"""What happened, as a list to page through and as a stream that goes on."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from dianku.errors import FieldError, invalid
from dianku.http.edge import edge_of
from dianku.http.event_feed import EventFeed, EventPage
from dianku.http.route import Call, Route, Stream
from dianku.wire import Code, Request


class EventQuery(Request, frozen=True):
    """Events after an id, oldest first; without `after`, from the first that is kept."""

    after: Annotated[int, Meta(ge=0)] = 0
    type: list[Code] = []
    store: list[Code] = []
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class StreamQuery(Request, frozen=True):
    """From where, and what of; without `after` or Last-Event-ID, what happens from now on."""

    after: Annotated[int, Meta(ge=0)] | None = None
    type: list[Code] = []
    store: list[Code] = []


def list_events(call: Call) -> EventPage:
    """List what happened after an event."""
    asked: EventQuery = call.query
    feed = EventFeed(call.host.database, ctx=call.ctx, types=asked.type, stores=asked.store)
    return feed.page(asked.after, limit=asked.limit)


async def stream_events(call: Call) -> Stream:
    """Send what happens as server-sent events."""
    asked: StreamQuery = call.query
    last = call.headers.get("last-event-id", "").strip()
    if last and not (last.isascii() and last.isdigit() and len(last) <= 18):
        raise invalid(FieldError("/Last-Event-ID", "wrong_type", {"expected": "integer"}))
    after = int(last) if last else asked.after
    feed = EventFeed(call.host.database, ctx=call.ctx, types=asked.type, stores=asked.store)
    chunks = edge_of(call).streams.follow(feed, after=after)
    return Stream(
        chunks,
        "text/event-stream; charset=utf-8",
        {"cache-control": "no-store", "x-accel-buffering": "no"},
    )


ROUTES = (
    Route(
        "GET",
        "/events",
        list_events,
        "event.view",
        "What happened",
        query=EventQuery,
        answer=EventPage,
    ),
    Route(
        "GET",
        "/events/stream",
        stream_events,
        "event.view",
        "What happens, as it happens",
        query=StreamQuery,
        media_type="text/event-stream",
    ),
)
