"""Paid for and left in the shop at once: all of a sale or a part, and whose it is."""

from __future__ import annotations

from typing import Any

import pytest
from browser import Served, axe_serious, shoot, until, visit
from job_steps import begin, counted, last, post, scan, stores
from playwright.sync_api import Browser, Page, expect
from scan_goods import CARTON, LONG, PLAIN

STEPS_MOST = 5
COPIED = """async () => {
  const job = document.querySelector("[data-till]").closest("[data-module]");
  const at = (path) => new URL(path, new URL(job.dataset.module, location));
  const { named } = await import(at("../device.js"));
  // The page follows by itself, and who comes second goes away: wait for the first.
  await navigator.locks.request(named("dianku-goods"), () => {});
  await (await import(at("../offline/catalog.js"))).follow("clerk");
}"""
"""The goods are on the phone."""
SEEN = """(() => {
  const field = document.activeElement, box = field.getBoundingClientRect();
  const there = document.elementFromPoint(box.x + box.width / 2, box.bottom - 2);
  return field.id === "whose" && there === field;
})()"""
"""The field for whose it is has the focus, and nothing lies on it."""
OF_BEFORE = """async () => {
  const known = await indexedDB.databases();
  const [{ name }] = known.filter((one) => one.name.endsWith("dianku-goods"));
  const done = (asked) => new Promise((yes, no) => {
    asked.onsuccess = () => yes(asked.result);
    asked.onerror = no;
  });
  const base = await done(indexedDB.open(name));
  const at = base.transaction(["products", "state"], "readwrite");
  const [products, state] = [at.objectStore("products"), at.objectStore("state")];
  const { form, ...rest } = await done(state.get("state"));
  await done(state.put(rest, "state"));
  const all = await done(products.getAll());
  for (const { composition, ...one } of all) await done(products.put(one));
  base.close();
}"""
"""They are there as a version before kept them: without what they are made of."""


@pytest.fixture(scope="module")
def box(goods: Served) -> Served:
    """The shop with a box of beer that has no stock of its own."""
    parts = [{"sku": "AL085", "quantity": 2}]
    new = {"sku": "GIFTBOX", "name": "啤酒礼盒", "unit": "盒", "price": "9.00"}
    post(goods, "/products", {**new, "composition": "kit", "components": parts})
    return goods


def opened(page: Page) -> None:
    """A page that listens to the scanner."""
    expect(page.locator("html[data-ready]")).to_be_visible()


def sell(page: Page) -> None:
    """Press the button and wait until it is said to be posted."""
    page.locator("[data-post]").click()
    expect(page.locator(".line")).to_have_count(0)


def kept(document: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(line["sku"], line["quantity"], line["kept"]) for line in document["lines"]]


def test_whole_sale_is_left_found_by_its_name_and_told_on_the_receipt(
    goods: Served, browser: Browser
) -> None:
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/")
        begin(page, "/console/sell")
        expect(page.locator("[data-leave]")).to_be_hidden()
        scan(page, PLAIN)
        page.get_by_role("button", name="客存").click()
        page.get_by_label("谁的").fill("王女士 6688")
        expect(page.locator(".stays")).to_have_text("存 1")
        one.shot("leave-all")
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_contain_text("存在店里")
        assert len(counted(page, "sell and leave")) <= STEPS_MOST
        sold = last(goods, "issue")
        assert (kept(sold), sold["note"]) == ([("AL085", "1", "1")], "王女士 6688")
        expect(page.locator("[data-left]")).to_be_hidden()
        page.locator("[data-receipt]").click()
        expect(page.locator(".receipt .waits")).to_have_text("存在店里 1 罐")
        expect(page.locator(".receipt")).to_contain_text("王女士 6688")
        one.shot("leave-receipt")
        page = one.open("/console/kept-goods?code=6688")
        opened(page)
        expect(page.locator(f"[data-number={sold['number']}]")).to_contain_text("王女士 6688")
        page.get_by_role("button", name="交给顾客").click()
        expect(page.locator(".toast.good")).to_be_visible()
        page = one.open(f"/console/documents/{sold['number']}/receipt")
        expect(page.locator(".receipt .sold")).to_be_visible()
        expect(page.locator(".receipt .waits")).to_have_count(0)
        # The next customer takes everything along, also where the one before took all of it back.
        page = one.open("/console/sell")
        opened(page)
        shoot(page, PLAIN)
        page.get_by_role("button", name="客存").click()
        page.get_by_label("谁的").fill("不要了")
        page.locator(".stepper button").first.click()
        expect(page.locator("[data-left]")).to_be_hidden()
        shoot(page, PLAIN)
        sell(page)
        assert kept(last(goods, "issue")) == [("AL085", "1", None)]
        assert last(goods, "issue")["note"] is None


def test_part_of_a_sale_is_left_by_line_and_count_and_comes_back_by_undo(
    box: Served, browser: Browser
) -> None:
    with visit(
        browser, box.server, who="clerk", kind="desktop", language="en", color_scheme="dark"
    ) as one:
        page = one.open("/console/sell")
        opened(page)
        for code in (CARTON, CARTON, PLAIN, "GIFTBOX"):
            shoot(page, code)
        expect(page.locator(".line")).to_have_count(3)
        page.get_by_role("button", name="Left here").click()
        kit = page.locator(".line[data-sku=GIFTBOX]")
        expect(kit.locator(".stays")).to_contain_text("goes along")
        page.get_by_role("button", name="Only a part").click()
        page.locator("[data-post]").click()  # a part, but of what?
        expect(page.locator(".toast.warn")).to_be_visible()
        carton = page.locator(".line").nth(2)
        carton.locator("[data-stays]").click()
        expect(carton.locator("[data-how-many]")).to_have_value("2")
        carton.locator("[data-how-many]").fill("1")
        carton.locator("[data-how-many]").press("Tab")
        expect(carton.locator("[data-stays]")).to_have_attribute("aria-pressed", "true")
        carton.locator(".stepper button").last.click()
        expect(carton.locator("[data-how-many]")).to_have_value("1")
        page.get_by_label("Whose").fill("Ms. Li")
        assert axe_serious(page) == []
        one.shot("leave-part-en-dark")
        page.locator("[data-post]").click()
        expect(page.locator(".toast.good")).to_contain_text("kept in the shop")
        sold = last(box, "issue")
        assert kept(sold) == [("AL085", "72", "24"), ("AL085", "1", None), ("GIFTBOX", "1", None)]
        assert sold["note"] == "Ms. Li"
        page.locator(".toast.good button").click()
        expect(page.locator(".line")).to_have_count(3)
        expect(page.get_by_label("Whose")).to_have_value("Ms. Li")
        page.get_by_role("button", name="Left here").click()  # taken back: all goes along
        expect(page.locator(".stays")).to_have_count(0)
        sell(page)
        assert [line["kept"] for line in last(box, "issue")["lines"]] == [None] * 3


def test_sale_left_without_a_connection_arrives_as_it_was_said(
    box: Served, browser: Browser
) -> None:
    with visit(browser, box.server, who="clerk") as one:
        page = one.open("/console/sell")
        opened(page)
        page.evaluate(COPIED)
        page.evaluate(OF_BEFORE)
        page.evaluate(COPIED)
        one.context.set_offline(True)
        shoot(page, PLAIN)
        shoot(page, "GIFTBOX")
        expect(page.locator(".line")).to_have_count(2)
        # What asks whose it is lies in sight, also where the till takes half of a small phone.
        page.set_viewport_size({"width": 360, "height": 560})
        page.locator("[data-pay-kind=cash]").click()
        page.get_by_role("button", name="客存").click()
        until(page, SEEN)
        one.shot("leave-small")
        page.get_by_label("谁的").fill("没网的赵先生")
        expect(page.locator(".line[data-sku=GIFTBOX] .stays")).to_contain_text("直接拿走")
        sell(page)
        expect(page.locator("a[data-kept]")).to_contain_text("1 张待送")
        one.context.set_offline(False)
        expect(page.locator("a[data-kept]")).to_be_hidden()
        sold = last(box, "issue")
        assert kept(sold) == [("AL085", "1", "1"), ("GIFTBOX", "1", None)]
        assert sold["note"] == "没网的赵先生"
        one.complaints.clear()  # the browser notes every request that found no network


def test_exchange_leaves_what_is_taken_instead(goods: Served, browser: Browser) -> None:
    lines = [{"sku": "AL085", "quantity": "1", "amount": "4.00"}]
    old = post(goods, "/documents", {"kind": "issue", "store": stores(goods)[0], "lines": lines})
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open(f"/console/documents/{old['number']}/return")
        opened(page)
        shoot(page, PLAIN)
        page.locator("[data-trade]").click()
        page.wait_for_url("**/console/sell")
        opened(page)
        shoot(page, PLAIN)
        page.get_by_role("button", name="客存").click()
        sell(page)
    assert kept(last(goods, "issue")) == [("AL085", "1", "1")]


@pytest.mark.long("browser-full")
def test_absurd_goods_are_left_and_told_whole(goods: Served, browser: Browser) -> None:
    with visit(browser, goods.server, who="clerk", color_scheme="dark") as one:
        page = one.open("/console/sell")
        opened(page)
        for code in (PLAIN, LONG, CARTON):
            shoot(page, code)
        expect(page.locator(".line")).to_have_count(3)
        page.locator(".line .count").first.fill("900000")
        page.get_by_role("button", name="客存").click()
        page.get_by_label("谁的").fill("特" * 200)
        page.get_by_role("button", name="只存一部分").click()
        for chip in page.locator("[data-stays]").all():
            chip.click()
        expect(page.locator("[data-how-many]")).to_have_value("900000")
        one.shot("leave-absurd")
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide
        sell(page)
        one.open(f"/console/documents/{last(goods, 'issue')['number']}/receipt")
        one.shot("leave-receipt-absurd")
