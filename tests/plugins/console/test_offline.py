"""What is kept on the phone: nothing lost, nothing twice, whatever ends in the middle of sending."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browser import FLAGS, SIZES, WAIT_MS, Served, session, visit
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from shop_server import Server

from dianku.config import DATABASE_FILE

POST = """async ([ops, more]) => {
  const src = document.querySelector("[data-module*='kept_page.js']").dataset.module;
  const queue = await import(src.replace("kept_page.js", "queue.js"));
  const done = [];
  for (const op of ops) {
    try { done.push((await queue.post(op.body, op.options)).state); }
    catch (error) { done.push(`${error.status} ${error.problem?.code}`); }
  }
  return done;
}"""
KEPT = """async () => {
  const src = document.querySelector("[data-module*='kept_page.js']").dataset.module;
  const queue = await import(src.replace("kept_page.js", "queue.js"));
  return (await queue.kept()).map(({state, who, tries, body}) => ({state, who, tries, reference: body.reference}));
}"""
SEND = """async () => {
  const src = document.querySelector("[data-module*='kept_page.js']").dataset.module;
  return (await import(src.replace("kept_page.js", "queue.js"))).sendNow();
}"""


def operations(served: Served, count: int, *, chance: random.Random) -> list[dict[str, Any]]:
    """Sales, receipts and counts, each with a reference of its own."""
    stores = served.server.call("GET", "/stores", token=served.token)["items"]
    store = next(one["code"] for one in stores if one["kind"] == "shop")
    goods = served.server.call("GET", "/products?limit=5&sort=sku", token=served.token)["items"]
    plain = [one["sku"] for one in goods if one["composition"] == "none"]
    made = []
    for number in range(count):
        kind = chance.choice(("issue", "issue", "receipt", "adjustment"))
        line: dict[str, Any] = {"sku": chance.choice(plain)}
        line["counted" if kind == "adjustment" else "quantity"] = str(chance.randint(1, 9))
        body = {"kind": kind, "store": store, "lines": [line], "reference": f"op-{number}"}
        options: dict[str, Any] = {"label": f"No. {number}"}
        if kind == "adjustment":
            options |= {"address": "/documents/batch", "list": "documents"}
        made.append({"body": body, "options": options})
    return made


def posted(served: Served, prefix: str = "op-") -> Counter[str]:
    """How often each reference is in the books."""
    path = served.shop.folder / DATABASE_FILE
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as base:
        rows = base.execute(
            "SELECT reference, count(*) FROM document WHERE reference LIKE ? GROUP BY 1",
            (prefix + "%",),
        )
        return Counter(dict(rows.fetchall()))


@contextmanager
def own_browser(browser: Browser, folder: Path, server: Server, who: str) -> Iterator[BrowserContext]:
    """A browser with a profile on disk, as a phone's, that may be killed and started again."""
    context = browser.browser_type.launch_persistent_context(
        folder,
        executable_path=shutil.which("chromium"),
        args=list(FLAGS),
        locale="zh-CN",
        **SIZES["phone"],
    )
    context.set_default_timeout(WAIT_MS)
    sign_in(context, server, who)
    try:
        yield context
    finally:
        context.close()


def sign_in(context: BrowserContext, server: Server, who: str) -> None:
    """Somebody signs in on this phone."""
    context.add_cookies(
        [{"name": "dianku_session", "value": session(server, who), "url": server.url}]
    )


def kill_browser(folder: Path) -> None:
    """kill -9 to the browser of a profile, found by the profile's own path."""
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if f"--user-data-dir={folder}".encode() in words:
            os.kill(int(entry.name), signal.SIGKILL)


def opened(context: BrowserContext, server: Server) -> Page:
    """A tab with what is kept."""
    page = context.new_page()
    page.goto(f"{server.url}/console/kept")
    page.locator("[data-shown]").wait_for()
    return page


def all_sent(page: Page) -> None:
    """Wait until nothing waits on this phone."""
    page.wait_for_function(f"async () => (await ({KEPT})()).length === 0", timeout=60_000)


def play(served: Served, browser: Browser, folder: Path, *, count: int, seed: int) -> Server:
    """Everything that can happen to a phone between a sale and the shop; the server that is left."""
    chance = random.Random(seed)
    ops = operations(served, count, chance=chance)
    half = count // 2
    server = served.server
    with own_browser(browser, folder, server, "manager") as context:
        page, other = opened(context, server), opened(context, server)
        # One is posted with the shop there, and its answer is lost.
        page.route("**/api/v1/documents*", lost_answer)
        assert page.evaluate(POST, [ops[:1], None]) == ["kept"]
        page.unroute("**/api/v1/documents*")
        context.set_offline(True)
        assert set(page.evaluate(POST, [ops[1:half], None])) == {"kept"}
        assert set(other.evaluate(POST, [ops[half:], None])) == {"kept"}
        nth = chance.randint(1, 2)
        context.route("**/documents/batch", on_request(nth, lambda: kill_browser(folder)))
        context.set_offline(False)
        context.wait_for_event("close", timeout=60_000)
    print(f"browser killed: {len(posted(served))} of {count} posted")
    with own_browser(browser, folder, server, "clerk") as context:
        page = opened(context, server)
        before = posted(served)
        page.evaluate(SEND)
        assert posted(served) == before, "sent in another's name"
        context.clear_cookies()
        page.evaluate(SEND)
        assert posted(served) == before, "sent by nobody"
        sign_in(context, server, "manager")
        context.route("**/documents/batch", on_request(1, server.kill))
        page.goto(f"{server.url}/console/kept")
        page.wait_for_function(f"async () => (await ({KEPT})()).some((one) => one.tries > 1)")
        page.locator("[data-send]").wait_for()
        server_again = Server(served.shop, words=("--port", str(server.address[1])))
        assert server_again.url == server.url
        context.unroute("**/documents/batch")
        print(f"server killed: {len(posted(served))} of {count} posted")
        tabs = [page, opened(context, server_again)]
        for tab in tabs:
            tab.evaluate(f"() => void ({SEND})()")
        all_sent(page)
    return server_again


def lost_answer(route: Route) -> None:
    """The shop posts it; nobody hears that."""
    route.fetch()
    route.abort()


def on_request(nth: int, happens: Any) -> Any:
    """At the n-th request: the shop has it, then something happens instead of an answer."""
    seen = [0]

    def handle(route: Route) -> None:
        seen[0] += 1
        if seen[0] == nth:
            route.fetch()
            happens()
            route.abort()
        elif seen[0] > nth:
            route.abort()
        else:
            route.continue_()

    return handle


def held(served: Served, browser: Browser, folder: Path, *, count: int, seed: int) -> None:
    """Each of the documents is in the books once, and the books are whole."""
    left = play(served, browser, folder, count=count, seed=seed)
    try:
        found = posted(served)
        print(f"{count} operations: {len(found)} documents, {found.total() - len(found)} twice")
        assert found == Counter({f"op-{number}": 1 for number in range(count)})
        assert served.shop.verify()["clean"]
    finally:
        left.stop()


def test_phone_forty_documents_through_kills_and_sign_outs_are_posted_once(
    served: Served, browser: Browser, tmp_path: Path
) -> None:
    held(served, browser, tmp_path / "phone", count=40, seed=1)
