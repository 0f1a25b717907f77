"""Getting in and out: the door, a shop's first minutes, and everything a person may open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dianku.api import PUBLIC, SIGNED_IN, Call, Page, Title

FURTHER: Mapping[str, str] = {
    "/console/channels": "plug",
    "/console/tokens": "key-round",
    "/console/phones": "qr-code",
    "/console/devices": "smartphone",
    "/console/plugins": "puzzle",
    "/console/jobs": "clock",
    "/console/backups": "hard-drive-download",
    "/console/audit": "history",
    "/console/about": "info",
}
"""Pages of administration that are opened too seldom to be in the menu, with their icons."""
WHOLE_SHOP = frozenset({"/console/backups", "/console/audit"})
"""Those of them that tell of the whole shop: nobody limited to stores sees them."""


def further(call: Call) -> Sequence[tuple[str, str, str]]:
    """The address, icon and title of each of `FURTHER` that the caller may open."""
    limited = call.ctx.actor.stores is not None
    titles = {one["path"]: one["title"] for one in call.ask("/pages")["items"]}
    return [
        (path, icon, titles[path])
        for path, icon in FURTHER.items()
        if path in titles and not (limited and path in WHOLE_SHOP)
    ]


def _sign_in(call: Call) -> dict[str, Any]:
    wanted = str(call.query.get("next", ""))
    # Only a path of this site: a link to elsewhere must not pass through the shop's door.
    odd = any(sign in wanted for sign in ("\\", "//", "\t", "\n", "\r"))
    inside = wanted.startswith("/console/") and not odd
    return {"next": wanted if inside else "/console/", "device": call.ask("/device")}


def _set_up(call: Call) -> dict[str, Any]:
    return {"state": call.ask("/setup")}


def _more(call: Call) -> dict[str, Any]:
    return {"further": further(call)}


PAGES = (
    Page("/console/sign-in", Title("登录", "Sign in"), PUBLIC, "sign_in.html", _sign_in),
    Page("/console/set-up", Title("开店", "Set up"), PUBLIC, "door/set_up.html", _set_up),
    Page("/console/first", Title("第一步", "First steps"), SIGNED_IN, "door/first.html"),
    Page("/console/more", Title("更多", "More"), SIGNED_IN, "door/more.html", _more),
)
