"""QR codes of the console, read by a reader that shares nothing with what drew them."""

from __future__ import annotations

import re

import pytest

from dianku_console.pages.trust import came_by, device_of
from dianku_console.qr import QUIET, qr_of


def modules(path: str, side: int) -> list[list[bool]]:
    """The dark modules of a path."""
    dark = [[False] * side for _ in range(side)]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path):
        for at in range(int(width)):
            dark[int(y)][int(x) + at] = True
    return dark


def test_code_has_its_white_around_and_its_three_eyes() -> None:
    code = qr_of("http://192.168.1.5:8001/")
    dark = modules(code.path, code.side)
    last = code.side - QUIET - 1
    edge = [row[at] for row in dark for at in (*range(QUIET), *range(last + 1, code.side))]
    assert not any(edge)
    assert not any(any(row) for row in (*dark[:QUIET], *dark[last + 1 :]))
    for y, x in ((QUIET, QUIET), (QUIET, last - 6), (last - 6, QUIET)):
        assert all(dark[y][x : x + 7])
        assert [dark[y + n][x] for n in range(7)] == [True] * 7
        assert not dark[y + 1][x + 1]
        assert dark[y + 2][x + 2]


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("192.168.1.5:8001", "https://192.168.1.5:8000"),
        ("TILL.local:8001", "https://till.local:8000"),
        ("evil.example:8001", "https://192.168.1.5:8000"),
        ("192.168.1.5:8001; script-src *", "https://192.168.1.5:8000"),
        ("", "https://192.168.1.5:8000"),
    ],
)
def test_page_asks_only_an_address_of_the_shops_own(host: str, found: str) -> None:
    addresses = ["https://192.168.1.5:8000", "https://till.local:8000"]
    assert came_by(addresses, host) == found


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", "iphone"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9)", "android"),
        ("Mozilla/5.0 (Phone; OpenHarmony 5.0; HarmonyOS 5.0)", "android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "computer"),
        ("", "computer"),
    ],
)
def test_device_is_told_by_its_browser(agent: str, device: str) -> None:
    assert device_of(agent) == device
