"""Reservations: promise stock, keep the promise, give it back.

A hold is strict whatever its channel: it takes from what is available, and committing it needs
nothing more. Holds past their end were released when the batch was loaded, so a promise that is
due never counts; committing one makes it anew if what is available allows. A preorder is demand
and holds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from dianku.catalog.records import Product, Store
from dianku.clock import day_number
from dianku.context import Context
from dianku.errors import FieldError, invalid, refuse
from dianku.ledger.commands import (
    CommitReservation,
    ExtendReservation,
    Line,
    Posting,
    ReleaseReservation,
    Reserving,
)
from dianku.ledger.composition import parts_of
from dianku.ledger.plan.making import short_of
from dianku.ledger.plan.outbound import plan_issue
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.snapshot import Promise, Snapshot
from dianku.ledger.requests import ReservationExtend
from dianku.quantity import amount_of


def plan_reservation(snapshot: Snapshot, asked: Reserving, ctx: Context, *, code: str) -> Promise:
    """Promise stock, all lines or none."""
    holds: dict[int, int] = {}
    for line in asked.lines:
        for product, steps in line.parts:
            holds[product.id] = holds.get(product.id, 0) + steps
    if asked.kind == "hold":
        _hold(snapshot, asked.store, holds)
    promise = Promise(
        id=0,
        code=code,
        store_id=asked.store.id,
        channel_id=asked.channel.id if asked.channel else None,
        reference=asked.reference,
        kind=asked.kind,
        state="active",
        created_at=snapshot.now_ms,
        expires_at=asked.expires_at,
        due_on=asked.due_on,
        document=None,
        actor=ctx.actor.name,
        lines=[(x.product, x.quantity, x.recipe) for x in asked.lines],
        holds=holds if asked.kind == "hold" else {},
        held=frozenset(holds) if asked.kind == "hold" else frozenset(),
        is_new=True,
        changed=True,
    )
    snapshot.promises[code] = promise
    return promise


def _hold(snapshot: Snapshot, store: Store, holds: dict[int, int]) -> None:
    """Take from what is available. Raises `Refused` (insufficient_stock) for all that is short."""
    short: list[tuple[Product, int, int]] = []
    for product_id, steps in holds.items():
        there = max(snapshot.balance(store.id, product_id).available, 0)
        if steps > there:
            short.append((snapshot.cache.product(product_id), steps, there))
    if short:
        raise short_of(store, short)
    for product_id, steps in holds.items():
        snapshot.balance(store.id, product_id).reserved += steps


def _found(snapshot: Snapshot, code: str, ctx: Context) -> Promise:
    promise = snapshot.promises.get(code)
    if promise is None:
        raise refuse("not_found", what="reservation", name=code)
    store = snapshot.cache.stores_by_id[promise.store_id]
    ctx.require("reservation.edit", store=store.code)
    return promise


def _due(snapshot: Snapshot, promise: Promise) -> bool:
    return promise.expires_at is not None and promise.expires_at <= snapshot.now_ms


def _let_go(snapshot: Snapshot, promise: Promise) -> None:
    for product_id in promise.held:
        balance = snapshot.balance(promise.store_id, product_id)
        balance.reserved -= promise.holds[product_id]
    promise.held = frozenset()
    promise.changed = True


def plan_commit(snapshot: Snapshot, command: CommitReservation, ctx: Context) -> Draft:
    """Issue what was promised. An expired hold is made anew if what is available allows.

    So is one of which another process, whose clock is ahead or who was quicker, has let go a part.
    """
    promise = _found(snapshot, command.code, ctx)
    if promise.state not in {"active", "expired"}:
        raise refuse(
            "reservation_ended",
            id=promise.code,
            state=promise.state,
            extra={"document": promise.document_number},
        )
    store = snapshot.cache.stores_by_id[promise.store_id]
    expired = promise.kind == "hold" and (
        promise.state == "expired" or _due(snapshot, promise) or not promise.whole
    )
    posting = _posting(snapshot, promise, store)
    _let_go(snapshot, promise)
    if expired:
        for product_id, steps in _demand(posting).items():
            if steps > max(snapshot.balance(store.id, product_id).available, 0):
                raise refuse("reservation_expired", id=promise.code)
    guarded = expired or promise.kind == "preorder"
    draft = plan_issue(snapshot, posting, ctx, guarded=guarded)
    promise.state = "committed"
    promise.document = draft
    return draft


def _demand(posting: Posting) -> dict[int, int]:
    demand: dict[int, int] = {}
    for line in posting.lines:
        for product, steps in line.parts:
            demand[product.id] = demand.get(product.id, 0) + steps
    return demand


def _posting(snapshot: Snapshot, promise: Promise, store: Store) -> Posting:
    cache = snapshot.cache
    channel = cache.channels_by_id.get(promise.channel_id or 0) or cache.channels.get("counter")
    lines = []
    for number, (product, quantity, recipe) in enumerate(promise.lines, start=1):
        price = product.price_in(store.id) or 0
        line = Line(
            number=number,
            product=product,
            quantity=quantity,
            parts=_parts(snapshot, product, quantity, recipe),
            recipe=recipe,
            amount=amount_of(quantity, price, product.precision),
        )
        lines.append(line)
    return Posting(
        kind="issue",
        store=store,
        lines=tuple(lines),
        strict=True,
        occurred_at=snapshot.now_ms,
        catalog_version=cache.version,
        channel=channel,
        reference=promise.reference,
    )


def _parts(
    snapshot: Snapshot, product: Product, quantity: int, recipe: tuple[tuple[int, int], ...]
) -> tuple[tuple[Product, int], ...]:
    """What was promised is what leaves: the recipe as it was when the promise was made."""
    if not recipe:
        return ((product, quantity),) if product.stocked else ()
    return parts_of(product, quantity, recipe, snapshot.cache)


def plan_release(snapshot: Snapshot, command: ReleaseReservation, ctx: Context) -> Promise:
    """Give a promise back."""
    promise = _found(snapshot, command.code, ctx)
    if promise.state != "active" or _due(snapshot, promise):
        state = "expired" if promise.state == "active" else promise.state
        raise refuse(
            "reservation_ended",
            id=promise.code,
            state=state,
            extra={"document": promise.document_number},
        )
    _let_go(snapshot, promise)
    promise.state = "released"
    return promise


def plan_extension(snapshot: Snapshot, command: ExtendReservation, ctx: Context) -> Promise:
    """Set a new end: of a hold a time, of a preorder, which never ends by itself, a day.

    A hold that is past its end, by whatever process found it so, is not extended but committed or
    made again.
    """
    promise = _found(snapshot, command.code, ctx)
    if promise.state in {"committed", "released"}:
        raise refuse(
            "reservation_ended",
            id=promise.code,
            state=promise.state,
            extra={"document": promise.document_number},
        )
    if promise.state == "expired" or _due(snapshot, promise) or not promise.whole:
        raise refuse("reservation_expired", id=promise.code)
    asked = command.request
    _check_end(promise.kind, asked)
    if asked.expires_in is not None:
        promise.expires_at = snapshot.now_ms + asked.expires_in * 1000
    if asked.due_on is not None:
        promise.due_on = day_number(asked.due_on)
    promise.changed = True
    return promise


def _check_end(kind: str, asked: ReservationExtend) -> None:
    """Refuse the end of the other kind, and none at all."""
    own, other = ("due_on", "expires_in") if kind == "preorder" else ("expires_in", "due_on")
    wrong = []
    if getattr(asked, own) is None:
        wrong.append(FieldError(f"/{own}", "missing"))
    if getattr(asked, other) is not None:
        wrong.append(FieldError(f"/{other}", "not_for_kind", {"kind": kind}))
    if wrong:
        raise invalid(*wrong)


def sweep(snapshot: Snapshot, codes: Iterable[str]) -> int:
    """Mark those of the named promises that are past their end; returns how many."""
    count = 0
    for code in codes:
        promise = snapshot.promises.get(code)
        if promise is not None and promise.state == "active" and _due(snapshot, promise):
            promise.state, promise.changed, promise.held = "expired", True, frozenset()
            count += 1
    return count
