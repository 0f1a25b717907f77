"""Plugins put in, renewed and taken out by the command line, and what is left of them."""

from __future__ import annotations

import json
import shutil
import urllib.request
from pathlib import Path

import pytest
from installed import Environment, edition_environment
from made_plugins import MadePlugin
from plugin_room import PluginRoom
from shop_server import Server

from dianku.access.tables import audit
from dianku.storage.engine import Database
from dianku.storage.shape import table_names

TABLE = 'op.create_table("bonus_mark", sa.Column("id", sa.Integer, primary_key=True))'
FILLED = 'op.execute("INSERT INTO bonus_mark (id) VALUES (1), (2)")'
COUNTED = (
    'assert op.get_bind().exec_driver_sql("SELECT count(*) FROM bonus_mark").scalar() == 2; '
    'op.add_column("bonus_mark", sa.Column("note", sa.Text))'
)
CODE = """\
from dianku.api import hookimpl

@hookimpl
def register_doctor(shop):
    return []
"""
MANIFEST = 'tables = ["bonus_mark"]\nrights = ["stock.view"]\n'


def bonus(version: str, *steps: str) -> MadePlugin:
    """A plugin with a table of two rows."""
    return MadePlugin(
        name="bonus", version=version, manifest=MANIFEST, code=CODE, steps=(TABLE, FILLED, *steps)
    )


@pytest.fixture
def room(tmp_path: Path) -> PluginRoom:
    return PluginRoom(edition_environment("basic").copied(tmp_path / "env"), tmp_path)


def trail(room: PluginRoom) -> list[tuple[str, str]]:
    database = Database(f"sqlite:///{room.shop.folder / 'dianku.sqlite3'}")
    with database.reading() as connection:
        rows = connection.execute(audit.select().order_by(audit.c.id)).all()
    database.close()
    return [(row.action, row.actor) for row in rows if row.action.startswith("plugin.")]


def test_install_takes_effect_at_the_next_start_and_is_written_into_the_trail(
    room: PluginRoom, tmp_path: Path
) -> None:
    wheel = bonus("1.0").wheel(tmp_path)
    assert "adds dianku-bonus 1.0" in room.unchanged("plugin", "install", str(wheel), "--dry-run")
    room.shop.init()
    with Server(room.shop) as server:
        said = room.done("plugin", "install", str(wheel))
        assert "a server is running now: restart it" in said
        with urllib.request.urlopen(f"{server.url}/readyz") as answer:
            assert set(json.load(answer)["plugins"]) == {"console", "reports"}
    listed = room.plugins()["bonus"]
    assert (listed["status"], listed["version"], listed["edition"]) == ("loaded", "1.0", "no")
    assert trail(room) == [("plugin.install", "cli")]


@pytest.mark.long("full")
def test_newer_version_takes_over_the_rows_and_removal_leaves_them(
    room: PluginRoom, tmp_path: Path
) -> None:
    before = room.digest()
    room.environment.install([bonus("1.0").wheel(tmp_path)])
    assert room.plugins()["bonus"]["version"] == "1.0"
    second = bonus("2.0", COUNTED).wheel(tmp_path)
    said = room.done("plugin", "install", "bonus", "--wheels", str(second.parent))
    assert "replaces dianku-bonus 1.0 by 2.0" in said
    assert "no server is running" in said
    told = json.loads(room.done("plugin", "info", "bonus", "--json"))
    assert (told["version"], told["rows"]) == ("2.0", {"bonus_mark": 2})
    assert told["rights"] == ["stock.view"]
    assert [hook["name"] for hook in told["hooks"]] == ["register_doctor"]

    assert "bonus_mark: 2" in room.done("plugin", "remove", "bonus")
    assert room.digest() == before
    room.environment.install([second])
    told = json.loads(room.done("plugin", "info", "bonus", "--json"))
    assert told["rows"] == {"bonus_mark": 2}
    assert trail(room) == [("plugin.install", "cli"), ("plugin.remove", "cli")]


@pytest.mark.long("full")
def test_install_that_fails_when_it_is_done_puts_everything_back(
    room: PluginRoom, tmp_path: Path
) -> None:
    room.environment.install([bonus("1.0").wheel(tmp_path)])
    # Well while it is tried, broken once it is where it stays.
    code = "assert 'unpacked' in __file__, 'not where it is installed'\n"
    later = MadePlugin(
        name="bonus", version="2.0", manifest=MANIFEST, code=code, steps=(TABLE, FILLED)
    ).wheel(tmp_path)
    said = room.refused("plugin", "install", str(later))
    assert "put back as it was" in said
    assert "not where it is installed" in said
    assert room.plugins()["bonus"]["version"] == "1.0"


@pytest.mark.long("full")
def test_install_cut_off_is_named_and_completed_by_the_next(
    room: PluginRoom, tmp_path: Path
) -> None:
    # Kills the command that installs it, once it is where it stays.
    code = "import os\nif 'unpacked' not in __file__: os.kill(os.getppid(), 9)\n"
    killer = MadePlugin(name="bonus", code=code).wheel(tmp_path)
    before = room.digest()
    assert room.run("plugin", "install", str(killer)).returncode == -9
    # As far as pip had come: no metadata yet, and what it was about to remove renamed.
    [metadata] = room.environment.packages.glob("dianku_bonus-*.dist-info")
    shutil.rmtree(metadata)
    (room.environment.packages / "~ianku_bonus").mkdir()

    listed = room.plugins()["bonus"]
    assert listed["status"] == "missing"
    assert "cut off half way" in listed["cause"]
    assert "cut off half way" in room.run("doctor").stdout
    good = MadePlugin(name="bonus", version="1.1").wheel(tmp_path)
    assert "Undone first" in room.done("plugin", "install", str(good))
    assert room.plugins()["bonus"]["version"] == "1.1"
    room.done("plugin", "remove", "bonus")
    assert room.digest() == before


@pytest.mark.long("full")
def test_plugin_that_ends_who_imports_it_is_seen_switched_off_and_removed(
    room: PluginRoom, tmp_path: Path
) -> None:
    crash = MadePlugin(name="crash", code="import os\nos._exit(70)\n").wheel(tmp_path)
    room.environment.install([crash])
    assert room.run("plugin", "list").returncode == 70
    listed = room.plugins("--no-plugins")
    assert listed["crash"]["status"] == "not_started"
    room.done("--no-plugins", "plugin", "disable", "crash")
    assert room.plugins()["crash"]["status"] == "disabled"
    room.done("--no-plugins", "plugin", "enable", "crash")
    # It is not the newcomer that keeps this shop from starting.
    other = MadePlugin(name="other").wheel(tmp_path)
    assert "does not start without it either" in room.refused("plugin", "install", str(other))
    room.done("--no-plugins", "plugin", "remove", "crash")
    assert set(room.plugins()) == {"console", "reports"}


@pytest.mark.long("full")
def test_wheels_added_to_an_installation_are_kept_beside_its_versions(tmp_path: Path) -> None:
    version = tmp_path / "prefix" / "versions" / "basic-0.1.0"
    version.parent.mkdir(parents=True)
    environment = edition_environment("basic").copied(version)
    (tmp_path / "prefix" / "current").symlink_to("versions/basic-0.1.0")
    room = PluginRoom(environment, tmp_path)
    shelf = tmp_path / "prefix" / "plugins"
    shelf.mkdir()
    (shelf / "dianku_bonus-1.0-py3-none-any.whl").touch()
    first, second = (MadePlugin(name="bonus", version=v).wheel(tmp_path) for v in ("1.0", "2.0"))
    room.environment.install([first])
    room.done("plugin", "install", str(second))
    assert [path.name for path in shelf.iterdir()] == [second.name]
    room.done("plugin", "remove", "dianku-bonus")
    assert list(shelf.iterdir()) == []


@pytest.fixture
def served_by_postgres(tmp_path: Path, postgres_url: str) -> PluginRoom:
    environment: Environment = edition_environment("basic", extras=["psycopg", "psycopg-binary"])
    return PluginRoom(environment.copied(tmp_path / "env"), tmp_path, DIANKU_DATABASE=postgres_url)


@pytest.mark.long("full")
def test_install_on_postgresql_is_tried_with_the_plugins_own_rows(
    served_by_postgres: PluginRoom, tmp_path: Path, postgres_url: str
) -> None:
    room = served_by_postgres
    room.environment.install([bonus("1.0").wheel(tmp_path)])
    assert room.plugins()["bonus"]["status"] == "loaded"
    wrong = bonus("1.5", COUNTED.replace("== 2", "== 3")).wheel(tmp_path)
    assert "AssertionError" in room.refused("plugin", "install", str(wrong))
    said = room.done("plugin", "install", str(bonus("2.0", COUNTED).wheel(tmp_path)))
    assert "without the books" in said
    database = Database(postgres_url)
    with database.reading() as connection:
        schemas = connection.exec_driver_sql(
            "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'dianku_trial')"
        ).all()
        assert "bonus_mark" in table_names(connection)
    database.close()
    assert schemas == []
    assert room.plugins()["bonus"]["version"] == "2.0"
