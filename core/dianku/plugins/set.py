"""The plugins of a running shop: which there are, how each stands, and what they give.

The set is fixed while the process runs: switching one on or off, or installing one, takes effect
at the next start. A plugin the edition requires and that cannot run stops the start; any other
leaves the shop selling, with its fault on show.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy as sa

from dianku.access.trail import record_change
from dianku.clock import Clock
from dianku.config import HostConfig
from dianku.context import Context
from dianku.errors import ConfigurationError, refuse
from dianku.hooks.calls import Collected, Failure, HookCalls, described
from dianku.hooks.checks import HOOK as CHECK
from dianku.hooks.checks import DocumentChecks
from dianku.hooks.records import Given
from dianku.plugins.aside import Aside
from dianku.plugins.discovery import Found, discover
from dianku.plugins.editions import Edition, choose, installed_editions
from dianku.plugins.fault_book import Entry, FaultBook
from dianku.plugins.leftovers import left_tables, missing_state
from dianku.plugins.loader import Migrate, bring_up, judge, revisions_of
from dianku.plugins.manifest import Manifest
from dianku.plugins.resolver import resolve
from dianku.plugins.shop import Shop
from dianku.plugins.states import Fault, PluginState, Status
from dianku.plugins.tables import plugin_switch
from dianku.settings.schema import Section
from dianku.storage.engine import Database

SWITCH_PERMISSION = "settings.edit"
_log = logging.getLogger(__name__)
MakeShop = Callable[[Manifest], Shop]


class PluginSet:
    """What is installed, judged at once by what it declares; brought up by `load`.

    Attributes:
        edition: The edition the shop runs as.
        calls: The hooks of the plugins that run.
        checks: Their document checks; None, and so free of cost, where no plugin has one.

    Raises:
        ConfigurationError: editions that cannot be read or chosen between.
    """

    def __init__(self, config: HostConfig, *, database: Database, clock: Clock) -> None:
        self._config = config
        self._database = database
        self._clock = clock
        self.edition: Edition = choose(installed_editions(), config.edition)
        found = discover(config.plugin_files) if config.plugins else []
        self._found: dict[str, Found] = {one.name: one for one in found}
        self._states = {one.name: judge(one, required=self._requires(one.name)) for one in found}
        if config.plugins:
            self._note_missing()
        self.calls = HookCalls(
            failed=self._failed, strict=config.strict, start_limit_s=config.plugin_start_seconds
        )
        self.checks: DocumentChecks | None = None
        self._book = FaultBook(database, clock=clock)
        self._shops: dict[str, Shop] = {}
        self._shown: dict[str, Sequence[Given]] = {}

    @property
    def states(self) -> Sequence[PluginState]:
        """Every plugin by name, whatever its state."""
        return [self._states[name] for name in sorted(self._states)]

    def state(self, name: str) -> PluginState:
        """One plugin.

        Raises:
            Refused: `not_found`.
        """
        if name not in self._states:
            raise refuse("not_found", what="plugin", name=name)
        return self._states[name]

    @property
    def manifests(self) -> Sequence[Manifest]:
        """The manifests that could be read and fit this core, by name."""
        return [
            state.manifest
            for state in self.states
            if state.manifest is not None and state.status is not Status.REFUSED
        ]

    @property
    def sections(self) -> Sequence[Section]:
        """The settings plugins have, for those that have any."""
        return [manifest.section for manifest in self.manifests if manifest.settings]

    @property
    def revisions(self) -> Mapping[str, Path]:
        """The folders of the revisions of plugins that have tables, by plugin."""
        folders = {
            state.name: revisions_of(self._found[state.name])
            for state in self.states
            if state.name in self._found and state.status is not Status.REFUSED
        }
        return {name: folder for name, folder in folders.items() if folder is not None}

    @property
    def texts(self) -> Mapping[str, Path]:
        """The folders `messages` of the plugins that run, with their catalogues, by plugin."""
        folders = {state.name: self._found[state.name].folder for state in self._running()}
        return {name: at / "messages" for name, at in folders.items() if at is not None}

    def load(self, make_shop: MakeShop, *, migrate: Migrate, afresh: bool = False) -> None:
        """Bring up every plugin that is on, those required by others first.

        The kernel's own tables must be there. What went wrong with a plugin in another process
        is its fault here as well, unless the shop starts `afresh`.

        Raises:
            ConfigurationError: one that the edition requires cannot run, or in strict any.
        """
        self._note_switches()
        if afresh:
            self._book.forget()
        with redirect_stdout(Aside()):
            for name, requires in self._in_order():
                self._bring_up(name, requires, migrate)
        if not afresh:
            for entry in self._book.read():
                self._heard(entry)
        self._demand()
        for state in self._running():
            if state.manifest is not None:
                self._shops[state.name] = make_shop(state.manifest)
        if self.calls.implementing(CHECK):
            self.checks = DocumentChecks(self.calls, self.arguments)

    def look(self) -> None:
        """Know which are switched off, and leave it at that: nothing of a plugin is imported."""
        self._note_switches()

    def watch(self) -> None:
        """Say in the log who does not run, and share faults with the shop's other processes."""
        for state in self.states:
            if state.status in {Status.REFUSED, Status.MISSING}:
                for fault in state.faults:
                    _log.warning("plugin %s is %s: %s", state.name, state.status.value, fault)
        self._book.keep(self._heard)

    def close(self) -> None:
        """Let go of the threads of checks; what went wrong last is written down."""
        if self.checks is not None:
            self.checks.close()
        self._book.close()

    def arguments(self, plugin: str) -> Mapping[str, Any]:
        """What a plugin's hooks are offered besides what each is about."""
        return {"shop": self._shops[plugin]}

    def collect(self, hook: str) -> list[Collected]:
        """Every record the plugins give for a collect hook, each with its plugin.

        A group of commands or a site that its plugin's manifest does not name is left out.
        """
        wrong = {"register_commands": self._wrong_group, "register_sites": self._wrong_site}
        return self.calls.collect(hook, self._offered(hook), wrong=wrong.get(hook))

    def routes(self, *, taken: Collection[str] = ()) -> list[Any]:
        """The plugins' routes, stamped with their plugin: within their claims, `taken` by nobody.

        `taken` holds what the kernel answers already, as `METHOD /path`.
        """

        def wrong(plugin: str, record: Any) -> str | None:
            return self._wrong_route(plugin, record, taken)

        found = self.calls.collect("register_routes", self.arguments, wrong=wrong)
        return [attrs.evolve(one.record, plugin=one.plugin) for one in found]

    def shown(self, hook: str) -> Sequence[Given]:
        """The pages or panels of every plugin, for a site to show; asked for once."""
        if hook not in self._shown:
            self._shown[hook] = tuple(
                Given(
                    plugin=one.plugin,
                    record=one.record,
                    folder=self._found[one.plugin].folder,
                    failed=partial(self._not_shown, one.plugin, hook),
                )
                for one in self.collect(hook)
            )
        return self._shown[hook]

    def _offered(self, hook: str) -> Callable[[str], Mapping[str, Any]]:
        """What a collect hook's implementations may ask for; a site gets what it is to show."""
        if hook != "register_sites":
            return self.arguments
        given = {"pages": self.shown("register_pages"), "panels": self.shown("register_panels")}
        return lambda plugin: {**self.arguments(plugin), **given}

    def _not_shown(self, plugin: str, hook: str, error: BaseException) -> None:
        self.calls.note(plugin, hook, described(error), cause=error)

    def _wrong_site(self, plugin: str, record: Any) -> str | None:
        manifest = self._states[plugin].manifest
        if manifest is None or record.path not in manifest.sites:
            return f"site {record.path!r} is not in its manifest"
        return None

    def _wrong_route(self, plugin: str, record: Any, taken: Collection[str]) -> str | None:
        claim = f"{record.method} {record.path}"
        manifest = self._states[plugin].manifest
        if not attrs.has(type(record)) or not isinstance(record.path, str):
            return f"{claim} is no Route"
        if manifest is None or not manifest.claims(record.path):
            return f"{claim} is not in its manifest"
        return f"{claim} is the kernel's" if claim in taken else None

    def _wrong_group(self, plugin: str, record: Any) -> str | None:
        manifest = self._states[plugin].manifest
        if manifest is None or record.name not in manifest.commands:
            return f"group {record.name!r} is not in its manifest"
        return None

    def job_failed(self, owner: str, job: str, error: str) -> None:
        """Note that a plugin's job raised; one of the kernel's is nobody's fault here."""
        self._failed(Failure(owner, job, error))

    def enable(self, name: str, *, ctx: Context) -> None:
        """Switch a plugin on, from the next start.

        Raises:
            Refused: `not_found`, `forbidden`.
        """
        self.state(name)
        self._switch(name, enabled=True, ctx=ctx)

    def disable(self, name: str, *, ctx: Context) -> None:
        """Switch a plugin off, from the next start; its data stays.

        Raises:
            Refused: `not_found`, `forbidden`, `conflict` where the edition or a plugin that is
                on requires it.
        """
        state = self.state(name)
        if state.required:
            reason = f"edition {self.edition.name} requires {name}"
            raise refuse("conflict", reason=reason)
        users = [m.name for m in self.manifests if name in m.requires and self._is_on(m.name)]
        if users:
            raise refuse("conflict", reason=f"{', '.join(users)} requires {name}")
        self._switch(name, enabled=False, ctx=ctx)

    def _in_order(self) -> list[tuple[str, Sequence[str]]]:
        """Plugins that may run and what each requires, in the order to load; others are refused."""
        ready = {
            state.name: state.manifest.requires
            for state in self.states
            if state.manifest is not None and state.status is Status.LOADED
        }
        order = resolve(ready)
        for name, why in order.refused.items():
            what = f"{why} ({self._found[name].line_of('requires')})."
            self._states[name].refuse(Fault("requires", what, "Install or mend those first."))
        return [(name, ready[name]) for name in order.names]

    def _bring_up(self, name: str, requires: Iterable[str], migrate: Migrate) -> None:
        state = self._states[name]
        lost = [one for one in requires if not self._states[one].running]
        if lost:
            what = f"it requires {', '.join(lost)}, which was not loaded."
            state.refuse(Fault("requires", what, "Mend that one first."))
            return
        bring_up(self._found[name], state, calls=self.calls, migrate=migrate)

    def _running(self) -> list[PluginState]:
        return [state for state in self.states if state.running]

    def _is_on(self, name: str) -> bool:
        return self._states[name].status is not Status.DISABLED

    def _requires(self, name: str) -> bool:
        return name in self.edition.required

    def _note_missing(self) -> None:
        for name in (*self.edition.required, *self.edition.optional):
            if name not in self._states:
                state = PluginState(name=name, status=Status.MISSING, required=self._requires(name))
                what = f"edition {self.edition.name!r} has it, but it is not installed."
                state.faults = (Fault("installed", what, f"Install dianku-{name}."),)
                self._states[name] = state

    def _note_switches(self) -> None:
        """What the database knows of plugins: who is off, and whose tables are left."""
        with self._database.reading() as c:
            # Started without plugins, none was looked for, so none is missing.
            left = left_tables(c, known=self._states) if self._config.plugins else {}
            off = set(
                c.execute(
                    sa.select(plugin_switch.c.plugin).where(~plugin_switch.c.enabled)
                ).scalars()
            )
        self._states |= {name: missing_state(name, tables) for name, tables in left.items()}
        for name in (off & self._states.keys()) - left.keys():
            self._states[name].status = Status.DISABLED

    def _switch(self, name: str, *, enabled: bool, ctx: Context) -> None:
        ctx.require(SWITCH_PERMISSION)
        ctx.require_all_stores()
        now_ms = self._clock.now_ms()
        row = {
            "plugin": name,
            "enabled": enabled,
            "changed_at": now_ms,
            "changed_by": ctx.actor.name,
        }
        with self._database.writing() as c:
            c.execute(plugin_switch.delete().where(plugin_switch.c.plugin == name))
            c.execute(plugin_switch.insert(), row)
            record_change(
                c,
                ctx=ctx,
                at_ms=now_ms,
                action="plugin.enable" if enabled else "plugin.disable",
                subject=name,
            )

    def _failed(self, failure: Failure) -> None:
        said = (failure.plugin, failure.hook, failure.error)
        _log.warning("plugin %s, %s: %s", *said, exc_info=failure.cause)
        remedy = "Tell its author, or switch the plugin off."
        state = self._states.get(failure.plugin)
        if state is not None:
            fault = Fault(failure.hook, failure.error, remedy)
            state.degrade(fault)
            self._book.note(Entry(state.name, state.version, fault))

    def _heard(self, entry: Entry) -> None:
        """Take in a fault that was written down, most often by another process."""
        state = self._states.get(entry.plugin)
        if (
            state is not None
            and state.running
            and state.version == entry.version
            and entry.fault not in state.faults
        ):
            state.degrade(entry.fault)

    def _demand(self) -> None:
        strict = self._config.strict
        broken = [
            state
            for state in self.states
            if not state.running and (state.required or (strict and state.status is Status.REFUSED))
        ]
        if broken:
            told = tuple(self._told(state) for state in broken)
            raise ConfigurationError("plugins_not_running", told=told)

    def _told(self, state: PluginState) -> ConfigurationError:
        """What happened, which plugin, what to do."""
        if state.required:
            need = ConfigurationError("needed_by_edition", edition=self.edition.name)
        else:
            need = ConfigurationError("needed_when_strict")
        if state.status is Status.DISABLED:
            return ConfigurationError("plugin_switched_off", plugin=state.name, need=need)
        why = state.faults[-1] if state.faults else Fault("load", "it did not load.", "")
        return ConfigurationError(
            "plugin_not_loaded",
            plugin=state.name,
            version=state.version,
            need=need,
            why=why.what,
            remedy=why.remedy,
        )
