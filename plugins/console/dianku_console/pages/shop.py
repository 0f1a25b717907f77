"""How the shop is: its stores, its channels, and what can be set."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from dianku.api import Call, Page, Refused, Title, refuse
from dianku_console.pages.access import further


def _stores(call: Call) -> dict[str, Any]:
    return {"stores": call.ask("/stores", limit=1000)["items"]}


def _new_store(call: Call) -> dict[str, Any]:
    shop = call.ask("/me")["shop"]
    return {"store": None, "zone": shop["timezone"]}


def _store(call: Call) -> dict[str, Any]:
    return {"store": _one(_stores(call)["stores"], "code", call.path["code"], what="store")}


def _channels(call: Call) -> dict[str, Any]:
    return {"channels": call.ask("/channels")["items"]}


def _channel(call: Call) -> dict[str, Any]:
    found = _one(_channels(call)["channels"], "name", call.path["name"], what="channel")
    return {"channel": found, "limited": call.ctx.actor.stores is not None}


def _settings(call: Call) -> dict[str, Any]:
    return {"sections": call.ask("/settings")["items"], "further": further(call)}


def _section(call: Call) -> dict[str, Any]:
    name = call.path["section"]
    section = _one(call.ask("/settings")["items"], "name", name, what="settings")
    editing = call.ctx.may("settings.edit") and call.ctx.actor.stores is None
    return {
        "section": section,
        "values": call.ask(f"/settings/{quote(name, safe='')}"),
        "editing": editing,
    }


def _one(rows: list[Any], field: str, value: str, *, what: str) -> Any:
    found = next((row for row in rows if row[field] == value), None)
    if found is None:
        raise _missing(what, value)
    return found


def _missing(what: str, name: str) -> Refused:
    return refuse("not_found", what=what, name=name[:100])


PAGES = (
    Page(
        "/console/stores",
        Title("门店", "Stores"),
        "store.edit",
        "admin/stores.html",
        _stores,
        place="manage",
        icon="store",
    ),
    Page(
        "/console/stores/new",
        Title("添加门店", "Add a store"),
        "store.edit",
        "admin/store.html",
        _new_store,
    ),
    Page(
        "/console/stores/{code}", Title("门店", "Store"), "store.edit", "admin/store.html", _store
    ),
    Page(
        "/console/channels",
        Title("渠道", "Channels"),
        "channel.edit",
        "admin/channels.html",
        _channels,
    ),
    Page(
        "/console/channels/{name}",
        Title("渠道", "Channel"),
        "channel.edit",
        "admin/channel.html",
        _channel,
    ),
    Page(
        "/console/settings",
        Title("设置", "Settings"),
        "settings.view",
        "admin/settings.html",
        _settings,
        place="manage",
        icon="settings",
    ),
    Page(
        "/console/settings/{section}",
        Title("设置", "Settings"),
        "settings.view",
        "admin/section.html",
        _section,
    ),
)
