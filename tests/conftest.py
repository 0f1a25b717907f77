"""The test kit, the long tests that run only when named, and what hypothesis may do by chance."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

import long_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from say import Day

    from dianku.catalog.snapshot import CatalogCache
    from dianku.clock import SetClock
    from dianku.context import Context
    from dianku.ledger.service import Ledger
    from dianku.storage.engine import Database
    from dianku.testing.shop import Shop


# Loaded here too, for where Dianku is on the path without being installed.
pytest_plugins = ["dianku.testing.plugin"]

hypothesis.settings.register_profile("steady", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("random", deadline=None, print_blob=True)
hypothesis.settings.load_profile("random" if os.environ.get("DIANKU_RANDOM") else "steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", metavar="NAME", help="run the long tests of this name alone")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long(name): runs in the environment of that name alone")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--long")
    chosen: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        marker = item.get_closest_marker("long")
        name = marker.args[0] if marker else None
        if name is not None and name not in long_runs.ENVIRONMENTS:
            raise pytest.UsageError(f"{item.nodeid}: no long environment is called {name!r}")
        (chosen if name == wanted else others).append(item)
    items[:] = chosen
    config.hook.pytest_deselected(items=others)


def pytest_runtest_logstart(nodeid: str) -> None:
    """Leave a note of what runs now, for whoever has to stop a run that hangs."""
    if folder := os.environ.get("DIANKU_RUNNING"):
        worker = os.environ.get("PYTEST_XDIST_WORKER")
        # The controller of workers hears of their tests as well; their own notes are enough.
        if worker or not os.environ.get("PYTEST_XDIST_TESTRUNUID"):
            note = Path(folder) / (worker or "main")
            if note.parent.is_dir():
                note.write_text(f"{nodeid}\n")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Say how old the long runs are; a long run that passed notes itself first."""
    name = config.getoption("--long")
    passed = len(terminalreporter.stats.get("passed", ()))
    narrowed = config.option.keyword or config.args_source != pytest.Config.ArgsSource.TESTPATHS
    if name and exitstatus == 0 and passed and not narrowed:
        long_runs.record(name, passed)
    terminalreporter.section("long environments")
    for line in long_runs.lines():
        terminalreporter.write_line(line)


@pytest.fixture
def day(shop: Shop, ledger: Ledger, owner: Context, clock: SetClock) -> Day:
    """A day in store S1 of the ledger's tests, with store S2 beside it."""
    from say import Day

    shop.store("S1")
    shop.store("S2")
    return Day(ledger, owner, clock)


@pytest.fixture
def waiting(database: Database, cache: CatalogCache, clock: SetClock) -> Iterator[Ledger]:
    """A ledger whose poster has not begun: what is handed in waits, and is one batch then."""
    from dianku.ledger.service import Ledger

    ledger = Ledger(database, cache, clock)
    yield ledger
    ledger.close()
