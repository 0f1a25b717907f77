"""Made in the shop, sent back to the supplier, picked up by whose it is: by scan."""

from __future__ import annotations

import urllib.request
from typing import Any

import pytest
from browser import Served, session, shoot, visit
from job_steps import begin, counted, follow_on, last, scan, stock
from playwright.sync_api import Browser, expect
from scan_goods import PLAIN

STEPS_MOST = 5


@pytest.fixture(scope="module")
def kitchen(goods: Served) -> Served:
    """The shop with a cake that is made of two things."""
    for sku, name, precision, more in (
        ("FLOUR", "面粉", 3, {"unit": "kg"}),
        ("EGGS", "鲜鸡蛋", 0, {"unit": "个"}),
        (
            "CAKE",
            "奶油蛋糕",
            0,
            {
                "unit": "个",
                "composition": "made",
                "track_lots": True,
                "shelf_life_days": 3,
                "components": [
                    {"sku": "FLOUR", "quantity": "0.4"},
                    {"sku": "EGGS", "quantity": 4},
                ],
            },
        ),
    ):
        post(goods, "/products", {"sku": sku, "name": name, "precision": precision, **more})
    lines = [
        {"sku": "FLOUR", "quantity": 2, "unit_cost": 6},
        {"sku": "EGGS", "quantity": 30, "unit_cost": "0.6"},
    ]
    post(goods, "/documents", {"kind": "receipt", "store": first(goods), "lines": lines})
    return goods


def post(served: Served, path: str, body: dict[str, Any]) -> Any:
    return served.server.call("POST", path, token=served.token, body=body)


def first(served: Served) -> str:
    return str(served.server.call("GET", "/stores", token=served.token)["items"][0]["code"])


def test_cake_is_made_of_what_the_page_said_and_taken_apart_again(
    kitchen: Served, browser: Browser
) -> None:
    with visit(browser, kitchen.server, who="clerk") as one:
        page = one.open("/console/")
        begin(page, "/console/make")
        one.shot("make-empty")
        page.get_by_role("button", name="奶油蛋糕", exact=True).click()
        page.locator(".count").fill("5")
        page.locator(".count").press("Tab")
        flour, eggs = page.locator("[data-part=FLOUR]"), page.locator("[data-part=EGGS]")
        expect(flour).to_contain_text("2 kg")
        expect(eggs).to_contain_text("20 个")
        expect(eggs).to_contain_text("现有 30 个")
        one.shot("make")
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_be_visible()
        assert len(counted(page, "make")) <= STEPS_MOST
        made = last(kitchen, "production")
        assert (made["actor"], made["lines"][0]["quantity"]) == ("clerk", "5")
        assert made["lines"][0]["lots"][0]["expires_on"] is not None
        assert [stock(kitchen, sku) for sku in ("CAKE", "EGGS", "FLOUR")] == [5, 10, 0]
        page.get_by_role("button", name="奶油蛋糕", exact=True).click()
        expect(page.locator(".short[data-part=FLOUR]")).to_contain_text("还差 0.4 kg")
        expect(eggs).to_contain_text("4 个")
        one.shot("make-short")
        page.get_by_text("拆开").click()
        expect(page.locator("[data-making] h2")).to_have_text("拆出来")
        expect(flour).to_contain_text("0.4 kg")
        one.shot("make-apart")
        page.locator("[data-post]").click()
        expect(page.locator(".line")).to_have_count(0)
        assert [stock(kitchen, sku) for sku in ("CAKE", "EGGS")] == [4, 14]
        one.complaints.clear()  # the browser notes every refusal itself


def test_goods_go_back_to_the_supplier_by_scan_without_a_receipt(
    kitchen: Served, browser: Browser
) -> None:
    before = stock(kitchen, "AL085")
    with visit(browser, kitchen.server, who="clerk") as one:
        page = one.open("/console/")
        begin(page, "/console/send-back")
        scan(page, PLAIN)
        page.locator("#supplier").fill("城南批发")
        one.shot("send-back")
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_be_visible()
        assert len(counted(page, "send back")) <= STEPS_MOST
        gone = last(kitchen, "supplier_return")
        assert (gone["supplier"], gone["lines"][0]["quantity"]) == ("城南批发", "1")
        assert stock(kitchen, "AL085") == before - 1


@pytest.mark.long("browser-full")
def test_making_and_sending_back_in_english_on_a_desktop(kitchen: Served, browser: Browser) -> None:
    with visit(
        browser, kitchen.server, who="manager", kind="desktop", language="en", color_scheme="dark"
    ) as one:
        page = one.open("/console/make")
        expect(page.locator("html[data-ready]")).to_be_visible()
        page.get_by_role("button", name="奶油蛋糕", exact=True).click()
        page.locator(".count").fill("900000000")
        page.locator(".count").press("Tab")
        expect(page.locator(".short[data-part=EGGS]")).to_be_visible()
        one.shot("make-absurd")
        page.locator("[data-post]").click()
        expect(page.locator(".toast.bad")).to_be_visible()
        scan(page, PLAIN)
        page.locator("[data-post]").click()
        expect(page.locator(".line .wrong")).to_be_visible()
        one.shot("make-not-made")
        page.get_by_role("button", name="One less").first.click()
        page = one.open("/console/send-back")
        expect(page.locator("html[data-ready]")).to_be_visible()
        scan(page, PLAIN)
        page.get_by_text("Damaged goods").click()
        page.locator(".count").fill("9999")
        page.locator("[data-post]").click()
        expect(page.locator(".line .wrong")).to_be_visible()
        one.shot("send-back-short")
        one.complaints.clear()  # the browser notes every refusal itself


TWO = [{"line": 1, "sku": "AL085", "quantity": "2", "issued": "0"}]


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
        page = one.open("/console/")
        begin(page, "/console/hand-over")
        expect(page.locator("[data-order]")).to_have_count(2)
        one.shot("hand-over")
        scan(page, "MT-7788")
        page.wait_for_url("**/hand-over?code=MT-7788")
        follow_on(page)
        expect(page.locator("[data-order]")).to_have_count(1)
        page.get_by_role("button", name="交给顾客").click()
        expect(page.locator(".toast.good")).to_be_visible()
        assert len(counted(page, "hand over")) <= STEPS_MOST
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
        assert (again["kind"], again["lines"]) == ("hold", TWO)


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


def sold(served: Served, *, quantity: int = 3, kept: int = 0, **more: Any) -> str:
    """A sale of what the plain barcode is on; its number."""
    wanted = {"sku": "AL085", "quantity": quantity, **({"kept": kept} if kept else {})}
    body = {"kind": "issue", "store": first(served), "lines": [wanted], **more}
    return str(post(served, "/documents", body)["number"])


def kept(served: Served, number: str) -> Any:
    found = served.server.call("GET", f"/documents/{number}", token=served.token)
    return found["lines"][0]["waiting"]


def test_part_of_an_order_is_handed_over_and_the_rest_stays_promised(
    goods: Served, browser: Browser
) -> None:
    order = {"store": first(goods), "reference": "PART-1", "channel": "counter", "expires_in": 7200}
    lines = [{"sku": "AL085", "quantity": 3}]
    made = post(goods, "/reservations", {**order, "lines": lines})
    before = stock(goods, "AL085")
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/hand-over?code=PART-1")
        expect(page.locator("html[data-ready]")).to_be_visible()
        expect(page.locator(".stepper")).to_be_hidden()
        page.get_by_role("button", name="只交一部分").click()
        page.get_by_role("button", name="减一").click()
        one.shot("hand-over-part")
        page.get_by_role("button", name="交给顾客").click()
        expect(page.locator(".toast.good")).to_contain_text("其余还留着")
        expect(page.locator("[data-figure]")).to_have_text("1")
        assert stock(goods, "AL085") == before - 2
        path = f"/reservations/{made['id']}"
        found = goods.server.call("GET", path, token=goods.token)
        assert (found["status"], found["lines"][0]["issued"]) == ("active", "2")
        page.locator(".toast.good button").click()
        expect(page.locator("[data-order]")).to_have_count(2)
        expect(page.locator("[data-order]").first).to_contain_text("已交 2／3")
        one.shot("hand-over-rest")
        assert stock(goods, "AL085") == before
        page.get_by_role("button", name="交给顾客").first.click()
        expect(page.locator("[data-order]")).to_have_count(1)
        found = goods.server.call("GET", path, token=goods.token)
        assert (found["status"], found["lines"][0]["issued"]) == ("committed", "3")


def test_kept_goods_are_found_handed_over_in_part_and_taken_back(
    goods: Served, browser: Browser
) -> None:
    number = sold(goods, quantity=3, kept=2, note="王女士 6688")
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/kept-goods?code=6688")
        expect(page.locator("html[data-ready]")).to_be_visible()
        expect(page.locator("[data-card]")).to_contain_text("王女士")
        page.get_by_role("button", name="只交一部分").click()
        page.get_by_role("button", name="减一").click()
        one.shot("kept-goods-part")
        page.get_by_role("button", name="交给顾客").click()
        expect(page.locator(".toast.good")).to_be_visible()
        assert kept(goods, number) == "1"
        page.locator(".toast.good button").click()
        expect(page.locator("[data-figure]")).to_have_text("2")
        assert kept(goods, number) == "2"
        page = one.open("/console/")
        begin(page, "/console/kept-goods")
        scan(page, PLAIN)
        page.wait_for_url(f"**/kept-goods?code={PLAIN}")
        follow_on(page)
        page.locator(f"[data-number={number}] [data-deed]").click()
        expect(page.locator(f"[data-number={number}]")).to_have_count(0)
        assert len(counted(page, "hand over kept goods")) <= STEPS_MOST
        assert kept(goods, number) is None


@pytest.mark.long("browser-full")
def test_goods_of_a_receipt_are_left_in_the_shop_and_the_leaving_taken_back(
    goods: Served, browser: Browser
) -> None:
    number = sold(goods, quantity=2)
    with visit(
        browser, goods.server, who="clerk", kind="desktop", language="en", color_scheme="dark"
    ) as one:
        page = one.open(f"/console/documents/{number}")
        page.get_by_role("link", name="Keep in the shop").click()
        page.wait_for_url(f"**/kept-goods?code={number}")
        expect(page.locator("html[data-ready]")).to_be_visible()
        page.get_by_label("Whose").fill("Ms. Li, blue coat")
        one.shot("kept-goods-leave")
        page.get_by_role("button", name="Keep in the shop").click()
        expect(page.locator(".toast.good")).to_be_visible()
        assert kept(goods, number) == "2"
        page.locator(".toast.good button").click()
        expect(page.locator("[data-deed=keep]")).to_be_visible()
        assert kept(goods, number) is None
        page.get_by_label("Whose").fill("Ms. Li, blue coat")
        page.get_by_role("button", name="Keep in the shop").click()
        expect(page.locator(".toast.good")).to_be_visible()
        page = one.open("/console/kept-goods")
        expect(page.locator(f"[data-number={number}] h2")).to_have_text("Ms. Li, blue coat")
        post(goods, f"/documents/{number}/hand_over", {"lines": [{"line": 1}]})
        page.locator(f"[data-number={number}] [data-deed]").click()
        expect(page.locator(".toast.bad")).to_be_visible()
        one.shot("kept-goods")
        one.complaints.clear()  # the browser notes every refusal itself


@pytest.mark.long("browser-full")
def test_kept_goods_empty_and_absurdly_many_are_shown_whole(
    goods: Served, browser: Browser
) -> None:
    for n in range(52):
        sold(goods, quantity=900_000 + n, kept=900_000, note="特" * 200)
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/kept-goods")
        expect(page.locator("[data-card]")).to_have_count(50)
        one.shot("kept-goods-many")
        page = one.open("/console/kept-goods?code=NOBODY")
        expect(page.locator(".empty")).to_be_visible()
        one.shot("kept-goods-none")


def test_papers_of_what_was_taken_back_kept_and_handed_over_are_shown(goods: Served) -> None:
    number = sold(goods, quantity=2)
    one = {"lines": [{"line": 1, "quantity": 1}]}
    post(goods, f"/documents/{number}/keep", one)
    post(goods, f"/documents/{number}/hand_over", one)
    post(goods, f"/documents/{number}/reverse", {"reason": "typed wrongly"})
    papers = goods.server.call("GET", "/documents?limit=3", token=goods.token)["items"]
    assert [x["action"] for x in papers] == ["reversal", "hand_over", "keep"]
    cookie = {"Cookie": f"dianku_session={session(goods.server, 'clerk')}"}
    for path in ("/console/documents", *(f"/console/documents/{x['number']}" for x in papers)):
        request = urllib.request.Request(goods.server.url + path, headers=cookie)
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200, path
