"""Looking: the monitor, sales, write-offs, documents, and what is to settle."""

from __future__ import annotations

import http.client
import re
from urllib.parse import urlsplit

import pytest
from browser import Kind, Served, session, visit
from playwright.sync_api import Browser, expect


def shown(
    served: Served, path: str, *, who: str = "owner", language: str = "zh-CN", part: str = ""
) -> tuple[int, str]:
    """A page as its server gives it."""
    where = urlsplit(served.server.url)
    line = http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)
    headers = {
        "Cookie": f"dianku_session={session(served.server, who)}; dianku_store=*",
        "Accept-Language": language,
        "X-Part": part,
    }
    line.request("GET", path, headers=headers)
    answer = line.getresponse()
    text = answer.read().decode()
    line.close()
    return answer.status, text


@pytest.mark.parametrize("page", ["monitor", "documents"])
def test_rows_alone_are_shown_with_the_parts_they_are_made_of(served: Served, page: str) -> None:
    status, text = shown(served, f"/console/{page}", part="rows")
    assert status == 200
    assert "<html" not in text
    assert "/console/goods/" in text or "/console/documents/" in text


REPORTS = (
    "/console/monitor",
    "/console/monitor?state=low&sort=on_hand",
    "/console/monitor?state=over&q=%E5%8F%AF",
    "/console/monitor?state=expiring&sort=expires_on",
    "/console/sales",
    "/console/sales?by=category&days=30",
    "/console/sales?by=channel",
    "/console/sales?by=store",
    "/console/sales?by=day",
    "/console/sales?by=hour&measure=quantity",
    "/console/sales?order=slow&days=90",
    "/console/write-offs",
    "/console/write-offs?by=product",
    "/console/write-offs?by=actor",
    "/console/write-offs?by=day",
    "/console/exceptions",
    "/console/exceptions?state=settled",
    "/console/documents?sku=DR001&kind=issue",
    "/console/documents?channel=counter",
)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_form_of_a_report_is_shown_in_both_languages(served: Served, language: str) -> None:
    for path in REPORTS:
        status, _ = shown(served, path, language=language)
        assert status == 200, path


def test_goods_near_their_last_day_are_told_at_home_and_on_the_monitor(served: Served) -> None:
    found = served.server.call(
        "GET", "/stock?expires_within=7&sort=expires_on&limit=5", token=served.token
    )["items"]
    assert found
    home = shown(served, "/console/", part="cards")[1].partition('data-card="console.expiring"')[2]
    home = home.partition("</section>")[0]
    monitor = shown(served, "/console/monitor?state=expiring&sort=expires_on", part="rows")[1]
    for text in (home, monitor):
        places = [text.find(f"/console/goods/{row['sku']}") for row in found]
        assert -1 not in places
        assert places == sorted(places)


_BAR = re.compile(
    r'<rect( class="(?:now|back)")? x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"'
)
_ZERO = re.compile(r'<line x1="0" y1="([\d.]+)"')


def test_bars_stand_on_zero_and_hang_below_it_in_proportion(served: Served) -> None:
    text = shown(served, "/console/parts")[1]
    zero = float(_ZERO.findall(text)[0])
    bars = [(which, float(y), float(height)) for which, y, height in _BAR.findall(text)]
    values = (3, 5, 2, 8, -2, 9, 4)
    unit = bars[5][2] / 9
    assert len(bars) == len(values)
    for value, (which, y, height) in zip(values, bars, strict=True):
        assert height == pytest.approx(abs(value) * unit, abs=0.02)
        assert (y if value < 0 else y + height) == pytest.approx(zero, abs=0.02)
        assert ("back" in which) == (value < 0)
    assert "now" in bars[6][0]


def test_same_bars_are_drawn_at_home_in_reports_and_of_a_product(served: Served) -> None:
    pages = {"/console/sales?days=30": 30, "/console/goods/DR001": 30}
    for path, count in pages.items():
        text = shown(served, path)[1]
        assert (len(_BAR.findall(text)), len(_ZERO.findall(text))) == (count, 1), path
    home = shown(served, "/console/", part="cards")[1]
    assert len(_ZERO.findall(home)) == home.count('class="bars-figure"') > 0


@pytest.mark.parametrize(
    "query", ["days=0", "days=many", "from=2026-13-01", "from=2026-02-02&to=2026-02-01"]
)
def test_period_that_cannot_be_is_said_beside_what_was_typed(served: Served, query: str) -> None:
    for page in ("sales", "write-offs"):
        status, text = shown(served, f"/console/{page}?{query}")
        assert status == 200
        assert "这个条件看不了" in text
        assert 'name="from"' in text


def test_clerk_sees_no_cost_and_no_report_of_sales(served: Served) -> None:
    assert shown(served, "/console/sales", who="clerk")[0] == 403
    status, text = shown(served, "/console/monitor", who="clerk")
    assert status == 200
    assert "库存金额" not in text
    assert "库存金额" in shown(served, "/console/monitor")[1]


def test_rows_of_the_monitor_stay_bounded_and_the_next_page_takes_their_place(
    served: Served,
) -> None:
    first = shown(served, "/console/monitor")[1]
    assert first.count("<tr>") == 51
    following = first.partition('class="button small" href="')[2].partition('"')[0]
    second = shown(served, following.replace("&amp;", "&"))[1]
    assert 1 < second.count("<tr>") <= 51
    assert "回到第一页" in second


def test_monitor_keeps_a_view_and_hears_of_a_sale(served: Served, browser: Browser) -> None:
    with visit(browser, served.server, who="owner", kind="desktop", language="en") as one:
        page = one.open("/console/monitor")
        expect(page.locator("html[data-ready]")).to_be_visible()
        page.get_by_text("Below the line", exact=True).click()
        page.wait_for_url("**/console/monitor?*state=low*")
        page.get_by_text("Save this view").first.click()
        page.get_by_placeholder("Name of the view").fill("Order now")
        page.get_by_placeholder("Name of the view").press("Enter")
        expect(page.get_by_role("link", name="Order now")).to_be_visible()
        page.goto(served.server.url + "/console/monitor?sort=name")
        page.get_by_role("link", name="Order now").click()
        page.wait_for_url("**/console/monitor?*state=low*")

        page.goto(served.server.url + "/console/monitor?sort=name")
        expect(page.locator("#stock[data-live]")).to_be_visible()
        row = page.locator("tbody tr").first
        sku = row.locator(".under").inner_text()
        before = row.locator(".main-figure").first.inner_text()
        body = {
            "kind": "receipt",
            "store": page.locator("select[data-choose=store]").input_value(),
            "lines": [{"sku": sku, "quantity": "100000"}],
        }
        served.server.call("POST", "/documents", token=served.token, body=body)
        expect(row.locator(".main-figure").first).not_to_have_text(before)
        one.shot("monitor-live-desktop-en")


def test_exception_is_settled_from_home_with_a_note(served: Served, browser: Browser) -> None:
    body = {
        "kind": "issue",
        "store": "XQ01",
        "policy": "permissive",
        "lines": [{"sku": "DR001", "quantity": "99999"}],
    }
    served.server.call("POST", "/documents", token=served.token, body=body)
    with visit(browser, served.server, who="manager") as one:
        page = one.open("/console/?store=XQ01")
        card = page.locator("[data-card='console.exceptions']")
        card.locator("li a").first.click()
        first = page.locator(".to-settle li").first
        first.get_by_label("怎么处理的").fill("已经补货")
        with page.expect_navigation():
            first.get_by_role("button", name="处理完了").click()
        page.goto(served.server.url + "/console/exceptions?state=settled")
        expect(page.locator(".to-settle li").first).to_contain_text("已经补货")


LOOKED = {
    "home": "/console/",
    "monitor": "/console/monitor",
    "sales": "/console/sales?days=30",
    "sales-hours": "/console/sales?by=hour",
    "write-offs": "/console/write-offs",
    "documents": "/console/documents",
    "exceptions": "/console/exceptions",
    "wrong": "/console/sales?days=0",
}


@pytest.mark.long("browser-full")
@pytest.mark.parametrize("kind", ["phone", "desktop"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("face", ["light", "dark"])
def test_every_room_to_look_in_is_shown_without_complaint(
    served: Served, browser: Browser, kind: Kind, language: str, face: str
) -> None:
    with visit(
        browser, served.server, who="owner", kind=kind, language=language, color_scheme=face
    ) as one:
        for name, path in LOOKED.items():
            page = one.open(path)
            expect(page.locator("html[data-ready]")).to_be_visible()
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, name
            one.shot(f"{name}-{kind}-{language}-{face}")


def test_more_stands_in_the_rail_of_a_desktop_as_in_the_foot_of_a_phone(
    served: Served, browser: Browser
) -> None:
    with visit(browser, served.server, who="clerk", kind="desktop", language="en") as one:
        one.open("/console/").locator(".rail").get_by_role("link", name="More").click()
        one.page.wait_for_url("**/console/more")
        expect(one.page.get_by_role("button", name="Sign out")).to_be_visible()
        expect(one.page.locator(".rail a[aria-current]")).to_have_text("More")


def test_home_of_who_hears_no_events_asks_for_none(served: Served, browser: Browser) -> None:
    with visit(browser, served.server, who="counter") as one:
        page = one.open("/console/")
        expect(page.locator("html[data-ready]")).to_be_visible()
        expect(page.locator("#cards")).to_have_attribute("data-events", "")
    assert one.complaints == []
