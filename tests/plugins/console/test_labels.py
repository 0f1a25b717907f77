"""Labels on the page, on paper and as a PDF: what is read of them, what is said, for whom."""

from __future__ import annotations

import html
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

import pytest
from browser import Served, axe_serious, session, visit
from playwright.sync_api import Browser, Page, expect
from printed import Code, printed

BEER, WINE = "AL085", "AL086"
ODD = "O" * 64
ARABIC = "LB-RTL"


@pytest.fixture(scope="module")
def wares(served: Served) -> Served:
    """The shop with goods for every kind of code, and absurd ones."""
    long = {"code": "x" * 40, "factor": 1}
    bodies: list[dict[str, Any]] = [
        {"sku": "LB-1 a", "name": "Loose tea", "unit": "g", "price": "0.25"},
        {"sku": "LB3", "name": "Tiny", "unit": "pc", "barcodes": [{"code": "96385074"}]},
        {"sku": "编码", "name": "特" * 200, "unit": "一二三四五六七八九十" * 2},
        {"sku": ODD, "name": "<script>alert(1)</script>", "unit": "<b>", "price": "99999999999.99"},
        {"sku": ARABIC, "name": "😀 مرحبا بالعالم", "unit": "pc", "barcodes": [long]},
        {"sku": "LB-OLD", "name": "Gone long since", "unit": "pc", "price": "1"},
    ]
    for body in bodies:
        served.server.call("POST", "/products", token=served.token, body=body)
    served.server.call("POST", "/products/LB-OLD/archive", token=served.token, body={})
    return served


CODES = {
    BEER: Code("EAN-13", "6999000100855"),
    "LB-1 a": Code("Code 128", "LB-1 a"),
    "LB3": Code("EAN-8", "96385074"),
    "编码": Code("QR Code", "编码"),
    ODD: Code("QR Code", ODD),
    ARABIC: Code("QR Code", "x" * 40),
    "LB-OLD": Code("Code 128", "LB-OLD"),
}


def asked(**query: Any) -> str:
    return urlencode(query, doseq=True)


def got(served: Served, path: str, *, headers: dict[str, str]) -> tuple[int, Any, bytes]:
    request = urllib.request.Request(served.server.url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def pdf(served: Served, *, token: str = "", **query: Any) -> bytes:
    bearer = {"Authorization": f"Bearer {token or served.token}"}
    status, headers, body = got(served, f"/api/v1/labels?{asked(**query)}", headers=bearer)
    assert status == 200, body
    assert headers["Content-Type"] == "application/pdf"
    assert "attachment" in headers["Content-Disposition"]
    return body


def wrong(served: Served, **query: Any) -> set[tuple[str, str]]:
    """What the PDF is refused for: where and why."""
    bearer = {"Authorization": f"Bearer {served.token}"}
    status, headers, body = got(served, f"/api/v1/labels?{asked(**query)}", headers=bearer)
    assert status == 422
    assert headers["Content-Type"] == "application/problem+json"
    return {(one["pointer"], one["code"]) for one in json.loads(body)["errors"]}


def page_text(
    served: Served, *, who: str = "manager", language: str = "en", store: str = "", **query: Any
) -> str:
    secret = session(served.server, who)
    cookie = f"dianku_session={secret}; dianku_language={language}; dianku_store={quote(store)}"
    path = f"/console/goods/labels?{asked(**query)}"
    status, _, body = got(served, path, headers={"Cookie": cookie})
    assert status == 200
    return html.unescape(body.decode())


def again(address: str) -> dict[str, Any]:
    """What an address asks for."""
    return dict(parse_qs(address))


def ready(page: Page) -> None:
    page.locator("form[data-ready]").wait_for(state="attached")


def shown(page: Page) -> Iterator[str]:
    """The codes on the page's labels, sheet by sheet, as they would be printed."""
    for use in page.locator(".sheet use").all():
        yield page.locator(f"{use.get_attribute('href')} .code").get_attribute("data-code") or ""


def test_pdf_is_the_labels_that_were_asked_for_and_each_is_read(wares: Served) -> None:
    copies = list(range(1, len(CODES) + 1))
    pages = printed(pdf(wares, sku=list(CODES), copies=copies, size="70x38"))
    wanted = [
        code for count, code in zip(copies, CODES.values(), strict=True) for _ in range(count)
    ]
    assert [page.codes for page in pages] == [(code,) for code in wanted]
    assert {(round(page.width, 3), round(page.height, 3)) for page in pages} == {(70, 38)}
    assert "淡爽啤酒" in pages[0].text
    assert "¥4.00/罐" in pages[0].text
    assert "¥88.32/24 罐" in pages[0].text
    (square,) = printed(pdf(wares, sku=BEER, code="qr"))
    assert square.codes == (Code("QR Code", "6999000100855"),)
    (bare,) = printed(pdf(wares, sku=BEER, plain="true"))
    assert "¥" not in bare.text
    assert bare.codes == (CODES[BEER],)


@pytest.mark.parametrize(
    ("size", "code", "language"),
    [
        ("40x30", "bars", "zh-CN"),
        ("60x40", "qr", "en"),
        ("a4-21", "bars", "en"),
        ("cut-50x30", "qr", "zh-CN"),
    ],
)
def test_paper_of_the_browser_has_what_the_pdf_has(
    wares: Served, browser: Browser, size: str, code: str, language: str
) -> None:
    query = {"sku": list(CODES), "copies": [3, 1, 2, 1, 1, 1, 2], "size": size, "code": code}
    query |= {"first": 19} if size == "a4-21" else {}  # the last row of a sheet that was begun
    with visit(browser, wares.server, who="clerk", kind="desktop", language=language) as one:
        page = one.open(f"/console/goods/labels?{asked(**query)}")
        ready(page)
        one.shot(f"labels-{size}-{code}")
        codes = list(shown(page))
        paper = page.pdf(prefer_css_page_size=True)
        href = page.locator("[data-pdf]").get_attribute("href") or ""
        saved = page.request.get(wares.server.url + href)
        assert saved.ok
        made = saved.body()
    from_page, from_pdf = printed(paper, dots_per_inch=406.4), printed(made, dots_per_inch=406.4)
    assert len(codes) == 11
    assert len(from_page) == len(from_pdf)
    if size == "a4-21":
        assert [len(sheet.codes) for sheet in from_pdf] == [3, 8]
    for left, right in zip(from_page, from_pdf, strict=True):
        assert left.codes == right.codes
        assert (left.width, left.height) == pytest.approx((right.width, right.height), abs=0.2)
    assert sorted(codes) == sorted(found.text for page in from_pdf for found in page.codes)


def test_labels_are_as_wide_on_the_browsers_paper_as_they_are_said_to_be(
    wares: Served, browser: Browser
) -> None:
    """An EAN of 95 modules of three dots is 35.6 mm from its first bar to its last."""
    with visit(browser, wares.server, who="clerk", kind="desktop") as one:
        page = one.open(f"/console/goods/labels?{asked(sku=BEER, size='50x30')}")
        ready(page)
        paper = page.pdf(prefer_css_page_size=True)
    for made in (paper, pdf(wares, sku=BEER, size="50x30")):
        (sheet,) = printed(made, dots_per_inch=2540)
        row = sheet.rows[len(sheet.rows) * 2 // 3]
        dark = [at for at, dot in enumerate(row) if dot < 128]
        assert (dark[-1] - dark[0]) / 100 == pytest.approx(95 * 3 / 8, abs=0.05)
        assert dark[0] / 100 >= 11 * 3 / 8
        assert sheet.width - dark[-1] / 100 >= 7 * 3 / 8


def test_wrong_figures_are_refused_at_their_field(wares: Served) -> None:
    assert wrong(wares) == {("/sku", "missing")}
    assert wrong(wares, sku=["NO-SUCH", BEER, "NEITHER"]) == {
        ("/sku/0", "unknown_product"),
        ("/sku/2", "unknown_product"),
    }
    assert wrong(wares, sku=BEER, copies=0) == {("/copies/0", "too_small")}
    assert wrong(wares, sku=[BEER, WINE], copies=["2", "x"]) == {("/copies/1", "wrong_type")}
    assert wrong(wares, sku=BEER, copies=101) == {("/copies/0", "too_large")}
    assert wrong(wares, sku=[BEER] * 3, copies=[1, 2]) == {("/copies", "too_few")}
    assert wrong(wares, sku=BEER, copies=[1, 2]) == {("/copies", "too_many")}
    assert wrong(wares, sku=[BEER] * 11, copies=100) == {("/copies", "too_many")}
    assert wrong(wares, sku=[BEER] * 201) == {("/sku", "too_many")}
    assert wrong(wares, sku=BEER, size="huge", code="3d", sheet=1) == {
        ("/size", "not_one_of"),
        ("/code", "not_one_of"),
        ("/sheet", "unknown_parameter"),
    }
    assert wrong(wares, sku=BEER, size="a4-65", first=66) == {("/first", "too_large")}
    assert wrong(wares, sku=BEER, size="a4-65", first=0) == {("/first", "too_small")}
    assert wrong(wares, sku=BEER, first=2) == {("/first", "too_large")}
    assert wrong(wares, sku=BEER, store="NOWHERE") == {("/store", "unknown_store")}


def test_labels_hold_what_every_reader_may_see_and_no_other_stores_prices(wares: Served) -> None:
    call, token = wares.server.call, wares.token
    call("PUT", f"/products/{WINE}/stores/XQ01", token=token, body={"price": "6.66"})
    body = {"name": "one store", "role": "clerk", "stores": ["ZC01"]}
    limited = call("POST", "/tokens", token=token, body=body)["token"]
    for store, price in (("XQ01", "¥6.66"), ("ZC01", "¥7.50"), (None, "¥7.50")):
        query = {"sku": WINE} | ({"store": store} if store else {})
        (page,) = printed(pdf(wares, **query))
        assert price in page.text
        assert f">{price}<" in page_text(wares, store=store or "*", sku=WINE)
    (page,) = printed(pdf(wares, token=limited, sku=WINE, store="ZC01"))
    assert "¥7.50" in page.text
    bearer = {"Authorization": f"Bearer {limited}"}
    other = got(wares, f"/api/v1/labels?sku={WINE}&store=XQ01", headers=bearer)
    assert other[0] == 403
    secret = session(wares.server, "counter")
    for path in (f"/api/v1/labels?sku={BEER}", f"/console/goods/labels?sku={BEER}"):
        assert got(wares, path, headers={"Cookie": f"dianku_session={secret}"})[0] == 403
    assert got(wares, f"/api/v1/labels?sku={BEER}", headers={})[0] == 401


def test_more_goods_than_are_printed_at_once_are_said_and_led_to(wares: Served) -> None:
    call, token = wares.server.call, wares.token
    call("POST", "/categories", token=token, body={"code": "MANY", "name": "Many"})
    skus = [f"MANY-{n:03}" for n in range(205)]
    for sku in skus:
        body = {"sku": sku, "name": f"Thing {sku}", "unit": "pc", "category": "MANY"}
        call("POST", "/products", token=token, body=body)

    def printed_skus(text: str) -> list[str]:
        return re.findall(r'name="sku" value="([^"]+)"', text)

    begun = page_text(wares, category="MANY", size="a4-21", first="5")
    assert begun.count("first=5") == 1  # of the PDF alone: other goods begin after these
    text = page_text(wares, category="MANY", size="40x30")
    (following,) = re.findall(r'href="/console/goods/labels\?([^"]+)">Show the next', text)
    assert "these are 200 of them" in text
    assert "size=40x30" in following
    rest = page_text(wares, **again(following))
    assert "Show the next" not in rest
    assert sorted(printed_skus(text) + printed_skus(rest)) == skus
    text = page_text(wares, sku=skus, copies=[*["1"] * 204, "2"], code="qr")
    assert "5 more are not shown" in text
    (other,) = re.findall(r'href="/console/goods/labels\?([^"]+)">Show the others', text)
    rest = page_text(wares, **again(other))
    assert printed_skus(text) + printed_skus(rest) == skus
    assert rest.count('class="label"') == 6
    assert rest.count('data-kind="qr"') == 5
    text = page_text(wares, sku=[BEER] * 11, copies=100)
    assert "These are 1100 labels; at most 1000" in text
    assert 'class="label"' not in text
    assert "data-print" not in text


def test_goods_of_long_codes_are_as_many_as_an_address_can_name(wares: Served) -> None:
    call, token = wares.server.call, wares.token
    call("POST", "/categories", token=token, body={"code": "LONG", "name": "Long"})
    skus = [f"{n:02}{'编' * 62}" for n in range(45)]
    for sku in skus:
        body = {"sku": sku, "name": "Thing", "unit": "pc", "category": "LONG"}
        call("POST", "/products", token=token, body=body)
    found: list[str] = []
    query: dict[str, Any] = {"category": "LONG"}
    while query:
        text = page_text(wares, **query)
        some = re.findall(r'name="sku" value="([^"]+)"', text)
        assert f"these are {len(some)} of them" in text or len(found) + len(some) == len(skus)
        assert re.findall(r'name="sku" value="([^"]+)"', page_text(wares, sku=some)) == some
        (saved,) = re.findall(r'href="/api/v1/labels\?([^"]+)" download', text)
        assert len(printed(pdf(wares, **again(saved)))) == len(some)
        found += some
        following = re.findall(r'href="/console/goods/labels\?([^"]+)">Show the next', text)
        query = again(following[0]) if following else {}
    assert sorted(found) == skus


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_page_says_what_is_wrong_and_what_is_printed_otherwise(
    wares: Served, language: str
) -> None:
    zh = language == "zh-CN"
    text = page_text(wares, language=language, sku=BEER, size="huge", copies=2)
    assert ("没有这种纸" if zh else "There is no such paper") in text
    assert 'class="label"' not in text
    for copies in ("0", "-3", "1.5", "１", "101", "", "9" * 400):
        text = page_text(wares, language=language, sku=[BEER, WINE], copies=["1", copies])
        assert 'data-wrong="copies.1"' in text, copies
        assert ("1 到 100 的整数" if zh else "whole number from 1 to 100") in text
        assert f'value="{copies}"' in text
        assert 'class="label"' not in text
    text = page_text(wares, language=language, sku=[BEER, "NO-SUCH"], code="3d")
    assert ("编码没有对应的商品：NO-SUCH" if zh else "NO-SUCH belongs to no product") in text
    assert ("没有这种码" if zh else "no such kind of code") in text
    assert text.count('class="label"') == 1
    text = page_text(wares, language=language, sku=["编码", ARABIC, "LB-OLD"], size="40x30")
    assert ("改印二维码：特特" if zh else "a QR code is printed for: 特特") in text
    assert ("这些字符显示为方框" if zh else "shows a box for these signs") in text
    assert "\N{FIRST STRONG ISOLATE}😀 م ر" in text
    assert ("已停用" if zh else "Archived") in text
    text = page_text(wares, language=language, add="nothing of that name")
    assert ("没有找到" if zh else "Nothing found") in text


def test_scripts_in_names_are_text(wares: Served) -> None:
    secret = session(wares.server, "clerk")
    path = f"/console/goods/labels?{asked(sku=ODD)}"
    _, headers, body = got(wares, path, headers={"Cookie": f"dianku_session={secret}"})
    assert b"<script>alert" not in body
    assert b"&lt;script&gt;alert" in body
    assert "script-src 'self' 'wasm-unsafe-eval'" in headers["Content-Security-Policy"]


def test_lists_goods_are_labelled_as_the_list_was_narrowed(wares: Served) -> None:
    call, token = wares.server.call, wares.token
    for show, path in (("low", "/stock?low=1"), ("over", "/stock?over=1")):
        items = call("GET", f"{path}&store=XQ01&limit=1000", token=token)["items"]
        text = page_text(wares, store="XQ01", show=show)
        found = re.findall(r'name="sku" value="([^"]+)"', text)
        assert sorted(found) == sorted(one["sku"] for one in items), show
    text = page_text(wares, show="archived")
    assert "LB-OLD" in re.findall(r'name="sku" value="([^"]+)"', text)


@pytest.mark.parametrize(("kind", "language"), [("phone", "zh-CN"), ("desktop", "en")])
def test_labels_are_chosen_counted_left_out_and_saved(
    wares: Served, browser: Browser, kind: Any, language: str
) -> None:
    with visit(browser, wares.server, who="clerk", kind=kind, language=language) as one:
        page = one.open("/console/goods/labels")
        ready(page)
        one.shot(f"labels-empty-{kind}")
        page.locator("[name=add]").fill("啤酒")
        page.keyboard.press("Enter")
        expect(page.locator("[data-choice]")).to_have_count(3)
        one.shot(f"labels-choices-{kind}")
        page.locator("[data-choice]", has_text="淡爽").click()
        expect(page.locator("[name=copies]")).to_have_count(1)
        expect(page.locator("[data-choice]")).to_have_count(0)
        ready(page)
        page.locator("[name=add]").fill("6999000100862")
        page.keyboard.press("Enter")
        expect(page.locator("[name=copies]")).to_have_count(2)
        ready(page)
        copies = page.locator("[name=copies]")
        copies.nth(1).fill("3")
        copies.nth(1).blur()
        expect(page.locator(".sheet")).to_have_count(4)
        copies.nth(0).fill("many")
        copies.nth(0).blur()
        expect(page.locator(".note.bad")).to_be_visible()
        expect(copies.nth(0)).to_have_attribute("aria-invalid", "true")
        expect(page.locator(".sheet")).to_have_count(0)
        one.shot(f"labels-wrong-{kind}")
        page.locator("[data-each]").fill("2")
        page.locator("[data-each]").blur()
        expect(page.locator(".sheet")).to_have_count(4)
        expect(copies.nth(0)).to_have_value("2")
        page.locator("[name=code]").select_option("qr")
        expect(page.locator(".code[data-kind=qr]")).to_have_count(2)
        page.locator("[name=size]").select_option("a4-65")
        expect(page.locator(".sheet")).to_have_count(1)
        page.locator("[name=first]").fill("66")
        page.locator("[name=first]").blur()
        expect(page.locator(".note.bad")).to_contain_text("65")
        expect(page.locator("[name=first]")).to_have_attribute("aria-invalid", "true")
        page.locator("[name=first]").fill("63")
        page.locator("[name=first]").blur()
        expect(page.locator(".sheet")).to_have_count(2)
        page.locator("[name=plain]").check()
        expect(page.locator("symbol text[font-weight]")).to_have_count(0)
        one.shot(f"labels-chosen-{kind}")
        assert axe_serious(page) == []
        with page.expect_download() as waiting:
            page.locator("[data-pdf]").click()
        assert waiting.value.suggested_filename == "labels-a4-65.pdf"
        sheets = printed(waiting.value.path().read_bytes(), dots_per_inch=406.4)
        assert [[code.text for code in sheet.codes] for sheet in sheets] == [
            ["6999000100855", "6999000100855", "6999000100862"],
            ["6999000100862"],
        ]
        page.reload()
        ready(page)
        expect(page.locator(".sheet use")).to_have_count(4)
        page.locator("[data-drop]").first.click()
        expect(page.locator(".sheet use")).to_have_count(2)


def test_absurd_labels_stay_in_the_window_and_on_their_paper(
    wares: Served, browser: Browser
) -> None:
    with visit(browser, wares.server, who="clerk") as one:
        for size in ("40x30", "a4-65", "cut-70x38"):
            query = asked(sku=list(CODES), copies=9, size=size)
            page = one.open(f"/console/goods/labels?{query}")
            ready(page)
            one.shot(f"labels-absurd-{size}")
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
            beyond = page.evaluate(BEYOND)
            assert beyond == []


BEYOND = """Array.from(document.querySelectorAll(".label-defs symbol")).flatMap((label) =>
  Array.from(label.querySelectorAll("text")).filter((line) => {
    const right = Number(line.getAttribute("x")) + Number(line.getAttribute("textLength"));
    return right > label.viewBox.baseVal.width + 0.1;
  }).map((line) => line.textContent))"""
