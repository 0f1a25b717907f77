"""Goods that are promised to an order: found by scan, handed over or given up, taken back."""

from __future__ import annotations

from typing import Any

import pytest
from browser import Served, shoot, visit
from job_steps import last, stock
from playwright.sync_api import Browser, expect
from scan_goods import PLAIN


def first(served: Served) -> str:
    return str(served.server.call("GET", "/stores", token=served.token)["items"][0]["code"])


def promised(served: Served, reference: str, quantity: int = 2, **more: Any) -> str:
    """An order that waits; its id."""
    body = {
        "store": first(served),
        "lines": [{"sku": "AL085", "quantity": quantity}],
        "reference": reference,
        "channel": "counter",
        **({"expires_in": 7200} if "kind" not in more else {}),
        **more,
    }
    return str(served.server.call("POST", "/reservations", token=served.token, body=body)["id"])


def waiting(served: Served, reference: str) -> list[Any]:
    path = f"/reservations?status=active&reference={reference}"
    items: list[Any] = served.server.call("GET", path, token=served.token)["items"]
    return items


def test_order_that_is_scanned_is_handed_over_and_promised_again_by_undo(
    goods: Served, browser: Browser
) -> None:
    promised(goods, "MT-7788")
    promised(goods, "MT-7789", quantity=1)
    before = stock(goods, "AL085")
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/hand-over")
        expect(page.locator("html[data-ready]")).to_be_visible()
        expect(page.locator("[data-order]")).to_have_count(2)
        one.shot("hand-over")
        shoot(page, "MT-7788")
        page.wait_for_url("**/hand-over?code=MT-7788")
        expect(page.locator("html[data-ready]")).to_be_visible()
        expect(page.locator("[data-order]")).to_have_count(1)
        page.get_by_role("button", name="交给顾客").click()
        expect(page.locator(".toast.good")).to_be_visible()
        expect(page.locator("[data-order]")).to_have_count(0)
        one.shot("hand-over-done")
        gone = last(goods, "issue")
        assert (gone["reference"], gone["actor"]) == ("MT-7788", "clerk")
        assert stock(goods, "AL085") == before - 2
        assert waiting(goods, "MT-7788") == []
        page.locator(".toast.good button").click()
        expect(page.locator("[data-order]")).to_have_count(1)
        assert stock(goods, "AL085") == before
        [again] = waiting(goods, "MT-7788")
        assert (again["kind"], again["lines"]) == ("hold", [{"sku": "AL085", "quantity": "2"}])


def test_order_that_is_given_up_or_gone_frees_its_goods_once(
    goods: Served, browser: Browser
) -> None:
    kept = promised(goods, "GIVEN-UP", kind="preorder", due_on="2030-01-01")
    with visit(browser, goods.server, who="clerk", kind="desktop", language="en") as one:
        page = one.open("/console/hand-over?code=GIVEN-UP")
        expect(page.locator("html[data-ready]")).to_be_visible()
        page.get_by_role("button", name="Give up").click()
        expect(page.locator(".toast.good")).to_be_visible()
        assert waiting(goods, "GIVEN-UP") == []
        page.locator(".toast.good button").click()
        expect(page.locator("[data-order]")).to_be_visible()
        [again] = waiting(goods, "GIVEN-UP")
        assert (again["kind"], again["due_on"], again["id"] != kept) == (
            "preorder",
            "2030-01-01",
            True,
        )
        path = f"/reservations/{again['id']}/commit"
        goods.server.call("POST", path, token=goods.token, body={})
        page.get_by_role("button", name="Hand over").click()
        expect(page.locator(".toast.bad")).to_be_visible()
        expect(page.locator("[data-order]")).to_have_count(0)
        one.complaints.clear()  # the browser notes every answer of 409 itself


@pytest.mark.long("browser-full")
def test_picked_up_from_home_in_few_steps_among_many_orders(
    goods: Served, browser: Browser
) -> None:
    promised(goods, "特" * 200, kind="preorder", due_on="2030-01-01")
    for number in range(105):
        promised(goods, f"P-{number}", quantity=1, kind="preorder", due_on="2030-01-02")
    with visit(browser, goods.server, who="clerk", color_scheme="dark") as one:
        page = one.open("/console/")
        expect(page.locator("html[data-ready]")).to_be_visible()
        one.shot("hand-over-home")
        page = one.open("/console/hand-over")
        expect(page.locator("[data-order]")).to_have_count(50)
        one.shot("hand-over-many")
        shoot(page, PLAIN)
        page.wait_for_url(f"**/hand-over?code={PLAIN}")
        expect(page.locator("[data-order]")).to_have_count(50)
        shoot(page, "P-104")
        page.wait_for_url("**/hand-over?code=P-104")
        expect(page.locator("html[data-ready]")).to_be_visible()
        page.get_by_role("button", name="交给顾客").click()
        expect(page.locator(".toast.good")).to_be_visible()
        page = one.open("/console/hand-over?code=NOBODY")
        expect(page.locator(".empty")).to_be_visible()
        one.shot("hand-over-none")
