"""Looking: the monitor, sales, write-offs, documents, and what is to settle."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest
from browser import Kind, Served, session, visit
from playwright.sync_api import Browser, expect


def shown(
    served: Served, path: str, *, who: str = "owner", language: str = "zh-CN"
) -> tuple[int, str]:
    """A page as its server gives it."""
    where = urlsplit(served.server.url)
    line = http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)
    headers = {
        "Cookie": f"dianku_session={session(served.server, who)}; dianku_store=*",
        "Accept-Language": language,
    }
    line.request("GET", path, headers=headers)
    answer = line.getresponse()
    text = answer.read().decode()
    line.close()
    return answer.status, text


REPORTS = (
    "/console/monitor",
    "/console/monitor?state=low&sort=on_hand",
    "/console/monitor?state=over&q=%E5%8F%AF",
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
