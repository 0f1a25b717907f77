"""Ask the plugins before a document joins the poster's queue, and never wait for them long.

A check can refuse (an objection, a value). It cannot stop the till: when it raises or takes too
long, permissive documents pass and strict ones are refused, and after `FAILURES_MAX` in a row it
is not asked again until the next start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TimedOut
from queue import SimpleQueue
from typing import Any

import msgspec
from attrs import define, field

from dianku.errors import Problem
from dianku.hooks.calls import Arguments, HookCalls, described, its_own
from dianku.hooks.records import CheckedDocument, Objection

HOOK = "check_document"
CHECK_LIMIT_MS = 250
FAILURES_MAX = 3
WORKERS_MAX = 8

_Task = tuple[Callable[[], Any], "Future[Any]"] | None


class DocumentChecks:
    """The checks of every plugin that has one.

    Build one only where `HookCalls.implementing(HOOK)` names a plugin: a shop without checks
    then pays nothing, not even the call.
    """

    def __init__(
        self, calls: HookCalls, arguments: Arguments, *, limit_ms: int = CHECK_LIMIT_MS
    ) -> None:
        self._calls = calls
        self._checks = [
            _Check(plugin, arguments(plugin), _Workers(plugin, limit_ms / 1000))
            for plugin in calls.implementing(HOOK)
        ]

    @property
    def suspended(self) -> frozenset[str]:
        """Plugins whose check is not asked any more."""
        return frozenset(check.plugin for check in self._checks if check.suspended)

    def examine(self, document: CheckedDocument, *, language: str = "zh-CN") -> Problem | None:
        """The first reason to refuse the document, or None.

        Returns:
            `checked_refused` for an objection, which names the plugin; `check_failed` where a
            check of a strict document raised or took too long.
        """
        for check in self._checks:
            if check.suspended:
                continue
            refusal = self._ask(check, document, language)
            if refusal is not None:
                return refusal
        return None

    def close(self) -> None:
        """Let the threads end; one that is stuck in a check is left behind."""
        for check in self._checks:
            check.workers.close()

    def _ask(self, check: _Check, document: CheckedDocument, language: str) -> Problem | None:
        given = {**check.arguments, "document": document}
        try:
            said = check.workers.run(lambda: self._calls.call(check.plugin, HOOK, given))
            refusal = _refusal(check.plugin, said, language)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin may raise anything
            self._note(check, error)
            return Problem("check_failed", {"plugin": check.plugin}) if document.strict else None
        check.failures = 0
        return refusal

    def _note(self, check: _Check, cause: BaseException) -> None:
        error = described(cause)
        check.failures += 1
        if check.failures >= FAILURES_MAX:
            check.suspended = True
            error = f"{error}; failed {FAILURES_MAX} times in a row, not asked until next start"
        self._calls.fail(check.plugin, HOOK, error, cause=cause)


@define
class _Check:
    plugin: str
    arguments: Mapping[str, Any]
    workers: _Workers
    failures: int = 0
    suspended: bool = False


def _refusal(plugin: str, said: object, language: str) -> Problem | None:
    """What a check said, as the answer; all of it is looked at here, where a failure is its own."""
    if said is None:
        return None
    if not isinstance(said, Objection):
        raise TypeError(f"returned a {type(said).__name__}, not an Objection")
    message = said.message.in_language(language)
    plain = msgspec.json.decode(msgspec.json.encode(dict(said.params), enc_hook=str))
    objection = {"plugin": plugin, "code": said.code, "params": plain}
    params = {"plugin": plugin, "code": said.code, "message": message}
    return Problem("checked_refused", params, (), {"objection": objection})


class _Worker(threading.Thread):
    """A thread that runs one task after the other; a stuck one is left behind, being daemonic."""

    def __init__(self, name: str, done: Callable[[_Worker], None]) -> None:
        super().__init__(name=name, daemon=True)
        self.inbox: SimpleQueue[_Task] = SimpleQueue()
        self._done = done
        self.start()

    def run(self) -> None:
        while True:
            given = self.inbox.get()
            if given is None:
                return
            task, future = given
            try:
                future.set_result(task())
            except BaseException as error:  # noqa: BLE001 - handed to the one who waits
                future.set_exception(its_own(error))
            # Let go of what was asked before waiting for the next.
            del given, task, future
            self._done(self)


@define
class _Workers:
    """Threads of one plugin's check: reused, at most `WORKERS_MAX` busy or stuck at once."""

    plugin: str
    limit: float
    _idle: list[_Worker] = field(factory=list)
    _closed: bool = False
    _free: threading.Semaphore = field(factory=lambda: threading.Semaphore(WORKERS_MAX))
    _lock: threading.Lock = field(factory=threading.Lock)

    def run(self, task: Callable[[], Any]) -> Any:
        """Run a task within the limit; raises what it raises, or `TimeoutError`."""
        if not self._free.acquire(timeout=self.limit):
            raise TimeoutError(f"all {WORKERS_MAX} threads of this check are stuck")
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        worker = worker or _Worker(f"check-{self.plugin}", self._done)
        future: Future[Any] = Future()
        worker.inbox.put((task, future))
        try:
            return future.result(self.limit)
        except TimedOut:
            if future.done():
                raise
            raise TimeoutError(f"took longer than {self.limit * 1000:.0f} ms") from None

    def close(self) -> None:
        """End the idle threads, and each busy one when it is done."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.inbox.put(None)

    def _done(self, worker: _Worker) -> None:
        with self._lock:
            if self._closed:
                worker.inbox.put(None)
            else:
                self._idle.append(worker)
        self._free.release()
