"""Wake those in this process that wait for new events; other processes are found by polling.

A ring is never lost: a waiter names the last ring it knows, and does not wait if there was one.
"""

from __future__ import annotations

import threading


class Bell:
    """A counter of rings that can be waited on."""

    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._count = 0
        self._silenced = False

    @property
    def count(self) -> int:
        """How often it was rung: give it to `wait`."""
        return self._count

    def ring(self) -> None:
        """Wake every waiter: something was committed."""
        with self._rung:
            self._count += 1
            self._rung.notify_all()

    def silence(self) -> None:
        """Let nobody wait any more: the host closes."""
        with self._rung:
            self._silenced = True
            self._rung.notify_all()

    def wait(self, seen: int, *, timeout: float | None = None) -> int:
        """Wait for a ring after `seen`, at most `timeout` seconds; returns the count."""
        with self._rung:
            self._rung.wait_for(lambda: self._silenced or self._count != seen, timeout)
            return self._count
