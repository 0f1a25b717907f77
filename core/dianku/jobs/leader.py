"""Who leads: of all processes of a shop one runs jobs and tells plugins of events."""

from __future__ import annotations

import logging
import threading

from dianku.storage.engine import Database
from dianku.storage.leader import leader_lock

BEAT_SECONDS = 2.0
_log = logging.getLogger(__name__)


class Leader:
    """Tries to lead from `start` on, and takes over within a beat when the leader is gone."""

    def __init__(self, database: Database, *, beat_seconds: float = BEAT_SECONDS) -> None:
        self._lock = leader_lock(database)
        self._beat_seconds = beat_seconds
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._held = False

    @property
    def held(self) -> bool:
        """Whether this process leads."""
        return self._held

    def start(self) -> None:
        """Try at once, then with every beat; never waits for another process."""
        self._held = self._lock.hold()
        self._thread = threading.Thread(target=self._beat, name="leader", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop leading, so that another process may."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._held = False
        self._lock.release()

    def _beat(self) -> None:
        while not self._stopping.wait(self._beat_seconds):
            try:
                self._held = self._lock.hold()
            except OSError as error:  # no file can be opened just now
                _log.warning("whether to lead cannot be told: %s", error)
