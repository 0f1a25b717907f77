"""Make the pictures of docs/console/README.md: each flow, in a real browser on a demo shop.

Needs Chromium on the path and what the tests need (`tox -e pictures`). Writes every picture anew;
the shop's figures are those of the day, so a picture changes each time it is made.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from dianku.testing.runs import Run

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tests" / "kit"))

from browser import Served, Visit, chromium, filled_folder, people, shoot, visit  # noqa: E402
from playwright.sync_api import Browser, Page, expect  # noqa: E402
from shop_server import Server  # noqa: E402

PICTURES = DOCS / "pictures"
BEER, CARTON = "6999000100855", "6999000200852"
"""Barcodes of the demonstration shop."""


def _open(one: Visit, path: str) -> Page:
    page = one.open(path)
    expect(page.locator("html[data-ready]")).to_be_visible()
    return page


def _scan(one: Visit) -> None:
    page = _open(one, "/console/goods")
    shoot(page, BEER)
    expect(page.locator("dialog[open] h2").first).to_be_visible()


def _sell(one: Visit) -> None:
    page = _open(one, "/console/sell")
    for count, code in enumerate((BEER, CARTON), 1):
        shoot(page, code)
        expect(page.locator(".line")).to_have_count(count)
    page.locator("[data-pay-kind]").first.click()


def _leave(one: Visit) -> None:
    _sell(one)
    one.page.locator("[data-leave]").click()
    one.page.locator("#whose").fill("139 6688")
    one.page.locator("[data-leave-part]").click()
    one.page.locator("[data-stays]").first.click()
    one.page.evaluate("document.activeElement.blur()")
    one.page.locator("[data-left]").evaluate("(box) => box.scrollIntoView({ block: 'start' })")


def _tour(one: Visit) -> None:
    page = _open(one, "/console/?tour=1")
    page.locator(".tour .main-action").click()
    expect(page.locator(".tour #tour-title")).to_be_visible()
    page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished))")


def _receive(one: Visit) -> None:
    page = _open(one, "/console/receive")
    shoot(page, CARTON)
    expect(page.locator(".line")).to_have_count(1)


def _write_off(one: Visit) -> None:
    page = _open(one, "/console/write-off")
    shoot(page, BEER)
    expect(page.locator(".line")).to_have_count(1)
    page.locator("[data-head='reason']").first.check(force=True)


def _return(one: Visit) -> None:
    page = _open(one, "/console/return")
    page.locator(".papers a").first.click()
    page.wait_for_url("**/return")
    expect(page.locator("html[data-ready]")).to_be_visible()
    page.locator("[data-step='1']").first.click()


def _exchange(one: Visit) -> None:
    _return(one)
    one.page.locator("[data-trade]").click()
    one.page.wait_for_url("**/console/sell")
    expect(one.page.locator("html[data-ready]")).to_be_visible()
    shoot(one.page, BEER)
    expect(one.page.locator(".line")).to_have_count(1)


def _transfer(one: Visit) -> None:
    page = _open(one, "/console/transfer")
    shoot(page, CARTON)
    expect(page.locator(".line")).to_have_count(1)


def _make(one: Visit) -> None:
    page = _open(one, "/console/make")
    page.locator("[data-quick]").first.click()
    expect(page.locator(".line")).to_have_count(1)


def _labels(one: Visit) -> None:
    page = _open(one, "/console/goods/labels?sku=AL085&sku=AL086&size=60x40")
    page.locator(".sheet").last.scroll_into_view_if_needed()


FLOWS: dict[str, str | Callable[[Visit], None]] = {
    "tour": _tour,
    "home": "/console/",
    "scan": _scan,
    "sell": _sell,
    "leave": _leave,
    "receive": _receive,
    "write-off": _write_off,
    "return": _return,
    "exchange": _exchange,
    "quick-keys": "/console/quick-keys",
    "hand-over": "/console/hand-over",
    "kept-goods": "/console/kept-goods",
    "transfer": _transfer,
    "make": _make,
    "day-close": "/console/day-close",
    "goods": "/console/goods",
    "product": "/console/goods/AL085",
    "labels": _labels,
    "import": "/console/goods/import",
    "documents": "/console/documents",
    "monitor": "/console/monitor",
}
"""The page of each picture, or what is done until it shows."""


def draw(browser: Browser, served: Served, *, language: str) -> None:
    """Take every flow's picture as a phone shows it, in a language."""
    folder = PICTURES / language
    folder.mkdir(parents=True, exist_ok=True)
    for name, flow in FLOWS.items():
        # Each on a phone of its own: what one leaves in its basket is not in another's picture.
        with visit(browser, served.server, who="owner", language=language) as one:
            if isinstance(flow, str):
                _open(one, flow)
            else:
                flow(one)
            path = folder / f"{name}.jpg"
            one.page.screenshot(path=path, type="jpeg", quality=70, scale="css")
            sys.stdout.write(f"{path.relative_to(DOCS)}\n")


def _prepare(served: Served) -> None:
    """What the demonstration shop has none of: its own keys, an order, goods left in the shop."""

    def ask(method: str, path: str, body: object = None) -> Any:
        return served.server.call(method, path, token=served.token, body=body)

    store = ask("GET", "/stores")["items"][0]["code"]
    beer, coffee, egg = "AL085", "KF010", "KF011"
    keys = [{"sku": sku, "colour": n} for n, sku in enumerate((coffee, egg, "LH002", beer), 1)]
    ask("PUT", "/quick-keys", {"keys": keys})
    lines = [{"sku": beer, "quantity": "6"}]
    order = {
        "kind": "preorder",
        "store": store,
        "reference": "WX-20718",
        "lines": lines,
        "due_on": "2099-12-31",
    }
    ask("POST", "/reservations", order)
    kept = [{"sku": beer, "quantity": "12", "kept": "12"}]
    sale = {"kind": "issue", "store": store, "lines": kept, "note": "王女士 周六来取"}
    ask("POST", "/documents", sale)


def main() -> None:
    """Fill a shop, serve it, and take the pictures in both languages."""
    with closing(Run()), tempfile.TemporaryDirectory() as folder:
        shop = filled_folder(Path(folder) / "shop", days=30)
        token = shop.token("pictures")
        with Server(shop) as server, chromium() as browser:
            people(server, token, owner="owner")
            served = Served(shop, server, token)
            _prepare(served)
            for language in ("zh-CN", "en"):
                draw(browser, served, language=language)


if __name__ == "__main__":
    main()
