"""Getting in: the door, and what a shop without an owner shows first."""

from __future__ import annotations

from typing import Any

from dianku.api import PUBLIC, Call, Page, Title


def _sign_in(call: Call) -> dict[str, Any]:
    wanted = str(call.query.get("next", ""))
    # Only a path of this site: a link to elsewhere must not pass through the shop's door.
    inside = wanted.startswith("/console/") and "\\" not in wanted and "//" not in wanted
    return {"next": wanted if inside else "/console/"}


PAGES = (Page("/console/sign-in", Title("登录", "Sign in"), PUBLIC, "sign_in.html", _sign_in),)
