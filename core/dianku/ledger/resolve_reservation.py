"""From the words of a reservation to what it holds: products, steps, components."""

from __future__ import annotations

from dianku.catalog.snapshot import CatalogState
from dianku.clock import day_number
from dianku.context import Context
from dianku.errors import NumberRefused, Problem
from dianku.ledger.commands import Line, Reserving
from dianku.ledger.composition import parts_of, recipe_of
from dianku.ledger.requests import NewReservation
from dianku.ledger.resolve import NO_STORE
from dianku.ledger.wrong_fields import Errors
from dianku.quantity import parse_quantity


def resolve_reservation(
    new: NewReservation, *, catalog: CatalogState, ctx: Context, now_ms: int, hold_seconds: int
) -> Reserving | Problem:
    """Resolve a reservation, or say everything that is wrong with it."""
    errors = Errors()
    store = catalog.stores.get(new.store)
    if not (ctx.may("reservation.edit") and ctx.sees_store(new.store)):
        return Problem("forbidden", {"permission": "reservation.edit", "store": new.store})
    if store is None:
        errors.add("/store", "unknown_store", name=new.store)
        store = NO_STORE
    channel = catalog.channels.get(new.channel) if new.channel is not None else None
    if new.channel is not None and channel is None:
        errors.add("/channel", "unknown_channel", name=new.channel)
    if new.kind == "preorder" and new.due_on is None:
        errors.add("/due_on", "missing")
    if new.kind == "hold" and new.due_on is not None:
        errors.add("/due_on", "not_for_kind", kind=new.kind)
    if new.kind == "preorder" and new.expires_in is not None:
        errors.add("/expires_in", "not_for_kind", kind=new.kind)
    lines = [_reserved_line(new, i, catalog, errors) for i in range(len(new.lines))]
    if errors.found:
        return Problem("invalid", errors=errors.found)
    seconds = (new.expires_in or hold_seconds) if new.kind == "hold" else None
    return Reserving(
        store=store,
        lines=tuple(line for line in lines if line is not None),
        kind=new.kind,
        channel=channel,
        reference=new.reference,
        expires_at=now_ms + seconds * 1000 if seconds else None,
        due_on=day_number(new.due_on) if new.due_on else None,
        catalog_version=catalog.version,
    )


def _reserved_line(
    new: NewReservation, index: int, catalog: CatalogState, errors: Errors
) -> Line | None:
    wanted = new.lines[index]
    product = catalog.by_sku(wanted.sku)
    if product is None:
        errors.add(f"/lines/{index}/sku", "unknown_product", name=wanted.sku)
        if not wanted.quantity.is_finite():
            errors.add(f"/lines/{index}/quantity", "not_finite")
        elif wanted.quantity <= 0:
            errors.add(f"/lines/{index}/quantity", "not_positive")
        return None
    if product.archived:
        errors.add(f"/lines/{index}/sku", "archived", name=wanted.sku)
    try:
        quantity = parse_quantity(wanted.quantity, product.precision)
    except NumberRefused as refused:
        errors.add(f"/lines/{index}/quantity", refused.code, **refused.params)
        return None
    if quantity <= 0:
        errors.add(f"/lines/{index}/quantity", "not_positive")
    recipe = () if product.stocked else recipe_of(product, catalog)
    parts = (
        ((product, quantity),) if product.stocked else parts_of(product, quantity, recipe, catalog)
    )
    return Line(number=index + 1, product=product, quantity=quantity, parts=parts, recipe=recipe)
