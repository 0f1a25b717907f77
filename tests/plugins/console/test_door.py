"""Getting in and being turned away."""

from __future__ import annotations

import pytest
from browser import PASSWORD, Kind, Served, visit
from playwright.sync_api import Browser, expect


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
