"""The basic edition has what it names and nothing of what other editions add."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from installed import ROOT, Environment, edition_environment
from shop_server import Server

BEYOND = {
    "stocktake": ("/stocktakes", "/stocktakes/1"),
    "alerts": ("/alerts", "/alerts/1"),
    "channels": ("/channels/shop/connection", "/channels/shop/items", "/channels/shop/webhook"),
    "promotions": ("/promotions", "/group-buys", "/members"),
    "purchasing": ("/suppliers", "/purchase-orders", "/stock-requests"),
    "turnover": ("/reports/turnover", "/reports/slow-movers", "/reports/stock-value"),
    "replenishment": ("/replenishment/forecast", "/replenishment/suggestions"),
}
"""What the basic edition goes without, and paths each answers where it is installed."""


def test_plugins_of_this_repository_are_basics_or_among_those_it_goes_without() -> None:
    built = {
        tomllib.loads(path.read_text(encoding="utf-8"))["name"]
        for path in ROOT.glob("plugins/*/*/plugin.toml")
    }
    manifest = tomllib.loads((ROOT / "editions/basic/edition.toml").read_text(encoding="utf-8"))
    basics = {*manifest.get("required", ()), *manifest.get("optional", ())}
    beyond = {name for name in built - basics if not name.startswith("channel_")}
    assert beyond <= BEYOND.keys()
    assert basics.isdisjoint(BEYOND)


@pytest.fixture(scope="module")
def basic() -> Environment:
    return edition_environment("basic")


@pytest.fixture(scope="module")
def client(basic: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    shop = basic.shop(tmp_path_factory.mktemp("basic") / "data")
    shop.init()
    headers = {"Authorization": f"Bearer {shop.token('owner')}"}
    with Server(shop) as server, httpx2.Client(base_url=server.url, headers=headers) as found:
        yield found


@pytest.mark.parametrize("name", BEYOND)
def test_file_of_a_plugin_beyond_basic_is_nowhere_on_disk(basic: Environment, name: str) -> None:
    names = {path.name for path in basic.packages.iterdir()}
    assert {"dianku", "dianku_console", "dianku_reports"} <= names
    own = (f"dianku_{name}", f"dianku_{name.rstrip('s')}_")
    assert [one for one in names if one.startswith(own)] == []
    manifests = sorted(path.parent.name for path in basic.packages.glob("*/plugin.toml"))
    assert manifests == ["dianku_console", "dianku_reports"]


@pytest.mark.parametrize("name", BEYOND)
def test_path_of_a_plugin_beyond_basic_is_404_and_not_described(
    client: httpx2.Client, name: str
) -> None:
    described = client.get("/api/v1/openapi.json").json()["paths"]
    assert "/api/v1/reports/sales" in described
    for path in BEYOND[name]:
        beyond = [one for one in described if one.startswith(f"/api/v1{path}")]
        assert beyond == []
        assert client.get(f"/api/v1{path}").status_code == 404
        assert client.post(f"/api/v1{path}", json={}).status_code == 404


@pytest.mark.parametrize("name", BEYOND)
def test_command_of_a_plugin_beyond_basic_exits_2(
    basic: Environment, name: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [*basic.command, name],
        env={**basic.environ, "DIANKU_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert name in done.stderr
