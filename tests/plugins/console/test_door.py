"""Getting in and being turned away."""

from __future__ import annotations

import pytest
from browser import PASSWORD, Kind, Served, visit
from playwright.sync_api import Browser, Route, expect


@pytest.mark.parametrize(("kind", "language"), [("phone", "zh-CN"), ("desktop", "en")])
def test_sign_in_from_a_page_leads_back_to_it(
    served: Served, browser: Browser, kind: Kind, language: str
) -> None:
    with visit(browser, served.server, kind=kind, language=language) as one:
        page = one.open("/console/parts?x=1")
        assert page.url.endswith("/console/sign-in?next=%2Fconsole%2Fparts%3Fx%3D1")
        one.shot(f"sign-in-{kind}")
        page.locator("[name=name]").fill("clerk")
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("[type=submit]").click()
        page.wait_for_url("**/console/parts?x=1")
        one.shot(f"parts-{kind}")
        expect(page.locator("main h2").first).to_be_visible()


@pytest.mark.parametrize("by", ["button", "key"])
def test_what_is_pressed_before_the_scripts_are_there_is_done_when_they_are(
    served: Served, browser: Browser, by: str
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        route.continue_() if held else held.append(route)

    with visit(browser, served.server) as one:
        one.page.route("**/words.zh-CN*.js", hold)
        page = one.page
        page.goto(f"{served.server.url}/console/sign-in", wait_until="domcontentloaded")
        page.locator("[name=name]").fill("clerk")
        page.locator("[name=password]").fill(PASSWORD)
        button = page.locator("[type=submit]")
        if by == "button":
            button.click()
        else:
            for _ in range(2):  # once more, for nothing happened
                page.locator("[name=password]").press("Enter")
        expect(button).to_have_attribute("aria-busy", "true")
        assert page.url == f"{served.server.url}/console/sign-in", "a password in an address"
        held[0].continue_()
        page.wait_for_url("**/console/")
