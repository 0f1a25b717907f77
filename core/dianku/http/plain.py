"""The plain door beside HTTPS: what a phone needs before it trusts the shop, and nothing else.

Invariant: through it nothing is asked or answered that needs to be known by anybody: whatever says
who asks is taken off a request, and only paths that were named for it pass.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import quote

from dianku.http.bodies import Receive, Scope, Send
from dianku.http.identity import SAFE
from dianku.http.site import LANGUAGE_COOKIE

if TYPE_CHECKING:
    from dianku.http.app import Application

API_PATHS = frozenset({"/api/v1/trust", "/api/v1/trust/authority.crt"})
KEPT_HEADERS = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"host",
        b"if-none-match",
        b"user-agent",
    }
)


class PlainDoor:
    """An application over the shop's that lets those through who cannot speak HTTPS yet."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a server's life is the shop's own."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        entry = self._app.sites.plain_entry
        if scope["method"] in SAFE and self._is_open(path):
            await self._app({**scope, "headers": _unknown(scope["headers"])}, receive, send)
        elif scope["method"] in SAFE and path == "/" and entry:
            await _answer(send, 303, b"", location=entry)
        else:
            # Not sent on: who speaks HTTPS already would, and who does not would see a warning.
            said = "Over HTTPS only; see /api/v1/trust.\n只能通过 HTTPS 访问，见 /api/v1/trust。\n"
            await _answer(send, 403, said.encode())

    def _is_open(self, path: str) -> bool:
        return path in API_PATHS or any(
            path == one or path.startswith(f"{one}/") for one in self._app.sites.plain_paths
        )


def _unknown(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of a request without whatever says who asks; the language stays."""
    kept = [(name, value) for name, value in headers if name in KEPT_HEADERS]
    for name, value in headers:
        if name != b"cookie":
            continue
        try:
            chosen = SimpleCookie(value.decode("latin-1")).get(LANGUAGE_COOKIE)
        except CookieError:
            chosen = None
        if chosen is not None:
            kept.append((name, f"{LANGUAGE_COOKIE}={quote(chosen.value)}".encode()))
            break
    return kept


async def _answer(send: Send, status: int, body: bytes, *, location: str = "") -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]
    headers += [(b"location", location.encode())] if location else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
