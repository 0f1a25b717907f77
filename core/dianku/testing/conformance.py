"""The suite that every plugin inherits, ours or not: it keeps the promises a host relies on.

Example:
    class TestConformance(PluginConformance):
        plugin = "alerts"
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import importlib_metadata
import pytest
import sqlalchemy as sa

from dianku.config import HostConfig
from dianku.hooks.calls import Failure, HookCalls
from dianku.plugins.discovery import Found, discover
from dianku.plugins.loader import revisions_of
from dianku.plugins.manifest import Manifest
from dianku.storage.engine import Database
from dianku.storage.migrate import CORE, Owner, upgrade

if TYPE_CHECKING:
    from dianku.host import Host

OPEN = ("dianku.api", "dianku.testing")
"""What of the core a plugin may import."""

HEAVY = frozenset(
    {"alembic", "click", "numpy", "pandas", "polars", "reportlab", "scipy", "statsforecast"}
    | {"uvicorn", "weasyprint", "xlsxwriter"}
)
"""What importing a plugin must not pull in; import it where it is needed."""

_LIST_MODULES = """
import importlib, json, sys
import dianku.api
before = set(sys.modules)
importlib.import_module(sys.argv[1])
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


class PluginConformance:
    """Inherit it, name the plugin, and all of this is tested.

    Attributes:
        plugin: The plugin's name, as in its manifest.
    """

    plugin: ClassVar[str]

    def test_manifest_is_read_and_fits_this_core(self) -> None:
        """The manifest parses, and its window admits the core it is tested with."""
        from dianku import __version__

        assert self._manifest.window.admits(__version__)

    def test_name_is_one_in_every_place(self) -> None:
        """Distribution, package, entry point, tables and commands bear the manifest's name."""
        found = self._found

        assert self._manifest.name == self.plugin
        assert found.distribution == f"dianku-{self.plugin.replace('_', '-')}"
        assert found.target.partition(".")[0].partition(":")[0] == f"dianku_{self.plugin}"

    def test_imports_stay_on_the_surface(self) -> None:
        """No module of it imports the core, or another plugin, deeper than `api` and `testing`."""
        allowed = {*OPEN, f"dianku_{self.plugin}"}
        for other in self._manifest.requires:
            allowed |= {f"dianku_{other}.api", f"dianku_{other}.testing"}
        wrong = [
            f"{path.name}:{line}: {name}"
            for path in sorted(self._folder.rglob("*.py"))
            for line, name in _imports(path)
            if name.split(".")[0].startswith("dianku") and not _within(name, allowed)
        ]
        assert wrong == []

    def test_import_pulls_in_nothing_heavy(self) -> None:
        """Importing it costs start-up little: what is big is imported where it is used."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(  # noqa: S603 - this interpreter, our own code
            [sys.executable, "-c", _LIST_MODULES, self._found.target.partition(":")[0]],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert HEAVY.isdisjoint(json.loads(done.stdout))

    def test_hooks_are_those_of_this_core(self) -> None:
        """Every implementation has a specification and asks for arguments that are there."""
        failures: list[Failure] = []
        calls = HookCalls(failed=failures.append, strict=True)
        calls.register(self.plugin, importlib.import_module(self._found.target.partition(":")[0]))

        assert calls.hooks_of(self.plugin) != []
        assert failures == []

    def test_settings_are_documented(self) -> None:
        """The distribution's README names every setting."""
        readme = importlib_metadata.metadata(self._found.distribution).json.get("description", "")
        names = [f"{self.plugin}.{name}" for name in self._manifest.settings]

        assert [name for name in names if name not in readme] == []

    def test_migrations_make_its_tables_and_touch_no_others(self, empty_database_url: str) -> None:
        """Its tables are those the manifest names; none refers to another owner's."""
        folder = revisions_of(self._found)
        if folder is None:
            assert self._manifest.tables == []
            return
        database = Database(empty_database_url)
        try:
            upgrade(database, [CORE])
            before = _shape(database)
            upgrade(database, [Owner(self.plugin, folder)])
            after = _shape(database)
            upgrade(database, [Owner(self.plugin, folder)])
            assert _shape(database) == after
        finally:
            database.close()
        version_table = f"alembic_version_{self.plugin}"
        own = {*self._manifest.tables, version_table}
        assert set(after) - set(before) == own
        assert {name: after[name] for name in before} == before
        abroad = {
            (name, target) for name in own for target in after[name].refers_to if target not in own
        }
        assert abroad == set()

    def test_host_runs_with_it_and_collects_what_it_gives(self, tmp_path: Path) -> None:
        """Strict, so that anything it does wrong at start or when asked is an error."""
        with _host(tmp_path, strict=True) as host:
            assert host.plugins.state(self.plugin).running
            known = host.access.permissions.known
            for route in host.plugins.routes():
                assert route.permission in known | {"public", "signed_in"}
            for hook in host.plugins.calls.hooks_of(self.plugin):
                if hook.startswith("register_"):
                    host.plugins.collect(hook)

    def test_pages_and_panels_lie_in_its_templates(self, tmp_path: Path) -> None:
        """What a page or a panel is made with is there, and somebody may see it."""
        with _host(tmp_path, strict=True) as host:
            known = host.access.permissions.known | {"public", "signed_in"}
            for hook in ("register_pages", "register_panels"):
                for one in host.plugins.collect(hook):
                    if one.plugin == self.plugin:
                        assert (self._folder / "templates" / one.record.template).is_file()
                        assert one.record.permission in known

    def test_host_runs_without_it_after_it_was_there(self, tmp_path: Path) -> None:
        """It can leave: the shop starts without it, keeps its tables, and takes it back."""
        with _host(tmp_path) as host:
            tables = _tables(host)
        with _host(tmp_path, plugins=False) as host:
            assert _tables(host) == tables
        with _host(tmp_path) as host:
            assert host.plugins.state(self.plugin).running

    @property
    def _found(self) -> Found:
        for found in discover():
            if found.name == self.plugin:
                return found
        pytest.fail(f"no plugin {self.plugin!r} is installed")

    @property
    def _manifest(self) -> Manifest:
        found = self._found
        assert found.manifest is not None, found.error
        return found.manifest

    @property
    def _folder(self) -> Path:
        assert self._found.folder is not None
        return self._found.folder


class _Shape:
    """A table as it matters here."""

    def __init__(self, columns: list[str], refers_to: list[str]) -> None:
        self.columns = columns
        self.refers_to = refers_to

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shape) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


def _shape(database: Database) -> dict[str, _Shape]:
    inspector = sa.inspect(database.engine)
    return {
        name: _Shape(
            [f"{c['name']} {c['type']}" for c in inspector.get_columns(name)],
            [key["referred_table"] for key in inspector.get_foreign_keys(name)],
        )
        for name in inspector.get_table_names()
    }


def _tables(host: Host) -> set[str]:
    return set(sa.inspect(host.database.engine).get_table_names())


def _host(folder: Path, *, strict: bool = False, plugins: bool = True) -> _Running:
    return _Running(HostConfig(data_dir=folder, strict=strict, plugins=plugins))


class _Running:
    """A host without background work, for the length of a block."""

    def __init__(self, config: HostConfig) -> None:
        from dianku.host import Host

        self._host = Host.build(config)

    def __enter__(self) -> Host:
        try:
            self._host.start(background=False)
        except BaseException:
            self._host.close()
            raise
        return self._host

    def __exit__(self, *_error: object) -> None:
        self._host.close()


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "dianku":
                for alias in node.names:
                    yield node.lineno, f"dianku.{alias.name}"
            else:
                yield node.lineno, node.module


def _within(name: str, allowed: set[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in allowed)
