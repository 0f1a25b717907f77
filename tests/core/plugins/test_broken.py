"""A broken plugin is refused or degraded with its cause; the good one beside it works on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dianku.access.trail import read_trail
from dianku.config import HostConfig
from dianku.context import Actor, Context
from dianku.errors import ConfigurationError, Refused
from dianku.hooks.calls import HookFailed
from dianku.hooks.records import CheckedDocument
from dianku.plugins.set import PluginSet
from dianku.plugins.states import Status
from dianku.storage.engine import Database
from dianku.testing.entry_points import Shelf

BROKEN = Path(__file__).parent / "broken"
Load = Callable[..., PluginSet]
pytestmark = pytest.mark.sqlite_only

ADMIN = Context(Actor("admin", "owner", frozenset({"settings.edit"})))


def code(name: str) -> str:
    return (BROKEN / f"{name}.py").read_text(encoding="utf-8")


def sale(*, strict: bool = False, kind: str = "issue") -> CheckedDocument:
    return CheckedDocument(kind=kind, store="S1", lines=(), strict=strict)


@pytest.mark.parametrize(
    ("case", "where", "what"),
    [
        ("unknown_hook", "hooks", "there is no hook 'register_weather'"),
        ("wrapper", "hooks", "wraps others"),
        ("interrupts_at_import", "import", "KeyboardInterrupt"),
    ],
)
def test_plugin_that_cannot_load_is_refused_with_its_cause_and_others_load(
    plugin_shelf: Shelf, load: Load, case: str, where: str, what: str
) -> None:
    plugin_shelf.plugin("bad", code(case))
    plugin_shelf.plugin("good", code("good"))

    plugins = load()

    bad = plugins.state("bad")
    assert bad.status is Status.REFUSED
    assert bad.faults[-1].where == where
    assert what in bad.faults[-1].what
    assert bad.faults[-1].remedy
    assert plugins.state("good").status is Status.LOADED
    assert [one.record.path for one in plugins.collect("register_pages")] == ["/good"]


@pytest.mark.parametrize(
    ("manifest", "what"),
    [
        ('name = "bad"\n', "`title`"),
        ("name = bad", "plugin.toml:1"),
        ('name = "worse"\ntitle = {zh="x", en="x"}\ncore = "<1"\n', "differs from the entry point"),
        ('name = "bad"\ntitle = {zh="x", en="x"}\ncore = "<1"\nrequires = ["x"]\n', "requires x"),
        (
            'name = "bad"\ntitle = {zh="x", en="x"}\ncore = "<1"\ntables = ["bad_t"]\n',
            "no folder 'migrations'",
        ),
    ],
)
def test_plugin_with_an_unfit_manifest_is_refused_and_never_imported(
    plugin_shelf: Shelf, load: Load, manifest: str, what: str
) -> None:
    plugin_shelf.plugin("bad", "raise SystemExit('imported')", manifest=manifest)

    plugins = load()

    assert plugins.state("bad").status is Status.REFUSED
    assert what in plugins.state("bad").faults[-1].what


def test_plugin_whose_package_is_gone_is_refused(plugin_shelf: Shelf, load: Load) -> None:
    home = plugin_shelf.plugin("ghost")
    for file in home.iterdir():
        file.unlink()
    home.rmdir()

    assert "'dianku_ghost' is not there" in load().state("ghost").faults[-1].what


@pytest.mark.parametrize(
    ("case", "what"),
    [
        ("raises_in_collect", "RuntimeError: half way"),
        ("exits_in_collect", "SystemExit: 3"),
        ("interrupts_in_collect", "KeyboardInterrupt"),
        ("returns_nonsense", "returned a str, not a Page"),
    ],
)
def test_collect_that_fails_loses_its_own_records_only(
    plugin_shelf: Shelf, load: Load, case: str, what: str
) -> None:
    plugin_shelf.plugin("bad", code(case))
    plugin_shelf.plugin("good", code("good"))
    plugins = load()

    pages = plugins.collect("register_pages")

    assert [(one.plugin, one.record.path) for one in pages] == [("good", "/good")]
    assert plugins.state("bad").status is Status.DEGRADED
    assert what in plugins.state("bad").faults[-1].what


def test_collect_of_one_name_twice_keeps_the_first_and_names_both(
    plugin_shelf: Shelf, load: Load
) -> None:
    plugin_shelf.plugin("alike", code("good"))
    plugin_shelf.plugin("good", code("good"))
    plugins = load()

    pages = plugins.collect("register_pages")

    assert [one.plugin for one in pages] == ["alike"]
    assert "'alike' and 'good'" in plugins.state("good").faults[-1].what


@pytest.mark.parametrize(
    "case", ["raises_in_check", "exits_in_check", "interrupts_in_check", "endless_check"]
)
def test_check_that_fails_passes_the_counter_refuses_strict_and_is_suspended(
    plugin_shelf: Shelf, load: Load, case: str
) -> None:
    plugin_shelf.plugin("bad", code(case))
    checks = load().checks
    assert checks is not None

    counter = checks.examine(sale())
    strict = checks.examine(sale(strict=True))
    checks.examine(sale())

    assert counter is None
    assert strict is not None
    assert strict.code == "check_failed"
    assert strict.params["plugin"] == "bad"
    assert checks.suspended == {"bad"}
    assert checks.examine(sale(strict=True)) is None


def test_check_that_fails_now_and_then_is_not_suspended(plugin_shelf: Shelf, load: Load) -> None:
    every_other = """
from dianku.api import hookimpl
@hookimpl
def check_document(document):
    if document.kind == "issue":
        raise RuntimeError
"""
    plugin_shelf.plugin("shaky", every_other)
    checks = load().checks
    assert checks is not None

    for kind in ["issue", "issue", "receipt"] * 3:
        checks.examine(sale(kind=kind))

    assert checks.suspended == frozenset()


def test_check_that_objects_refuses_and_names_the_plugin(plugin_shelf: Shelf, load: Load) -> None:
    plugin_shelf.plugin("good", code("good"))
    checks = load().checks
    assert checks is not None

    refusal = checks.examine(sale(kind="write_off"), language="en")

    assert refusal is not None
    assert refusal.code == "checked_refused"
    assert refusal.params == {"plugin": "good", "code": "not_today", "message": "not today"}
    assert checks.examine(sale()) is None


def test_checks_without_a_plugin_that_has_one_are_none(plugin_shelf: Shelf, load: Load) -> None:
    plugin_shelf.plugin("quiet", "")

    assert load().checks is None


def test_optional_plugin_broken_is_an_error_in_strict(plugin_shelf: Shelf, load: Load) -> None:
    plugin_shelf.plugin("bad", code("import_error"))

    with pytest.raises(ConfigurationError, match="'bad'"):
        load(strict=True)


def test_collect_that_fails_is_an_error_in_strict(plugin_shelf: Shelf, load: Load) -> None:
    plugin_shelf.plugin("bad", code("raises_in_collect"))
    plugins = load(strict=True)

    with pytest.raises(HookFailed, match="half way"):
        plugins.collect("register_pages")


@pytest.mark.parametrize("absent", [False, True])
def test_required_plugin_that_cannot_run_stops_the_start_saying_what_which_and_what_to_do(
    plugin_shelf: Shelf, load: Load, *, absent: bool
) -> None:
    plugin_shelf.edition("bakery", 'required = ["bad"]\n')
    if not absent:
        plugin_shelf.plugin("bad", code("import_error"))

    with pytest.raises(ConfigurationError) as caught:
        load(edition="bakery")

    said = str(caught.value)
    assert "edition 'bakery' requires it" in said
    assert "plugin 'bad'" in said
    assert ("Install dianku-bad" if absent else "No module named") in said
    assert "--no-plugins" in said


def test_no_plugins_starts_whatever_is_broken(plugin_shelf: Shelf, load: Load) -> None:
    plugin_shelf.edition("bakery", 'required = ["bad"]\n')
    plugin_shelf.plugin("bad", code("exits_at_import"))

    plugins = load(plugins=False, edition="bakery")

    assert plugins.states == []
    assert plugins.checks is None


def test_plugin_switched_off_is_not_loaded_at_the_next_start(
    plugin_shelf: Shelf, load: Load
) -> None:
    plugin_shelf.plugin("good", code("good"))
    first = load()

    first.disable("good", ctx=ADMIN)

    assert first.state("good").running
    second = load()
    assert second.state("good").status is Status.DISABLED
    second.enable("good", ctx=ADMIN)
    assert load().state("good").status is Status.LOADED


def test_switching_a_plugin_leaves_a_line_in_the_trail(
    plugin_shelf: Shelf, load: Load, database: Database
) -> None:
    plugin_shelf.plugin("good", code("good"))
    plugins = load()
    plugins.disable("good", ctx=ADMIN)
    plugins.enable("good", ctx=ADMIN)
    limited = Context(Actor("ann", "owner", ADMIN.actor.permissions, frozenset({"S1"})))
    with pytest.raises(Refused, match="forbidden"):
        plugins.disable("good", ctx=limited)

    with database.reading() as connection:
        lines = read_trail(connection, before_id=None, limit=10)
    assert [(line.actor, line.action, line.subject) for line in lines] == [
        ("admin", "plugin.enable", "good"),
        ("admin", "plugin.disable", "good"),
    ]


def test_plugin_that_others_or_the_edition_need_cannot_be_switched_off(
    plugin_shelf: Shelf, load: Load
) -> None:
    plugin_shelf.edition("bakery", 'required = ["base"]\n')
    plugin_shelf.plugin("base")
    plugin_shelf.plugin("middle")
    plugin_shelf.plugin("top", more='requires = ["middle"]')
    plugins = load(edition="bakery")

    for name, reason in [("base", "edition bakery"), ("middle", "top requires middle")]:
        with pytest.raises(Refused) as caught:
            plugins.disable(name, ctx=ADMIN)
        assert reason in caught.value.problem.params["reason"]


def test_plugin_whose_required_one_broke_is_refused_too(plugin_shelf: Shelf, load: Load) -> None:
    plugin_shelf.plugin("base", code("import_error"))
    plugin_shelf.plugin("top", more='requires = ["base"]')

    assert "requires base" in load().state("top").faults[-1].what


def test_what_a_plugin_prints_as_it_is_imported_is_not_among_what_a_command_prints(
    plugin_shelf: Shelf, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin_shelf.plugin("loud", "import sys\nprint('hello')\nsys.stdout.close()")

    assert load().state("loud").status is Status.LOADED
    print("[]")
    printed = capsys.readouterr()
    assert printed.out == "[]\n"
    assert "hello" in printed.err


def test_single_file_plugin_is_loaded_beside_installed_ones(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "hello.py"
    file.write_text(code("good"), encoding="utf-8")

    plugins = load(plugin_files=(file,))

    assert plugins.state("hello").status is Status.LOADED
    assert [one.plugin for one in plugins.collect("register_pages")] == ["hello"]


def test_discovery_imports_nothing(plugin_shelf: Shelf, database: Database, tmp_path: Path) -> None:
    plugin_shelf.plugin("loud", "raise SystemExit('imported')")
    config = HostConfig(data_dir=tmp_path)

    plugins = PluginSet(config, database=database, clock=config.clock)

    assert plugins.state("loud").status is Status.LOADED
