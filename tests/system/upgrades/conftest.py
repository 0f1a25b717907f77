"""Shops of earlier releases, brought in on either database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from old_shops import NewUrl, OldShop
from release_files import FILES, Release, releases
from release_shop import put_outsider

from dianku.testing.entry_points import shelf
from dianku.testing.postgres import PostgresServer


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewUrl]:
    made: list[str] = []

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / f'shop-{len(list(tmp_path.iterdir()))}.sqlite3'}"
        server: PostgresServer = request.getfixturevalue("postgres_server")
        made.append(server.create())
        return server.url(made[-1])

    yield make
    for name in made:
        request.getfixturevalue("postgres_server").drop(name)


def _shops(*chosen: Release) -> list[object]:
    return [
        pytest.param((release, kind), id=f"{release.version}-{kind}")
        for release in chosen
        for kind in FILES
    ]


@pytest.fixture(params=_shops(*releases()))
def old(request: pytest.FixtureRequest, new_url: NewUrl, tmp_path: Path) -> OldShop:
    """Each release's shop on each database."""
    return _brought_in(*request.param, new_url=new_url, folder=tmp_path)


@pytest.fixture(params=_shops(releases()[0]))
def oldest(request: pytest.FixtureRequest, new_url: NewUrl, tmp_path: Path) -> OldShop:
    """The oldest release's shop on each database."""
    return _brought_in(*request.param, new_url=new_url, folder=tmp_path)


@pytest.fixture(params=_shops(releases()[-1]))
def latest(request: pytest.FixtureRequest, new_url: NewUrl, tmp_path: Path) -> OldShop:
    """The latest release's shop on each database."""
    return _brought_in(*request.param, new_url=new_url, folder=tmp_path)


def _brought_in(release: Release, kind: str, *, new_url: NewUrl, folder: Path) -> OldShop:
    url = new_url(kind)
    release.bring_in(url)
    return OldShop(release, kind, url, folder)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """A folder of the path with the outsider's plugin and the reports."""
    with shelf(tmp_path / "site") as found:
        put_outsider(found.folder)
        yield found.folder
