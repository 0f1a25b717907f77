"""What else is wrong with a form (goods, people) whose types are wrong: both in one answer.

A product is planned from what of it is right, as a new one that is never written. A fault that
hangs on a field which was left out is not told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from dianku.access.permissions import ROLES
from dianku.catalog.requests import ProductPatch
from dianku.catalog.upsert import ProductChange, plan_products
from dianku.clock import to_ms
from dianku.context import Context
from dianku.errors import FieldError
from dianku.http.fields import ABSENT, WrongBody
from dianku.wire import When

if TYPE_CHECKING:
    from dianku.host import Host

_NOBODY = "\x00"
"""A sku no product can have."""
_LISTS = ("barcodes", "components")
_HANGS_ON: Mapping[str, frozenset[str]] = {
    "composition": frozenset({"components", "track_lots", "price", "cost"}),
    "components": frozenset({"composition", "precision"}),
    "precision": frozenset({"low_stock", "max_stock", "components"}),
    "track_lots": frozenset({"composition", "shelf_life_days"}),
    "shelf_life_days": frozenset({"track_lots"}),
}
"""By a field that was wrong: fields whose faults may come of its being left out."""
_OF_A_CHANGE = frozenset({"category", "price", "cost"})
"""Fields of a change that are right or wrong whatever the product is."""


def product_faults(host: Host, ctx: Context, wrong: WrongBody) -> Sequence[FieldError]:
    """What else is wrong with a new product."""
    _ = ctx
    return list(_of_product(host, wrong))


def product_change_faults(host: Host, ctx: Context, wrong: WrongBody) -> Sequence[FieldError]:
    """What else is wrong with a change of a product, whichever it is."""
    _ = ctx
    return [f for f in _of_product(host, wrong) if f.pointer.split("/")[1] in _OF_A_CHANGE]


def people_faults(host: Host, ctx: Context, wrong: WrongBody) -> Sequence[FieldError]:
    """What else is wrong with a user or a token: role, stores, and a time that has passed."""
    sound = wrong.sound
    if not isinstance(sound, Mapping):
        return []
    stores = sound.get("stores")
    named = [code for code in stores or () if code is not ABSENT]
    until = _moment(sound.get("expires_at"))
    faults = host.access.faults(
        ctx=ctx,
        role=sound.get("role", next(iter(ROLES))),
        stores=None if stores is None else named,
        expires_at=until,
    )
    places = [i for i, code in enumerate(stores or ()) if code is not ABSENT]
    return [
        FieldError(f"/stores/{places[int(f.pointer.split('/')[2])]}", f.code, f.params)
        if f.pointer.startswith("/stores/")
        else f
        for f in faults
        if f.pointer != "/stores" or not any(_top(e) == "stores" for e in wrong.problem.errors)
    ]


def _moment(text: Any) -> int | None:
    try:
        return None if text is None else to_ms(msgspec.convert(text, When))
    except msgspec.ValidationError:
        return None


def _of_product(host: Host, wrong: WrongBody) -> Iterator[FieldError]:
    patch = _patch(wrong.sound)
    if patch is None:
        return
    with host.database.reading() as connection:
        plan = plan_products(connection, [ProductChange(_NOBODY, patch)])
    tops = {_top(error) for error in wrong.problem.errors}
    hanging = tops.union(*(_HANGS_ON.get(top, ()) for top in tops))
    for fault in plan.errors.get(0, ()):
        if _top(fault) not in hanging:
            yield fault


def _patch(sound: Any) -> ProductPatch | None:
    if not isinstance(sound, Mapping):
        return None
    values = {name: value for name, value in sound.items() if name != "sku"}
    for without in ((), _LISTS):
        kept = {name: value for name, value in values.items() if name not in without}
        try:
            return msgspec.convert(kept, ProductPatch)
        except msgspec.ValidationError:
            continue
    return None


def _top(error: FieldError) -> str:
    return error.pointer.split("/")[1] if "/" in error.pointer else ""
