"""Quick keys: the goods a shop keeps one tap away at its counter."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from dianku.catalog import quick_keys
from dianku.catalog.quick_keys import QuickKeys, QuickKeysRecord
from dianku.errors import refuse
from dianku.http.route import Call, Route
from dianku.storage.engine import LOCK_CATALOG
from dianku.wire import Code, Request

EDIT = "store.edit"


class KeysOf(Request, frozen=True):
    """Whose keys: a store's, or left out the whole shop's."""

    store: Code | None = None


def show(call: Call) -> QuickKeysRecord:
    """Show the keys that a store shows."""
    _check_store(call, call.query.store, "catalog.view")
    with call.host.database.reading() as connection:
        return quick_keys.shown(connection, call.query.store)


def put(call: Call) -> QuickKeysRecord:
    """Set all keys of a store, or of the whole shop, and leave a line in the trail of it."""
    new: QuickKeys = call.body
    if new.store is None:
        call.ctx.require_all_stores()
    _check_store(call, new.store, EDIT)
    host = call.host
    with host.database.writing() as connection, host.database.joined(connection):
        host.database.lock(connection, LOCK_CATALOG)  # no product goes, no list changes meanwhile
        before = _told(connection, new.store)
        quick_keys.put(connection, new)
        after = _told(connection, new.store)
        if after != before:
            line = {"subject": new.store or "*", "before": before, "after": after}
            host.access.note(connection, call.ctx, "quick_keys.change", line)
        return quick_keys.shown(connection, new.store)


def _told(connection: Connection, code: str | None) -> dict[str, list[str]]:
    """What the trail says of a list: its goods in their order, each with its colour."""
    return {"keys": [f"{key.sku} {key.colour}" for key in quick_keys.own(connection, code)]}


def _check_store(call: Call, code: str | None, permission: str) -> None:
    if code is not None and not call.ctx.sees_store(code):
        raise refuse("forbidden", permission=permission, store=code)


ROUTES = (
    Route(
        "GET",
        "/quick-keys",
        show,
        "catalog.view",
        "Show the keys at the counter of a store, or of the whole shop",
        query=KeysOf,
        answer=QuickKeysRecord,
    ),
    Route(
        "PUT",
        "/quick-keys",
        put,
        EDIT,
        "Set all keys at the counter of a store, or of the whole shop",
        request=QuickKeys,
        answer=QuickKeysRecord,
    ),
)
