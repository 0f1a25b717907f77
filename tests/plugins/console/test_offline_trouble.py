"""A phone whose clock is set, whose storage is full, whose shop is upgraded meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from browser import Served, people, shoot, visit
from phone_queue import KEPT, POST, SEND, all_sent, opened_at, posted
from playwright.sync_api import Browser, Page, expect
from scan_goods import PLAIN
from shop_server import Server, ShopFolder

ROOT = Path(__file__).resolve().parents[3]
HOUR = 3_600_000
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
        ("clock-behind-throughout", -3 * DAY, -3 * DAY, -3 * DAY),
        ("clock-set-back", 2 * DAY, 2 * DAY, 0),
        ("clock-put-right", -5 * HOUR, -5 * HOUR, 0),
        ("clock-of-an-empty-battery", 0, -2200 * DAY, 0),
        ("clock-set-back-twice", 0, 2 * DAY, -DAY),
    ],
)
def test_phone_clock_that_is_wrong_or_set_puts_no_sale_into_another_day(
    goods: Served, browser: Browser, reference: str, heard: int, kept: int, sent: int
) -> None:
    with visit(browser, goods.server, who="clerk") as one:
        one.context.add_init_script(f"({CLOCK})()")
        page = opened_at(one)
        for off, work in ((heard, None), (kept, POST), (sent, SEND)):
            set_clock(page, off)
            if work is None:
                page.evaluate(HEAR)
                one.context.set_offline(True)
            elif work is POST:
                assert page.evaluate(POST, [[sale(goods, reference)]]) == ["kept"]
            else:
                one.context.set_offline(False)
                all_sent(page)
        assert -5 < age(goods, reference) < 60
        one.complaints.clear()  # the browser notes what it could not reach


def test_phone_that_is_full_keeps_the_sale_on_its_page_and_says_so(
    goods: Served, browser: Browser
) -> None:
    before = len(documents(goods))
    with visit(browser, goods.server, who="clerk") as one:
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
        assert len(documents(goods)) == before + 1
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
