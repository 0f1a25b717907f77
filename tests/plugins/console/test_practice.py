"""Practice on the device: marked on every page, and nothing of it left for the real shop."""

from __future__ import annotations

import json
import urllib.request

import pytest
from browser import Served, session, until, visit
from playwright.sync_api import Browser

LEFT = "Object.keys(localStorage).filter((name) => name.startsWith('practice.')).length"


def count(served: Served) -> int:
    """The documents of the real shop."""
    found = served.server.call("GET", "/documents?limit=1000", token=served.token)["items"]
    return len(found)


def test_sale_in_practice_is_marked_and_leaves_nothing_behind(
    served: Served, browser: Browser
) -> None:
    before = count(served)
    with visit(browser, served.server, who="clerk", kind="phone") as one:
        page = one.open("/console/sell")
        page.wait_for_selector("html[data-ready]")
        page.locator(".quick button").first.click()
        until(page, "Object.keys(localStorage).some((n) => n.startsWith('dianku.job.'))")
        page = one.open("/console/more")
        page.wait_for_selector("html[data-ready]")
        page.get_by_role("button", name="开始练习").click()
        page.wait_for_selector(".practising")
        assert page.locator("meta[name=person]").get_attribute("content") == "clerk · 练习"
        # What lies in the real basket is not in that of practice.
        page = one.open("/console/sell")
        page.wait_for_selector("html[data-ready]")
        page.get_by_text("扫第一件商品").wait_for()
        one.shot("practice-sell")
        # An empty till fits: the bar of practice pushes nothing under the thumb.
        assert page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0
        page.locator(".quick button").first.click()
        page.get_by_text("现金", exact=True).click()
        page.get_by_role("button", name="收款").click()
        page.wait_for_selector(".toast.good")
        page.locator(".quick button").first.click()
        until(page, f"{LEFT} > 0")
        page.get_by_role("button", name="离开练习").click()
        page.wait_for_url("**/console/more")
        page.wait_for_selector("html[data-ready]")
        assert page.locator(".practising").count() == 0
        assert page.evaluate(LEFT) == 0
        kept = page.evaluate("indexedDB.databases().then((all) => all.map((one) => one.name))")
        assert [name for name in kept if name.startswith("practice.")] == []
        page = one.open("/console/sell")
        page.wait_for_selector("html[data-ready]")
        # The real basket is as it was left.
        assert not page.get_by_text("扫第一件商品").is_visible()
    assert count(served) == before


@pytest.mark.long("browser-full")
def test_every_page_of_practice_says_so(served: Served) -> None:
    def ask(method: str, path: str, cookie: str, csrf: str = "") -> tuple[str, str]:
        asked = urllib.request.Request(
            served.server.url + path,
            method=method,
            headers={"Cookie": cookie, "X-CSRF-Token": csrf, "Accept": "text/html"},
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.read().decode(), str(answer.headers.get("Set-Cookie", ""))

    cookie = f"dianku_session={session(served.server, 'owner')}"
    page, _ = ask("GET", "/console/more", cookie)
    csrf = page.partition('name="csrf" content="')[2].partition('"')[0]
    _, given = ask("POST", "/api/v1/sessions/practice", cookie, csrf)
    inside = f"{cookie}; {given.partition(';')[0]}"
    listed = json.loads(ask("GET", "/api/v1/pages", inside)[0])["items"]
    paths = [one["path"] for one in listed if "{" not in one["path"]]
    paths += ["/console/sign-in", "/console/set-up", "/console/offline"]
    number = json.loads(ask("GET", "/api/v1/documents?kind=issue&limit=1", inside)[0])
    one = f"/console/documents/{number['items'][0]['number']}"
    told = {
        path: "data-practising" in ask("GET", path, inside)[0]
        for path in (*paths, one, f"{one}/receipt")
    }
    print(len(told), "pages")
    assert [path for path, marked in told.items() if not marked] == []
