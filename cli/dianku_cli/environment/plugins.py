"""`dianku plugin install` and `remove`: tried on a copy first, and gone back on where it fails.

Nothing of this can be reached from a server. What is done takes effect at the next start.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dianku_cli.environment.change import LOCK, Busy, Change, alone
from dianku_cli.environment.layout import Installation
from dianku_cli.environment.packages import (
    bringing,
    installed,
    normal,
    requirements,
    requiring,
    unpack,
)
from dianku_cli.environment.pip import Pip, PipRefused
from dianku_cli.environment.proof import Proof, ProofFailed
from dianku_cli.environment.wish import Plan, plan
from dianku_cli.failures import Failed
from dianku_cli.settings import Settings
from dianku_cli.shop import acting, bare_shop, config_of, looked_shop
from dianku_cli.texts import say

if TYPE_CHECKING:
    from dianku.host import Host

FOLDER = "plugin-trial"
Tell = Callable[[str], None]


class Installed(NamedTuple):
    """What came of an install: distributions by version, what they replaced, their plugins."""

    added: Mapping[str, str]
    replaced: Mapping[str, str]
    plugins: Sequence[str]
    changed: bool
    served: bool


class Removed(NamedTuple):
    """What came of a removal: the distribution, the rows that stay, and what nobody needs now."""

    distribution: str
    tables: Mapping[str, int]
    unneeded: Sequence[str]
    served: bool


class Workshop:
    """Where one person at a time changes the plugins of a shop."""

    def __init__(self, settings: Settings, *, tell: Tell) -> None:
        self._settings = settings
        self._language = settings.language
        self._tell = tell

    def install(
        self, wish: str, *, wheels: Path | None, patience_s: int, dry_run: bool = False
    ) -> Installed:
        """Install a plugin, or a newer version of it, with what it needs.

        Raises:
            Failed: it cannot be, or the shop would not start with it; nothing was changed.
        """
        with self._alone(changing=not dry_run) as folder:
            pip = Pip(language=self._language, folder=folder, wheels=wheels)
            ready = folder / "wheels"
            ready.mkdir()
            made = plan(wish, pip=pip, folder=ready, language=self._language)
            if not made.wheels:
                return Installed({}, {}, (), changed=False, served=False)
            before = made.versions_before
            self._announce(made)
            with bare_shop(self._settings) as host:
                served = _is_served(host)
                with self._proof(host, made, folder, patience_s) as proof:
                    self._tried(proof, made, folder)
                    if not dry_run:
                        self._carry_out(made, pip=pip, proof=proof)
            return Installed(made.versions, before, made.plugins, not dry_run, served)

    def remove(self, name: str) -> Removed:
        """Take a plugin's distribution away; its tables stay.

        Raises:
            Failed: it is not there, or something needs it; nothing was changed.
        """
        with self._alone(changing=True) as folder:
            pip = Pip(language=self._language, folder=folder)
            one, plugins = self._found(name)
            with looked_shop(self._settings) as host:
                self._refuse_needed(host, one, plugins)
                tables = _tables(host, plugins)
                served = _is_served(host)
                distribution, unneeded = _name(one), _unneeded(one)
                shelf, known = _Shelf(), installed()
                # What came with it by way of the installation's own shelf goes with it.
                kept = [known[name] for name in unneeded if shelf.holds(name)]
                stays = [name for name in unneeded if not shelf.holds(name)]
                self._take_away([one, *kept], plugins, pip=pip)
            return Removed(distribution, tables, stays, served)

    @contextmanager
    def _alone(self, *, changing: bool) -> Iterator[Path]:
        """A folder beside the data for what is tried; a change that was cut off is undone first."""
        settings = self._settings
        config_of(settings).make_folder()
        folder = settings.data_dir / FOLDER
        try:
            with alone(folder.with_suffix(".lock")), self._environment(changing=changing):
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(mode=0o700)
                try:
                    yield folder
                finally:
                    shutil.rmtree(folder, ignore_errors=True)
        except Busy:
            raise Failed(say("change_under_way", self._language)) from None

    @contextmanager
    def _environment(self, *, changing: bool) -> Iterator[None]:
        if not changing:
            yield
            return
        try:
            lock = alone(Path(sys.prefix, LOCK))
            lock.__enter__()
        except OSError as error:
            words = {"folder": sys.prefix, "reason": error.strerror}
            raise Failed(say("environment_closed", self._language, **words)) from error
        try:
            left = Change.left()
            if left is not None:
                left.undo()
                self._tell(say("change_undone", self._language, name=", ".join(left.names)))
            yield
        finally:
            lock.__exit__(None, None, None)

    def _announce(self, made: Plan) -> None:
        before = made.versions_before
        for name, version in made.versions.items():
            key = "would_replace" if name in before else "would_add"
            words = {"name": name, "version": version, "before": before.get(name, "")}
            self._tell(say(key, self._language, **words))

    @contextmanager
    def _proof(self, host: Host, made: Plan, folder: Path, patience_s: int) -> Iterator[Proof]:
        from dianku.rehearsal import copied

        self._tell(say("trying", self._language, names=", ".join(made.plugins)))
        with copied(host, folder, newcomers=made.plugins) as copy:
            if not copy.whole:
                self._tell(say("tried_without_books", self._language))
            yield Proof(
                self._settings,
                database=copy.url,
                folder=folder,
                newcomers=made.plugins,
                patience_s=patience_s,
            )

    def _tried(self, proof: Proof, made: Plan, folder: Path) -> None:
        unpacked = folder / "unpacked"
        for wheel in made.wheels:
            unpack(wheel, unpacked)
        try:
            proof.first(unpacked)
        except ProofFailed as error:
            raise Failed(say("trial_failed", self._language, reason=error)) from error

    def _carry_out(self, made: Plan, *, pip: Pip, proof: Proof) -> None:
        """Install for real and look once more; whatever goes wrong is gone back on."""
        files = [wheel.path for wheel in made.wheels]
        before = made.versions_before
        change = Change.begin("install", made.plugins, wheels=files, leaving=made.leaving)
        shelf = _Shelf()
        try:
            pip.install(files)
            proof.again()
            shelf.put(files)
            self._note("plugin.install", made, before)
        except BaseException as error:
            shelf.take_back()
            change.undo()
            if isinstance(error, PipRefused | ProofFailed | OSError):
                raise Failed(say("went_back", self._language, reason=error)) from error
            raise
        change.done()
        shelf.drop(before, but=files)

    def _note(self, action: str, made: Plan, before: Mapping[str, str]) -> None:
        from dianku.rehearsal import note_change

        with looked_shop(self._settings) as host:
            note_change(
                host,
                action,
                ", ".join(made.plugins),
                ctx=acting(host, self._settings),
                before=before or None,
                after=made.versions,
            )

    def _found(self, name: str) -> tuple[metadata.Distribution, Sequence[str]]:
        """The distribution meant by a plugin's name, or by its own, and its plugins."""
        known = installed()
        found = bringing(name)
        if len(found) > 1:
            raise Failed(say("several_bring", self._language, name=name, names=", ".join(found)))
        key = found[0] if found else normal(name)
        plugins = [entry.name for entry in _entries(known[key])] if key in known else []
        if not plugins:
            raise Failed(say("plugin_not_installed", self._language, name=name))
        return known[key], plugins

    def _refuse_needed(
        self, host: Host, one: metadata.Distribution, plugins: Sequence[str]
    ) -> None:
        needing = [f"dianku-{host.plugins.edition.name}"] if _required(host, plugins) else []
        needing += [
            manifest.name
            for manifest in host.plugins.manifests
            if manifest.name not in plugins and set(manifest.requires).intersection(plugins)
        ]
        needing += [name for name in requiring(normal(_name(one))) if name not in needing]
        if needing:
            words = {"name": _name(one), "names": ", ".join(needing), "plugin": plugins[0]}
            raise Failed(say("plugin_needed", self._language, **words))

    def _take_away(
        self, leaving: Sequence[metadata.Distribution], plugins: Sequence[str], *, pip: Pip
    ) -> None:
        from dianku.rehearsal import note_change

        change = Change.begin("remove", plugins, wheels=(), leaving=leaving)
        names = {normal(_name(one)): one.version for one in leaving}
        try:
            pip.uninstall(list(names))
            with looked_shop(self._settings) as host:
                ctx = acting(host, self._settings)
                note_change(host, "plugin.remove", ", ".join(plugins), ctx=ctx, before=names)
        except BaseException as error:
            change.undo()
            if isinstance(error, PipRefused):
                raise Failed(say("went_back", self._language, reason=error)) from error
            raise
        change.done()
        _Shelf().drop(names)


class _Shelf:
    """The wheels kept for the versions of an installation to come; nothing in another one."""

    def __init__(self) -> None:
        self._installation = Installation.here()
        self._put: list[Path] = []

    def put(self, wheels: Sequence[Path]) -> None:
        """Add wheels."""
        if self._installation is None:
            return
        self._installation.plugins.mkdir(exist_ok=True)
        for wheel in wheels:
            target = self._installation.plugins / wheel.name
            if not target.exists():
                self._put.append(target)
            beside = target.with_suffix(".part")
            shutil.copy2(wheel, beside)
            beside.replace(target)

    def take_back(self) -> None:
        """Remove what was added here."""
        for path in self._put:
            path.unlink(missing_ok=True)
            path.with_suffix(".part").unlink(missing_ok=True)

    def holds(self, name: str) -> bool:
        """Whether a wheel of that distribution is kept."""
        return bool(self._of(name))

    def drop(self, names: Mapping[str, str], *, but: Sequence[Path] = ()) -> None:
        """Remove the wheels of distributions that went."""
        new = {path.name for path in but}
        for name in names:
            for path in self._of(name):
                if path.name not in new:
                    path.unlink()

    def _of(self, name: str) -> list[Path]:
        added = () if self._installation is None else self._installation.added_wheels
        return [path for path in added if normal(path.name.partition("-")[0]) == normal(name)]


def _name(one: metadata.Distribution) -> str:
    return str(one.metadata["Name"])


def _entries(one: metadata.Distribution) -> metadata.EntryPoints:
    return one.entry_points.select(group="dianku.plugins")


def _is_served(host: Host) -> bool:
    from dianku.rehearsal import is_served

    return is_served(host)


def _tables(host: Host, plugins: Sequence[str]) -> dict[str, int]:
    from dianku.rehearsal import tables_of

    return {table: rows for name in plugins for table, rows in tables_of(host, name).items()}


def _required(host: Host, plugins: Sequence[str]) -> bool:
    return bool(set(host.plugins.edition.required).intersection(plugins))


def _unneeded(one: metadata.Distribution) -> list[str]:
    """What a distribution requires, in turn too, that nobody else does once it is gone."""
    known = installed()
    going = {normal(_name(one))}
    found: list[str] = []
    waiting = [one]
    while waiting:
        for name, _ in requirements(waiting.pop(0)):
            if name in known and name not in going:
                users = {normal(user) for user in requiring(name)}
                if users <= going:
                    going.add(name)
                    found.append(name)
                    waiting.append(known[name])
    return found
