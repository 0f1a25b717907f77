"""The counter's day: what was taken, and the days that were closed."""

from __future__ import annotations

from dianku.http.route import Call, Replied, Route
from dianku.http.routes.answers import once
from dianku.ledger.read.requests import (
    ClosingFilter,
    ClosingPage,
    ClosingRecord,
    NewClosing,
    Takings,
    TakingsFilter,
)

CLOSE = "day.close"


def takings(call: Call) -> Takings:
    """Add up what was taken."""
    found: Takings = call.host.stock.takings(call.query, ctx=call.ctx)
    return found


def close(call: Call) -> Replied:
    """Close a day."""
    closings, new = call.host.closings, call.body
    return once(call, CLOSE, lambda connection: closings.close(connection, new, ctx=call.ctx))


def list_closings(call: Call) -> ClosingPage:
    """List the days that were closed."""
    found: ClosingPage = call.host.closings.page(call.query, ctx=call.ctx)
    return found


def show_closing(call: Call) -> ClosingRecord:
    """Show how a day was closed."""
    found: ClosingRecord = call.host.closings.one(call.path["id"], ctx=call.ctx)
    return found


ROUTES = (
    Route(
        "GET",
        "/takings",
        takings,
        "document.view",
        "Add up what was taken, by kind of payment",
        query=TakingsFilter,
        answer=Takings,
    ),
    Route(
        "POST",
        "/closings",
        close,
        CLOSE,
        "Close a day at the counter",
        request=NewClosing,
        answer=ClosingRecord,
        status=201,
        keyed=True,
    ),
    Route(
        "GET",
        "/closings",
        list_closings,
        "document.view",
        "List days that were closed",
        query=ClosingFilter,
        answer=ClosingPage,
    ),
    Route(
        "GET",
        "/closings/{id}",
        show_closing,
        "document.view",
        "Show how a day was closed",
        answer=ClosingRecord,
    ),
)
