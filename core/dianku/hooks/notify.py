"""Tell plugins what was committed: from the event log, in order, at least once, each on its own.

Every plugin has a cursor and a thread, so one that fails or hangs holds up nobody else. The
cursor is moved after the plugin is done, never before (invariant: what it points at was taken,
or is parked). Only the process that leads tells; when it dies, the next goes on from the cursor.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from attrs import field, frozen
from sqlalchemy.engine import Connection, Row

from dianku.catalog.tables import store
from dianku.clock import Clock
from dianku.errors import refuse
from dianku.hooks.calls import Arguments, HookCalls, described
from dianku.hooks.kinds import HOOKS, NOTIFY_EVENTS, Kind
from dianku.hooks.records import Event
from dianku.hooks.tables import parked_event, plugin_cursor
from dianku.storage.bell import Bell
from dianku.storage.bulk import insert_rows
from dianku.storage.engine import Database
from dianku.storage.events import current
from dianku.storage.schema import event

BATCH = 200
LAG_MAX = 1000
"""A cursor is moved past events that are not for its plugin once there are this many."""

HANGING_SECONDS = 5.0
"""So long at one event a plugin is shown as hanging: whoever waits for it should know."""

_log = logging.getLogger(__name__)


@frozen
class Pacing:
    """How patient to be: seconds between attempts (then the event is parked), between looks.

    A plugin at one event for `hanging_seconds` is named; it cannot be stopped, only left behind.
    """

    waits: Sequence[float] = (1, 5, 30, 120)
    poll_seconds: float = 2.0
    hanging_seconds: float = HANGING_SECONDS


@frozen
class Parked:
    """An event a plugin could not take."""

    plugin: str
    event_id: int
    hook: str
    error: str
    attempts: int
    parked_at: int


@frozen(kw_only=True)
class _Means:
    """What every follower works with."""

    database: Database
    calls: HookCalls
    arguments: Arguments
    bell: Bell
    clock: Clock
    leading: Callable[[], bool]
    pacing: Pacing
    stopping: threading.Event = field(factory=threading.Event)


class Notifier:
    """A follower of the event log for every plugin that has a notify hook.

    `leading` says whether this process is the one that tells; it is asked before every batch.
    """

    def __init__(
        self,
        database: Database,
        calls: HookCalls,
        arguments: Arguments,
        *,
        bell: Bell,
        clock: Clock,
        leading: Callable[[], bool],
        pacing: Pacing | None = None,
    ) -> None:
        self._means = _Means(
            database=database,
            calls=calls,
            arguments=arguments,
            bell=bell,
            clock=clock,
            leading=leading,
            pacing=pacing or Pacing(),
        )
        self._followers = [
            _Follower(plugin=plugin, hooks=hooks, means=self._means)
            for plugin, hooks in _listening(calls).items()
        ]

    def start(self) -> None:
        """Give new plugins a cursor at the end of the log, and begin to follow."""
        plugins = sorted(follower.plugin for follower in self._followers)
        if not plugins:
            return
        with self._means.database.writing() as c:
            last = current(c, "event")
            rows = [(plugin, last) for plugin in plugins]
            columns = ("plugin", "event_id")
            insert_rows(c, plugin_cursor, columns, rows, conflict="ON CONFLICT DO NOTHING")
        for follower in self._followers:
            follower.start()
        threading.Thread(target=self._watch, name="notify-watch", daemon=True).start()

    def _watch(self) -> None:
        """Name whoever hangs at an event, once for each."""
        pacing = self._means.pacing
        while not self._means.stopping.wait(min(1.0, pacing.hanging_seconds / 2)):
            for follower in self._followers:
                follower.name_if_hanging()

    def close(self, *, patience: float = 5.0) -> None:
        """Stop following; a plugin that hangs is left behind after `patience` seconds."""
        self._means.stopping.set()
        self._means.bell.silence()
        for follower in self._followers:
            if follower.is_alive():
                follower.join(patience)

    def busy_since(self) -> dict[str, int]:
        """Plugins that are at an event right now, and since when: who hangs shows here."""
        return {f.plugin: f.busy_since for f in self._followers if f.busy_since is not None}

    def parked(self) -> list[Parked]:
        """What plugins could not take, oldest first."""
        with self._means.database.reading() as c:
            rows = c.execute(sa.select(parked_event).order_by(parked_event.c.event_id))
            return [Parked(**row) for row in rows.mappings()]

    def retry(self, plugin: str, event_id: int) -> None:
        """Tell a plugin of a parked event once more, here and now.

        Raises:
            Refused: `not_found`; whatever the plugin raises comes through, the event stays parked.
        """
        which = sa.and_(parked_event.c.plugin == plugin, parked_event.c.event_id == event_id)
        with self._means.database.reading() as c:
            hook = c.execute(sa.select(parked_event.c.hook).where(which)).scalar()
            rows = c.execute(_EVENTS.where(event.c.id == event_id)).all()
        if hook is None or not rows:
            raise refuse("not_found", what="parked_event", name=f"{plugin}/{event_id}")
        given = {**self._means.arguments(plugin), "event": _event(rows[0])}
        self._means.calls.call(plugin, hook, given)
        with self._means.database.writing() as c:
            c.execute(parked_event.delete().where(which))


_EVENTS = (
    sa.select(event.c.id, event.c.type, event.c.at, event.c.data, store.c.code.label("store"))
    .select_from(event.outerjoin(store, store.c.id == event.c.store_id))
    .order_by(event.c.id)
    .limit(BATCH)
)


def _listening(calls: HookCalls) -> dict[str, list[str]]:
    listening: dict[str, list[str]] = {}
    for hook in HOOKS.values():
        if hook.kind is Kind.NOTIFY:
            for plugin in calls.implementing(hook.name):
                listening.setdefault(plugin, []).append(hook.name)
    return listening


def _event(row: Row[*tuple[Any, ...]]) -> Event:
    return Event(row.id, row.type, row.at, row.store, msgspec.json.decode(row.data))


@frozen
class _At:
    """A call that is under way: its event, its hook, since when by the monotonic clock."""

    event_id: int
    hook: str
    since: float


@frozen
class _Batch:
    """Events for a plugin after `begin`; `end` is where the cursor stands once they are taken."""

    begin: int
    end: int
    events: Sequence[Event] = field(factory=list)


class _Follower(threading.Thread):
    """One plugin's thread."""

    def __init__(self, *, plugin: str, hooks: Sequence[str], means: _Means) -> None:
        super().__init__(name=f"notify-{plugin}", daemon=True)
        self.plugin = plugin
        self.busy_since: int | None = None
        self._at: _At | None = None
        self._named: _At | None = None
        self._types = [kind for kind, hook in NOTIFY_EVENTS.items() if hook in hooks]
        self._means = means

    def run(self) -> None:
        means = self._means
        while not means.stopping.is_set():
            rung = means.bell.count
            try:
                more = means.leading() and self._round()
            except Exception:  # noqa: BLE001 - whatever it is, the events wait for it
                _log.exception("plugin %s cannot follow the event log", self.plugin)
                more = False
                means.stopping.wait(means.pacing.poll_seconds)
            if not more:
                means.bell.wait(rung, timeout=means.pacing.poll_seconds)

    def _round(self) -> bool:
        """Tell of one batch; True if there may be more."""
        batch = self._next()
        reached = batch.begin
        try:
            for one in batch.events:
                if self._means.stopping.is_set() or not self._tell(one):
                    return False
                reached = one.id
            reached = batch.end
        finally:
            if reached > batch.begin and (batch.events or reached - batch.begin >= LAG_MAX):
                with self._means.database.writing() as c:
                    self._move(c, reached)
        return len(batch.events) == BATCH

    def _next(self) -> _Batch:
        with self._means.database.reading() as c:
            begin = c.execute(
                sa.select(plugin_cursor.c.event_id).where(plugin_cursor.c.plugin == self.plugin)
            ).scalar_one()
            last = current(c, "event")
            rows = c.execute(_EVENTS.where(event.c.id > begin, event.c.type.in_(self._types))).all()
        events = [_event(row) for row in rows]
        end = events[-1].id if len(events) == BATCH else max(last, begin)
        return _Batch(begin, end, events)

    def _tell(self, one: Event) -> bool:
        """Tell of one event until it is taken or parked; False when stopped meanwhile."""
        means = self._means
        hook = NOTIFY_EVENTS[one.type]
        given = {**means.arguments(self.plugin), "event": one}
        waits = [*means.pacing.waits, None]
        for attempt, wait in enumerate(waits, start=1):
            self.busy_since = means.clock.now_ms()
            self._at = _At(one.id, hook, time.monotonic())
            try:
                means.calls.call(self.plugin, hook, given)
            except BaseException as error:  # noqa: BLE001 - a plugin may raise anything
                self._failed(hook, error, one=one, attempt=attempt, parked=wait is None)
            else:
                return True
            finally:
                self.busy_since = self._at = None
            if wait is not None and means.stopping.wait(wait):
                return False
        return True

    def name_if_hanging(self) -> None:
        """Note a call that lasts too long, once."""
        at, limit = self._at, self._means.pacing.hanging_seconds
        if at is None or at is self._named or time.monotonic() - at.since < limit:
            return
        self._named = at
        what = f"has been at event {at.event_id} for {limit:g} s and hears of nothing after it"
        self._means.calls.note(self.plugin, at.hook, what)

    def _failed(
        self, hook: str, error: BaseException, *, one: Event, attempt: int, parked: bool
    ) -> None:
        means = self._means
        what = described(error)
        if parked:
            row = (self.plugin, one.id, hook, what, attempt, means.clock.now_ms())
            columns = ("plugin", "event_id", "hook", "error", "attempts", "parked_at")
            with means.database.writing() as c:
                insert_rows(c, parked_event, columns, [row], conflict="ON CONFLICT DO NOTHING")
                self._move(c, one.id)
            what = f"{what}; event {one.id} is parked after {attempt} attempts"
        means.calls.note(self.plugin, hook, what, cause=error)

    def _move(self, connection: Connection, reached: int) -> None:
        # Another process may have led meanwhile and be further on: never backwards.
        connection.execute(
            plugin_cursor.update()
            .where(plugin_cursor.c.plugin == self.plugin, plugin_cursor.c.event_id < reached)
            .values(event_id=reached)
        )
