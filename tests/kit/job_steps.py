"""A person at a job's page: the steps they take, counted, and what came of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from browser import Served, shoot
from playwright.sync_api import Page, expect

COUNT_STEPS = """() => {
  window.steps = JSON.parse(sessionStorage.getItem("steps") ?? "[]");
  window.step = (what) => {
    window.steps.push(what);
    sessionStorage.setItem("steps", JSON.stringify(window.steps));
  };
  addEventListener("click", (event) => {
    const on = event.target.closest("a, button, [role=button]");
    if (on && event.isTrusted) step(`tap ${(on.ariaLabel ?? on.textContent).trim().slice(0, 20)}`);
  }, true);
  addEventListener("change", ({ target, isTrusted }) => {
    if (isTrusted) step(`field ${target.name || target.dataset.head}`);
  }, true);
}"""
"""Taps and committed fields, by listeners in the page; scans are counted where they are made."""


def scan(page: Page, code: str) -> None:
    """One shot of the gun, counted as a step."""
    page.evaluate("window.step?.('scan')")
    shoot(page, code)


def last(served: Served, kind: str) -> Any:
    """The newest document of a kind."""
    return served.server.call("GET", f"/documents?kind={kind}&limit=1", token=served.token)[
        "items"
    ][0]


def begin(page: Page, href: str) -> None:
    """From home to a job, counted from the first tap: one of home's own, or over "more"."""
    expect(page.locator("html[data-ready]")).to_be_visible()
    page.evaluate("sessionStorage.clear()")
    page.evaluate(COUNT_STEPS)
    way = page.locator(f".doing a[href='{href}']")
    if not way.count():
        page.locator(".foot a[href='/console/more']").click()
        page.wait_for_url("**/console/more")
        follow_on(page)
        way = page.locator(f"main a[href='{href}']")
    way.click()
    page.wait_for_url(f"**{href}")
    follow_on(page)


def follow_on(page: Page) -> None:
    """Go on counting on the page that has come."""
    expect(page.locator("html[data-ready]")).to_be_visible()
    page.evaluate(COUNT_STEPS)


def counted(page: Page, job: str) -> list[str]:
    """The steps so far, told."""
    steps: list[str] = page.evaluate("JSON.parse(sessionStorage.getItem('steps'))")
    print(f"{job}: {len(steps)} steps: {', '.join(steps)}")
    return steps


def stock(served: Served, sku: str) -> Decimal:
    """On hand in the first store."""
    shop = served.server.call("GET", "/stores", token=served.token)["items"][0]["code"]
    rows = served.server.call("GET", f"/stock?sku={sku}&store={shop}", token=served.token)["items"]
    return Decimal(rows[0]["on_hand"]) if rows else Decimal(0)


def post(served: Served, path: str, body: dict[str, Any]) -> Any:
    """Post to the shop as its owner."""
    return served.server.call("POST", path, token=served.token, body=body)


def stores(served: Served) -> list[str]:
    """The codes of its stores."""
    items = served.server.call("GET", "/stores", token=served.token)["items"]
    return [one["code"] for one in items]


def sale(served: Served, *, quantity: int, amount: str) -> str:
    """A sale of beer, paid in cash."""
    body = {
        "kind": "issue",
        "store": stores(served)[0],
        "lines": [{"sku": "AL085", "quantity": quantity, "amount": amount}],
        "payments": [{"kind": "cash", "amount": amount}],
    }
    return str(post(served, "/documents", body)["number"])
