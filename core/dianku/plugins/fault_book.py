"""The faults of plugins at work, kept where every process of the shop can read them.

A hook fails in one process (the server, a worker, a command) and is asked about in another:
`dianku plugin list` beside the running server. The last faults of each plugin are kept, with the
version they are of, until a server starts anew. Nobody who sells waits for it: a fault is noted in
memory and written by a thread of the book's own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from attrs import frozen

from dianku.clock import Clock
from dianku.plugins.states import FAULTS_KEPT, Fault
from dianku.plugins.tables import plugin_fault
from dianku.storage.bulk import insert_rows
from dianku.storage.engine import Database

LOOK_SECONDS = 1.0
"""Between two looks; so often at most is anything written."""

_COLUMNS = ("plugin", "place", "what", "version", "remedy", "at")
_REPLACE = (
    "ON CONFLICT (plugin, place, what) DO UPDATE SET version = excluded.version, "
    "remedy = excluded.remedy, at = excluded.at"
)
_log = logging.getLogger(__name__)


@frozen
class Entry:
    """A fault, of which plugin, in which version of it."""

    plugin: str
    version: str
    fault: Fault


class FaultBook:
    """The shop's book of faults, as one process keeps it."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[Entry, int] = {}
        self._read: frozenset[Entry] = frozenset()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def note(self, entry: Entry) -> None:
        """Have a fault written; returns at once."""
        with self._lock:
            self._waiting[entry] = self._clock.now_ms()

    def read(self) -> Sequence[Entry]:
        """What is written, by plugin, the newest last."""
        t = plugin_fault.c
        with self._database.reading() as c:
            rows = c.execute(sa.select(plugin_fault).order_by(t.plugin, t.at, t.place)).all()
        return [
            Entry(row.plugin, row.version, Fault(row.place, row.what, row.remedy)) for row in rows
        ]

    def forget(self) -> None:
        """Begin anew: what went wrong before a server's start need not go wrong again."""
        with self._database.reading() as c:
            if c.execute(sa.select(plugin_fault.c.plugin).limit(1)).first() is None:
                return
        with self._database.writing() as c:
            c.execute(plugin_fault.delete())

    def keep(self, heard: Callable[[Entry], None]) -> None:
        """Write what is noted from now on, and hand over what any process has written."""
        self._thread = threading.Thread(
            target=self._follow, args=(heard,), name="plugin-faults", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Write what is still waiting and stop."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._look(lambda _entry: None)

    def _follow(self, heard: Callable[[Entry], None]) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            self._look(heard, reading=True)

    def _look(self, heard: Callable[[Entry], None], *, reading: bool = False) -> None:
        try:
            self._write()
            found = self.read() if reading else ()
        except sa.exc.SQLAlchemyError:
            # A book that cannot be written now must not stop a shop that sells.
            _log.warning("faults of plugins could not be noted", exc_info=True)
            return
        news = [entry for entry in found if entry not in self._read]
        self._read = frozenset(found)
        for entry in news:
            heard(entry)

    def _write(self) -> None:
        with self._lock:
            taken, self._waiting = self._waiting, {}
        if not taken:
            return
        rows = [
            (e.plugin, e.fault.where, e.fault.what, e.version, e.fault.remedy, at)
            for e, at in taken.items()
        ]
        try:
            with self._database.writing() as c:
                insert_rows(c, plugin_fault, _COLUMNS, rows, conflict=_REPLACE)
                for plugin in sorted({entry.plugin for entry in taken}):
                    c.execute(_older_than_kept(plugin))
        except sa.exc.SQLAlchemyError:
            with self._lock:
                self._waiting = taken | self._waiting
            raise


def _older_than_kept(plugin: str) -> sa.Delete:
    t = plugin_fault.c
    newest = sa.select(t.at).where(t.plugin == plugin).order_by(t.at.desc())
    bound = newest.offset(FAULTS_KEPT - 1).limit(1).scalar_subquery()
    return plugin_fault.delete().where(t.plugin == plugin, t.at < bound)
