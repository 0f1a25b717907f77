"""Server-sent events: every follower pulls from the log, woken when there is something new.

Nothing is queued for anybody: a follower is a cursor, so a slow one costs no memory, and it may
go on at any process after any other. One thread per process watches the log (woken by the bell
at a commit here, by its own clock for commits elsewhere). When rights change anywhere, streams
end; browsers come back by themselves with Last-Event-ID, and are asked who they are anew.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from typing import Protocol

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from dianku.access.known import ACCESS_VERSION
from dianku.http.event_feed import EVENT_COUNTER, EventFeed, EventRecord
from dianku.http.redaction import COST_VIEW, without_costs
from dianku.storage.engine import Database
from dianku.storage.events import current

log = logging.getLogger("dianku.http")
HEARTBEAT_S = 15.0
LOOK_EVERY_S = 0.5
SETTLE_S = 0.02
"""Under load there is a commit every few milliseconds; followers are woken for many at once."""
PAGE = 200
HELLO = b"retry: 2000\n: connected\n\n"
BEAT = b": still here\n\n"


class Bell(Protocol):
    """What rings at a commit of this process (`dianku.storage.bell`)."""

    @property
    def count(self) -> int:
        """How often it was rung."""
        ...

    def wait(self, seen: int, *, timeout: float | None = None) -> int:
        """Wait for a ring after `seen`."""
        ...


class EventStreams:
    """The followers of one process; made on its event loop, closed before it stops."""

    def __init__(
        self,
        database: Database,
        bell: Bell,
        *,
        threads: Executor,
        each_look: Callable[[], object] = lambda: None,
    ) -> None:
        self._database = database
        self._bell = bell
        self._threads = threads
        self._each_look = each_look
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._closed = False
        self._followers = 0
        self._stirred = threading.Event()
        self._head, self._rights = self._look()
        self._watcher = threading.Thread(target=self._watch, name="events", daemon=True)
        self._watcher.start()

    async def follow(
        self, feed: EventFeed, *, after: int | None, over: Callable[[], bool] = lambda: False
    ) -> AsyncIterator[bytes]:
        """Server-sent events after an id, or from now on.

        Ends when rights change, at close, and when `over` says so, asked before every event.
        """
        head, rights = await self._loop.run_in_executor(self._threads, self._look)
        self._head, self._rights = max(head, self._head), max(rights, self._rights)
        cursor = head if after is None else after
        self._followers += 1
        self._stirred.set()
        try:
            yield HELLO
            async for chunk in self._chunks(feed, cursor, rights=rights, over=over):
                yield chunk
        finally:
            self._followers -= 1

    async def _chunks(
        self, feed: EventFeed, cursor: int, *, rights: int, over: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        while not self._closed and self._rights == rights and not over():
            changed = self._changed
            if self._head > cursor:
                page = await self._loop.run_in_executor(
                    self._threads, partial(feed.page, cursor, limit=PAGE)
                )
                cursor = page.looked_to
                if page.items:
                    yield b"".join(_written(item, feed) for item in page.items)
                continue
            try:
                await asyncio.wait_for(changed.wait(), HEARTBEAT_S)
            except TimeoutError:
                yield BEAT

    def close(self) -> None:
        """End every stream; called on the loop."""
        self._closed = True
        self._stirred.set()
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _look(self) -> tuple[int, int]:
        with self._database.reading() as connection:
            return current(connection, EVENT_COUNTER), current(connection, ACCESS_VERSION)

    def _watch(self) -> None:
        rings = self._bell.count
        while not self._closed:
            if self._followers:
                rings = self._bell.wait(rings, timeout=LOOK_EVERY_S)
            else:
                self._stirred.wait(LOOK_EVERY_S)
                self._stirred.clear()
            self._look_again()
            threading.Event().wait(SETTLE_S)

    def _look_again(self) -> None:
        try:
            head, rights = self._look()
            self._each_look()
        except SQLAlchemyError as error:
            if not self._closed:
                log.warning("the event log cannot be read: %s", error)
            return
        if (head, rights) == (self._head, self._rights) or self._closed:
            return
        self._head, self._rights = head, rights
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._wake)


def _written(item: EventRecord, feed: EventFeed) -> bytes:
    shown = item if feed.ctx.may(COST_VIEW) else without_costs(item)
    data = msgspec.json.encode(shown)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (item.id, item.type.encode(), data)
