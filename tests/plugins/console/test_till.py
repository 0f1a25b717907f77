"""The counter: how a sale is paid, its change, and rounding down to the last fen."""

from __future__ import annotations

from decimal import Decimal

import pytest
from browser import Kind, Served, visit
from job_steps import begin, counted, last, scan
from playwright.sync_api import Browser, Page, expect
from scan_goods import CARTON, PLAIN


def pay(page: Page, kind: str) -> None:
    """Tap a kind of payment."""
    page.locator(f"[data-pay-kind={kind}]").click()


def place(page: Page, selector: str) -> list[float]:
    """Where a thing is on the screen, and how large."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    return [box["x"], box["y"], box["width"], box["height"]]


def post(page: Page) -> None:
    """Press the button and wait until it is said to be posted."""
    page.locator("[data-post]").click()
    expect(page.locator(".line")).to_have_count(0)


def test_sale_is_paid_with_change_and_remembers_its_kind(goods: Served, browser: Browser) -> None:
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        scan(page, PLAIN)
        expect(page.locator(".change-price")).to_have_count(0)
        pay(page, "cash")
        page.get_by_role("button", name="¥20.00").click()
        expect(page.locator(".change b")).to_have_text("¥16.00")
        one.shot("till-cash")
        button = place(page, "[data-post]")
        post(page)
        expect(page.locator(".last-change b")).to_have_text("¥16.00")
        assert place(page, "[data-post]") == pytest.approx(button, abs=1)
        one.shot("till-change")
        sold = last(goods, "issue")
        assert sold["payments"] == [{"kind": "cash", "amount": "4.00"}]
        page.locator("[data-receipt]").click()
        receipt = page.locator(".receipt")
        expect(receipt).to_contain_text(sold["number"])
        sums = ["合计¥4.00", "现金¥4.00", "实收¥20.00", "找零¥16.00"]
        expect(receipt.locator(".sums > div")).to_have_text(sums)
        one.shot("receipt-58")
        page = one.open(f"/console/documents/{sold['number']}")
        expect(page.locator(".facts")).to_contain_text("付款方式现金 ¥4.00")
        page = one.open("/console/")
        begin(page, "/console/sell")
        scan(page, PLAIN)
        expect(page.locator("[data-pay-kind=cash]")).to_have_attribute("aria-pressed", "true")
        post(page)
        assert len(counted(page, "paid sale")) == 3
        assert last(goods, "issue")["payments"] == [{"kind": "cash", "amount": "4.00"}]


FREE = """(all) => all.every((one) => {
  const box = one.getBoundingClientRect();
  const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return one.contains(found) || found?.contains(one);
})"""
"""Whether things are on the screen with nothing above them."""


@pytest.mark.parametrize(
    ("kind", "width", "height"),
    [
        ("phone", 360, 640),
        pytest.param("phone", 390, 844, marks=pytest.mark.long("browser-full")),
        pytest.param("desktop", 1000, 700, marks=pytest.mark.long("browser-full")),
        ("desktop", 1280, 800),
    ],
)
def test_what_the_next_customer_needs_is_in_sight_however_long_the_sale(
    goods: Served, browser: Browser, kind: Kind, width: int, height: int
) -> None:
    items = goods.server.call("GET", "/products?limit=40&sort=name", token=goods.token)["items"]
    skus = [one["sku"] for one in items if one["price"] and one["composition"] == "none"][:8]
    with visit(browser, goods.server, who="clerk", kind=kind) as one:
        one.page.set_viewport_size({"width": width, "height": height})
        page = one.open("/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        for sku in skus:
            scan(page, sku)
            expect(page.locator(".fresh")).to_have_attribute("data-sku", sku)
        pay(page, "cash")
        needed = page.locator(
            "[data-post], [data-pay-kind=wechat], [name=received], .fresh b, .fresh .count"
        )
        expect(needed).to_have_count(5)
        assert needed.evaluate_all(FREE)
        one.shot(f"till-long-{width}")
        button = place(page, "[data-post]")
        post(page)
        expect(page.locator(".toast.good")).to_be_visible()
        scan(page, PLAIN)
        expect(needed).to_have_count(5)
        assert needed.evaluate_all(FREE)
        assert place(page, "[data-post]") == pytest.approx(button, abs=1)
        one.shot(f"till-long-{width}-next")


def test_sale_is_rounded_down_and_paid_in_two_kinds(goods: Served, browser: Browser) -> None:
    token = goods.token
    for sku, price in (("odd-a", "3.33"), ("odd-b", "3.33"), ("odd-c", "1.01")):
        new = {"sku": sku, "name": sku, "unit": "pc", "price": price}
        goods.server.call("POST", "/products", token=token, body=new)
    with visit(browser, goods.server, who="clerk", kind="desktop", language="en") as one:
        page = one.open("/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        for sku in ("odd-a", "odd-b", "odd-c"):
            scan(page, sku)
            expect(page.locator(f".line[data-sku={sku}]")).to_be_visible()
        expect(page.locator("[data-sum]")).to_have_text("¥7.67")
        page.locator("[data-round=yuan]").click()
        expect(page.locator("[data-sum]")).to_have_text("¥7.00")
        pay(page, "wechat")
        page.locator("[data-pay-mix]").click()
        page.locator("input[name=part-cash]").fill("9")
        expect(page.locator(".rest")).to_have_text("¥2.00 too much")
        page.locator("[data-post]").click()
        expect(page.locator(".toast.warn")).to_be_visible()
        page.locator("input[name=part-cash]").fill("5")
        expect(page.locator(".rest")).to_have_text("¥2.00 by WeChat")
        one.shot("till-mixed")
        post(page)
        sold = last(goods, "issue")
        assert [line["amount"] for line in sold["lines"]] == ["3.04", "3.04", "0.92"]
        assert sold["payments"] == [
            {"kind": "cash", "amount": "5.00"},
            {"kind": "wechat", "amount": "2.00"},
        ]


def test_price_is_changed_by_who_may_beside_the_lists(goods: Served, browser: Browser) -> None:
    with visit(browser, goods.server, who="owner") as one:
        page = one.open("/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        scan(page, PLAIN)
        page.locator(".change-price").click()
        page.locator("[data-new-price]").fill("2.5")
        page.locator("[data-new-price]").blur()
        expect(page.locator(".changed-price s")).to_have_text("¥4.00")
        expect(page.locator("[data-sum]")).to_have_text("¥2.50")
        scan(page, PLAIN)
        expect(page.locator("[data-sum]")).to_have_text("¥5.00")
        one.shot("till-price")
        post(page)
        assert last(goods, "issue")["lines"][0]["amount"] == "5.00"


def test_price_is_said_within_its_bounds_by_whoever_sells(goods: Served, browser: Browser) -> None:
    call, token = goods.server.call, goods.token
    with visit(browser, goods.server, who="manager") as one:
        page = one.open("/console/goods/new")
        expect(page.locator("html[data-ready]")).to_be_visible()
        page.locator("#field-name").fill("花束")
        page.locator("#field-sku").fill("flowers")
        page.locator("#field-unit").fill("束")
        page.get_by_text("收银时说价").click()
        page.get_by_label("最低", exact=True).fill("90")
        page.get_by_label("最高", exact=True).fill("80")
        page.get_by_role("button", name="保存").click()
        expect(page.locator(".wrong")).to_have_count(1)
        page.get_by_label("最低", exact=True).fill("5")
        one.shot("open-price-form")
        page.get_by_role("button", name="保存").click()
        page.wait_for_url("**/console/goods/flowers")
        expect(page.locator(".goods-price")).to_contain_text("¥5.00 – ¥80.00")
        one.shot("open-price-product")
        one.complaints.clear()  # the browser notes the answer of 422 itself
    call(
        "PATCH",
        "/products/AL085",
        token=token,
        body={"open_price": {"min": "3.50"}},
    )
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        scan(page, "flowers")
        asked = page.locator(".open-amount")
        expect(asked).to_be_focused()
        expect(page.locator(".open-price")).to_contain_text("¥5.00 – ¥80.00")
        one.shot("open-price-asked")
        page.locator("[data-post]").click()
        expect(page.get_by_text("先输入价格")).to_be_visible()
        expect(asked).to_be_focused()
        asked.fill("300")
        page.locator("[data-post]").click()
        expect(page.get_by_text("有价格超出允许的范围")).to_be_visible()
        expect(page.locator(".line .wrong")).to_have_text("允许：¥5.00 – ¥80.00")
        one.shot("open-price-beyond")
        asked.fill("30")
        asked.press("Tab")
        scan(page, PLAIN)
        page.locator(".line[data-sku=AL085] .change-price").click()
        page.locator("[data-new-price]").fill("3.4")
        page.locator("[data-new-price]").blur()
        expect(page.locator(".line .wrong")).to_have_text("允许：¥3.50 起")
        page.locator(".line[data-sku=AL085] .change-price").click()
        page.locator("[data-new-price]").fill("3.5")
        page.locator("[data-new-price]").blur()
        expect(page.locator("[data-sum]")).to_have_text("¥33.50")
        one.shot("open-price-within")
        post(page)
        assert [line["amount"] for line in last(goods, "issue")["lines"]] == ["30.00", "3.50"]
        assert call("GET", "/exceptions?type=price_changed", token=token)["items"] == []


@pytest.mark.long("browser-full")
def test_receipt_is_printed_as_wide_as_the_paper(goods: Served, browser: Browser) -> None:
    lines = [
        {"sku": "AL085", "quantity": "3", "amount": "11.95"},
        {"sku": "AL085", "quantity": "12", "amount": "48.00"},
    ]
    store = goods.server.call("GET", "/stores", token=goods.token)["items"][0]["code"]
    new = {"kind": "issue", "store": store, "lines": lines}
    parts = [{"kind": "cash", "amount": "50"}, {"kind": "wechat", "amount": "9.95"}]
    sale = goods.server.call(
        "POST", "/documents", token=goods.token, body={**new, "payments": parts}
    )
    undone = goods.server.call(
        "POST",
        f"/documents/{sale['number']}/reverse",
        token=goods.token,
        body={"reason": "wrong"},
    )
    with visit(browser, goods.server, who="clerk") as one:
        for paper in ("58", "80"):
            path = f"/console/documents/{sale['number']}/receipt"
            page = one.open(f"{path}?received=60&off=0.05&paper={paper}")
            sums = page.locator(".receipt .sums > div")
            paid = ["现金¥50.00", "微信¥9.95", "实收¥60.00", "找零¥10.00"]
            expect(sums).to_have_text(["应收¥60.00", "抹零−¥0.05", "合计¥59.95", *paid])
            expect(page.locator(".receipt")).to_contain_text("已冲销")
            page.emulate_media(media="print")
            wide = page.locator(".receipt").bounding_box()
            assert wide is not None
            assert abs(wide["width"] - int(paper) * 96 / 25.4) < 1
            expect(page.locator("[data-print]")).to_be_hidden()
            one.shot(f"receipt-print-{paper}")
            page.emulate_media(media="screen")
        one.open(f"{path}?received=1e9&off=%3Cb%3E&paper=7")
        expect(page.locator(".receipt.w58")).not_to_contain_text("抹零")
        one.open(f"/console/documents/{undone['number']}/receipt")
        sums = page.locator(".receipt .sums > div")
        expect(sums).to_have_text(["退款¥59.95", "现金¥50.00", "微信¥9.95"])
        one.shot("receipt-refund")


MENDED = """async ([body, quantities]) => {
  const job = document.querySelector("[data-till]").closest("[data-module]");
  const from = new URL(job.dataset.module, location);
  return (await import(new URL("../offline/mended.js", from))).mended(body, quantities);
}"""


@pytest.mark.long("browser-full")
def test_kept_sale_with_other_quantities_is_paid_by_what_it_comes_to(
    goods: Served, browser: Browser
) -> None:
    def paid(*amounts: str) -> list[dict[str, str]]:
        kinds = ("cash", "card")
        return [{"kind": k, "amount": a} for k, a in zip(kinds, amounts, strict=False)]

    def line(quantity: str, amount: str) -> dict[str, str]:
        return {"sku": "a", "quantity": quantity, "amount": amount}

    lines = [line("3", "10.00"), line("1", "2.00")]
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        for payments, quantities, left, expected in (
            (paid("12.00"), ["2", "1"], [line("2", "6.67"), line("1", "2.00")], paid("8.67")),
            (paid("12.00"), ["3", "0"], [line("3", "10.00")], paid("10.00")),
            (paid("12.00"), ["3.0", "1"], [line("3.0", "10.00"), lines[1]], paid("12.00")),
            (paid("5.00", "7.00"), ["3", "2"], [lines[0], line("2", "4.00")], None),
        ):
            body = {"lines": lines, "payments": payments}
            mended = page.evaluate(MENDED, [body, quantities])
            assert (mended["lines"], mended.get("payments")) == (left, expected)


def test_kept_sale_with_other_quantities_leaves_no_more_than_it_sells(
    goods: Served, browser: Browser
) -> None:
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        for sold, kept, now, stays in (
            ("3", "3", "2", "2"),
            ("3", "1", "2", "1"),
            ("3", "2", "5", "2"),
            ("3", "72", "2", "48"),  # cartons of 24, kept in bottles
            ("2", "0.75", "1", "0.75"),
            ("3", "2", "3.0", "2"),
        ):
            body = {"lines": [{"sku": "a", "quantity": sold, "kept": kept}]}
            mended = page.evaluate(MENDED, [body, [now]])
            assert mended["lines"] == [{"sku": "a", "quantity": now, "kept": stays}]


@pytest.mark.long("browser-full")
def test_sale_of_which_nobody_said_how_it_was_paid_says_nothing(
    goods: Served, browser: Browser
) -> None:
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        scan(page, CARTON)
        expect(page.locator("[data-sum]")).to_have_text("¥88.00")
        pay(page, "card")
        pay(page, "card")
        post(page)
        sold = last(goods, "issue")
        assert sold["payments"] == []
        shown = one.open(f"/console/documents/{sold['number']}")
        expect(shown.locator("dt", has_text="付款方式")).to_have_count(0)


def test_day_is_closed_by_kind_and_person_and_the_drawer_is_held_against_the_cash(
    goods: Served, browser: Browser
) -> None:
    store = goods.server.call("GET", "/stores", token=goods.token)["items"][0]["code"]
    sale = {
        "kind": "issue",
        "store": store,
        "lines": [{"sku": "AL085", "quantity": 1, "amount": "3.95"}],
        "payments": [{"kind": "cash", "amount": "3.95"}],
    }
    goods.server.call("POST", "/documents", token=goods.token, body=sale)
    asked = f"/takings?store={store}&channel=counter"
    rows = goods.server.call("GET", asked, token=goods.token)["items"]
    cash = next(Decimal(row["net"]) for row in rows if row["payment"] == "cash")
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/day-close")
        expect(page.locator("html[data-ready]")).to_be_visible()
        expect(page.locator("th a[href*='payment=cash']")).to_be_visible()
        page.locator("#began").fill("200")
        page.locator("#counted").fill(str(cash + 200))
        expect(page.locator(".difference.good")).to_be_visible()
        page.locator("#counted").fill(str(cash + 200 - Decimal("0.05")))
        expect(page.locator(".difference.warn")).to_have_text("少 ¥0.05")
        one.shot("day-close")
        page.locator("#left").fill("150")
        page.locator(".day-close [type=submit]").click()
        page.wait_for_url("**/console/day-close/*")
        expect(page.locator(".badge.warn")).to_have_text("少 ¥0.05")
        one.shot("day-closed")
        closed = goods.server.call("GET", f"/closings?store={store}&limit=1", token=goods.token)[
            "items"
        ]
        assert [(c["cash"], c["difference"], c["actor"]) for c in closed] == [
            (str(cash), "-0.05", "clerk")
        ]
        page = one.open("/console/day-close")
        expect(page.locator("a.note.good")).to_contain_text("clerk 已日结")
        expect(page.locator("#began")).to_have_value("200.00")
        one.shot("day-close-again")
