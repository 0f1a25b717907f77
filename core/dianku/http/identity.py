"""Who is asking: a token in the Authorization header, or the console's session cookie.

A browser sends cookies by itself, so what changes something under a session also needs the
session's CSRF token, which only a page of ours can know, and must come from our own site.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor
from http.cookies import CookieError, SimpleCookie

from attrs import frozen

from dianku.access.known import Known
from dianku.access.secrets import csrf_of, same
from dianku.access.service import Access
from dianku.context import Actor
from dianku.errors import refuse

COOKIE = "dianku_session"
CSRF_HEADER = b"x-csrf-token"
SAFE = frozenset({"GET", "HEAD"})
SECRET_MAX = 512

NOBODY = Actor(name="", role="", permissions=frozenset())
"""The caller of a public route who has shown nothing."""


@frozen
class Identity:
    """Finds the actor of a request; asks the database only for what was not seen before."""

    access: Access
    threads: Executor

    async def actor(self, headers: Mapping[bytes, bytes], *, method: str) -> Actor:
        """The caller, or `NOBODY` when nothing valid was shown.

        Raises:
            Refused: `forbidden` for a change asked for by a page of another site, or under a
                session without its CSRF token.
        """
        authorization = headers.get(b"authorization")
        if authorization is not None:
            scheme, _, secret = authorization.decode("latin-1").partition(" ")
            if scheme.lower() != "bearer":
                return NOBODY
            return await self._known(secret.strip(), session=False)
        if method not in SAFE:
            _check_site(headers)
        secret = session_secret(headers.get(b"cookie"))
        if not secret:
            return NOBODY
        actor = await self._known(secret, session=True)
        if actor is not NOBODY and method not in SAFE:
            _check_forgery(headers, secret)
        return actor

    async def _known(self, secret: str, *, session: bool) -> Actor:
        if not secret or len(secret) > SECRET_MAX:
            return NOBODY
        known: Known | None = self.access.known.remembered(secret, session=session)
        if known is not None:
            return known.actor or NOBODY
        found = await asyncio.get_running_loop().run_in_executor(
            self.threads, lambda: self.access.known.look_up(secret, session=session)
        )
        return found or NOBODY


def session_secret(cookie: bytes | None) -> str:
    """The session's secret from a Cookie header, empty if there is none."""
    return cookie_value(cookie, COOKIE)


def cookie_value(cookie: bytes | None, name: str) -> str:
    """One value of a Cookie header, empty if it has none of that name."""
    if cookie is None:
        return ""
    try:
        found = SimpleCookie(cookie.decode("latin-1")).get(name)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def session_cookie(secret: str, *, max_age_seconds: int, secure: bool) -> str:
    """The Set-Cookie value that begins (or, with no secret, ends) a session."""
    parts = [f"{COOKIE}={secret}", "Path=/", "HttpOnly", "SameSite=Lax"]
    parts.append(f"Max-Age={max_age_seconds}")
    if secure:
        parts.append("Secure")
    return "; ".join(parts)


def _check_site(headers: Mapping[bytes, bytes]) -> None:
    # Signing in is a change as well: nobody is to be signed in by a page from elsewhere.
    if headers.get(b"sec-fetch-site", b"same-origin") not in {b"same-origin", b"none"}:
        raise refuse("forbidden", permission="csrf")


def _check_forgery(headers: Mapping[bytes, bytes], secret: str) -> None:
    shown = headers.get(CSRF_HEADER, b"").decode("latin-1")
    if not same(shown, csrf_of(secret)):
        raise refuse("forbidden", permission="csrf")
