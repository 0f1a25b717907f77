"""Every page there is: in both languages, for who may, with nothing serious for who cannot see it.

Which pages there are is asked of the shop, so a page that a plugin adds is held to this as well.
"""

from __future__ import annotations

import json
import re
import sqlite3
import urllib.error
import urllib.request
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from browser import Kind, Served, axe_serious, session, visit
from playwright.sync_api import Browser

from dianku.config import DATABASE_FILE

LATIN = re.compile(r"[A-Za-z]{2,}")
CHINESE = re.compile(r"[\u4e00-\u9fff]+")
NEVER_TRANSLATED = {
    "API",
    "CA",
    "CSV",
    "GS1",
    "HTTP",
    "HTTPS",
    "ID",
    "PDF",
    "PIN",
    "QR",
    "SKU",
    "XLSX",
}
SHOWN_ATTRIBUTES = {"alt", "aria-label", "content", "placeholder", "title", "value"}
WITHOUT_WORDS = {"script", "style"}
VOID = {"br", "col", "hr", "img", "input", "link", "meta", "wbr"}
ROLES = ("owner", "manager", "clerk", "counter")


class Words(HTMLParser):
    """What a page says in its language: texts and shown attributes, none marked as another's."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._foreign: list[bool] = [False]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        marked = tag in WITHOUT_WORDS or given.get("translate") == "no"
        marked = marked or ("lang" in given and tag != "html")
        foreign = self._foreign[-1] or marked
        if tag not in VOID:
            self._foreign.append(foreign)
        if not foreign and not (tag == "meta" and given.get("name") != "description"):
            shown = tag == "input" and given.get("type") not in {"checkbox", "hidden", "radio"}
            names = SHOWN_ATTRIBUTES if shown else SHOWN_ATTRIBUTES - {"value"}
            self.said += [value for name, value in attrs if name in names and value]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and len(self._foreign) > 1:
            self._foreign.pop()

    def handle_data(self, data: str) -> None:
        if not self._foreign[-1]:
            self.said.append(data)


@cache
def data_of(folder: Path) -> str:
    """Every text the shop's database holds: what a page shows of it is data, in any language."""
    found: list[str] = []
    connection = sqlite3.connect(f"file:{folder / DATABASE_FILE}?mode=ro", uri=True)
    try:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall()
        for (table,) in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                found += [value for value in row if isinstance(value, str)]
    finally:
        connection.close()
    return "\n".join(dict.fromkeys(found))


def pages(served: Served) -> list[str]:
    """The addresses of the owner's pages; a product and a document for those that show one."""
    listed = served.server.call("GET", "/pages", token=served.token)["items"]
    product = served.server.call("GET", "/products?limit=1", token=served.token)["items"][0]
    document = served.server.call("GET", "/documents?limit=1", token=served.token)["items"][0]
    sales = "/documents?kind=issue&limit=1"
    sale = served.server.call("GET", sales, token=served.token)["items"][0]
    sent = served.server.call("GET", "/documents?on_the_way=true&limit=1", token=served.token)
    closed = served.server.call("GET", "/closings?limit=1", token=served.token)["items"][0]
    sku, number = quote(product["sku"], safe=""), document["number"]
    barcode = product["barcodes"][0]["code"] if product["barcodes"] else sku
    more = [
        "/console/sign-in",
        f"/console/goods/{sku}",
        f"/console/goods/{sku}/edit",
        f"/console/documents/{number}",
        f"/console/day-close/{closed['id']}",
        f"/console/documents/{sale['number']}/receipt?received=500&off=0.05",
        f"/console/scan/{barcode}",
        f"/console/documents/{sale['number']}/return",
        *(f"/console/documents/{one['number']}/arrival" for one in sent["items"]),
    ]
    return [one["path"] for one in listed] + more


def fetched(served: Served, path: str, *, secret: str, language: str) -> tuple[int, str]:
    request = urllib.request.Request(
        served.server.url + path,
        headers={"Cookie": f"dianku_session={secret}; dianku_language={language}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def foreign_words(html: str, *, language: str, data: str) -> set[str]:
    """Words of the other language that are no data."""
    reader = Words()
    reader.feed(html)
    said = " ".join(reader.said)
    if language == "en":
        return {word for word in CHINESE.findall(said) if word not in data}
    known = {word.casefold() for word in LATIN.findall(data)}
    known |= {word.casefold() for word in NEVER_TRANSLATED}
    return {word for word in LATIN.findall(said) if word.casefold() not in known}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_speaks_its_language_alone(served: Served, language: str) -> None:
    secret = session(served.server, "owner")
    data = data_of(served.shop.folder)
    wrong: dict[str, Any] = {}
    for path in pages(served):
        status, html = fetched(served, path, secret=secret, language=language)
        found = foreign_words(html, language=language, data=data)
        if status not in {200, 404} or found or "Undefined" in html:
            wrong[path] = (status, found)
    assert not wrong, "\n".join(f"{path}: {what}" for path, what in wrong.items())


def test_every_page_is_refused_or_shown_by_the_same_right_as_listed(served: Served) -> None:
    """Who is not told of a page is refused it, and who is told of it may open it."""
    every = {
        one["path"] for one in served.server.call("GET", "/pages", token=served.token)["items"]
    }
    for role in ROLES:
        secret = session(served.server, role)
        request = urllib.request.Request(
            served.server.url + "/api/v1/pages", headers={"Cookie": f"dianku_session={secret}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = {one["path"] for one in json.load(answer)["items"]}
        for path in sorted(every):
            status, _ = fetched(served, path, secret=secret, language="en")
            assert status == (200 if path in told else 403), (role, path)


@pytest.mark.long("browser-full")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("face", ["light", "dark"])
@pytest.mark.parametrize(("kind", "language"), [("phone", "zh-CN"), ("desktop", "en")])
def test_every_page_has_nothing_serious_for_who_cannot_see_it(
    served: Served, browser: Browser, kind: Kind, language: str, face: str
) -> None:
    wrong: dict[str, list[str]] = {}
    with visit(browser, served.server, who="owner", kind=kind, language=language) as one:
        one.context.add_cookies([{"name": "dianku_face", "value": face, "url": served.server.url}])
        for path in pages(served):
            one.open(path)
            one.shot(f"every{path.replace('/', '-')}-{kind}-{face}")
            if serious := axe_serious(one.page):
                wrong[path] = serious
    assert wrong == {}
