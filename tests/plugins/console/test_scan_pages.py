"""The sheets of what was scanned and what was searched, for who may see what; without a browser."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from urllib.parse import quote

import pytest
from browser import Served, session
from scan_goods import (
    CARTON,
    GTIN_EXPIRED,
    LONG,
    PLAIN,
    SHARED,
    UNKNOWN,
    WEIGHED,
)


def sheet(goods: Served, path: str, *, who: str = "clerk", part: str = "sheet") -> str:
    """What a page's part says, as text without its markup's blanks."""
    request = urllib.request.Request(
        goods.server.url + path,
        headers={
            "Cookie": f"dianku_session={session(goods.server, who)}; dianku_language=en",
            "X-Part": part,
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return re.sub(r"\s+", " ", answer.read().decode())


def scan(goods: Served, code: str, *, who: str = "clerk") -> str:
    return sheet(goods, f"/console/scan/{quote(code, safe='')}", who=who)


def test_sheet_of_known_goods_says_what_there_is_and_what_one_does_with_it(goods: Served) -> None:
    text = scan(goods, PLAIN)
    assert 'data-scan-state="known"' in text
    for words in ("淡爽啤酒", "On hand here", "Sold in 7 days", "Available elsewhere", "总仓"):
        assert words in text
    for link in ("sell", "receive", "write-off"):
        assert f"/console/{link}?scan={PLAIN}" in text
    assert "/console/goods/AL085" in text


def test_sheet_offers_nothing_the_reader_may_not_do(goods: Served) -> None:
    text = scan(goods, PLAIN, who="counter")
    assert "淡爽啤酒" in text
    for link in ("/console/sell", "/console/receive", "/console/write-off", "/console/goods"):
        assert link not in text
    assert "On hand here" not in text
    assert "/console/goods/new" not in scan(goods, UNKNOWN)
    assert f"/console/goods/new?barcode={UNKNOWN}" in scan(goods, UNKNOWN, who="manager")


def test_return_by_a_code_nobody_knows_finds_no_sale_and_says_so(goods: Served) -> None:
    text = sheet(goods, f"/console/return?code={UNKNOWN}", who="manager", part="content")
    assert "No such sale" in text


def test_one_barcode_on_two_goods_is_asked_about_and_the_choice_is_kept(goods: Served) -> None:
    text = scan(goods, SHARED)
    assert "Which of these is it?" in text
    assert f"/console/scan/{SHARED}?sku=TWIN-A" in text
    chosen = sheet(goods, f"/console/scan/{SHARED}?sku=TWIN-B")
    assert "茉莉花茶礼盒" in chosen
    assert "Which of these is it?" not in chosen


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (WEIGHED, ("红富士苹果", "On the label", "1.25<small>kg")),
        (CARTON, ("Price of a pack", "¥88.00", "24<small>")),
        (GTIN_EXPIRED, ("Past its date", "L1", 'data-scan-state="warning"')),
        (LONG, ("特" * 200, "¥9,999,999,999.99")),
    ],
)
def test_sheet_says_what_the_code_itself_says(
    goods: Served, code: str, said: tuple[str, ...]
) -> None:
    text = scan(goods, code)
    for words in said:
        assert words in text


@pytest.mark.parametrize(
    "code",
    [
        UNKNOWN,
        "<script>alert(1)</script>",
        "a/b/../c",
        "]C10106999000199999\x1d10X",
        "x" * 1500,
        "'\"; --",
    ],
)
def test_code_nobody_knows_is_said_whatever_it_is_made_of(goods: Served, code: str) -> None:
    text = scan(goods, code)
    assert 'data-scan-state="unknown"' in text
    assert "<script" not in text


def test_signs_a_gun_adds_are_told_from_the_code_inside(goods: Served) -> None:
    text = scan(goods, f"Q{PLAIN}")
    assert f'data-gun-code="{PLAIN}"' in text
    assert 'data-gun-prefix="Q"' in text
    assert "data-gun-code" not in scan(goods, f"Q{UNKNOWN}")


def test_search_finds_names_and_knows_a_code_when_it_is_one(goods: Served) -> None:
    words = quote("可乐")
    text = sheet(goods, f"/console/find?q={words}")
    assert 'data-scan-code="DR004"' in text
    assert "left" in text
    assert "data-exact" not in sheet(goods, f"/console/find?q={words}", part="exact")
    assert "data-exact" in sheet(goods, "/console/find?q=DR004", part="exact")
    assert "Nothing is called that" in sheet(goods, "/console/find?q=zzzzzz")
    assert "data-scan-code" not in sheet(goods, "/console/find?q=")
    assert "data-scan-code" not in sheet(goods, f"/console/find?q={words}", who="counter")


def test_scripts_may_start_a_reader_and_fetch_from_the_shop_only(goods: Served) -> None:
    page = sheet(goods, "/console/parts", part="")
    found = re.search(r'src="(/console/assets/[^"]+/)js/main.js"', page)
    assert found is not None
    with urllib.request.urlopen(
        f"{goods.server.url}{found[1]}js/scan/worker.js", timeout=30
    ) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src 'self' 'wasm-unsafe-eval'" in policy
    assert "unsafe-inline" not in policy
