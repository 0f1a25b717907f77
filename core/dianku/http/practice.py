"""Practice mode: a throw-away shop beside the real one, for the browser that asked for it.

Invariant: a request that bears the practice cookie never reaches the real shop. It is answered by
the throw-away shop of that cookie, or, where that is gone, by nobody. The two differ in session and
so in CSRF token: a page of the one that was left open can change nothing in the other.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import threading
from collections.abc import Callable, MutableMapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from attrs import define, evolve, frozen

from dianku.access.records import NewUser, SignIn
from dianku.access.secrets import hashed, new_secret
from dianku.access.sessions import Sessions
from dianku.context import Actor, Context
from dianku.demo.fill import fill_shop
from dianku.errors import Problem, refuse
from dianku.host import Host
from dianku.http.bodies import Receive, Scope, Send
from dianku.http.identity import COOKIE as SESSION_COOKIE
from dianku.http.identity import cookie_value
from dianku.http.problem_answers import encode_problem, problem_headers
from dianku.http.site import LANGUAGE_COOKIE, language_of
from dianku.storage.working_folder import working_folder

if TYPE_CHECKING:
    from dianku.http.app import Application

log = logging.getLogger("dianku.http")
COOKIE = "dianku_practice"
PATH = "/sessions/practice"
AT_ONCE_MAX = 4
"""Throw-away shops at a time in one process; each is a database and some threads."""
IDLE_MS = 2 * 3_600_000
TRADE_DAYS = 3
"""Days of trading a throw-away shop has behind it: enough for a monitor that shows something."""
CLOSE_AFTER_S = 2.0
"""Answers that are on their way when somebody leaves have this long to arrive."""
CLOSE_WAIT_S = 10.0
ROLES = frozenset({"owner", "manager", "clerk", "counter", "readonly"})
_MARK = f"{COOKIE}=".encode()
_DEVICE_COOKIES = (LANGUAGE_COOKIE, "dianku_face")
_STORE = ("dianku_practice_store", "dianku_store")
"""A store chosen in practice is none of the real shop's, so it has a cookie of its own."""
_NAMED = {"zh-CN": "练习", "en": "practice"}


@define
class _Shop:
    """A throw-away shop: how it is reached, whose it is, and when it was last used."""

    app: Application
    loop: asyncio.AbstractEventLoop
    folder: Path
    secret: str
    owner: str
    used_ms: int


@frozen
class Own:
    """The throw-away shop that a call came to, as its own routes see it."""

    leave: Callable[[], None]


class Practices:
    """The throw-away shops of one process."""

    def __init__(self, host: Host, *, build: Callable[[Host, Own], Application]) -> None:
        self._host = host
        self._build = build
        self._shops: dict[str, _Shop] = {}
        self._leaving: dict[str, threading.Timer] = {}
        self._lock = threading.Lock()
        self._beside: ExitStack | None = None
        self._folder = host.config.data_dir

    def begin(
        self, actor: Actor, *, session: str, language: str, loop: asyncio.AbstractEventLoop
    ) -> str:
        """Make a throw-away shop for who is signed in with `session`; the cookie's key.

        They are in it what they are in the real one, in every store, under a name that says so.
        It answers on `loop`; making it takes a second or two.

        Raises:
            Refused: `practice_not_here` for who is signed in with no session of their own, and
                where several processes answer, of which one would know the shop; `busy` where as
                many are practising as there may be.
        """
        if not session or actor.role not in ROLES or not self._host.config.alone:
            raise refuse("practice_not_here")
        now = self._host.clock.now_ms()
        with self._lock:
            mine = hashed(session)
            gone = [
                key
                for key, shop in self._shops.items()
                if shop.owner == mine or now - shop.used_ms > IDLE_MS
            ]
            for key in gone:
                self._drop(key)
            if len(self._shops) >= AT_ONCE_MAX:
                raise refuse("busy")
            key = new_secret()
            app, folder, secret = self._made(key, actor, language=language)
            self._shops[key] = _Shop(app, loop, folder, secret, mine, now)
        return key

    def _made(self, key: str, actor: Actor, *, language: str) -> tuple[Application, Path, str]:
        if self._beside is None:
            self._beside = ExitStack()
            self._folder = self._beside.enter_context(
                working_folder(self._host.config.data_dir, "practice")
            )
        folder = self._folder / hashed(key)[:16]
        config = evolve(
            self._host.config,
            data_dir=folder,
            database_url="",
            background=False,
            https=None,
            practice=True,
        )
        host = Host.build(config)
        try:
            host.start(background=False, afresh=True)
            fill_shop(host.database, now_ms=host.clock.now_ms(), days=TRADE_DAYS)
            secret = _signed_in(host, actor, language=language)
            app = self._build(host, Own(lambda: self.end(key)))
        except BaseException:
            host.close()
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return app, folder, secret

    def find(self, key: str) -> _Shop | None:
        """The throw-away shop of a cookie; None where it was left, or forgotten for hours."""
        shop = self._shops.get(key)
        if shop is not None:
            shop.used_ms = self._host.clock.now_ms()
        return shop

    def end(self, key: str) -> None:
        """Throw a shop away; nothing of it is left."""
        with self._lock:
            self._drop(key)

    def _drop(self, key: str) -> None:
        shop = self._shops.pop(key, None)
        if shop is None:
            return

        def late() -> None:
            if self._leaving.pop(key, None) is not None:
                _thrown_away(shop)

        self._leaving[key] = threading.Timer(CLOSE_AFTER_S, late)
        self._leaving[key].start()

    def end_streams(self) -> None:
        """End the answers that would not end by themselves; called on the loop."""
        for shop in list(self._shops.values()):
            shop.app.api.end_streams()

    def close(self) -> None:
        """Throw all of them away: the server stops."""
        with self._lock:
            for key in list(self._shops):
                self._drop(key)
            for timer in list(self._leaving.values()):
                timer.cancel()
                # What was called off is done at once; what has begun is waited for.
                timer.function()
                timer.join()
            if self._beside is not None:
                self._beside.close()
                self._beside = None


def _signed_in(host: Host, actor: Actor, *, language: str) -> str:
    """The secret of a session in a throw-away shop, of a person made for it."""
    ctx = Context(host.access.actor("practice"))
    host.settings.patch_section("shop", {"language": language}, ctx=ctx)
    name, password = f"{actor.name} · {_NAMED[language]}", new_secret()
    host.access.create_user(NewUser(name=name, role=actor.role, password=password), ctx=ctx)
    sessions = Sessions(host.database, access=host.access, clock=host.clock)
    return sessions.sign_in(SignIn(name=name, password=password)).secret


def _thrown_away(shop: _Shop) -> None:
    async def ended() -> None:
        shop.app.api.close()

    try:
        if shop.loop.is_running():
            asyncio.run_coroutine_threadsafe(ended(), shop.loop).result(CLOSE_WAIT_S)
        else:
            shop.app.api.close()
        shop.app.api.host.close()
    finally:
        shutil.rmtree(shop.folder, ignore_errors=True)


def practice_key(scope: Scope) -> str | None:
    """The key of a request that bears the practice cookie; None for one that bears none."""
    for name, value in scope["headers"]:
        if name == b"cookie" and _MARK in value:
            return cookie_value(value, COOKIE)
    return None


async def answer_in_practice(
    shop: _Shop | None, scope: Scope, receive: Receive, send: Send, *, host: Host
) -> None:
    """Answer a request that bears the practice cookie, whatever became of its shop."""
    if shop is None:
        await _ended(scope, send, host=host)
        return
    headers = [(n, v) for n, v in scope["headers"] if n != b"cookie"]
    headers.append((b"cookie", _inside(scope, shop).encode("latin-1")))

    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            # A cookie of the throw-away shop would take the place of a real one.
            given = message["headers"]
            kept = [h for h in given if h[0].lower() != b"set-cookie" or h[1].startswith(_MARK)]
            message = {**message, "headers": kept}
        await send(message)

    await shop.app({**scope, "headers": headers}, receive, sent)


def _inside(scope: Scope, shop: _Shop) -> str:
    """What a browser's cookies are there: its session, and what was chosen on the device."""
    found = next(v for n, v in scope["headers"] if n == b"cookie" and _MARK in v)
    kept = {name: cookie_value(found, name) for name in _DEVICE_COOKIES}
    kept[_STORE[1]] = cookie_value(found, _STORE[0])
    pairs = [f"{name}={quote(value)}" for name, value in kept.items() if value]
    return "; ".join([f"{SESSION_COOKIE}={shop.secret}", *pairs])


def ended_cookie() -> str:
    """The Set-Cookie value that takes a browser back to the real shop."""
    return f"{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"


async def _ended(scope: Scope, send: Send, *, host: Host) -> None:
    """Say that the throw-away shop is gone; a page that is opened leads back to the real one."""
    headers = dict(scope["headers"])
    if scope["path"].startswith("/api/") or scope["method"] != "GET":
        language = language_of(headers.get(b"cookie"), headers.get(b"accept-language"))
        problem = Problem("practice_ended")
        body = encode_problem(problem, messages=host.messages, language=language)
        status, answered = problem.status, problem_headers(problem)
    else:
        body, status = b"", 303
        answered = [
            (b"location", b"/"),
            (b"set-cookie", ended_cookie().encode()),
            (b"cache-control", b"no-store"),
        ]
    answered.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": answered})
    await send({"type": "http.response.body", "body": body})
