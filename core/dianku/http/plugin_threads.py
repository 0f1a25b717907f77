"""Threads for the routes of plugins: as many as there are may hang, and the till never waits.

They are daemons, unlike those of `ThreadPoolExecutor`, which a process waits for at its end: a
handler that never returns must not keep the server from stopping.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import Any

_Task = tuple["Future[Any]", Callable[[], Any]] | None


def handled(handler: Callable[[Any], Any], call: Any) -> Any:
    """Call a handler; what a future could not carry or would end the server becomes an error."""
    try:
        return handler(call)
    except StopIteration as error:
        # A future refuses to hold one, and its caller would be left waiting for ever.
        raise RuntimeError("a handler ran out of items (StopIteration)") from error
    except Exception:
        raise
    except BaseException as error:
        raise RuntimeError(f"a handler raised {type(error).__name__}: {error}") from error


class PluginThreads(Executor):
    """At most `count` threads, begun when they are needed."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._threads: list[threading.Thread] = []
        self._idle = threading.Semaphore(0)
        self._tasks: SimpleQueue[_Task] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a function called on one of the threads.

        Raises:
            RuntimeError: it is shut down.
        """
        future: Future[Any] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("no new calls after shutdown")
            self._tasks.put((future, lambda: fn(*args, **kwargs)))
            if not self._idle.acquire(blocking=False) and len(self._threads) < self._count:
                thread = threading.Thread(target=self._run, name="plugin-http", daemon=True)
                self._threads.append(thread)
                thread.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - as `Executor` has it
        """Take no more; each thread ends when it is done, and a stuck one with the process."""
        with self._lock:
            self._closed = True
            if cancel_futures:
                while not self._tasks.empty():
                    task = self._tasks.get()
                    if task is not None:
                        task[0].cancel()
            for _ in self._threads:
                self._tasks.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _run(self) -> None:
        while True:
            task = self._tasks.get()
            if task is None:
                return
            future, call = task
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:  # noqa: BLE001 - handed to the one who waits
                    future.set_exception(error)
            del task, future, call
            self._idle.release()
