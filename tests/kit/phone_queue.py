"""The queue of documents on a phone, asked and told from a page that has it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Any

from browser import Served
from playwright.sync_api import Page

from dianku.config import DATABASE_FILE

POST = """async ([ops]) => {
  const src = document.querySelector("[data-module*='kept_page.js']").dataset.module;
  const queue = await import(src.replace("kept_page.js", "queue.js"));
  const done = [];
  for (const op of ops) {
    try { done.push((await queue.post(op.body, op.options)).state); }
    catch (error) { done.push(`${error.status} ${error.problem?.code}`); }
  }
  return done;
}"""
KEPT = """async () => {
  const src = document.querySelector("[data-module*='kept_page.js']").dataset.module;
  const queue = await import(src.replace("kept_page.js", "queue.js"));
  return (await queue.kept()).map(({ state, who, tries }) => ({ state, who, tries }));
}"""
SEND = """async () => {
  const src = document.querySelector("[data-module*='kept_page.js']").dataset.module;
  return (await import(src.replace("kept_page.js", "queue.js"))).sendNow();
}"""


def posted(served: Served, prefix: str = "op-") -> Counter[str]:
    """How often each reference is in the books."""
    path = served.shop.folder / DATABASE_FILE
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as base:
        rows = base.execute(
            "SELECT reference, count(*) FROM document WHERE reference LIKE ? GROUP BY 1",
            (prefix + "%",),
        )
        return Counter(dict(rows.fetchall()))


def all_sent(page: Page) -> None:
    """Wait until nothing waits on this phone."""
    page.locator("[data-shown='0']").wait_for(timeout=180_000, state="attached")


def opened_at(one: Any) -> Page:
    """The page of what is kept, once the worker answers for it."""
    page: Page = one.open("/console/kept")
    page.evaluate("async () => { await navigator.serviceWorker.ready; }")
    page.locator("[data-shown]").wait_for()
    return page
