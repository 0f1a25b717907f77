"""Without a mouse or without seeing: keys alone do a job, what opens says what it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser import Served, Visit, axe_serious, shoot, visit
from playwright.sync_api import Browser, Page, expect
from scan_goods import CARTON, PLAIN

TABS_MOST = 60
FOCUSED = """() => {
  const on = document.activeElement;
  const box = on.getBoundingClientRect();
  return {
    name: (on.ariaLabel ?? on.labels?.[0]?.textContent ?? on.textContent).trim(),
    shown: box.width > 0 && box.height > 0,
    ring: getComputedStyle(on).outlineStyle !== "none",
    body: on === document.body,
  };
}"""


def tab_to(page: Page, selector: str) -> list[str]:
    """Tab until something has the focus; what had it before, each named and with a ring."""
    passed: list[str] = []
    target = page.locator(selector).first
    for _ in range(TABS_MOST):
        page.keyboard.press("Tab")
        if target.evaluate("node => node === document.activeElement"):
            return passed
        on = page.evaluate(FOCUSED)
        assert on["body"] or (on["name"] and on["shown"] and on["ring"]), (on, passed)
        passed.append(on["name"])
    raise AssertionError(f"{selector} is not reached by keys: {passed}")


def test_sale_is_made_and_taken_back_by_keys_alone(goods: Served, browser: Browser) -> None:
    """From home: the job, a code typed after "/", one more of it, the button, the undo."""
    with visit(browser, goods.server, who="clerk", kind="desktop", language="en") as one:
        page = one.open("/console/")
        expect(page.locator("html[data-ready]")).to_be_visible()
        tab_to(page, "main a[href='/console/sell']")
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/sell")
        expect(page.locator("html[data-ready]")).to_be_visible()
        page.keyboard.press("/")
        page.keyboard.type(PLAIN, delay=80)
        page.keyboard.press("Enter")
        expect(page.locator(".line .amount")).to_have_text("¥4.00")
        tab_to(page, ".line .stepper button:last-child")
        page.keyboard.press("Space")
        expect(page.locator(".line .amount")).to_have_text("¥8.00")
        tab_to(page, "[data-post]")
        page.keyboard.press("Enter")
        expect(page.locator(".toast.good")).to_be_visible()
        tab_to(page, ".toast.good button")
        page.keyboard.press("Enter")
        expect(page.locator(".line")).to_have_count(1)


def test_dialog_holds_the_focus_closes_by_escape_and_gives_it_back(
    goods: Served, browser: Browser
) -> None:
    with visit(browser, goods.server, who="clerk", kind="desktop", language="en") as one:
        page = one.open("/console/goods")
        expect(page.locator("html[data-ready]")).to_be_visible()
        before = page.evaluate("() => { document.querySelector('main a').focus(); return 1; }")
        assert before == 1
        shoot(page, PLAIN)
        dialog = page.locator("dialog[open]")
        expect(dialog).to_be_visible()
        for _ in range(20):
            page.keyboard.press("Tab")
            inside = page.evaluate(
                "() => document.activeElement === document.body"
                " || Boolean(document.activeElement.closest('dialog'))"
            )
            assert inside, page.evaluate(FOCUSED)
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        assert page.evaluate("() => document.activeElement === document.querySelector('main a')")


def _sheet(one: Visit) -> None:
    page = one.open("/console/goods")
    expect(page.locator("html[data-ready]")).to_be_visible()
    shoot(page, PLAIN)
    expect(page.locator("dialog[open] h2").first).to_be_visible()


def _unknown(one: Visit) -> None:
    page = one.open("/console/goods")
    expect(page.locator("html[data-ready]")).to_be_visible()
    shoot(page, "6901234567892")
    expect(page.locator("dialog[open] a, dialog[open] button").first).to_be_visible()


def _lines(path: str) -> Callable[[Visit], None]:
    def state(one: Visit) -> None:
        page = one.open(path)
        expect(page.locator("html[data-ready]")).to_be_visible()
        for n, code in enumerate((PLAIN, CARTON), 1):
            shoot(page, code)
            expect(page.locator(".line")).to_have_count(n)

    return state


def _refused(one: Visit) -> None:
    page = one.open("/console/goods/new")
    expect(page.locator("html[data-ready]")).to_be_visible()
    with page.expect_console_message():  # the browser notes every answer of 422 itself
        page.locator("main form button[type=submit]").last.click()
    expect(page.locator(":invalid, [aria-invalid=true]").first).to_be_attached()
    one.complaints.clear()


STATES: dict[str, Callable[[Visit], None]] = {
    "sheet": _sheet,
    "unknown": _unknown,
    "sell": _lines("/console/sell"),
    "receive": _lines("/console/receive"),
    "write-off": _lines("/console/write-off"),
    "refused": _refused,
}


@pytest.mark.long("browser-full")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("face", ["light", "dark"])
def test_what_opens_on_a_page_is_nothing_serious_for_who_cannot_see_it(
    goods: Served, browser: Browser, face: str
) -> None:
    wrong: dict[str, list[str]] = {}
    with visit(browser, goods.server, who="owner") as one:
        one.context.add_cookies([{"name": "dianku_face", "value": face, "url": goods.server.url}])
        for name, state in STATES.items():
            state(one)
            one.shot(f"state-{name}-{face}")
            if serious := axe_serious(one.page):
                wrong[name] = serious
    assert wrong == {}
