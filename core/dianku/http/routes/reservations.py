"""Reservations: stock promised to an order, and exceptions a person should look at."""

from __future__ import annotations

from dianku.errors import Problem
from dianku.http.further import reservation_faults
from dianku.http.route import Call, Replied, Route
from dianku.http.routes.answers import Nothing, WithNote, once
from dianku.http.routes.documents import answered
from dianku.ledger.commands import (
    CommitReservation,
    ExtendReservation,
    ReleaseReservation,
    Reserve,
)
from dianku.ledger.read.requests import (
    ExceptionFilter,
    ExceptionPage,
    ExceptionRecord,
    ReservationFilter,
    ReservationPage,
)
from dianku.ledger.requests import (
    DocumentRecord,
    NewReservation,
    ReservationCommit,
    ReservationExtend,
    ReservationRecord,
)

EDIT = "reservation.edit"


async def reserve(call: Call) -> Replied | Problem:
    """Promise stock."""
    call.ctx.require(EDIT, store=call.body.store)
    return await answered(call, Reserve(call.body))


def list_reservations(call: Call) -> ReservationPage:
    """Find reservations."""
    return call.host.stock.reservations(call.query, ctx=call.ctx)


def get_reservation(call: Call) -> ReservationRecord:
    """Show one reservation."""
    return call.host.stock.reservation(call.path["id"], ctx=call.ctx)


async def commit(call: Call) -> Replied | Problem:
    """Turn a reservation, or a part of it, into the issue document it was made for."""
    return await answered(call, CommitReservation(call.path["id"], call.body))


async def release(call: Call) -> Replied | Problem:
    """Give up a reservation."""
    return await answered(call, ReleaseReservation(call.path["id"]), status=200)


async def extend(call: Call) -> Replied | Problem:
    """Let a hold last longer, counted from now."""
    return await answered(call, ExtendReservation(call.path["id"], call.body), status=200)


def list_exceptions(call: Call) -> ExceptionPage:
    """List what a person should look at."""
    return call.host.stock.exceptions(call.query, ctx=call.ctx)


def settle(call: Call) -> Replied:
    """Say how an exception was settled."""
    stock, which = call.host.stock, call.path["id"]
    return once(
        call,
        "settle",
        lambda _: stock.settle(which, call.body.note, ctx=call.ctx),
        status=200,
    )


ROUTES = (
    Route(
        "POST",
        "/reservations",
        reserve,
        EDIT,
        "Promise stock",
        request=NewReservation,
        answer=ReservationRecord,
        status=201,
        keyed=True,
        further=reservation_faults,
    ),
    Route(
        "GET",
        "/reservations",
        list_reservations,
        "reservation.view",
        "Find reservations",
        query=ReservationFilter,
        answer=ReservationPage,
    ),
    Route(
        "GET",
        "/reservations/{id}",
        get_reservation,
        "reservation.view",
        "Show a reservation",
        answer=ReservationRecord,
    ),
    Route(
        "POST",
        "/reservations/{id}/commit",
        commit,
        EDIT,
        "Issue what was promised, or a part of it",
        request=ReservationCommit,
        answer=DocumentRecord,
        status=201,
        keyed=True,
        optional=True,
    ),
    Route(
        "POST",
        "/reservations/{id}/release",
        release,
        EDIT,
        "Give up a reservation",
        request=Nothing,
        answer=ReservationRecord,
        keyed=True,
        optional=True,
    ),
    Route(
        "POST",
        "/reservations/{id}/extend",
        extend,
        EDIT,
        "Let a hold last longer",
        request=ReservationExtend,
        answer=ReservationRecord,
        keyed=True,
    ),
    Route(
        "GET",
        "/exceptions",
        list_exceptions,
        "exception.view",
        "List what a person should look at",
        query=ExceptionFilter,
        answer=ExceptionPage,
    ),
    Route(
        "POST",
        "/exceptions/{id}/settle",
        settle,
        "exception.settle",
        "Settle an exception",
        request=WithNote,
        answer=ExceptionRecord,
        keyed=True,
    ),
)
