"""Keys at the counter: chosen by scan, arranged by touch or keyboard, sold with by one tap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browser import Served, axe_serious, visit
from job_steps import begin, counted, last, scan
from playwright.sync_api import Browser, Page, Response, expect
from scan_goods import CARTON, PLAIN

PAGE = "/console/quick-keys"


def keys(served: Served, store: str | None = None) -> Any:
    """What a store shows: who chose it, and each key's goods and colour."""
    asked = f"/quick-keys?store={store}" if store else "/quick-keys"
    found = served.server.call("GET", asked, token=served.token)
    return found["chosen"], [(one["sku"], one["colour"]) for one in found["items"]]


def choose(served: Served, *skus: str, store: str | None = None) -> None:
    """Let the shop choose keys; none: leave it to the page again."""
    body = {"store": store, "keys": [{"sku": sku, "colour": at % 7} for at, sku in enumerate(skus)]}
    served.server.call("PUT", "/quick-keys", token=served.token, body=body)


def here(served: Served) -> str:
    return str(served.server.call("GET", "/stores", token=served.token)["items"][0]["code"])


def rows(page: Page) -> Any:
    return page.locator("[data-rows] b")


def is_kept(answer: Response, wanted: list[dict[str, Any]]) -> bool:
    """Whether it answers to these keys being kept: changes go one after the other."""
    said = answer.request.post_data_json or {}
    return answer.request.method == "PUT" and said["keys"] == wanted


@pytest.fixture
def shop(goods: Served) -> Iterator[Served]:
    """The shop, with no keys chosen before and after."""
    yield goods
    choose(goods)
    choose(goods, store=here(goods))


def test_keys_are_chosen_by_scan_arranged_and_sold_with_by_one_tap(
    shop: Served, browser: Browser
) -> None:
    store = here(shop)
    shop.server.call(
        "POST",
        "/products",
        token=shop.token,
        body={"sku": "tea-egg", "name": "茶叶蛋", "unit": "个", "price": "1.50"},
    )
    with visit(browser, shop.server, who="manager") as one:
        page = one.open(PAGE)
        expect(page.locator("html[data-ready]")).to_be_visible()
        expect(page.locator(".empty")).to_be_visible()
        scan(page, PLAIN)
        expect(rows(page)).to_have_text(["淡爽啤酒"])
        scan(page, "tea-egg")
        expect(rows(page)).to_have_text(["淡爽啤酒", "茶叶蛋"])
        expect(page.locator("[data-sku=tea-egg] .small-text")).to_have_text("¥1.50")  # it is kept
        page.locator("[data-sku=tea-egg] .up").press("Space")  # an Enter so soon is the gun's
        expect(rows(page)).to_have_text(["茶叶蛋", "淡爽啤酒"])
        expect(page.locator("[data-sku=tea-egg] .down")).to_be_focused()
        page.locator("[data-sku=tea-egg] .colour").click()
        expect(page.locator("[data-sku=tea-egg] [data-colour='1']")).to_be_visible()
        page.locator("[data-sku=AL085] .remove").click()
        expect(rows(page)).to_have_text(["茶叶蛋"])
        both = [{"sku": "tea-egg", "colour": 1}, {"sku": "AL085", "colour": 0}]
        with page.expect_response(lambda answer: is_kept(answer, both)):
            page.get_by_role("button", name="撤销").click()
        expect(page.locator("[data-sku=AL085] .small-text").last).to_have_text("¥4.00")
        one.shot("keys-arranged")
        assert keys(shop, store) == ("store", [("tea-egg", 1), ("AL085", 0)])
        page = one.open("/console/")
        begin(page, "/console/sell")
        page.locator(".key", has_text="茶叶蛋").click()
        expect(page.locator("[data-sum]")).to_have_text("¥1.50")
        one.shot("keys-sell")
        page.locator("[data-post]").click()
        expect(page.locator(".line")).to_have_count(0)
        assert len(counted(page, "sale by a key")) == 3
        assert last(shop, "issue")["lines"][0]["sku"] == "tea-egg"


@pytest.mark.long("browser-full")
def test_store_begins_with_the_keys_of_the_whole_shop_and_keeps_its_own(
    shop: Served, browser: Browser
) -> None:
    items = shop.server.call("GET", "/products?limit=40&sort=name", token=shop.token)["items"]
    skus = [one["sku"] for one in items if one["sku"] != "AL085"][:39]
    choose(shop, *skus)
    dark: dict[str, Any] = {"kind": "desktop", "language": "en", "color_scheme": "dark"}
    with visit(browser, shop.server, who="manager", **dark) as one:
        page = one.open(PAGE)
        expect(page.locator("html[data-ready]")).to_be_visible()
        expect(page.locator("[data-whose]")).to_contain_text("whole shop")
        expect(page.locator("[data-rows] li")).to_have_count(39)
        scan(page, CARTON)
        expect(page.locator("[data-whose]")).to_contain_text("own keys")
        assert keys(shop, here(shop)) == ("store", [*keys(shop)[1], ("AL085", 0)])
        scan(page, PLAIN)
        expect(page.locator(".toast.warn")).to_contain_text("has a key already")
        one.shot("keys-many-dark")
        assert axe_serious(page) == []
        page = one.open("/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        one.shot("keys-sell-many-dark")
        assert axe_serious(page) == []
    with visit(browser, shop.server, who="clerk") as one:
        page = one.open("/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        one.shot("keys-sell-many")
        assert axe_serious(page) == []
        expect(page.locator(".key")).to_have_count(40)
        choose(shop, store=here(shop))
        shop.server.call("POST", f"/products/{skus[0]}/archive", token=shop.token, body={})
        page = one.open("/console/sell")
        expect(page.locator(".key")).to_have_count(38)  # what is archived is not sold
        choose(shop)
        page = one.open("/console/sell")
        expect(page.locator(".quick .chip").first).to_be_visible()
        expect(page.locator(f"a[href='{PAGE}']")).to_have_count(0)
    shop.server.call("POST", f"/products/{skus[0]}/unarchive", token=shop.token, body={})


@pytest.mark.long("browser-full")
def test_change_of_keys_that_is_refused_is_shown_as_it_was(shop: Served, browser: Browser) -> None:
    choose(shop, "AL085", store=here(shop))
    with visit(browser, shop.server, who="manager") as one:
        page = one.open(PAGE)
        expect(page.locator("html[data-ready]")).to_be_visible()
        page.route("**/api/v1/quick-keys", lambda route: route.abort())
        page.locator(".colour").click()
        expect(page.locator(".toast.bad")).to_be_visible()
        expect(page.locator(".colour")).to_have_attribute("data-colour", "0")
        page.unroute("**/api/v1/quick-keys")
        page.locator(".colour").click()
        expect(page.locator(".colour")).to_have_attribute("data-colour", "1")
        with page.expect_response(lambda answer: is_kept(answer, [])):
            page.locator(".remove").click()
        expect(page.locator(".empty")).to_be_visible()
        one.shot("keys-empty")
        one.complaints[:] = [told for told in one.complaints if "ERR_FAILED" not in told]
    assert keys(shop, here(shop)) == (None, [])
