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
    """Events after an id, oldest first; without `after`, from the first that is kept.

    `cursor` is the `next_cursor` of the last answer; it goes before `after`, so that a caller may
    ask on by adding it to the question it began with.
    """

    after: Annotated[int, Meta(ge=0)] = 0
    cursor: Annotated[str, Meta(max_length=200)] | None = None
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
    after = asked.after if asked.cursor is None else _event_id(asked.cursor)
    if after is None:
        raise invalid(FieldError("/cursor", "unknown_cursor"))
    return feed.page(after, limit=asked.limit)


async def stream_events(call: Call) -> Stream:
    """Send what happens as server-sent events."""
    asked: StreamQuery = call.query
    last = call.headers.get("last-event-id", "").strip()
    after = _event_id(last) if last else asked.after
    if last and after is None:
        raise invalid(FieldError("/Last-Event-ID", "wrong_type", {"expected": "integer"}))
    feed = EventFeed(call.host.database, ctx=call.ctx, types=asked.type, stores=asked.store)
    ends, clock = call.ctx.actor.ends_at_ms, call.host.clock
    chunks = edge_of(call).streams.follow(
        feed, after=after, over=lambda: ends is not None and ends <= clock.now_ms()
    )
    return Stream(
        chunks,
        "text/event-stream; charset=utf-8",
        {"cache-control": "no-store", "x-accel-buffering": "no"},
    )


def _event_id(text: str) -> int | None:
    """An event's id as it was written out, None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


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
