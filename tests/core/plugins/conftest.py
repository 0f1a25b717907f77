from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dianku.clock import SetClock
from dianku.config import HostConfig
from dianku.plugins import set as plugin_set
from dianku.plugins.editions import Edition, installed_editions
from dianku.plugins.manifest import Manifest
from dianku.plugins.set import PluginSet
from dianku.plugins.shop import OwnSettings, Shop
from dianku.plugins.tables import plugin_switch
from dianku.settings.store import Settings
from dianku.storage.engine import Database
from dianku.storage.fence import FencedDatabase
from dianku.storage.migrate import Owner, upgrade
from dianku.testing.entry_points import Shelf, shelf

Load = Callable[..., PluginSet]


@pytest.fixture
def plugin_shelf(tmp_path: Path) -> Iterator[Shelf]:
    with shelf(tmp_path / "site") as found:
        yield found


@pytest.fixture
def load(
    database: Database, clock: SetClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Load]:
    """Judge and load what is on the shelf, with services a plugin does not reach for left out."""
    opened: list[PluginSet] = []
    services: Any = None
    _switch_off_ours(database)
    # Nor is the shop one of our editions, which would miss them.
    monkeypatch.setattr(plugin_set, "installed_editions", _editions_of_the_test)

    def load_plugins(*, afresh: bool = False, **choices: Any) -> PluginSet:
        config = HostConfig(data_dir=tmp_path, clock=clock, **choices)
        plugins = PluginSet(config, database=database, clock=clock)
        opened.append(plugins)
        settings = Settings(database)
        for section in plugins.sections:
            settings.declare(section)

        def make_shop(manifest: Manifest) -> Shop:
            return Shop(
                plugin=manifest.name,
                catalog=services,
                ledger=services,
                stock=services,
                figures=services,
                settings=OwnSettings(settings, manifest.name),
                clock=clock,
                messages=services,
                log=logging.getLogger(f"dianku.plugin.{manifest.name}"),
                rights=frozenset(manifest.rights),
                tables=FencedDatabase(database, plugin=manifest.name),
            )

        def migrate(name: str, folder: Path) -> None:
            upgrade(database, [Owner(name, folder)])

        plugins.load(make_shop, migrate=migrate, afresh=afresh)
        return plugins

    yield load_plugins
    for plugins in opened:
        plugins.close()


def _switch_off_ours(database: Database) -> None:
    """Leave what is installed here out: what a test sees is what it put on the shelf."""
    rows = [
        {"plugin": name, "enabled": False, "changed_at": 0, "changed_by": "tests"}
        for name in ("console", "reports")
    ]
    with database.writing() as connection:
        connection.execute(plugin_switch.insert(), rows)


def _editions_of_the_test() -> dict[str, Edition]:
    ours = {"basic", "intermediate", "advanced"}
    return {name: found for name, found in installed_editions().items() if name not in ours}
