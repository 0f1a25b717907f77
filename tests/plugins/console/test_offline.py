"""What is kept on the phone: nothing lost, nothing twice, whatever ends while it is sent."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from browser import FLAGS, SIZES, WAIT_MS, Served, people, session, shoot, visit
from phone_queue import KEPT, POST, SEND, all_sent, opened_at, posted
from playwright.sync_api import Browser, BrowserContext, Error, Page, Route, expect
from scan_goods import PLAIN
from shop_server import Server, ShopFolder

ROOT = Path(__file__).resolve().parents[3]
HOUR = 3_600_000
MORE = pytest.mark.long("browser-full")
DAY = 24 * HOUR
CLOCK = """() => {
  const Real = Date, off = () => Number(localStorage.getItem("test.off") ?? 0);
  globalThis.Date = class extends Real {
    constructor(...given) { if (given.length) super(...given); else super(Real.now() + off()); }
    static now() { return Real.now() + off(); }
  };
}"""
"""A device's clock that the test can set: the browser has no other way."""
HEAR = """async () => {
  const src = document.querySelector("[data-module*='kept_page.js']").dataset.module;
  await (await import(src.replace("kept_page.js", "session.js"))).ofNow();
}"""


@contextmanager
def own_shop(filled: Path, folder: Path) -> Iterator[Served]:
    """A served shop that may be killed."""
    shutil.copytree(filled, folder)
    shop = ShopFolder(folder)
    token = shop.token("tests")
    with Server(shop) as server:
        people(server, token, manager="manager", clerk="clerk")
        yield Served(shop, server, token)


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


@contextmanager
def own_browser(
    browser: Browser, folder: Path, server: Server, who: str
) -> Iterator[BrowserContext]:
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
    """Send kill -9 to the browser of a profile, found by the profile's own path."""
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


def play(served: Served, browser: Browser, folder: Path, *, count: int, seed: int) -> Server:
    """Let all happen that can between a sale and the shop; gives the server that is left."""
    chance = random.Random(seed)
    ops = operations(served, count, chance=chance)
    half = count // 2
    server = served.server
    with own_browser(browser, folder, server, "manager") as context:
        page, other = opened(context, server), opened(context, server)
        # One is posted with the shop there, and its answer is lost.
        page.route("**/api/v1/documents**", lost_answer)
        assert page.evaluate(POST, [ops[:1]]) == ["kept"]
        page.unroute("**/api/v1/documents**")
        context.set_offline(True)
        assert set(page.evaluate(POST, [ops[1:half]])) == {"kept"}
        assert set(other.evaluate(POST, [ops[half:]])) == {"kept"}
        nth = chance.randint(1, 2)
        context.route("**/documents/batch", on_request(nth, lambda: kill_browser(folder)))
        # The browser may be gone before it has said that it is connected again.
        with context.expect_event("close", timeout=180_000), suppress(Error):
            context.set_offline(False)
    print(f"browser killed: {len(posted(served))} of {count} posted")
    with own_browser(browser, folder, server, "clerk") as context:
        page = opened(context, server)
        before = posted(served)
        page.evaluate(SEND)
        assert posted(served) == before, "sent in another's name"
        assert len(page.evaluate(KEPT)) >= count - before.total()
        context.clear_cookies()
        page.evaluate(SEND)
        assert posted(served) == before, "sent by nobody"
        sign_in(context, server, "manager")
        # What never arrived is still there: nothing leaves the phone before its answer.
        context.route("**/documents/batch", lambda route: route.abort())
        page.goto(f"{server.url}/console/kept")
        page.evaluate(SEND)
        assert posted(served) == before, "sent without a way there"
        context.unroute("**/documents/batch")
        context.route("**/documents/batch", on_request(2, server.kill))
        with page.expect_event("requestfailed", lambda one: "/documents/batch" in one.url):
            page.goto(f"{server.url}/console/kept")
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
            with suppress(Error):  # a line that breaks by itself is as good
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
    filled: Path, browser: Browser, tmp_path: Path
) -> None:
    with own_shop(filled, tmp_path / "shop") as served:
        held(served, browser, tmp_path / "phone", count=40, seed=1)


@pytest.mark.long("browser-full")
@pytest.mark.parametrize("seed", [2, 3, 4, 5, 6, 7])
def test_phone_two_hundred_documents_through_kills_and_sign_outs_are_posted_once(
    filled: Path, browser: Browser, tmp_path: Path, seed: int
) -> None:
    with own_shop(filled, tmp_path / "shop") as served:
        held(served, browser, tmp_path / "phone", count=200, seed=seed)


def test_phone_what_the_shop_refuses_later_is_shown_and_mended_or_given_up(
    served: Served, browser: Browser
) -> None:
    (sale, *_) = operations(served, 1, chance=random.Random(5))
    store, sku = sale["body"]["store"], sale["body"]["lines"][0]["sku"]
    row = served.server.call("GET", f"/stock?store={store}&sku={sku}", token=served.token)
    least = row["items"][0]["on_hand"]

    def document(kind: str, reference: str, quantity: str) -> dict[str, Any]:
        line = {"sku": sku, "quantity": quantity}
        if kind == "write_off":
            line["reason"] = "damaged"
        body = {"kind": kind, "store": store, "lines": [line], "reference": reference}
        return {"body": body, "options": {"label": "报损" if kind == "write_off" else "卖出"}}

    much = str(int(float(least)) + 100_000)
    ops = [
        document("write_off", "kept-mended", much),
        document("write_off", "kept-given-up", much),
        document("issue", "kept-sold", much),
    ]
    with visit(browser, served.server, who="manager") as one:
        page = opened_at(one)
        expect(page.locator("[data-nothing]")).to_be_visible()
        one.shot("kept-nothing")
        one.context.set_offline(True)
        assert page.evaluate(POST, [ops]) == ["kept"] * 3
        expect(page.locator("a[data-kept]")).to_contain_text("3 张待送")
        one.shot("kept-waiting")
        one.context.set_offline(False)
        # Goods in a customer's hand are never refused; what was short is somebody's to settle.
        refused = page.locator("[data-refused] li")
        expect(refused).to_have_count(2)
        one.shot("kept-refused")
        assert posted(served, "kept-") == {"kept-sold": 1}
        raised = served.server.call("GET", "/exceptions?limit=1000", token=served.token)["items"]
        assert any(e["type"] == "sold_without_stock" and e["sku"] == sku for e in raised)
        refused.nth(1).get_by_text("放弃", exact=True).click()
        expect(refused).to_have_count(1)
        page.locator(".toast button").click()
        expect(refused).to_have_count(2)
        refused.nth(1).get_by_text("放弃", exact=True).click()
        expect(page.locator("[data-given-up] li")).to_have_count(1)
        served.server.call(
            "POST",
            "/documents",
            token=served.token,
            body={**document("receipt", "", "9")["body"], "reference": None}
            | {"lines": [{"sku": sku, "quantity": str(int(much) + 9)}]},
        )
        refused.first.get_by_text("改数量").click()
        refused.first.locator("input").fill("2")
        one.shot("kept-mending")
        refused.first.locator("[type=submit]").click()
        expect(refused).to_have_count(0)
        assert posted(served, "kept-") == {"kept-sold": 1, "kept-mended": 1}
        one.complaints.clear()


def test_phone_without_the_shop_pages_and_goods_are_there_until_somebody_signs_out(
    served: Served, browser: Browser
) -> None:
    goods = served.server.call("GET", "/products?limit=5&sort=sku", token=served.token)["items"]
    known = next(one for one in goods if one["barcodes"])
    code, price = known["barcodes"][0]["code"], known["barcodes"][0]["price"]
    look_up = """async (code) => {
      const src = document.querySelector("[data-module*='kept_page.js']").dataset.module;
      const catalog = await import(src.replace("kept_page.js", "catalog.js"));
      try { return (await catalog.lookUp(code, "")).matches; }
      catch (error) { return error.status; }
    }"""
    with visit(browser, served.server, who="clerk") as one:
        page = opened_at(one)
        page.reload()  # now the worker sees it
        page.locator("[data-shown]").wait_for()
        page.evaluate(
            """async () => {
              const src = document.querySelector("[data-module*='kept_page.js']").dataset.module;
              const { named } = await import(src.replace("offline/kept_page.js", "device.js"));
              // The page follows by itself, and who comes second goes away: wait for the first.
              await navigator.locks.request(named("dianku-goods"), () => {});
              await (await import(src.replace("kept_page.js", "catalog.js"))).follow("clerk");
            }"""
        )
        page.evaluate(
            """async () => {
              const cache = await caches.open("dianku-pages");
              while (!(await cache.match("/console/sell")))
                await new Promise(requestAnimationFrame);
            }"""
        )
        near = page.evaluate(look_up, code)
        one.context.set_offline(True)
        far = page.evaluate(look_up, code)
        assert [(m["sku"], m["name"], m["factor"]) for m in far] == [
            (m["sku"], m["name"], m["factor"]) for m in near
        ]
        assert price is None or far[0]["price"] == price
        assert page.evaluate(look_up, "no such code") == 0
        page.reload()
        page.locator("[data-shown]").wait_for()
        expect(page.locator("a[data-kept]")).to_contain_text("没有网络")
        one.open("/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        page.keyboard.type(code, delay=3)
        page.keyboard.press("Enter")
        expect(page.locator("[data-lines] > li")).to_have_count(1)
        one.shot("sell-without-network")
        page.locator("[data-post]").click()
        expect(page.locator("a[data-kept]")).to_contain_text("1 张待送")
        one.shot("sold-without-network")
        one.open("/console/documents")
        expect(page.get_by_text("没有网络").first).to_be_visible()
        one.shot("without-network")
        one.context.set_offline(False)
        one.open("/console/kept")
        page.locator("[data-shown='0']").wait_for(state="attached")
        page.evaluate(
            """() => fetch("/api/v1/sessions", { method: "DELETE", headers: {
              "X-CSRF-Token": document.querySelector("meta[name=csrf]").content } })"""
        )
        one.open("/console/kept")
        expect(page.locator("[name=password]")).to_be_visible()
        one.context.set_offline(True)
        one.open("/console/kept")
        expect(page.locator("[data-shown]")).to_have_count(0)
        left = "async () => (await (await caches.open('dianku-pages')).keys()).length"
        assert page.evaluate(left) == 0
        one.complaints.clear()


def set_clock(page: Page, off: int) -> None:
    """Set the device's clock so many ms beside the right time."""
    page.evaluate("(off) => localStorage.setItem('test.off', String(off))", off)


def sale(served: Served, reference: str) -> dict[str, Any]:
    stores = served.server.call("GET", "/stores", token=served.token)["items"]
    line = {"sku": "AL085", "quantity": "1"}
    body = {"kind": "issue", "store": stores[0]["code"], "lines": [line], "reference": reference}
    return {"body": body, "options": {"label": reference}}


def age(served: Served, reference: str) -> float:
    """How many seconds ago the books say that a sale was."""
    path = f"/documents?reference={reference}"
    [one] = served.server.call("GET", path, token=served.token)["items"]
    moment = datetime.fromisoformat(one["occurred_at"])
    return (datetime.now(UTC) - moment).total_seconds()


@pytest.mark.parametrize(
    ("reference", "heard", "kept", "sent"),
    [
        pytest.param("clock-1", 2 * DAY, 2 * DAY, 0, id="set_back"),
        pytest.param("clock-2", 0, -2200 * DAY, 0, id="empty_battery"),
        pytest.param("clock-3", -5 * HOUR, -5 * HOUR, 0, id="put_right", marks=MORE),
        pytest.param("clock-4", -3 * DAY, -3 * DAY, -3 * DAY, id="behind", marks=MORE),
        pytest.param("clock-5", 0, 2 * DAY, -DAY, id="set_back_twice", marks=MORE),
    ],
)
def test_phone_clock_that_is_wrong_or_set_puts_no_sale_into_another_day(
    served: Served, browser: Browser, reference: str, heard: int, kept: int, sent: int
) -> None:
    with visit(browser, served.server, who="clerk") as one:
        one.context.add_init_script(f"({CLOCK})()")
        page = opened_at(one)
        for off, work in ((heard, None), (kept, POST), (sent, SEND)):
            set_clock(page, off)
            if work is None:
                page.evaluate(HEAR)
                one.context.set_offline(True)
            elif work is POST:
                assert page.evaluate(POST, [[sale(served, reference)]]) == ["kept"]
                page.locator("[data-shown='1']").wait_for(state="attached")
            else:
                one.context.set_offline(False)
                all_sent(page)
        assert -5 < age(served, reference) < 60
        one.complaints.clear()  # the browser notes what it could not reach


def test_phone_that_is_full_keeps_the_sale_on_its_page_and_says_so(
    served: Served, browser: Browser
) -> None:
    before = len(documents(served))
    with visit(browser, served.server, who="clerk") as one:
        page = one.open("/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        shoot(page, PLAIN)
        expect(page.locator(".line")).to_have_count(1)
        fill_up(page)
        one.context.set_offline(True)
        page.locator("[data-post]").click()
        expect(page.locator(".toast.bad")).to_contain_text("存不下")
        one.shot("phone-full")
        expect(page.locator(".line")).to_have_count(1)
        one.context.set_offline(False)
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_be_visible()
        expect(page.locator(".line")).to_have_count(0)
        assert len(documents(served)) == before + 1
        one.complaints.clear()


def fill_up(page: Page) -> None:
    """Leave the shop's pages no room on this device: what the browser does, not a stand-in."""
    devices = page.context.new_cdp_session(page)
    origin = page.evaluate("location.origin")
    devices.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 1})


def documents(served: Served) -> list[Any]:
    path = "/documents?kind=issue&sku=AL085&limit=1000"
    items: list[Any] = served.server.call("GET", path, token=served.token)["items"]
    return items


@contextmanager
def other_version(folder: Path, shop: ShopFolder, port: int) -> Iterator[Server]:
    """The shop served again at its address by a console of another version."""
    shutil.copytree(
        ROOT / "plugins" / "console", folder, ignore=shutil.ignore_patterns("__pycache__")
    )
    script = folder / "dianku_console" / "assets" / "js" / "ui.js"
    script.write_text(
        script.read_text(encoding="utf-8") + "\nexport const NEWER = true;\n", "utf-8"
    )
    upgraded = ShopFolder(shop.folder)
    upgraded.environ["PYTHONPATH"] = f"{folder}:{shop.environ.get('PYTHONPATH', '')}"
    with Server(upgraded, words=("--port", str(port))) as server:
        yield server


@pytest.mark.long("browser-full")
def test_phone_with_a_page_of_the_version_before_sends_once_and_gets_the_new_pages(
    filled: Path, browser: Browser, tmp_path: Path
) -> None:
    shutil.copytree(filled, tmp_path / "shop")
    shop = ShopFolder(tmp_path / "shop")
    token = shop.token("tests")
    with Server(shop) as server:
        people(server, token, clerk="clerk")
        port = server.address[1]
        with visit(browser, server, who="clerk") as one:
            page = opened_at(one)
            old = page.locator("[data-module*='kept_page.js']").get_attribute("data-module")
            one.context.set_offline(True)
            ops = [sale(Served(shop, server, token), f"old-{number}") for number in range(12)]
            assert set(page.evaluate(POST, [ops])) == {"kept"}
            server.stop()
            with other_version(tmp_path / "newer", shop, port) as newer:
                one.context.set_offline(False)
                second = one.context.new_page()
                second.goto(f"{newer.url}/console/kept")
                second.locator("[data-shown]").wait_for()
                module = second.locator("[data-module*='kept_page.js']")
                assert module.get_attribute("data-module") != old
                for tab in (page, second):
                    tab.evaluate(f"() => void ({SEND})()")
                all_sent(page)
                all_sent(second)
                assert page.evaluate(KEPT) == second.evaluate(KEPT) == []
                served = Served(shop, newer, token)
                assert posted(served, "old-") == {f"old-{number}": 1 for number in range(12)}
                second.evaluate("async () => { await navigator.serviceWorker.ready; }")
                one.context.set_offline(True)
                second.reload()
                second.locator("[data-shown]").wait_for()
                assert module.get_attribute("data-module") != old
                one.complaints.clear()
