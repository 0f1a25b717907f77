"""What a page weighs on the way to a phone that has nothing of it yet, as Chromium counts it."""

from __future__ import annotations

from typing import Any

import pytest
from browser import Served, visit
from playwright.sync_api import Browser

FIRST_PAGE_MAX = 150_000
"""Bytes as they came, headers included; most were packed on the way."""
SCANNER = "zxing"
MODULES = """Promise.all(Array.from(document.querySelectorAll("[data-module]"),
  (part) => import(part.dataset.module))).then(() => true)"""


@pytest.mark.parametrize(
    ("who", "path"),
    [
        (None, "/console/sign-in"),
        ("manager", "/console/"),
        ("manager", "/console/goods"),
        ("manager", "/console/sell"),
    ],
)
def test_first_page_is_light_without_the_scanner(
    served: Served, browser: Browser, who: str | None, path: str
) -> None:
    asked: dict[str, str] = {}
    came: dict[str, int] = {}

    def sent(event: dict[str, Any]) -> None:
        asked[event["requestId"]] = event["request"]["url"].removeprefix(served.server.url)

    def finished(event: dict[str, Any]) -> None:
        came[asked[event["requestId"]]] = int(event["encodedDataLength"])

    with visit(browser, served.server, who=who) as one:
        network = one.context.new_cdp_session(one.page)
        network.on("Network.requestWillBeSent", sent)
        network.on("Network.loadingFinished", finished)
        network.send("Network.enable")
        assert one.open(path).evaluate(MODULES)
    light = {url: size for url, size in came.items() if SCANNER not in url}
    print(f"{path}: {sum(light.values())} bytes in {len(light)} requests")
    assert {path} < light.keys()
    assert any(url.endswith("/js/main.js") for url in light)
    assert sum(light.values()) < FIRST_PAGE_MAX, light
