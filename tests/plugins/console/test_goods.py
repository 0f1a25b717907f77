"""The rooms of goods: found, made, set right, imported, labelled; what is on them, for whom."""

from __future__ import annotations

import html
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from browser import Served, Visit, session, visit
from playwright.sync_api import Browser, Page, expect

BEER = "AL085"
Ask = Callable[..., tuple[int, str]]
ODD = "a/b ?c#d%25&e"


def ready(page: Page) -> None:
    """Wait until the page's module listens."""
    page.locator("[data-ready]").first.wait_for(state="attached")


def forgive(one: Visit, status: int) -> None:
    """Take away what Chromium says of a refusal that was meant to be."""
    said = [c for c in one.complaints if f"status of {status}" in c]
    assert said
    one.complaints[:] = [c for c in one.complaints if c not in said]


def on_hand(served: Served, sku: str) -> str:
    rows = served.server.call("GET", f"/stock?sku={sku}&store=XQ01", token=served.token)["items"]
    return str(rows[0]["on_hand"])


def test_stock_is_set_right_from_the_list_in_five_steps_and_taken_back(
    served: Served, browser: Browser
) -> None:
    before = on_hand(served, BEER)
    with visit(browser, served.server, who="manager") as one:
        page = one.open("/console/goods")
        ready(page)
        expect(page.locator("#goods-rows tbody tr")).to_have_count(50)
        page.locator(".goods-filter [name=q]").fill("dspj")
        expect(page.locator("#goods-rows tbody tr")).to_have_count(1)
        assert page.url.endswith("?q=dspj")
        one.shot("goods-found")
        page.locator("#goods-rows a", has_text="淡爽啤酒").click()
        ready(page)
        page.locator("[data-right]").click()
        counted = page.locator("dialog [name='lines.0.counted']")
        counted.fill("6800")
        page.locator("dialog [type=submit]").click()
        expect(page.locator("dialog [data-ask]")).to_contain_text("差得很多")
        one.shot("goods-unusual")
        assert on_hand(served, BEER) == before
        counted.fill("67")
        page.locator("dialog [type=submit]").click()
        expect(page.locator(".toast")).to_contain_text("现存 67 罐")
        expect(page.locator("#goods-figures .tile .figure").first).to_have_text("67罐")
        one.shot("goods-right")
        page.locator(".toast button").click()
        expect(page.locator("#goods-figures .tile .figure").first).to_have_text(f"{before}罐")
    assert on_hand(served, BEER) == before


def test_product_is_made_from_a_scanned_code_changed_archived_and_put_back(
    served: Served, browser: Browser
) -> None:
    with visit(browser, served.server, who="manager", kind="desktop", language="en") as one:
        page = one.open("/console/goods/new?barcode=6901234567892")
        ready(page)
        expect(page.locator("[name=name]")).to_be_focused()
        page.keyboard.type("Sea salt crisps")
        page.locator("[type=submit]").click()
        expect(page.locator(".field", has=page.locator("[name=unit]"))).to_contain_text("required")
        one.shot("goods-new-wrong")
        forgive(one, 422)
        page.locator("[name=unit]").fill("bag")
        page.locator("[name=price]").fill("7.5")
        page.locator("[data-add=barcodes]").click()
        page.locator("[name='barcodes.1.code']").fill("16901234567899")
        page.locator("[name='barcodes.1.factor']").fill("24")
        page.locator("[name='barcodes.1.price']").fill("150")
        page.locator("summary", has_text="Alert lines").click()
        page.locator("[name='here.shelf']").fill("B-12")
        page.locator("[type=submit]").click()
        page.wait_for_url("**/console/goods/6901234567892")
        ready(page)
        expect(page.locator("main")).to_contain_text("× 24 bag")
        page.locator("a", has_text="Change").first.click()
        ready(page)
        assert page.locator("[name='here.shelf']").input_value() == "B-12"
        page.locator("[name=price]").fill("")
        page.locator("[data-drop]").nth(1).click()
        page.locator("[type=submit]").click()
        page.wait_for_url("**/console/goods/6901234567892")
        ready(page)
        page.locator("[data-archive=archive]").click()
        page.locator(".toast", has_text="Archived").locator("button").click()
        expect(page.locator(".toast")).to_contain_text("Back on sale")
        one.shot("goods-made")
    found = served.server.call("GET", "/products/6901234567892", token=served.token)
    assert (found["price"], found["unit"], found["archived"]) == (None, "bag", False)
    assert [one["code"] for one in found["barcodes"]] == ["6901234567892"]
    assert {s["shelf"] for s in found["stores"] if s["store"] == "XQ01"} == {"B-12"}


def test_spreadsheet_is_checked_in_place_taken_in_and_undone(
    served: Served, browser: Browser, tmp_path: Path
) -> None:
    wrong, good = tmp_path / "wrong.csv", tmp_path / "good.csv"
    head = "商品编码,名称,单位,售价,库存下限\n"
    wrong.write_text(f"{head}N1,薯片,袋,abc,5\nN2,饼干,盒,9,x\n", encoding="utf-8")
    good.write_text(f"{head}N1,薯片,袋,7.5,5\nN2,饼干,盒,9,6\n", encoding="utf-8")
    with visit(browser, served.server, who="manager") as one:
        page = one.open("/console/goods/import")
        ready(page)
        page.locator("[name=file]").set_input_files(wrong)
        page.locator("[data-import] [type=submit]").click()
        cells = page.locator(".goods-cells tbody tr")
        expect(cells).to_have_count(2)
        assert [" ".join(text.split()) for text in cells.all_inner_texts()] == [
            "2 N1 薯片 袋 abc 不是数字 5",
            "3 N2 饼干 盒 9 x 不是数字",
        ]
        heads = ["行", "商品编码", "名称", "单位", "售价", "库存下限"]
        assert page.locator(".goods-cells thead").inner_text().split() == heads
        assert page.locator("[data-go]").count() == 0
        one.shot("goods-import-wrong")
        page.locator("[name=file]").set_input_files(good)
        page.locator("[data-import] [type=submit]").click()
        page.locator("[data-go]").click()
        undo = page.locator("[data-undo]")
        undo.wait_for()
        one.shot("goods-imported")
        assert skus(served, "N1", "N2") == {"N1", "N2"}
        undo.click()
        expect(page.locator(".toast")).to_contain_text("导入已撤销")
        assert skus(served, "N1", "N2") == set()


def test_columns_nobody_could_guess_are_chosen_by_a_person_and_taken_in_so(
    served: Served, browser: Browser, tmp_path: Path
) -> None:
    odd = tmp_path / "odd.csv"
    odd.write_text("甲,乙,乙\nM1,薯片,7.5\nM2,饼干,贵\nM3,糖,3\n", encoding="utf-8")
    with visit(browser, served.server, who="manager") as one:
        page = one.open("/console/goods/import")
        ready(page)
        page.locator("[name=file]").set_input_files(odd)
        page.locator("[data-import] [type=submit]").click()
        columns = page.locator(".wares-columns tbody tr")
        expect(columns).to_have_count(3)
        forgive(one, 422)
        assert columns.nth(1).inner_text().split()[:5] == ["乙", "B", "薯片", "·", "饼干"]
        one.shot("goods-import-columns")
        for letter, field in (("A", "sku"), ("B", "price"), ("C", "price"), ("B", "name")):
            page.locator(f"select[data-letter={letter}]").select_option(field)
        page.locator("[data-check-again]").click()
        wrong = page.locator(".goods-cells tr.wrong-row")
        assert " ".join(wrong.inner_text().split()) == "3 M2 饼干 贵 不是数字"
        assert page.locator(".goods-cells tr.beside").count() == 2
        one.shot("goods-import-chosen-wrong")
        page.locator("summary", has_text="读取 3 列").click()
        page.locator("select[data-letter=C]").select_option("")
        page.locator("[data-check-again]").click()
        page.locator("[data-go]").click()
        page.locator("[data-undo]").wait_for()
    found = served.server.call("GET", "/products/M2", token=served.token)
    assert (found["name"], found["price"]) == ("饼干", None)


def skus(served: Served, *codes: str) -> set[str]:
    asked = "&".join(f"sku={code}" for code in codes)
    items = served.server.call("GET", f"/products?{asked}", token=served.token)["items"]
    return {item["sku"] for item in items}


@pytest.fixture(scope="module")
def ask(served: Served) -> Ask:
    """The status and text of a page, for somebody."""
    secrets = {who: session(served.server, who) for who in ("owner", "manager", "clerk")}

    def get(path: str, *, who: str = "manager", store: str = "", part: str = "") -> tuple[int, str]:
        cookie = f"dianku_session={secrets[who]}; dianku_language=en; dianku_store={quote(store)}"
        headers = {"Cookie": cookie, **({"X-Part": part} if part else {})}
        request = urllib.request.Request(served.server.url + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return get


@pytest.fixture(scope="module")
def odd(served: Served) -> str:
    """A product whose code and name try to be more than that."""
    body = {"sku": ODD, "name": "<script>alert(1)</script>", "unit": "<b>"}
    served.server.call("POST", "/products", token=served.token, body=body)
    return ODD


def hrefs(text: str) -> list[str]:
    return [
        html.unescape(found) for found in re.findall(r'<td class="name"><a href="([^"]+)"', text)
    ]


def test_pages_of_the_list_hold_every_product_once_and_never_more_than_fifty(
    served: Served, ask: Ask
) -> None:
    found: list[str] = []
    path = "/console/goods"
    while path:
        status, text = ask(path, part="rows")
        assert status == 200
        rows = hrefs(text)
        assert 0 < len(rows) <= 50
        found += rows
        further = re.search(r'<a class="button" href="([^"]+)">Next page', text)
        path = html.unescape(further.group(1)) if further else ""
    goods = served.server.call("GET", "/products?limit=1000", token=served.token)["items"]
    assert len(goods) > 50
    assert len(found) == len(set(found)) == len(goods)


def test_list_of_all_stores_adds_them_up(served: Served, ask: Ask) -> None:
    rows = served.server.call("GET", "/stock?sku=AL085", token=served.token)["items"]
    sum_ = sum(int(row["on_hand"]) for row in rows)
    assert len(rows) > 1
    _, text = ask("/console/goods?q=AL085", store="*", part="rows")
    assert f"<span>{sum_}</span>" in text
    _, text = ask("/console/goods?q=AL085", store="XQ01", part="rows")
    here = next(row for row in rows if row["store"] == "XQ01")
    assert f"<span>{here['on_hand']}</span>" in text


def test_cost_is_shown_to_who_may_see_it(ask: Ask) -> None:
    for page in ("/console/goods/AL085", "/console/goods/AL085/edit"):
        assert "2.60" in ask(page, who="manager")[1]
    text = ask("/console/goods/AL085", who="clerk")[1]
    assert "2.60" not in text
    assert "Cost" not in text


@pytest.mark.parametrize("path", ["new", "AL085/edit", "AL085/stock", "import", "import/1"])
def test_pages_that_change_goods_are_for_managers(ask: Ask, path: str) -> None:
    assert ask(f"/console/goods/{path}", who="clerk")[0] == 403
    if path != "import/1":
        assert ask(f"/console/goods/{path}", who="manager")[0] == 200


def test_clerk_sees_no_buttons_of_managers(ask: Ask) -> None:
    text = ask("/console/goods/AL085", who="clerk")[1]
    assert "data-right" not in text
    assert "data-archive" not in text
    assert "/edit" not in text


def test_odd_codes_and_names_are_text_and_their_links_lead_back(odd: str, ask: Ask) -> None:
    _, text = ask(f"/console/goods?q={quote(odd)}", part="rows")
    (href,) = hrefs(text)
    for path in (href, f"{href}/edit", f"{href}/stock", f"/console/goods/labels?sku={quote(odd)}"):
        status, text = ask(path)
        assert status == 200, path
        assert "&lt;script&gt;alert(1)" in text
        assert "<script>alert" not in text


def test_product_called_as_a_page_is_has_its_own_address(served: Served, ask: Ask) -> None:
    body = {"sku": "new", "name": "New Balance", "unit": "pair"}
    served.server.call("POST", "/products", token=served.token, body=body)
    (href,) = hrefs(ask("/console/goods?q=New+Balance", part="rows")[1])
    status, text = ask(href)
    assert status == 200
    assert "New Balance" in text


def test_unknown_products_and_torn_addresses_are_refused_in_words(ask: Ask) -> None:
    assert ask("/console/goods/NO-SUCH")[0] == 404
    assert ask("/console/goods?cursor=torn")[0] == 422
    assert ask("/console/goods?show=nonsense&show=low&q=a&q=b")[0] == 200
    assert ask("/console/goods/labels?sku=NO-SUCH&copies=-3&size=huge")[0] == 200


def test_stock_card_opens_the_document_of_every_number(served: Served, ask: Ask) -> None:
    hot = served.server.call("GET", "/stock?store=XQ01&sort=-sold_7d&limit=1", token=served.token)
    sku = hot["items"][0]["sku"]
    asked = f"/moves?sku={sku}&store=XQ01&sort=-occurred_at&limit=1000"
    moves = served.server.call("GET", asked, token=served.token)["items"]
    path, linked = f"/console/goods/{sku}", []
    while path:
        _, text = ask(path, store="XQ01", part="card")
        found = re.findall(r'<a class="(?:good|bad)" href="/console/documents/([^"]+)"', text)
        assert 0 < len(found) <= 20
        linked += found
        later = re.search(r'href="([^"]+)#card">Earlier', text)
        path = html.unescape(later.group(1)) if later else ""
    assert len(moves) > 20
    assert linked == [move["document"] for move in moves]


PATHS = (
    "/console/goods",
    "/console/goods?show=low",
    "/console/goods?q=nothing+of+that+name",
    f"/console/goods/{BEER}",
    f"/console/goods/{BEER}/edit",
    f"/console/goods/{BEER}/stock",
    "/console/goods/new",
    "/console/goods/categories",
    "/console/goods/import",
    f"/console/goods/labels?sku={BEER}",
)


@pytest.mark.long("browser-full")
@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("face", ["light", "dark"])
def test_every_page_of_goods_opens_without_complaint(
    served: Served, browser: Browser, language: str, face: str
) -> None:
    for kind in ("phone", "desktop"):
        with visit(
            browser, served.server, who="owner", kind=kind, language=language, color_scheme=face
        ) as one:
            for path in PATHS:
                page = one.open(path)
                ready(page) if page.locator("[data-module]").count() else None
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, (path, kind)
                one.shot(f"goods-{kind}-{language}-{face}-{PATHS.index(path)}")
