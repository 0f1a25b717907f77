"""A stranger's plugin may be as broken as it likes: the shop sells, and the culprit is named.

Each is built as a wheel and installed beside the basic edition and one sound plugin of a stranger;
the shop is served as a shop is, without strict.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from outsiders import LISTENER, SOURCES, TriedShop, all_installed, environment_with, served

from dianku.hooks.kinds import HOOKS
from dianku.testing.postgres import PostgresServer

SALES = 50
pytestmark = pytest.mark.timeout(180)


@frozen
class Case:
    """What is installed, and how the one culprit among it is to be shown.

    `said` is the cause, in full in the list and the log; `brief` is what `/readyz` tells of it.
    """

    installed: tuple[str, ...]
    culprit: str
    status: str
    where: str
    said: str
    brief: str


def case(name: str, status: str, where: str, said: str, brief: str = "") -> Case:
    return Case((name,), name, status, where, said, brief or said)


CASES = {
    one.culprit: one
    for one in (
        case(
            "import_error",
            "refused",
            "import",
            "importing outsider_import_error.plugin raised ModuleNotFoundError: "
            "No module named 'a_module_that_nobody_has'",
            "importing outsider_import_error.plugin raised ModuleNotFoundError",
        ),
        case(
            "exits_at_import",
            "refused",
            "import",
            "importing outsider_exits_at_import.plugin raised SystemExit: goodbye",
            "importing outsider_exits_at_import.plugin raised SystemExit",
        ),
        case(
            "bad_manifest",
            "refused",
            "manifest",
            "plugin.toml:4: ruotes: Object contains unknown field `ruotes`",
            "plugin.toml:4",
        ),
        case(
            "newer_argument",
            "refused",
            "hooks",
            "Argument(s) {'weather'} are declared in the hookimpl but can not be found",
            "its hooks do not fit this core",
        ),
        case("exits_in_hooks", "degraded", "document_posted", "SystemExit: 3", "SystemExit"),
        case(
            "endless_check",
            "degraded",
            "check_document",
            "TimeoutError: took longer than 250 ms; failed 3 times in a row, not asked until",
            "TimeoutError",
        ),
        case(
            "endless_notify",
            "degraded",
            "document_posted",
            "for 5 s and hears of nothing after it",
            "has been at event ",
        ),
        case(
            "wrong_prefix",
            "refused",
            "migrations",
            "its revisions touch loose_note, which are not its own",
            "the tables of 'wrong_prefix' could not be brought up",
        ),
        case(
            "half_migration",
            "refused",
            "migrations",
            "the tables of 'half_migration' could not be brought up: ValueError: half way",
            "the tables of 'half_migration' could not be brought up",
        ),
        Case(
            ("twin_first", "twin_second"),
            "twin",
            "refused",
            "manifest",
            "'outsider-twin-first' and 'outsider-twin-second' both bring plugin 'twin'",
            "'outsider-twin-first' and 'outsider-twin-second' both bring plugin 'twin'",
        ),
        case(
            "route_of_kernel",
            "degraded",
            "register_routes",
            "GET /products is the kernel's",
        ),
        case(
            "route_of_another",
            "degraded",
            "register_routes",
            "'GET /listener' is given by 'listener' and 'route_of_another'",
        ),
    )
}


def prove(tried: TriedShop, expected: Case) -> None:
    """The shop sells, others hear of it, and nobody but the culprit is named."""
    sell(tried)
    name = expected.culprit
    ready = tried.until(
        lambda body: any(at.startswith(expected.where) for at in body["faults"].get(name, ()))
    )
    assert ready["ready"] is True
    assert ready["plugins"][name] == expected.status
    assert f"{expected.where}: {expected.brief}" in "\n".join(ready["faults"][name])
    assert list(ready["faults"]) == [name]
    if expected.status == "degraded":
        tried.until(lambda _: expected.where in tried.noted(name))
    found = listed(tried)
    culprit = found.pop(name)
    assert culprit["status"] == expected.status
    assert any(expected.said in fault for fault in culprit["faults"]), culprit
    assert {one["status"] for one in found.values()} == {"loaded"}, found
    assert {"reports", LISTENER} <= found.keys()
    assert any(name in line and expected.said in line for line in tried.server.log.splitlines()), (
        tried.server.log
    )


def sell(tried: TriedShop) -> None:
    """Every sale is taken, and the sound plugin hears of it."""
    before = tried.last_event()
    assert tried.sell(SALES) == [201] * SALES
    sold = tried.last_event()
    assert sold >= before + SALES
    tried.until(lambda _: tried.cursor(LISTENER) >= sold)


def listed(tried: TriedShop) -> dict[str, Any]:
    """What `dianku plugin list` says, by plugin."""
    return {one["name"]: one for one in json.loads(tried.shop.run("plugin", "list", "--json"))}


@pytest.mark.long("full")
@pytest.mark.parametrize("name", CASES)
def test_shop_with_a_broken_plugin_sells_and_names_it(name: str, tmp_path: Path) -> None:
    expected = CASES[name]
    environment = environment_with(tmp_path / "environment", LISTENER, *expected.installed)

    with served(environment, tmp_path / "data") as tried:
        prove(tried, expected)


@pytest.mark.long("full")
def test_plugin_that_raises_in_every_hook_is_judged_hook_by_hook(tmp_path: Path) -> None:
    name = "raises_everywhere"
    source = (SOURCES / name / f"outsider_{name}" / "plugin.py").read_text(encoding="utf-8")
    assert set(re.findall(r"@hookimpl\ndef (\w+)", source)) == set(HOOKS)
    environment = environment_with(tmp_path / "environment", LISTENER, name)

    with served(environment, tmp_path / "data") as tried:
        sell(tried)
        assert tried.get("/api/v1/pages").status_code == 200
        assert tried.get("/api/v1/exports/words").status_code == 404
        assert tried.shop.run(name, check=False) == ""
        tried.shop.run("doctor", check=False)
        asked = HOOKS.keys() - {"register_demo"}
        tried.until(lambda _: asked <= set(tried.noted(name)))
        ready = tried.until(
            lambda body: asked <= {at.partition(":")[0] for at in body["faults"][name]}
        )
        found = listed(tried)
        log = tried.server.log

    assert list(ready["faults"]) == [name]
    assert {n: one["status"] for n, one in found.items() if n != name} == {
        LISTENER: "loaded",
        "console": "loaded",
        "reports": "loaded",
    }
    for hook in asked:
        assert any(
            fault.startswith(f"{hook}: RuntimeError: broken ") for fault in found[name]["faults"]
        )
    for hook in asked - {"register_commands", "register_doctor"}:
        assert f"plugin {name}, {hook}: RuntimeError: broken " in log


def test_plugin_that_was_removed_is_missing_while_its_tables_are_left(tmp_path: Path) -> None:
    environment = environment_with(tmp_path / "environment", LISTENER, "left_tables")
    tried = served(environment, tmp_path / "data")
    assert listed(tried)["left_tables"]["status"] == "loaded"
    environment.pip("uninstall", "-y", "outsider-left-tables")

    with tried:
        prove(
            tried,
            case(
                "left_tables",
                "missing",
                "tables",
                "its tables are left (left_tables_note), but it is not installed",
            ),
        )


@pytest.mark.long("full")
def test_migration_that_fails_half_way_leaves_nothing_on_postgresql(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    environment = environment_with(
        tmp_path / "environment", LISTENER, "half_migration", extras=["psycopg", "psycopg-binary"]
    )
    url = postgres_server.url(postgres_server.create())

    with served(environment, tmp_path / "data", database_url=url) as tried:
        prove(tried, CASES["half_migration"])
        assert tried.tables("half_migration") == []


def test_shop_with_every_broken_plugin_at_once_sells_and_takes_none_for_another(
    tmp_path: Path,
) -> None:
    environment = all_installed()

    with served(environment, tmp_path / "data") as tried:
        sell(tried)
        tried.until(lambda body: "endless_notify" in body["faults"])
        tried.until(lambda _: "document_posted" in tried.noted("endless_notify"))
        found = listed(tried)
        assert tried.get("/api/v1/listener").json() == {"listened": True}

    for one in CASES.values():
        assert found[one.culprit]["status"] == one.status
        assert any(one.said in fault for fault in found[one.culprit]["faults"]), found[one.culprit]
    sound = {name for name, one in found.items() if one["status"] == "loaded"}
    assert sound == {"console", "reports", LISTENER, "left_tables"}
    for name, (said, line) in JUDGED.items():
        [fault] = found[name]["faults"]
        assert said in fault
        assert re.search(rf"outsider_{name}/plugin\.toml:{line}\b", fault), fault


JUDGED = {
    "another_core": ("it works with dianku-core >=7,<8, this is", 3),
    "circle_east": ("in a circle, circle_east -> circle_west -> circle_east", 4),
    "circle_west": ("in a circle, circle_east -> circle_west -> circle_east", 4),
}
"""Who is refused by the manifest alone: why, and on which line of it."""
