from __future__ import annotations

import asyncio
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from dianku.clock import SetClock
from dianku.errors import Refused
from dianku.hooks.calls import Failure, HookCalls
from dianku.hooks.notify import BATCH, Notifier, Pacing
from dianku.hooks.records import Event
from dianku.hooks.specs import hookimpl
from dianku.hooks.tables import plugin_cursor
from dianku.storage import events
from dianku.storage.bell import Bell
from dianku.storage.engine import Database
from dianku.testing.shop import Shop as Catalog

PATIENCE = 20
QUICK = Pacing(waits=(0, 0), poll_seconds=0.05)


class Heard:
    """What a plugin heard, waited for and never slept for."""

    def __init__(self, *, fails_on: Callable[[int, int], bool] = lambda _id, _nth: False) -> None:
        self._changed = threading.Condition()
        self._fails_on = fails_on
        self.ids: list[int] = []
        self.events: list[Event] = []
        self.attempts: dict[int, int] = {}

    def take(self, event: Event) -> None:
        with self._changed:
            nth = self.attempts[event.id] = self.attempts.get(event.id, 0) + 1
            if self._fails_on(event.id, nth):
                raise RuntimeError(f"not {event.id}")
            self.ids.append(event.id)
            self.events.append(event)
            self._changed.notify_all()

    def wait_for(self, *ids: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: set(ids) <= set(self.ids), PATIENCE), self.ids


def plugin(heard: Heard) -> types.ModuleType:
    module = types.ModuleType("plugin")

    @hookimpl
    def document_posted(event: Event) -> None:
        heard.take(event)

    module.document_posted = document_posted  # type: ignore[attr-defined]
    return module


class Following:
    """A notifier over plugins, and a way to commit events."""

    def __init__(self, database: Database, clock: SetClock) -> None:
        self.database = database
        self.clock = clock
        self.failures: list[Failure] = []
        self.leads = True
        self._open: list[Notifier] = []
        self.bell = Bell()

    def start(self, *, pacing: Pacing = QUICK, **heard: Heard) -> Notifier:
        calls = HookCalls(failed=self.failures.append)
        for name, one in heard.items():
            calls.register(name, plugin(one))
        self.bell = Bell()
        notifier = Notifier(
            self.database,
            calls,
            lambda name: {"shop": name},
            bell=self.bell,
            clock=self.clock,
            leading=lambda: self.leads,
            pacing=pacing,
        )
        self._open.append(notifier)
        notifier.start()
        return notifier

    def commit(self, *types: str, store_id: int | None = None) -> list[int]:
        new = [events.NewEvent(kind, {"number": f"N{i}"}, store_id) for i, kind in enumerate(types)]
        with self.database.writing() as c:
            last = events.append(self.database, c, new, now_ms=self.clock.now_ms())
        self.bell.ring()
        return list(range(last - len(types) + 1, last + 1))

    def cursor(self, name: str) -> Any:
        with self.database.reading() as c:
            query = sa.select(plugin_cursor.c.event_id).where(plugin_cursor.c.plugin == name)
            return c.execute(query).scalar()

    def close(self) -> None:
        for notifier in self._open:
            notifier.close(patience=0.2)


@pytest.fixture
def following(database: Database, clock: SetClock) -> Iterator[Following]:
    found = Following(database, clock)
    yield found
    found.close()


def test_notify_tells_in_order_with_plain_data_and_its_store(
    following: Following, shop: Catalog
) -> None:
    heard = Heard()
    following.start(good=heard)

    ids = following.commit(*["document.posted"] * 3, store_id=shop.store("S1"))
    heard.wait_for(*ids)

    assert heard.ids == ids
    assert heard.events[0].store == "S1"
    assert heard.events[0].data == {"number": "N0"}
    assert heard.events[0].at_ms == following.clock.now_ms()


def test_notify_begins_at_the_end_of_the_log_for_a_new_plugin(following: Following) -> None:
    following.commit("document.posted", "document.posted")
    heard = Heard()
    following.start(new=heard)

    ids = following.commit("document.posted")
    heard.wait_for(*ids)

    assert heard.ids == ids


def test_notify_passes_over_events_that_no_hook_is_for(following: Following) -> None:
    heard = Heard()
    following.start(good=heard)

    ids = following.commit("product.changed", "document.posted", "stock.changed")
    heard.wait_for(ids[1])

    assert heard.ids == [ids[1]]


def test_notify_goes_on_after_a_restart_and_misses_nothing(following: Following) -> None:
    first = Heard()
    notifier = following.start(good=first)
    before = following.commit("document.posted")
    first.wait_for(*before)
    notifier.close()
    missed = following.commit("document.posted", "document.posted")

    second = Heard()
    following.start(good=second)
    second.wait_for(*missed)

    assert second.ids == missed


def test_notify_of_more_than_a_batch_tells_every_event_once_in_order(
    following: Following,
) -> None:
    heard = Heard()
    following.start(good=heard)

    ids = following.commit(*["document.posted"] * (2 * BATCH + 5))
    heard.wait_for(*ids)

    assert heard.ids == ids


def test_notify_that_raises_is_tried_again_before_the_next_event(following: Following) -> None:
    heard = Heard(fails_on=lambda event_id, nth: event_id % 2 == 1 and nth < 3)
    following.start(shaky=heard)

    ids = following.commit(*["document.posted"] * 4)
    heard.wait_for(*ids)

    assert heard.ids == ids
    assert sorted(heard.attempts.values()) == [1, 1, 3, 3]


def test_notify_that_keeps_raising_parks_the_event_and_goes_on(following: Following) -> None:
    good = Heard()
    bad = Heard(fails_on=lambda event_id, _nth: event_id == 1)
    notifier = following.start(bad=bad, good=good)

    ids = following.commit("document.posted", "document.posted")
    bad.wait_for(ids[1])
    good.wait_for(*ids)

    assert bad.ids == [ids[1]]
    parked = notifier.parked()
    assert [(p.plugin, p.event_id, p.hook, p.attempts) for p in parked] == [
        ("bad", ids[0], "document_posted", 3)
    ]
    assert parked[0].error == "RuntimeError: not 1"
    assert "parked after 3 attempts" in following.failures[-1].error
    assert {f.plugin for f in following.failures} == {"bad"}


def test_notify_parked_event_tried_again_leaves_once_it_is_taken(following: Following) -> None:
    bad = Heard(fails_on=lambda event_id, nth: event_id == 1 and nth <= 4)
    notifier = following.start(bad=bad)
    first, second = following.commit("document.posted", "document.posted")
    bad.wait_for(second)

    with pytest.raises(RuntimeError, match="not 1"):
        notifier.retry("bad", first)
    assert len(notifier.parked()) == 1
    notifier.retry("bad", first)

    assert notifier.parked() == []
    with pytest.raises(Refused):
        notifier.retry("bad", first)


def test_notify_that_exits_is_parked_too(following: Following) -> None:
    class Exits(Heard):
        def take(self, event: Event) -> None:
            super().take(event)
            if event.id == 1:
                raise SystemExit(2)

    exits = Exits()
    notifier = following.start(exits=exits)

    _, second = following.commit("document.posted", "document.posted")
    exits.wait_for(second)

    assert [p.error for p in notifier.parked()] == ["SystemExit: 2"]


def test_notify_that_hangs_holds_up_nobody_else_and_shows(following: Following) -> None:
    hanging = threading.Event()
    entered = threading.Event()

    class Hangs(Heard):
        def take(self, event: Event) -> None:
            entered.set()
            hanging.wait(PATIENCE)
            super().take(event)

    good = Heard()
    notifier = following.start(hangs=Hangs(), good=good)

    ids = following.commit("document.posted", "document.posted")
    good.wait_for(*ids)
    assert entered.wait(PATIENCE)

    assert notifier.busy_since() == {"hangs": following.clock.now_ms()}
    hanging.set()


def test_notify_waiting_to_try_again_does_not_hold_up_closing(following: Following) -> None:
    bad = Heard(fails_on=lambda _id, _nth: True)
    notifier = following.start(bad=bad, pacing=Pacing(waits=(3600,), poll_seconds=3600))
    following.commit("document.posted")
    while not following.failures:
        threading.Event().wait(0.01)

    notifier.close()

    assert notifier.parked() == []
    assert following.cursor("bad") == 0


def test_notify_in_a_process_that_does_not_lead_tells_nothing_until_it_does(
    following: Following,
) -> None:
    following.leads = False
    heard = Heard()
    following.start(good=heard)
    ids = following.commit("document.posted")
    assert heard.ids == []

    following.leads = True
    heard.wait_for(*ids)

    assert heard.ids == ids


def test_notify_that_lets_a_cancellation_out_is_tried_again_and_goes_on(
    following: Following,
) -> None:
    class Cancelled(Heard):
        def take(self, event: Event) -> None:
            if not self.attempts:
                self.attempts[event.id] = 1
                raise asyncio.CancelledError
            super().take(event)

    heard = Cancelled()
    following.start(odd=heard)

    ids = following.commit("document.posted", "document.posted")
    heard.wait_for(*ids)

    assert heard.ids == ids
    assert "CancelledError" in following.failures[0].error


def test_notify_that_hangs_names_its_plugin_once_and_others_go_on(following: Following) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hang(_id: int, _nth: int) -> bool:
        entered.set()
        leave.wait(PATIENCE)
        return False

    sound = Heard()
    pacing = Pacing(waits=(0, 0), poll_seconds=0.05, hanging_seconds=0.05)
    notifier = following.start(pacing=pacing, bad=Heard(fails_on=hang), good=sound)
    [first, second] = following.commit("document.posted", "document.posted")
    assert entered.wait(PATIENCE)

    sound.wait_for(first, second)
    while not following.failures:  # pytest's time limit ends it
        threading.Event().wait(0.01)
    for follower in notifier._followers:
        follower.name_if_hanging()

    leave.set()
    [named] = following.failures
    assert (named.plugin, named.hook) == ("bad", "document_posted")
    assert f"at event {first}" in named.error
