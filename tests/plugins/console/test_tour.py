"""The short tour: real places of the first page, by keys or by thumb, and over when it is over."""

from __future__ import annotations

from typing import Any

import pytest
from browser import Kind, Served, axe_serious, until, visit
from playwright.sync_api import Browser, Page, expect

PLACES = {
    "phone": (
        ".foot .scan",
        ".doing a[href='/console/sell']",
        ".doing a[href='/console/receive']",
        "#cards [data-card='console.running-out'] h2",
        ".foot a[href='/console/more']",
    ),
    "desktop": (
        ".bar .find",
        ".doing a[href='/console/sell']",
        ".doing a[href='/console/receive']",
        "#cards [data-card='console.running-out'] h2",
        ".rail a[href='/console/more']",
    ),
}
POINTED = """([...document.querySelectorAll('SELECTOR')].some((one) => {
  const ring = document.querySelector('.tour-ring').getBoundingClientRect();
  const card = document.querySelector('.tour-card').getBoundingClientRect();
  const box = one.getBoundingClientRect();
  const inside = (inner, outer) => inner.left >= outer.left - 4 && inner.right <= outer.right + 4
    && inner.top >= outer.top - 4 && inner.bottom <= outer.bottom + 4;
  const screen = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
  const apart = card.bottom <= box.top || card.top >= box.bottom;
  return box.width > 0 && inside(box, ring) && inside(card, screen) && apart;
}))"""
"""The ring is around a thing, and the card on the screen and not over it."""
LAID_OUT = """() => [...document.querySelectorAll("main *")].map((one) => {
  const { x, y, width, height } = one.getBoundingClientRect();
  return [x, y + scrollY, width, height].map(Math.round).join();
}).join(" ")"""


def begun(page: Page) -> None:
    """From More, as anybody finds it again."""
    expect(page.locator("html[data-ready]")).to_be_visible()
    page.locator("main a[href='/console/?tour=1']").click()
    page.wait_for_url("**/console/")
    expect(page.locator("html[data-ready]")).to_be_visible()
    expect(page.locator("dialog.tour")).to_be_visible()


@pytest.mark.parametrize(
    ("kind", "language", "look"),
    [
        ("phone", "zh-CN", {}),
        ("desktop", "en", {"color_scheme": "dark"}),
        pytest.param(
            "phone",
            "en",
            {"color_scheme": "dark", "viewport": {"width": 320, "height": 480}},
            marks=pytest.mark.long("browser-full"),
        ),
        pytest.param("desktop", "zh-CN", {}, marks=pytest.mark.long("browser-full")),
    ],
)
def test_tour_points_at_real_places_by_keys_alone(
    served: Served, browser: Browser, kind: Kind, language: str, look: dict[str, Any]
) -> None:
    with visit(browser, served.server, who="clerk", kind=kind, language=language) as one:
        if look.get("viewport"):
            one.page.set_viewport_size(look["viewport"])
        one.page.emulate_media(color_scheme=look.get("color_scheme", "light"))
        page = one.open("/console/more")
        if kind == "desktop":  # as in the foot of a phone
            expect(page.locator(".rail a[href='/console/more']")).to_be_visible()
        begun(page)
        assert page.url.endswith("/console/")  # reloading does not begin it anew
        laid_out = page.evaluate(LAID_OUT)
        dialog = page.locator("dialog.tour")
        for at, selector in enumerate(PLACES[kind]):
            until(page, POINTED.replace("SELECTOR", selector.replace("'", "\\'")))
            title = dialog.locator("h2").inner_text()
            expect(page.get_by_role("dialog", name=title)).to_be_visible()
            assert axe_serious(page) == []
            one.shot(f"tour-{kind}-{language}-{at + 1}")
            page.keyboard.press("Shift+Tab")
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.matches('.tour .main-action')")
            page.keyboard.press("Enter")
        expect(dialog).to_have_count(0)
        assert page.evaluate(LAID_OUT) == laid_out
        where = "[scrollY, document.querySelector('.rail nav').scrollTop]"
        assert page.evaluate(where) == [0, 0]


def test_tour_left_by_escape_is_over_for_its_person_alone(served: Served, browser: Browser) -> None:
    with visit(browser, served.server, who="manager") as one:
        page = one.open("/console/more")
        page.evaluate("localStorage.setItem('dianku.tour.manager', 'due')")
        page.evaluate("localStorage.setItem('dianku.tour.clerk', 'due')")
        page = one.open("/console/")
        expect(page.locator("dialog.tour")).to_be_visible()
        page.get_by_role("button", name="下一步").click()
        page.get_by_role("button", name="下一步").click()
        page.get_by_role("button", name="下一步").click()
        page.get_by_role("button", name="上一步").click()
        page.get_by_role("button", name="上一步").click()
        until(page, POINTED.replace("SELECTOR", PLACES["phone"][1].replace("'", "\\'")))
        page.get_by_role("button", name="上一步").click()
        expect(page.locator(".tour .small-text")).to_have_text("第 1 步，共 5 步")
        page.keyboard.press("Escape")
        expect(page.locator("dialog.tour")).to_have_count(0)
        page = one.open("/console/")
        expect(page.locator("html[data-ready]")).to_be_visible()
        expect(page.locator("dialog.tour")).to_have_count(0)
        kept = page.evaluate("['manager', 'clerk'].map((o) => localStorage[`dianku.tour.${o}`])")
        assert kept == ["ended", "due"]
        begun(one.open("/console/more"))  # but who asks for it sees it again


def test_tour_leaves_out_what_a_person_has_not(served: Served, browser: Browser) -> None:
    with visit(browser, served.server, who="counter") as one:
        begun(one.open("/console/more"))
        expect(one.page.locator(".tour .small-text")).to_have_text("第 1 步，共 3 步")
        titles = []
        for _ in range(2):
            titles.append(one.page.locator("#tour-title").inner_text())
            one.page.get_by_role("button", name="下一步").click()
        assert "卖货" not in titles
        one.page.get_by_role("button", name="知道了").click()
        expect(one.page.locator("dialog.tour")).to_have_count(0)
