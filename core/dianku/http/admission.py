"""May they: the permission a route names, and the stores a path or a query names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dianku.context import Actor, Context
from dianku.errors import refuse
from dianku.http.identity import NOBODY
from dianku.http.route import PUBLIC, SIGNED_IN, Route


def may(ctx: Context, permission: str) -> bool:
    """Whether a caller passes where a route or a page names a permission."""
    if permission == PUBLIC:
        return True
    return ctx.actor is not NOBODY and (permission == SIGNED_IN or ctx.may(permission))


def check_permission(route: Route, actor: Actor) -> None:
    """Raises `Refused`: `unauthorized` for nobody, `forbidden` for who does not hold it."""
    if route.permission == PUBLIC:
        return
    if actor is NOBODY:
        raise refuse("unauthorized")
    if route.permission != SIGNED_IN and route.permission not in actor.permissions:
        raise refuse("forbidden", permission=route.permission)


def check_scope(ctx: Context, params: Mapping[str, str], query: Any) -> None:
    """Refuse a store the caller may not see, wherever a path or a query names one."""
    if ctx.actor.stores is None:
        return
    named = getattr(query, "store", None)
    stores = [named] if isinstance(named, str) else list(named or ())
    if "store" in params:
        stores.append(params["store"])
    for store in stores:
        if not ctx.sees_store(store):
            raise refuse("forbidden", permission="store", store=store)
