"""Exchanges: what comes back pays for what goes out, as one. Goods back without a receipt."""

from __future__ import annotations

from typing import Any

import pytest
from browser import Served, shoot, visit
from job_steps import last, sale, stock
from playwright.sync_api import Browser, Page, expect
from scan_goods import CARTON, PLAIN


def ready(page: Page) -> None:
    """A page that listens to the scanner."""
    expect(page.locator("html[data-ready]")).to_be_visible()


def paid(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["kind"], one["amount"]) for one in document["payments"]]


def test_exchange_is_two_documents_at_once_with_one_receipt_and_one_undo(
    goods: Served, browser: Browser
) -> None:
    number = sale(goods, quantity=3, amount="10.00")
    before = stock(goods, "AL085")
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open(f"/console/documents/{number}/return")
        ready(page)
        shoot(page, PLAIN)
        page.locator("[data-trade]").click()
        page.wait_for_url("**/console/sell")
        ready(page)
        expect(page.locator("[data-exchange] .amount")).to_have_text("−¥3.33")
        one.shot("exchange-begun")
        shoot(page, CARTON)
        expect(page.locator("[data-sum]")).to_have_text("¥84.67")
        page.locator("[data-pay-kind=wechat]").click()
        one.shot("exchange-pay")
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_be_visible()
        sold, back = last(goods, "issue"), last(goods, "customer_return")
        assert (back["of_document"], paid(back)) == (number, [("exchange", "3.33")])
        assert paid(sold) == [("exchange", "3.33"), ("wechat", "84.67")]
        expect(page.locator("[data-exchange]")).to_be_hidden()
        receipt = page.locator("[data-receipt]").get_attribute("href")
        page.locator(".toast.good button").click()
        expect(page.locator("[data-exchange]")).to_be_visible()
        assert stock(goods, "AL085") == before
        page.goto(f"{goods.server.url}{receipt}")
        expect(page.locator(".receipt")).to_contain_text(back["number"])
        one.shot("exchange-receipt")


def test_cheaper_goods_taken_instead_pay_back_the_difference_and_refusal_keeps_all(
    goods: Served, browser: Browser
) -> None:
    with visit(browser, goods.server, who="manager", kind="desktop", language="en") as one:
        page = one.open("/console/return")
        page.get_by_role("link", name="No receipt").click()
        page.wait_for_url("**/without-sale")
        ready(page)
        shoot(page, CARTON)
        page.get_by_text("Damaged").click()
        one.shot("without-sale-en")
        page.locator("[data-trade]").click()
        page.wait_for_url("**/console/sell")
        ready(page)
        shoot(page, PLAIN)
        expect(page.locator("[data-post]")).to_contain_text("Pay back")
        one.shot("exchange-cheaper-en")
        page.locator("[data-post]").click()  # nobody has said how it is paid back
        expect(page.locator(".toast.warn")).to_be_visible()
        page.locator("[data-pay-kind=cash]").click()
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_be_visible()
    sold, back = last(goods, "issue"), last(goods, "customer_return")
    assert back["of_document"] is None
    assert back["lines"][0]["disposition"] == "damaged"
    assert [kind for kind, _ in paid(back)] == ["exchange", "cash"]
    assert paid(sold) == [("exchange", sold["lines"][0]["amount"])]


def test_goods_come_back_without_a_receipt_for_who_may(goods: Served, browser: Browser) -> None:
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/return")
        ready(page)
        assert page.locator("a[href$='/without-sale']").count() == 0
    with visit(browser, goods.server, who="manager") as one:
        page = one.open("/console/return/without-sale")
        ready(page)
        shoot(page, PLAIN)
        expect(page.locator(".line")).to_be_visible()
        page.locator("[name=payment][value=alipay]").check(force=True)
        one.shot("without-sale")
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_be_visible()
    back = last(goods, "customer_return")
    assert (back["of_document"], paid(back)) == (None, [("alipay", back["lines"][0]["amount"])])


@pytest.mark.long("browser-full")
def test_goods_back_without_a_receipt_are_told_among_the_exceptions(
    goods: Served, browser: Browser
) -> None:
    looks: tuple[dict[str, Any], ...] = (
        {},
        {"kind": "desktop", "language": "en", "color_scheme": "dark"},
    )
    for look, words in zip(looks, ("退了 ¥4.00，没有指明是哪一单", "paid back ¥4.00"), strict=True):
        with visit(browser, goods.server, who="manager", **look) as one:
            page = one.open("/console/return/without-sale")
            ready(page)
            shoot(page, PLAIN)
            expect(page.locator(".line")).to_be_visible()
            page.locator("[data-post]").click()
            expect(page.locator(".toast.good")).to_be_visible()
            number = last(goods, "customer_return")["number"]
            page = one.open("/console/exceptions")
            expect(page.locator(".to-settle li", has_text=number)).to_contain_text(words)
            one.shot(f"without-sale-told-{len(look)}")
            page = one.open(f"/console/documents/{number}")
            expect(page.locator(".note.warn")).to_be_visible()
