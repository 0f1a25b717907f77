"""Selling, receiving and writing off by scan: few steps, undone in time, refused in words."""

from __future__ import annotations

import pytest
from browser import Served, visit
from job_steps import begin, counted, last, scan, stock
from playwright.sync_api import Browser, expect
from scan_goods import CARTON, PLAIN, SHARED, WEIGHED

STEPS_MOST = 5


def test_sale_by_scan_takes_three_steps_and_is_undone_by_one(
    goods: Served, browser: Browser
) -> None:
    before = stock(goods, "AL085")
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/")
        begin(page, "/console/sell")
        scan(page, PLAIN)
        expect(page.locator(".line .amount")).to_have_text("¥4.00")
        one.shot("job-sell")
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_be_visible()
        assert len(counted(page, "sell")) <= STEPS_MOST
        sold = last(goods, "issue")
        assert (sold["channel"], sold["actor"], sold["lines"][0]["amount"]) == (
            "counter",
            "clerk",
            "4.00",
        )
        assert stock(goods, "AL085") == before - 1
        page.locator(".toast.good button").click()
        expect(page.locator(".line")).to_have_count(1)
        assert stock(goods, "AL085") == before
        expect(page.locator("[data-post]")).to_be_enabled()


def test_sale_of_a_carton_a_weighed_label_and_goods_to_choose_is_what_the_shop_would_take(
    goods: Served, browser: Browser
) -> None:
    before = stock(goods, "AL085")
    with visit(browser, goods.server, who="clerk", kind="desktop", language="en") as one:
        page = one.open("/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        scan(page, CARTON)
        expect(page.locator(".line .amount").first).to_have_text("¥88.00")
        scan(page, WEIGHED)
        expect(page.locator(".line")).to_have_count(2)
        expect(page.locator(".line .amount").first).to_have_text("¥11.00")
        scan(page, SHARED)
        page.get_by_role("button", name="茉莉花茶礼盒").click()
        expect(page.locator(".line")).to_have_count(3)
        page.locator(".line").first.get_by_role("button", name="One more").click()
        expect(page.locator("[data-sum]")).to_have_text("¥195.00")
        one.shot("job-sell-many")
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_be_visible()
        lines = {line["sku"]: line for line in last(goods, "issue")["lines"]}
        assert (lines["AL085"]["quantity"], lines["AL085"]["amount"]) == ("24", "88.00")
        assert (lines["00001"]["quantity"], lines["00001"]["amount"]) == ("1.250", "11.00")
        assert (lines["TWIN-B"]["quantity"], lines["TWIN-B"]["amount"]) == ("2", "96.00")
        assert stock(goods, "AL085") == before - 24


def test_basket_outlives_the_page_and_waits_while_another_customer_pays(
    goods: Served, browser: Browser
) -> None:
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        scan(page, PLAIN)
        expect(page.locator(".line")).to_have_count(1)
        page.reload()
        expect(page.locator(".line")).to_have_count(1)
        page.get_by_role("button", name="挂单").click()
        expect(page.locator(".line")).to_have_count(0)
        expect(page.locator("[data-post]")).to_be_disabled()
        page.get_by_role("button", name="取单").click()
        expect(page.locator(".line")).to_have_count(1)
        page.get_by_role("button", name="减一").click()
        expect(page.locator(".line")).to_have_count(0)
        page.locator(".toast button").click()
        expect(page.locator(".line")).to_have_count(1)


def test_receipt_by_scan_takes_a_supplier_a_cost_and_few_steps(
    goods: Served, browser: Browser
) -> None:
    before = stock(goods, "AL085")
    with visit(browser, goods.server, who="manager") as one:
        page = one.open("/console/")
        begin(page, "/console/receive")
        scan(page, CARTON)
        expect(page.locator(".line")).to_have_count(1)
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_be_visible()
        assert len(counted(page, "receive")) <= STEPS_MOST
        assert stock(goods, "AL085") == before + 24
        scan(page, PLAIN)
        page.locator(".details input").first.fill("2.5")
        page.locator("#supplier").fill("城南批发")
        page.locator("#supplier").press("Tab")
        one.shot("job-receive")
        page.locator("[data-post]").click()
        expect(page.locator(".line")).to_have_count(0)
        expect(page.locator("[data-last]")).to_be_visible()
        got = last(goods, "receipt")
        assert (got["supplier"], got["lines"][0]["cost"]) == ("城南批发", "2.50")


def test_write_off_asks_why_and_takes_few_steps(goods: Served, browser: Browser) -> None:
    before = stock(goods, "AL085")
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/")
        begin(page, "/console/write-off")
        scan(page, PLAIN)
        page.get_by_text("破损").click()
        one.shot("job-write-off")
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_be_visible()
        assert len(counted(page, "write off")) <= STEPS_MOST
        gone = last(goods, "write_off")
        assert gone["lines"][0]["reason"] == "damaged"
        assert stock(goods, "AL085") == before - 1
        scan(page, PLAIN)
        page.locator("[data-post]").click()
        expect(page.locator(".toast.warn")).to_be_visible()
        assert stock(goods, "AL085") == before - 1


def test_write_off_beyond_the_shelf_is_refused_on_its_line_and_keeps_the_basket(
    goods: Served, browser: Browser
) -> None:
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/write-off")
        expect(page.locator("html[data-ready]")).to_be_visible()
        scan(page, PLAIN)
        page.locator(".count").fill("99999")
        page.locator(".count").press("Tab")
        page.get_by_text("过期").click()
        page.locator("[data-post]").click()
        expect(page.locator(".line .wrong")).to_be_visible()
        one.shot("job-short")
        expect(page.locator(".count")).to_have_value("99999")
        one.complaints.clear()  # the browser notes every answer of 409 itself


def test_press_twice_and_a_customer_in_between_make_one_sale_of_what_was_there(
    goods: Served, browser: Browser
) -> None:
    open_goods = {
        "sku": "OPEN",
        "name": "散装糖果",
        "unit": "斤",
        "barcodes": [{"code": "6900000000045"}],
    }
    goods.server.call("POST", "/products", token=goods.token, body=open_goods)
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        scan(page, "6900000000045")
        page.locator(".open-amount").fill("3.50")
        page.locator(".open-amount").press("Tab")
        scan(page, "6900000000045")
        expect(page.locator("[data-sum]")).to_have_text("¥7.00")
        before = last(goods, "issue")["number"]
        page.evaluate(
            "() => { const b = document.querySelector('[data-post]'); b.click(); b.click(); }"
        )
        expect(page.locator(".toast.good")).to_be_visible()
        sold = last(goods, "issue")
        assert [(line["quantity"], line["amount"]) for line in sold["lines"]] == [("2", "7.00")]
        listed = goods.server.call("GET", "/documents?kind=issue&limit=2", token=goods.token)[
            "items"
        ]
        assert [one["number"] for one in listed] == [sold["number"], before]
        scan(page, PLAIN)
        expect(page.locator(".line")).to_have_count(1)
        page.locator(".toast.good button").click()
        expect(page.get_by_role("button", name="取单")).to_be_visible()
        expect(page.locator(".line")).to_have_count(1)
        expect(page.locator(".line")).to_contain_text("淡爽啤酒")


def test_unusual_receipt_is_asked_about_and_changed_before_it_is_posted(
    goods: Served, browser: Browser
) -> None:
    before, newest = stock(goods, "AL085"), last(goods, "receipt")["number"]
    with visit(browser, goods.server, who="manager") as one:
        page = one.open("/console/receive")
        expect(page.locator("html[data-ready]")).to_be_visible()
        scan(page, CARTON)
        page.locator(".count").fill("4000")
        page.locator(".details input").first.fill("99")
        page.locator("[data-post]").click()
        asking = page.locator("[data-asking]")
        expect(asking).to_contain_text("这次 4000 × 24")
        expect(asking).to_contain_text("按售价只卖")
        expect(page.get_by_role("button", name="回去改")).to_be_focused()
        one.shot("asking")
        # Not Enter: so soon after a scan one is still the gun's.
        page.get_by_role("button", name="回去改").press("Space")
        expect(asking).to_have_count(0)
        expect(page.locator(".line .wrong")).to_contain_text("4000 × 24")
        expect(page.locator(".count")).to_be_focused()
        one.shot("asking-changed")
        assert (last(goods, "receipt")["number"], stock(goods, "AL085")) == (newest, before)
        page.locator("[data-post]").click()
        page.locator("[data-sure]").click()
        expect(page.locator(".toast.good")).to_be_visible()
        expect(page.locator(".toast.warn")).to_have_count(0)
        assert stock(goods, "AL085") == before + 4000 * 24
        assert [w["code"] for w in last(goods, "receipt")["warnings"]] == ["unusual_quantity"]
        page.locator(".toast.good button").click()
        expect(page.locator(".line")).to_have_count(1)


@pytest.mark.long("browser-full")
def test_unusual_loss_is_asked_about_in_english_and_posted_where_nobody_answers(
    goods: Served, browser: Browser
) -> None:
    with visit(browser, goods.server, who="manager", kind="desktop", language="en") as one:
        page = one.open("/console/receive")
        expect(page.locator("html[data-ready]")).to_be_visible()
        scan(page, PLAIN)
        page.locator(".count").fill("5000")
        page.locator("[data-post]").click()
        expect(page.locator("[data-asking]")).to_contain_text("Usually about")
        one.shot("asking-desktop")
        page.keyboard.press("Escape")
        expect(page.locator(".line .wrong")).to_be_visible()
        page.context.route("**/documents/check", lambda route: route.abort())
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_be_visible()
        assert last(goods, "receipt")["lines"][0]["quantity"] == "5000"
        page.locator(".toast.good button").click()
        expect(page.locator(".line")).to_have_count(1)
        one.complaints.clear()  # the browser notes the request that was cut off
