"""HTTPS on the shop's network: the page that walks a phone through trusting it, and its QR code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from dianku.api import PUBLIC, Call, Page, Title
from dianku_console.qr import qr_of

DEVICES = ("iphone", "android", "computer")
STEPS: Mapping[str, Sequence[str]] = {
    "iphone": ("get", "install", "switch", "check"),
    "android": ("get", "install", "choose", "check"),
    "computer": ("get", "systems", "check"),
}
_HOST = re.compile(r"([A-Za-z0-9.-]+)(?::[0-9]+)?")
_LOOPBACK = ("127.", "[::1]", "localhost")


def _walk(call: Call) -> dict[str, Any]:
    state = call.ask("/trust")
    said = call.headers.get("user-agent", "")
    wanted = str(call.query.get("device", ""))
    device = wanted if wanted in DEVICES else device_of(said)
    secure = came_by(state["addresses"], call.headers.get("host", ""))
    plain = _for_phones(call, state)
    return {
        "state": state,
        "devices": DEVICES,
        "device": device,
        "steps": STEPS[device],
        "in_wechat": "MicroMessenger" in said,
        "secure": secure,
        "already": call.secure,
        "qr": qr_of(plain) if plain and device == "computer" else None,
        "plain": plain,
        "reaches": [secure] if secure else [],
    }


def _phones(call: Call) -> dict[str, Any]:
    state = call.ask("/trust")
    plain = _for_phones(call, state)
    return {
        "state": state,
        "plain": plain,
        "qr": qr_of(plain) if plain else None,
        "others": [one for one in state["plain"] if one != plain and not is_loopback(one)],
        "addresses": [one for one in state["addresses"] if not is_loopback(one)]
        or state["addresses"],
        "alone": bool(plain) and is_loopback(plain),
        "fingerprint": grouped(state["authority"]["fingerprint"]) if state["authority"] else "",
    }


def _for_phones(call: Call, state: Mapping[str, Any]) -> str:
    """Where phones begin: as the reader came, unless that leads a machine to itself."""
    far = [one for one in state["plain"] if not is_loopback(one)]
    return came_by(far or state["plain"], call.headers.get("host", ""))


def device_of(user_agent: str) -> str:
    """Which of `DEVICES` a browser says it is on."""
    if any(one in user_agent for one in ("iPhone", "iPad", "iPod")):
        return "iphone"
    return "android" if "Android" in user_agent or "HarmonyOS" in user_agent else "computer"


def came_by(addresses: Sequence[str], host: str) -> str:
    """The address the reader came by, else the first; empty where there is none.

    Only one of the shop's own: what a browser says it came by is not to be believed further. None
    of version 6, which a content security policy cannot name.
    """
    match = _HOST.fullmatch(host)
    name = match[1].lower() if match is not None else ""
    same = (one for one in addresses if urlsplit(one).netloc.rpartition(":")[0] == name)
    return next(same, next(iter(addresses), ""))


def is_loopback(address: str) -> bool:
    """Whether an address leads to the machine it is used on."""
    return urlsplit(address).netloc.startswith(_LOOPBACK)


def grouped(fingerprint: str) -> str:
    """A fingerprint as phones and computers show it."""
    pairs = [fingerprint[at : at + 2] for at in range(0, len(fingerprint), 2)]
    return ":".join(pairs).upper()


PAGES = (
    Page(
        "/console/trust",
        Title("让手机信任本店", "Trust the shop"),
        PUBLIC,
        "trust/walk.html",
        _walk,
    ),
    Page(
        "/console/phones",
        Title("手机接入", "Connect phones"),
        "device.edit",
        "trust/phones.html",
        _phones,
    ),
)
