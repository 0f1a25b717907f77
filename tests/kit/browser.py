"""A real browser on a real shop: Chromium over a served data folder, as a clerk or an owner.

One Chromium for the tests of a module, a context for each test. What a page complains of in its
console, and whatever it asks of another machine, fails the test that showed it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from attrs import define, field, frozen
from playwright.sync_api import (
    Browser,
    BrowserContext,
    BrowserType,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)
from shop_server import Server, ShopFolder

from dianku.config import DATABASE_FILE
from dianku.demo.fill import fill_shop
from dianku.storage.engine import Database
from dianku.testing.required import absent

Kind = Literal["phone", "desktop"]
SIZES: dict[Kind, dict[str, Any]] = {
    "phone": {
        "viewport": {"width": 393, "height": 786},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
    "desktop": {"viewport": {"width": 1280, "height": 800}},
}
FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required")
PASSWORD = "a long enough password"
WAIT_MS = 15_000
GUN_MS = 3


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    """A browser; one for a module, for each takes most of a second to begin."""
    # Ended with the module: its event loop must not be there when others run theirs.
    with sync_playwright() as playwright, beside(playwright.chromium, *flags) as browser:
        yield browser


@contextmanager
def beside(kind: BrowserType, *flags: str) -> Iterator[Browser]:
    """A browser started otherwise, beside the one of the module (whose `browser_type` it is)."""
    where = shutil.which("chromium")
    if where is None:
        absent("chromium", "no chromium on the path (Debian's package)")
    browser = kind.launch(executable_path=where, args=[*FLAGS, *flags])
    try:
        yield browser
    finally:
        browser.close()


@frozen
class Served:
    """A running shop: its owner's token, and people called as their roles are."""

    shop: ShopFolder
    server: Server
    token: str


@define(slots=False)  # its listeners are wrapped and kept by name
class Visit:
    """One person's browser on one shop: `page` is open; `done()` holds it to good manners.

    `complaints` is what the pages said in their console, `strangers` what they asked elsewhere.
    """

    server: Server
    context: BrowserContext
    page: Page
    complaints: list[str] = field(factory=list)
    strangers: list[str] = field(factory=list)

    def open(self, path: str) -> Page:
        """Go to a page of the shop."""
        self.page.goto(self.server.url + path, wait_until="load")
        return self.page

    def shot(self, name: str) -> None:
        """Keep a picture for whoever looks: in the folder that `DIANKU_SHOTS` names, if it does."""
        if folder := os.environ.get("DIANKU_SHOTS"):
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    def done(self) -> None:
        """No complaint and no stranger."""
        assert self.complaints == []
        assert self.strangers == []

    def heard(self, message: ConsoleMessage) -> None:
        """Note what a page said in its console."""
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def asked(self, request: Request) -> None:
        """Note a request that left the shop."""
        plain = self.server.plain_url
        inside = (self.server.url, "data:", "blob:", *([plain] if plain else []))
        if not request.url.startswith(inside):
            self.strangers.append(request.url)


@contextmanager
def visit(
    browser: Browser,
    server: Server,
    *,
    who: str | None = None,
    kind: Kind = "phone",
    language: str = "zh-CN",
    **options: Any,
) -> Iterator[Visit]:
    """A browser of somebody: `who` is signed in (the password is `PASSWORD`), None is not."""
    context = browser.new_context(
        locale=language, timezone_id="Asia/Shanghai", **SIZES[kind], **options
    )
    context.set_default_timeout(WAIT_MS)
    if who is not None:
        context.add_cookies(
            [{"name": "dianku_session", "value": session(server, who), "url": server.url}]
        )
    page = context.new_page()
    one = Visit(server, context, page)
    context.on("console", one.heard)
    context.on("weberror", lambda error: one.complaints.append(str(error.error)))
    context.on("request", one.asked)
    try:
        yield one
        one.done()
    finally:
        context.close()


def session(server: Server, who: str) -> str:
    """The secret of a new session of somebody."""
    request = urllib.request.Request(
        f"{server.url}/api/v1/sessions",
        data=json.dumps({"name": who, "password": PASSWORD}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        cookie = answer.headers["Set-Cookie"]
    return str(cookie.partition("=")[2].partition(";")[0])


def people(server: Server, token: str, **roles: str) -> None:
    """Make people who can sign in: a name and a role each."""
    for name, role in roles.items():
        body = {"name": name, "role": role, "password": PASSWORD}
        server.call("POST", "/users", token=token, body=body)


def filled_folder(folder: Path, *, days: int = 12) -> ShopFolder:
    """The demonstration shop up to now, in a data folder."""
    shop = ShopFolder(folder)
    shop.run("db", "upgrade")
    database = Database(f"sqlite:///{folder / DATABASE_FILE}")
    try:
        fill_shop(database, now_ms=time.time_ns() // 1_000_000, days=days)
    finally:
        database.close()
    return shop


def until(page: Page, told: str) -> None:
    """Wait until a script says yes, asked at each frame; a page of ours runs no text itself."""
    look = "(performance.now() > end) ? no() : requestAnimationFrame(look)"
    page.evaluate(
        f"""() => new Promise((yes, no) => {{
            const end = performance.now() + {WAIT_MS};
            const look = () => ({told}) ? yes() : {look};
            look();
        }})"""
    )


def shoot(page: Page, code: str, *, end: str = "Enter", pause_s: float = 0) -> None:
    """What a gun does: keys at its own times, however long this machine takes to send them.

    `pause_s` is told by the keys' times too: how long after the last key it was taken up.
    """
    keys = page.context.new_cdp_session(page)
    at = time.time() + pause_s
    for n, sign in enumerate(code):
        key = {"key": sign, "text": sign, "timestamp": at + n * GUN_MS / 1000}
        keys.send("Input.dispatchKeyEvent", {"type": "keyDown", **key})
        keys.send("Input.dispatchKeyEvent", {"type": "keyUp", "key": sign})
    if end:
        text = {"Enter": "\r", "Tab": ""}[end]
        key = {"key": end, "code": end, "windowsVirtualKeyCode": {"Enter": 13, "Tab": 9}[end]}
        at += len(code) * GUN_MS / 1000
        keys.send(
            "Input.dispatchKeyEvent", {"type": "keyDown", **key, "text": text, "timestamp": at}
        )
        keys.send("Input.dispatchKeyEvent", {"type": "keyUp", **key})
    keys.detach()


def axe_serious(page: Page) -> list[str]:
    """What axe-core finds serious or critical on a page as it stands: rule and element."""
    package = importlib.util.find_spec("axe_playwright_python")
    assert package is not None
    assert package.origin is not None
    page.evaluate(Path(package.origin).with_name("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:160]}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
    ]
