"""Whose fault it is, as every process of the shop is told, and what left plugins are called."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from dianku.clock import SetClock
from dianku.plugins.leftovers import left_tables
from dianku.plugins.manifest import PLUGIN_FILE
from dianku.plugins.set import PluginSet
from dianku.plugins.states import FAULTS_KEPT, Fault, Status
from dianku.plugins.tables import plugin_fault
from dianku.storage.engine import Database
from dianku.testing.entry_points import Shelf

Load = Callable[..., PluginSet]
PAGES = """
from dianku.api import hookimpl
@hookimpl
def register_pages():
    raise RuntimeError("half way")
"""
TABLES = """
from dianku.api import {record}, Title, hookimpl
@hookimpl
def register_{hook}():
    return [{records}]
"""


def failed_once(load: Load) -> None:
    plugins = load()
    plugins.collect("register_pages")
    plugins.close()


def test_fault_of_a_hook_is_known_to_a_process_that_starts_later(
    plugin_shelf: Shelf, load: Load
) -> None:
    plugin_shelf.plugin("bad", PAGES)
    plugin_shelf.plugin("good")
    failed_once(load)

    later = load()

    assert later.state("bad").status is Status.DEGRADED
    assert "half way" in later.state("bad").faults[-1].what
    assert later.state("good").status is Status.LOADED


def test_fault_is_handed_to_a_process_that_runs_already(plugin_shelf: Shelf, load: Load) -> None:
    plugin_shelf.plugin("bad", PAGES)
    running = load(afresh=True)
    running.watch()
    failed_once(load)

    while running.state("bad").status is Status.LOADED:  # pytest's time limit ends it
        threading.Event().wait(0.05)

    assert running.state("bad").faults[-1].where == "register_pages"


def test_fault_is_forgotten_when_the_server_starts_and_with_another_version(
    plugin_shelf: Shelf, load: Load, database: Database
) -> None:
    plugin_shelf.plugin("bad", PAGES)
    failed_once(load)
    with database.writing() as connection:
        connection.execute(plugin_fault.update().values(version="0.1"))
    assert load().state("bad").status is Status.LOADED
    failed_once(load)
    assert load().state("bad").status is Status.DEGRADED

    assert load(afresh=True).state("bad").status is Status.LOADED

    assert load().state("bad").status is Status.LOADED


def test_faults_kept_of_one_plugin_are_the_newest(
    plugin_shelf: Shelf, load: Load, database: Database, clock: SetClock
) -> None:
    plugin_shelf.plugin("bad", PAGES)
    plugins = load()
    for number in range(FAULTS_KEPT + 5):
        plugins.job_failed("bad", "bad.tick", f"broken {number}")
        clock.advance(seconds=1)
    plugins.close()

    with database.reading() as connection:
        kept = set(connection.execute(sa.select(plugin_fault.c.what)).scalars())

    assert kept == {f"broken {number}" for number in range(5, FAULTS_KEPT + 5)}


def test_fault_that_comes_over_and_over_pushes_no_other_out(
    plugin_shelf: Shelf, load: Load
) -> None:
    plugin_shelf.plugin("bad", PAGES)
    plugins = load()
    plugins.job_failed("bad", "bad.tick", "broken")

    for _ in range(FAULTS_KEPT + 1):
        plugins.collect("register_pages")

    state = plugins.state("bad")
    assert [fault.where for fault in state.faults] == ["bad.tick", "register_pages"]
    assert state.fault_count == FAULTS_KEPT + 2


@pytest.mark.parametrize("usurper", ["aaa", "zzz"])
def test_route_outside_a_claim_takes_no_name_from_the_plugin_that_claims_it(
    plugin_shelf: Shelf, load: Load, usurper: str
) -> None:
    route = 'Route("GET", "/mine", lambda call: {}, "stock.view", "x")'
    code = TABLES.format(record="Route", hook="routes", records=route)
    plugin_shelf.plugin(usurper, code)
    plugin_shelf.plugin("owner", code, more='routes = ["/mine"]')
    plugins = load()

    routes = plugins.routes()

    assert [one.plugin for one in routes if one.path == "/mine"] == ["owner"]
    assert plugins.state("owner").status is Status.LOADED
    assert "is not in its manifest" in plugins.state(usurper).faults[-1].what


def test_group_of_commands_outside_a_claim_takes_no_name_from_its_owner(
    plugin_shelf: Shelf, load: Load
) -> None:
    group = 'Command("owner", Title("a", "b"), lambda: None)'
    code = TABLES.format(record="Command", hook="commands", records=group)
    plugin_shelf.plugin("aaa", code)
    plugin_shelf.plugin("owner", code, more='[commands.owner]\ntitle = { zh = "a", en = "b" }')
    plugins = load()

    groups = plugins.collect("register_commands")
    assert [one.plugin for one in groups if one.record.name == "owner"] == ["owner"]
    assert plugins.state("owner").status is Status.LOADED
    assert "'owner' is not in its manifest" in plugins.state("aaa").faults[-1].what


def make_tables(database: Database, *names: str) -> None:
    with database.writing() as connection:
        for name in names:
            connection.exec_driver_sql(f"CREATE TABLE {name} (version_num TEXT)")


def test_tables_left_are_those_of_the_longest_name_and_only_of_who_is_gone(
    database: Database,
) -> None:
    owned = ["gone", "gone_log", "here", "here_log"]
    make_tables(
        database,
        *(f"alembic_version_{name}" for name in owned),
        *(f"{name}_line" for name in owned),
    )

    with database.reading() as connection:
        left = left_tables(connection, known={"here", "here_log", "new"})

    assert left == {"gone": ["gone_line"], "gone_log": ["gone_log_line"]}


def test_plugin_whose_tables_are_left_is_missing_and_stops_nothing(
    plugin_shelf: Shelf, load: Load, database: Database
) -> None:
    plugin_shelf.plugin("here")
    make_tables(database, "alembic_version_gone", "gone_line")

    plugins = load(strict=True)

    assert plugins.state("gone").status is Status.MISSING
    assert "gone_line" in plugins.state("gone").faults[-1].what
    assert plugins.state("here").status is Status.LOADED
    assert load(plugins=False).states == []


@pytest.mark.parametrize(
    ("lines", "line", "what"),
    [
        (['core = ">=0.1,<1"', "ruotes = []"], 4, "unknown field `ruotes`"),
        (['core = ">=7,<8"'], 3, "it works with dianku-core >=7,<8, this is"),
        (['core = ">=0.1,<1"', 'requires = ["west"]'], 4, "in a circle, east -> west -> east"),
    ],
)
def test_plugin_refused_by_its_manifest_is_told_with_file_line_and_remedy_and_changes_nothing(
    plugin_shelf: Shelf,
    load: Load,
    database: Database,
    database_digest: Callable[[Database], str],
    lines: list[str],
    line: int,
    what: str,
) -> None:
    head = ['name = "east"', 'title = { zh = "east", en = "east" }']
    text = "\n".join([*head, *lines, 'tables = ["east_line"]'])
    home = plugin_shelf.plugin("east", "raise SystemExit", manifest=text)
    (home / "migrations").mkdir()
    (home / "migrations" / "first.py").write_text("raise SystemExit")
    plugin_shelf.plugin("west", more='requires = ["east"]')
    before = database_digest(database)

    [fault] = load().state("east").faults

    assert f"{Path(home) / PLUGIN_FILE}:{line}" in fault.what
    assert what in fault.what
    assert fault.remedy
    assert database_digest(database) == before


@pytest.mark.parametrize(
    ("fault", "brief"),
    [
        (Fault("import", "importing a.b raised ValueError: key=S3CRET", "x"), "raised ValueError"),
        (Fault("check_document", "KeyError: 'S3CRET'", "x"), "check_document: KeyError"),
        (Fault("manifest", "/S3CRET/lib/a/plugin.toml:3: name: wrong", "x"), "plugin.toml:3"),
        (Fault("tables", "it is not (/S3CRET/plugin.toml:3).", "x"), "not (plugin.toml:3)."),
    ],
)
def test_fault_in_brief_tells_strangers_no_paths_and_nothing_an_error_says_of_itself(
    fault: Fault, brief: str
) -> None:
    assert fault.brief.endswith(brief)
    assert "S3CRET" not in fault.brief
