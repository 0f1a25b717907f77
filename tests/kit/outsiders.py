"""Plugins as strangers write them: distributions of their own, built, installed, mostly broken.

Their sources lie in `tests/system/outsiders/`, one folder each. All are built and installed by pip
once a run, into one environment; a test gets a copy of the basic edition with those it asks for,
taken over file by file as pip recorded them.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
from installed import ROOT, Environment, alone, build_wheel, edition_environment, lend
from shop_server import Server, ShopFolder

from dianku.hooks.tables import plugin_cursor
from dianku.plugins.tables import plugin_fault
from dianku.storage.engine import Database
from dianku.storage.events import current
from dianku.storage.shape import table_names
from dianku.testing.runs import folder_of_run

SOURCES = ROOT / "tests" / "system" / "outsiders"
LISTENER = "listener"
"""The one plugin among them that is sound."""


def outsiders() -> list[str]:
    """The names of all of them: of their folders, and of the plugins but for the twins."""
    return sorted(path.parent.name for path in SOURCES.glob("*/pyproject.toml"))


def all_installed() -> Environment:
    """The basic edition with every outsider, made once a run: copy it before changing it."""
    folder = folder_of_run() / "environments" / "outsiders"
    with alone(folder):
        if not folder.exists():
            beside = folder.with_suffix(".part")
            made = edition_environment("basic").copied(beside)
            wheels = folder_of_run() / "outsiders"
            made.install([build_wheel(SOURCES / name, wheels) for name in outsiders()])
            beside.rename(folder)
    return Environment(folder)


def environment_with(folder: Path, *names: str, extras: Sequence[str] = ()) -> Environment:
    """The basic edition with these outsiders, and third parties' distributions, in a new folder."""
    made = edition_environment("basic").copied(folder)
    stocked = all_installed()
    for name in names:
        distribution = f"outsider-{name.replace('_', '-')}"
        [found] = metadata.distributions(name=distribution, path=[str(stocked.packages)])
        for file in found.files or ():
            target = made.packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(str(found.locate_file(file)), target)
    lend(made, extras)
    return made


def begun_shop() -> tuple[Path, str]:
    """The data folder of a shop that was set up once a run, to be copied, and its owner's token."""
    folder = folder_of_run() / "begun-shop"
    with alone(folder):
        if not folder.exists():
            beside = folder.with_suffix(".part")
            shop = edition_environment("basic").shop(beside)
            shop.init()
            (beside / "token").write_text(shop.token("owner"))
            beside.rename(folder)
    return folder, (folder / "token").read_text()


class TriedShop:
    """A shop that is served while something of it is broken: sells, and is asked how it is."""

    def __init__(self, shop: ShopFolder, token: str) -> None:
        self.shop = shop
        self.token = token
        self._stack = ExitStack()
        self._pause = threading.Event()

    def __enter__(self) -> Self:
        self.server = self._stack.enter_context(Server(self.shop))
        self._http = self._stack.enter_context(
            httpx2.Client(base_url=self.server.url, timeout=60, headers=self._headers)
        )
        url = self.shop.database_url or f"sqlite:///{self.shop.folder / 'dianku.sqlite3'}"
        self._database = Database(url)
        self._stack.callback(self._database.close)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Language": "en"}

    def get(self, path: str) -> httpx2.Response:
        """Ask the server."""
        return self._http.get(path)

    def sell(self, count: int) -> list[int]:
        """Sell so many times; the status of each answer."""
        goods = {"sku": "cola", "name": "Cola", "unit": "can"}
        self._http.post("/api/v1/products", json=goods).raise_for_status()
        sale = {"kind": "issue", "store": "S1", "lines": [{"sku": "cola", "quantity": 1}]}
        return [
            self._http.post(
                "/api/v1/documents", json=sale, headers={"Idempotency-Key": f"sale-{number}"}
            ).status_code
            for number in range(count)
        ]

    def last_event(self) -> int:
        """The newest event of the log."""
        with self._database.reading() as connection:
            return current(connection, "event")

    def cursor(self, plugin: str) -> int:
        """The last event a plugin is done with."""
        with self._database.reading() as connection:
            rows = connection.execute(plugin_cursor.select()).all()
        return next((row.event_id for row in rows if row.plugin == plugin), -1)

    def noted(self, plugin: str) -> list[str]:
        """Where this plugin failed, as other processes of the shop are told."""
        with self._database.reading() as connection:
            rows = connection.execute(plugin_fault.select()).all()
        return [row.place for row in rows if row.plugin == plugin]

    def tables(self, word: str) -> list[str]:
        """The tables with this word in their names."""
        with self._database.reading() as connection:
            return [name for name in table_names(connection) if word in name]

    def readyz(self) -> tuple[int, dict[str, Any]]:
        """Status and body of `/readyz`."""
        answer = self.get("/readyz")
        body: dict[str, Any] = answer.json()
        return answer.status_code, body

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Ask `/readyz` until its answer is the wanted one; pytest's time limit ends it."""
        while True:
            status, body = self.readyz()
            assert status == 200, body
            if wanted(body):
                return body
            self._pause.wait(0.05)


def served(environment: Environment, folder: Path, *, database_url: str | None = None) -> TriedShop:
    """A shop of a test's own in a new folder, to be run by an environment; enter it to start it."""
    begun, token = begun_shop()
    if database_url is None:
        shutil.copytree(begun, folder)
        return TriedShop(environment.shop(folder), token)
    folder.mkdir(parents=True)
    shop = environment.shop(folder, environ={"DIANKU_DATABASE": database_url})
    shop.database_url = database_url
    shop.init()
    return TriedShop(shop, shop.token("owner"))
