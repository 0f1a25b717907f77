"""A gun is heard on every page and in every field; a person who types is not disturbed."""

from __future__ import annotations

import pytest
from browser import GUN_MS, Served, Visit, shoot, until, visit
from playwright.sync_api import Browser, Page, expect
from scan_goods import PLAIN, SHARED, UNKNOWN

LISTEN = """async () => {
  const main = document.querySelector('script[src$="js/main.js"]').src;
  const { onScan } = await import(main.replace("main.js", "scan/scan.js"));
  window.read = [];
  window.end = onScan((code, { source }) => { window.read.push([code, source]); return true; });
}"""
FIELD = """(tag) => {
  const field = document.createElement(tag);
  field.id = "mine";
  field.setAttribute("aria-label", "mine");
  window.pressed = [];
  field.addEventListener("keydown", (event) => window.pressed.push(event.key));
  document.querySelector("#main").prepend(field);
  field.focus();
}"""
PERSON_MS = 130


def at_work(one: Visit) -> Page:
    """A page with everything that listens."""
    page = one.open("/console/parts")
    expect(page.locator("html[data-ready]")).to_be_visible()
    return page


def state(page: Page, is_: str) -> None:
    expect(page.locator(f"dialog.scanned[open] [data-scan-state={is_}]")).to_be_visible()


def test_gun_opens_the_sheet_of_what_it_scans_wherever_the_focus_is(
    goods: Served, browser: Browser
) -> None:
    with visit(browser, goods.server, who="clerk") as one:
        page = at_work(one)
        shoot(page, PLAIN)
        state(page, "known")
        expect(page.locator("dialog h2")).to_have_text("淡爽啤酒")
        expect(page.locator("dialog .scan-elsewhere li")).to_have_count(1)
        one.shot("scan-known")
        shoot(page, SHARED, end="Tab")
        state(page, "warning")
        expect(page.locator("dialog[open]")).to_have_count(1)
        one.shot("scan-choice")
        page.locator(".scan-choice a").last.click()
        expect(page.locator("dialog h2")).to_have_text("茉莉花茶礼盒")
        shoot(page, UNKNOWN)
        state(page, "unknown")
        one.shot("scan-unknown")
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
        page.evaluate(FIELD, "textarea")
        page.keyboard.type("三盒", delay=PERSON_MS)
        shoot(page, PLAIN, pause_s=0.2)
        state(page, "known")
        expect(page.locator("#mine")).to_have_value("三盒")
        assert "Enter" not in page.evaluate("window.pressed")


def test_person_who_types_a_number_and_enter_keeps_it(goods: Served, browser: Browser) -> None:
    with visit(browser, goods.server, who="clerk", kind="desktop", language="en") as one:
        page = at_work(one)
        page.evaluate(LISTEN)
        page.evaluate(FIELD, "input")
        page.keyboard.type(PLAIN, delay=PERSON_MS)
        page.keyboard.press("Enter")
        expect(page.locator("#mine")).to_have_value(PLAIN)
        assert page.evaluate("window.pressed").count("Enter") == 1
        assert page.evaluate("window.read") == []


@pytest.mark.long("browser-full")
def test_gun_in_a_job_gives_every_scan_to_the_job(goods: Served, browser: Browser) -> None:
    with visit(browser, goods.server, who="clerk", kind="desktop") as one:
        page = at_work(one)
        page.evaluate(LISTEN)
        for _ in range(3):
            shoot(page, PLAIN)
        page.locator(".find input").first.focus()
        shoot(page, "A/b-1+2")
        expect(page.locator(".find input").first).to_have_value("")
        page.keyboard.press("Shift")
        page.keyboard.type("0106999000100855", delay=GUN_MS)
        page.keyboard.press("Control+]")
        page.keyboard.type("10L1", delay=GUN_MS)
        page.keyboard.press("Enter")
        until(page, "window.read.length === 5")
        assert page.evaluate("window.read") == [
            *([[PLAIN, "gun"]] * 3),
            ["A/b-1+2", "gun"],
            ["0106999000100855\x1d10L1", "gun"],
        ]
        expect(page.locator("dialog")).to_have_count(0)
        page.evaluate("window.end()")
        shoot(page, PLAIN)
        state(page, "known")


@pytest.mark.long("browser-full")
def test_gun_without_an_enter_and_one_with_a_prefix_are_understood(
    goods: Served, browser: Browser
) -> None:
    with visit(browser, goods.server, who="clerk") as one:
        page = at_work(one)
        shoot(page, PLAIN, end="")
        state(page, "known")
        shoot(page, f"Q{PLAIN}")
        state(page, "unknown")
        one.shot("scan-gun-prefix")
        page.locator("[data-gun-code]").click()
        state(page, "known")
        shoot(page, f"Q{PLAIN}")
        state(page, "known")


@pytest.mark.long("browser-full")
def test_field_that_takes_codes_keeps_what_the_gun_types(goods: Served, browser: Browser) -> None:
    with visit(browser, goods.server, who="clerk") as one:
        page = at_work(one)
        page.evaluate(FIELD, "input")
        page.evaluate("document.querySelector('#mine').dataset.takesScan = ''")
        shoot(page, UNKNOWN)
        expect(page.locator("#mine")).to_have_value(UNKNOWN)
        expect(page.locator("dialog")).to_have_count(0)
        assert "Enter" not in page.evaluate("window.pressed")


@pytest.mark.long("browser-full")
def test_scan_field_takes_codes_and_names(goods: Served, browser: Browser) -> None:
    with visit(browser, goods.server, who="clerk", kind="desktop", language="en") as one:
        page = at_work(one)
        page.keyboard.press("/")
        expect(page.locator(".bar .find input")).to_be_focused()
        page.keyboard.type(PLAIN, delay=PERSON_MS)
        page.keyboard.press("Enter")
        state(page, "known")
        page.keyboard.press("Escape")
        page.locator(".bar .find input").fill("dr004")
        page.keyboard.press("Enter")
        expect(page.locator("dialog .scan-choice a, dialog.scanned")).not_to_have_count(0)
        page.keyboard.press("Escape")
        page.locator(".bar .find input").fill("可乐")
        page.keyboard.press("Enter")
        expect(page.locator("dialog .scan-choice a")).to_have_count(3)
        one.shot("scan-found")
        page.locator("dialog .scan-choice a").first.click()
        state(page, "known")
        page.keyboard.press("Escape")
        page.locator(".bar .find input").fill("没有这种东西")
        page.keyboard.press("Enter")
        expect(page.locator("dialog .empty")).to_be_visible()
        one.shot("scan-nothing")
