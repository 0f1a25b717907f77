"""Who gets in: people, programs with tokens, and where somebody is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dianku.api import SIGNED_IN, Call, Page, Title

ROLES = ("owner", "manager", "clerk", "counter", "readonly")
"""What a person may be."""
TOKEN_ROLES = ("channel", "clerk", "manager", "counter", "readonly", "owner")
"""What a program may be, the usual ones first."""
_BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def device_name(said: str | None) -> str:
    """A browser as people call it, from what it calls itself; empty where it says nothing known."""
    if not said:
        return ""
    found = [
        next((name for sign, name in known if sign in said), "") for known in (_BROWSERS, _SYSTEMS)
    ]
    return " · ".join(one for one in found if one)


def _people(call: Call) -> dict[str, Any]:
    return {"people": _all(call, "/users")}


def _new_person(call: Call) -> dict[str, Any]:
    return {"person": None, "roles": ROLES, "limited": _limited(call)}


def _person(call: Call) -> dict[str, Any]:
    return {
        "person": call.ask(f"/users/{call.path['id']}"),
        "roles": ROLES,
        "limited": _limited(call),
    }


def _tokens(call: Call) -> dict[str, Any]:
    tokens = _all(call, "/tokens")
    tokens.sort(key=lambda one: (one["revoked_at"] is not None, one["created_at"]))
    return {"tokens": tokens}


def _new_token(call: Call) -> dict[str, Any]:
    return {"roles": TOKEN_ROLES, "limited": _limited(call)}


def _sign_ins(call: Call) -> dict[str, Any]:
    sessions = call.ask("/sessions")["items"]
    own = [one for one in sessions if one["user"] == call.ctx.actor.name]
    others = [one for one in sessions if one["user"] != call.ctx.actor.name]
    return {"groups": [("own", own), ("others", others)], "device_name": device_name}


def _devices(call: Call) -> dict[str, Any]:
    return {"devices": call.ask("/devices")["items"], "this": call.ask("/device")}


def _limited(call: Call) -> bool:
    """Whether the caller is of some stores only, and so whoever they add."""
    return call.ctx.actor.stores is not None


def _all(call: Call, path: str) -> list[Mapping[str, Any]]:
    """Every row of a list that comes in pages."""
    items: list[Mapping[str, Any]] = []
    cursor = None
    while True:
        page = call.ask(path, limit=1000, cursor=cursor)
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


PAGES = (
    Page(
        "/console/people",
        Title("人员", "People"),
        "user.view",
        "admin/people.html",
        _people,
        place="manage",
        icon="users",
    ),
    Page(
        "/console/people/new",
        Title("添加人员", "Add a person"),
        "user.edit",
        "admin/person.html",
        _new_person,
    ),
    Page(
        "/console/people/{id}", Title("人员", "Person"), "user.view", "admin/person.html", _person
    ),
    Page("/console/tokens", Title("令牌", "Tokens"), "token.view", "admin/tokens.html", _tokens),
    Page(
        "/console/tokens/new",
        Title("新令牌", "New token"),
        "token.edit",
        "admin/token.html",
        _new_token,
    ),
    Page(
        "/console/devices",
        Title("共用设备", "Shared devices"),
        "device.edit",
        "admin/devices.html",
        _devices,
    ),
    Page(
        "/console/sign-ins",
        Title("登录的设备", "Signed in"),
        SIGNED_IN,
        "admin/sign_ins.html",
        _sign_ins,
    ),
)
