"""Reservations: promise stock, keep the promise, give it back.

A promise may be kept in parts: what was issued of a line is noted beside what was asked, and the
rest goes on being promised as it was. A hold is strict whatever its channel: it takes from what is
available, and committing it needs nothing more. Holds past their end were released when the batch
was loaded, so a promise that is due never counts; committing one makes it anew if what is
available allows. A preorder is demand and holds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from dianku.catalog.records import Product, Store
from dianku.clock import day_number
from dianku.context import Context
from dianku.errors import FieldError, NumberRefused, invalid, refuse
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
from dianku.ledger.requests import ReservationCommit, ReservationExtend
from dianku.quantity import amount_of, parse_quantity


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
        issued=(0,) * len(asked.lines),
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
    """Issue what was promised, or a part. An expired hold is made anew if there is as much.

    So is one of which another process, whose clock is ahead or who was quicker, has let go a part.
    The rest of what has expired stays so: it can be issued later, if it is still there then.
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
    wanted = _wanted(promise, command.request)
    posting = _posting(snapshot, promise, store, wanted)
    issued = tuple(before + now for before, now in zip(promise.issued, wanted, strict=True))
    rest = [quantity - done for (_, quantity, _), done in zip(promise.lines, issued, strict=True)]
    held = dict(promise.holds) if promise.held and not expired else {}
    _let_go(snapshot, promise)
    promise.issued = issued
    demand = _demand(posting.lines)
    if expired:
        for product_id, steps in demand.items():
            if steps > max(snapshot.balance(store.id, product_id).available, 0):
                raise refuse("reservation_expired", id=promise.code)
    if held and any(rest):
        _hold_rest(snapshot, promise, rest)
    # Of a kit, parts may come to more than the whole when each is rounded: that much is not held.
    freed = {i: steps - promise.holds[i] if promise.held else steps for i, steps in held.items()}
    guarded = any(steps > freed.get(i, 0) for i, steps in demand.items())
    draft = plan_issue(snapshot, posting, ctx, guarded=guarded)
    if not any(rest):
        promise.state = "committed"
        promise.document = draft
    elif expired:
        promise.state = "expired"
    return draft


def _wanted(promise: Promise, request: ReservationCommit) -> list[int]:
    """Steps of each line to issue now. A line named twice counts once, with the sum.

    Raises `Refused` (`invalid`): no such line, a wrong number, more than is still promised.
    """
    left = [
        quantity - done
        for (_, quantity, _), done in zip(promise.lines, promise.issued, strict=True)
    ]
    if request.lines is None:
        return left
    wanted = [0] * len(left)
    errors = []
    for at, asked in enumerate(request.lines):
        index = asked.line - 1
        if index >= len(left):
            errors.append(FieldError(f"/lines/{at}/line", "no_such_line", {"line": asked.line}))
            continue
        try:
            steps = _steps(promise.lines[index][0], asked.quantity, left=left[index])
        except NumberRefused as refused:
            errors.append(FieldError(f"/lines/{at}/quantity", refused.code, refused.params))
            continue
        wanted[index] += steps
        if wanted[index] > left[index] or not steps:
            errors.append(FieldError(f"/lines/{at}/quantity", "more_than_promised"))
    if errors:
        raise invalid(*errors)
    return wanted


def _steps(product: Product, quantity: Decimal | None, *, left: int) -> int:
    if quantity is None:
        return left
    steps = parse_quantity(quantity, product.precision)
    if steps <= 0:
        raise NumberRefused("not_positive")
    return steps


def _hold_rest(snapshot: Snapshot, promise: Promise, rest: Sequence[int]) -> None:
    """Go on holding what is left of a promise, and no more; `_let_go` has let go of all of it."""
    lines = _lines(snapshot, promise, rest)
    demand = _demand(lines)
    promise.holds = {product_id: demand.get(product_id, 0) for product_id in promise.holds}
    promise.held = frozenset(promise.holds)
    for product_id, steps in promise.holds.items():
        snapshot.balance(promise.store_id, product_id).reserved += steps


def _demand(lines: Iterable[Line]) -> dict[int, int]:
    demand: dict[int, int] = {}
    for line in lines:
        for product, steps in line.parts:
            demand[product.id] = demand.get(product.id, 0) + steps
    return demand


def _posting(snapshot: Snapshot, promise: Promise, store: Store, wanted: Sequence[int]) -> Posting:
    cache = snapshot.cache
    channel = cache.channels_by_id.get(promise.channel_id or 0) or cache.channels.get("counter")
    return Posting(
        kind="issue",
        store=store,
        lines=_lines(snapshot, promise, wanted),
        strict=True,
        occurred_at=snapshot.now_ms,
        catalog_version=cache.version,
        channel=channel,
        reference=promise.reference,
    )


def _lines(snapshot: Snapshot, promise: Promise, wanted: Sequence[int]) -> tuple[Line, ...]:
    """So much of each line, numbered anew, those of which nothing is wanted left out."""
    lines: list[Line] = []
    for (product, _, recipe), steps in zip(promise.lines, wanted, strict=True):
        if not steps:
            continue
        price = product.price_in(promise.store_id) or 0
        line = Line(
            number=len(lines) + 1,
            product=product,
            quantity=steps,
            parts=_parts(snapshot, product, steps, recipe),
            recipe=recipe,
            amount=amount_of(steps, price, product.precision),
        )
        lines.append(line)
    return tuple(lines)


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
