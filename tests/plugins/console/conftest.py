"""A served shop with two weeks of trading, its people, and a browser; each for one module."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Served, chromium, filled_folder, people
from playwright.sync_api import Browser
from scan_goods import scan_goods
from shop_server import Server, ShopFolder


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a shop with trading in it; copied, never served itself."""
    folder = tmp_path_factory.mktemp("filled") / "shop"
    filled_folder(folder)
    return folder


@pytest.fixture(scope="module")
def served(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A shop of this module's own."""
    folder = tmp_path_factory.mktemp("served") / "shop"
    shutil.copytree(filled, folder)
    shop = ShopFolder(folder)
    token = shop.token("tests")
    with Server(shop) as server:
        people(server, token, owner="owner", manager="manager", clerk="clerk", counter="counter")
        yield Served(shop, server, token)


@pytest.fixture(scope="module")
def goods(served: Served) -> Served:
    """The shop with goods of odd codes."""
    scan_goods(served.server, served.token)
    return served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with chromium() as found:
        yield found
