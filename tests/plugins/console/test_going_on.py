"""Goods that come back, go back and arrive: from the document they were on, to the fen, once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from browser import Served, shoot, visit
from job_steps import begin, counted, follow_on, last, post, sale, scan, stock, stores
from playwright.sync_api import Browser, Route, expect
from scan_goods import PLAIN

STEPS_MOST = 5


def test_return_of_a_scanned_receipt_pays_back_the_share_that_was_paid(
    goods: Served, browser: Browser
) -> None:
    number = sale(goods, quantity=3, amount="10.00")
    before = stock(goods, "AL085")
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/")
        begin(page, "/console/return")
        one.shot("return-which")
        scan(page, number)
        page.wait_for_url(f"**/{number}/return")
        follow_on(page)
        expect(page.locator("[data-post]")).to_be_disabled()
        scan(page, PLAIN)
        expect(page.locator(".line .count")).to_have_value("1")
        scan(page, PLAIN)
        expect(page.locator("[data-whole]")).to_have_text("¥6.67")
        one.shot("return")
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_be_visible()
        assert len(counted(page, "return of two")) <= STEPS_MOST
        one.shot("return-done")
        back = last(goods, "customer_return")
        assert (back["of_document"], back["actor"], back["payments"]) == (
            number,
            "clerk",
            [{"kind": "cash", "amount": "6.67"}],
        )
        assert stock(goods, "AL085") == before + 2
        page.locator(".toast.good button").click()
        expect(page.locator(".line .count")).to_have_value("0")
        expect(page.locator("html[data-ready]")).to_be_visible()
        assert stock(goods, "AL085") == before
        page.locator("[data-step='1']").click(click_count=2)
        page.locator("[data-step='1']").click()
        page.locator("[data-step='1']").click()  # there are three: a fourth is not to be had
        expect(page.locator("[data-whole]")).to_have_text("¥10.00")


def test_rest_of_a_sale_pays_back_what_is_left_to_the_fen(goods: Served, browser: Browser) -> None:
    number = sale(goods, quantity=3, amount="10.00")
    line = {"sku": "AL085", "quantity": 1, "of_line": 1}
    part = {"kind": "customer_return", "store": stores(goods)[0], "of_document": number}
    first = post(goods, "/documents", {**part, "lines": [line]})
    assert first["lines"][0]["amount"] == "3.33"
    with visit(browser, goods.server, who="clerk", kind="desktop", language="en") as one:
        page = one.open(f"/console/documents/{number}")
        page.locator("a.main-action").click()
        expect(page.locator("html[data-ready]")).to_be_visible()
        page.locator(".line .count").fill("1")
        page.locator(".line .count").press("Tab")
        expect(page.locator("[data-whole]")).to_have_text("¥3.34")  # 6.67 less what went before
        page.locator(".line .count").fill("9")
        page.locator(".line .count").press("Tab")
        expect(page.locator(".line .count")).to_have_value("2")
        expect(page.locator("[data-whole]")).to_have_text("¥6.67")
        page.get_by_text("Damaged").click()
        one.shot("return-en")
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_be_visible()
        back = last(goods, "customer_return")
        assert [(x["amount"], x["disposition"]) for x in back["lines"]] == [("6.67", "damaged")]
        page.goto(f"{goods.server.url}/console/documents/{number}/return")
        expect(page.locator(".empty")).to_be_visible()


def test_goods_are_sent_to_another_store_and_received_there_as_counted(
    goods: Served, browser: Browser
) -> None:
    here, there = stores(goods)[:2]
    with visit(browser, goods.server, who="manager") as one:
        page = one.open("/console/")
        begin(page, "/console/transfer")
        page.evaluate("window.step?.('scan')")
        shoot(page, PLAIN)
        expect(page.locator(".line")).to_have_count(1)
        page.locator(".count").fill("3")
        page.locator("[data-head='to_store']").select_option(there)
        one.shot("transfer")
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_be_visible()
        assert len(counted(page, "transfer")) <= STEPS_MOST + 1  # the store and the count are said
        sent = last(goods, "transfer")
        assert (sent["store"], sent["to_store"], sent["status"]) == (here, there, "sent")
        before = Decimal(
            goods.server.call("GET", f"/stock?sku=AL085&store={there}", token=goods.token)["items"][
                0
            ]["on_hand"]
        )
        one.context.add_cookies([{"name": "dianku_store", "value": there, "url": goods.server.url}])
        page = one.open("/console/arrivals")
        one.shot("arrivals")
        page.locator(f"a[href='/console/documents/{sent['number']}/arrival']").click()
        page.wait_for_url("**/arrival")
        expect(page.locator("html[data-ready]")).to_be_visible()
        expect(page.locator(".count")).to_have_value("3")
        shoot(page, PLAIN)
        expect(page.locator(".count")).to_have_value("1")
        one.shot("arrival")
        page.locator("[data-post]").click()
        page.wait_for_url(f"**/documents/{sent['number']}")
        one.shot("arrived-in-part")
        row = goods.server.call("GET", f"/stock?sku=AL085&store={there}", token=goods.token)
        assert Decimal(row["items"][0]["on_hand"]) == before + 1
        expect(page.locator("html[data-ready]")).to_be_visible()
        page.locator("details.again").first.locator("summary").click()
        with page.expect_navigation():
            page.locator("details.again").first.locator("button[type=submit]").click()
        expect(page.locator("a.main-action")).to_have_count(0)
        found = goods.server.call("GET", f"/documents/{sent['number']}", token=goods.token)
        assert found["status"] == "closed"


@pytest.mark.long("browser-full")
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_return_waits_for_the_connection_and_is_once_where_its_answer_was_lost(
    goods: Served, browser: Browser, language: str
) -> None:
    number = sale(goods, quantity=2, amount="8.00")
    before = stock(goods, "AL085")
    with visit(browser, goods.server, who="clerk", language=language) as one:
        page = one.open(f"/console/documents/{number}/return")
        expect(page.locator("html[data-ready]")).to_be_visible()
        note = page.locator("[data-needs-shop]")
        expect(note).to_be_hidden()
        one.context.set_offline(True)
        expect(note).to_be_visible()
        one.shot(f"return-without-network-{language}")
        page.locator("[data-step='1']").click()
        page.locator("[data-post]").click()
        expect(page.locator(".toast.bad")).to_be_visible()
        assert stock(goods, "AL085") == before
        one.context.set_offline(False)
        expect(note).to_be_hidden()

        def lost(route: Route) -> None:
            route.fetch()
            route.abort("connectionreset")

        page.route("**/api/v1/documents", lost, times=1)
        page.locator("[data-post]").click()
        expect(page.locator(".toast.bad").nth(1)).to_be_visible()
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_be_visible()
        assert stock(goods, "AL085") == before + 1
        one.complaints.clear()  # the browser notes what it could not reach
