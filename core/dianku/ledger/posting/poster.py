"""Post batches: the only writer of the ledger's tables (invariant I6).

Commands wait in a queue; the poster takes all that wait and posts them as one transaction: claim
the keys, load and lock, plan in order of arrival, write, commit. Only when the commit has come
back, and so is on the disk, does any caller hear of it (I8). What was refused is answered with
the same commit, its neighbours are not disturbed; a batch that breaks is rolled back and halved
until the broken command stands alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

from dianku.catalog.snapshot import CatalogCache
from dianku.clock import Clock
from dianku.context import Context
from dianku.errors import Problem
from dianku.ledger.commands import Outcome, Posted, Posting, Reserved, Reserving, Swept
from dianku.ledger.plan.planner import Planned, Task
from dianku.ledger.posting.answers import document_record, reservation_record
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.guards import PlanOutdated
from dianku.ledger.posting.load import load
from dianku.ledger.posting.load_promises import read_promises
from dianku.ledger.posting.snapshot import Promise, Snapshot
from dianku.ledger.posting.together import Together, halves, plan_all
from dianku.ledger.posting.write import KeyRow, write
from dianku.ledger.read.document_records import document_records, for_reader
from dianku.storage.bulk import delete_rows, select_set
from dianku.storage.engine import LOCK_CATALOG, Database

log = logging.getLogger("dianku.ledger")

ATTEMPTS_MAX = 8
"""How often a batch that met another process is planned anew before it is halved."""
_UNAVAILABLE = ("SQLITE_BUSY", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")

_KEY = (("key_high", "int"), ("key_low", "int"), ("digest_high", "int"), ("digest_low", "int"))
_CLAIM = """
INSERT INTO posted_key (key_high, key_low, digest_high, digest_low, subject, subject_id)
SELECT w.key_high, w.key_low, w.digest_high, w.digest_low, '', 0 FROM {rows} AS w WHERE true
ORDER BY w.key_high, w.key_low
ON CONFLICT (key_high, key_low) DO NOTHING
RETURNING key_high, key_low
"""
_CLAIMED_BEFORE = """
SELECT k.key_high, k.key_low, k.digest_high, k.digest_low, k.subject, k.subject_id
FROM {rows} AS w JOIN posted_key AS k ON k.key_high = w.key_high AND k.key_low = w.key_low
"""

Resolve = Callable[[Task], Posting | Reserving | Problem | None]
"""Resolve a task's command against the catalog as it now stands."""

Failure = Exception


@define(eq=False)
class Entry:
    """A command in the queue: its task, its key, whom to tell, and whether it goes with others."""

    task: Task
    deliver: Callable[[Outcome | Failure], None]
    key: tuple[int, int] | None = None
    digest: tuple[int, int] = (0, 0)
    lines: int = 1
    together: Together | None = None


@define
class _Claims:
    """Which entries' keys are new, and what the others' keys stand for."""

    fresh: set[tuple[int, int]] = field(factory=set)
    before: dict[tuple[int, int], Any] = field(factory=dict)


@define
class BatchPoster:
    """Posts one batch after another on the calling thread."""

    database: Database
    cache: CatalogCache
    clock: Clock
    resolve: Resolve

    def post(self, entries: Sequence[Entry]) -> None:
        """Post entries and tell each what came of it; never raises for a command's fault."""
        try:
            outcomes = self._attempt(entries)
        except Exception as error:  # noqa: BLE001 - one bad command must not cost its neighbours
            parts = halves(entries)
            if parts is None or _unavailable(error):
                # Where the database cannot be had nobody is to blame: each half would wait as
                # long again, and the last of a thousand be told after hours.
                for entry in entries:
                    _tell(entry, error)
                return
            for part in parts:
                self.post(part)
            return
        for entry, outcome in zip(entries, outcomes, strict=True):
            _tell(entry, outcome)

    def _attempt(self, entries: Sequence[Entry]) -> list[Outcome]:
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                with self.database.writing() as connection:
                    return self._transact(connection, entries)
            except PlanOutdated:
                if attempt == ATTEMPTS_MAX:
                    raise
            except DBAPIError as error:
                if attempt == ATTEMPTS_MAX or not passing(error):
                    raise
        raise AssertionError("the loop returns or raises")

    def _transact(self, connection: Connection, entries: Sequence[Entry]) -> list[Outcome]:
        now_ms = self.clock.now_ms()
        self.database.lock(connection, LOCK_CATALOG, shared=True)
        self.cache.refresh(connection)
        claims = _claim(connection, entries)
        fresh = [e for e in entries if e.key is None or e.key in claims.fresh]
        stale = {id(e): p for e in fresh if (p := self._stale(e)) is not None}
        living = [e for e in fresh if id(e) not in stale]
        snapshot = load(
            self.database, connection, self.cache, [e.task for e in living], now_ms=now_ms
        )
        planned = plan_all(snapshot, fresh, refused=stale)
        effects = any(isinstance(p, Draft | Promise | Swept) for p in planned.values())
        if effects:
            self._write(connection, snapshot, fresh, planned)
        replays = self._replays(connection, entries, claims, now_ms)
        if not effects:
            # All was refused or replayed: not even an empty row may be left behind.
            self.database.abandon(connection)
        return [
            replays[id(e)] if id(e) in replays else _outcome(snapshot, planned[id(e)], e.task.ctx)
            for e in entries
        ]

    def _stale(self, entry: Entry) -> Problem | None:
        """Resolve again what was resolved by an older catalog; the problem if that refuses it."""
        resolved = entry.task.resolved
        if resolved is None:
            return None
        if resolved.catalog_version == self.cache.version:
            return None
        again = self.resolve(entry.task)
        if isinstance(again, Problem):
            return again
        entry.task.resolved = again
        return None

    def _write(
        self,
        connection: Connection,
        snapshot: Snapshot,
        fresh: Sequence[Entry],
        planned: dict[int, Planned],
    ) -> None:
        keys: list[KeyRow] = []
        dropped: list[tuple[int, int]] = []
        for entry in fresh:
            if entry.key is None:
                continue
            plan = planned[id(entry)]
            if isinstance(plan, Draft):
                keys.append(KeyRow(entry.key, entry.digest, draft=plan))
            elif isinstance(plan, Promise):
                keys.append(KeyRow(entry.key, entry.digest, promise=plan))
            else:
                # A refusal is not remembered: its key may be tried again.
                dropped.append(entry.key)
        delete_rows(connection, "posted_key", ("key_high", "key_low"), sorted(dropped))
        write(self.database, connection, snapshot, keys)

    def _replays(
        self,
        connection: Connection,
        entries: Sequence[Entry],
        claims: _Claims,
        now_ms: int,
    ) -> dict[int, Outcome]:
        """Answer entries whose key was used before, from what it stands for."""
        again = [e for e in entries if e.key is not None and e.key in claims.before]
        if not again:
            return {}
        rows = {id(e): claims.before[e.key] for e in again if e.key is not None}
        ids = [r.subject_id for r in rows.values() if r.subject == "document"]
        documents = document_records(connection, ids, now_ms=now_ms)
        promises = self._promises(connection, rows.values(), now_ms)
        outcomes: dict[int, Outcome] = {}
        for entry in again:
            row = rows[id(entry)]
            if (row.digest_high, row.digest_low) != entry.digest:
                outcomes[id(entry)] = Problem("idempotency_conflict")
            elif row.subject == "document":
                record = for_reader(documents[row.subject_id], ctx=entry.task.ctx)
                outcomes[id(entry)] = _allowed(
                    Posted(record, replayed=True), record.store, entry.task.ctx
                )
            elif row.subject == "reservation":
                reservation = promises[row.subject_id]
                outcomes[id(entry)] = _allowed(
                    Reserved(reservation, replayed=True), reservation.store, entry.task.ctx
                )
            else:
                outcomes[id(entry)] = Problem("idempotency_conflict")
        return outcomes

    def _promises(self, connection: Connection, rows: Any, now_ms: int) -> dict[int, Any]:
        ids = sorted({r.subject_id for r in rows if r.subject == "reservation"})
        if not ids:
            return {}
        found = select_set(
            connection,
            "SELECT r.* FROM {rows} AS w JOIN reservation AS r ON r.id = w.id",
            columns=(("id", "int"),),
            rows=[(i,) for i in ids],
        )
        snapshot = Snapshot(self.cache, now_ms)
        read_promises(connection, snapshot, found)
        return {p.id: reservation_record(snapshot, p) for p in snapshot.promises.values()}


def _tell(entry: Entry, outcome: Outcome | Failure) -> None:
    """Tell one caller; what breaks in telling must not stop the poster."""
    try:
        entry.deliver(outcome)
    except Exception:
        log.exception("an outcome could not be told: %s", type(entry.task.command).__name__)


def _claim(connection: Connection, entries: Sequence[Entry]) -> _Claims:
    """Claim the entries' keys in their order; a key in flight elsewhere is waited for here."""
    rows = sorted((*e.key, *e.digest) for e in entries if e.key is not None)
    if not rows:
        return _Claims()
    claimed = select_set(connection, _CLAIM, columns=_KEY, rows=rows)
    fresh = {(row.key_high, row.key_low) for row in claimed}
    if len(fresh) == len(rows):
        return _Claims(fresh)
    others = [row for row in rows if row[:2] not in fresh]
    found = select_set(connection, _CLAIMED_BEFORE, columns=_KEY, rows=others)
    return _Claims(fresh, {(row.key_high, row.key_low): row for row in found})


def _allowed(outcome: Posted | Reserved, store: str, ctx: Context) -> Outcome:
    if not ctx.sees_store(store):
        return Problem("forbidden", {"permission": "store", "store": store})
    return outcome


def _outcome(snapshot: Snapshot, planned: Planned, ctx: Context) -> Outcome:
    if isinstance(planned, Draft):
        return Posted(for_reader(document_record(snapshot, planned), ctx=ctx))
    if isinstance(planned, Promise):
        return Reserved(reservation_record(snapshot, planned))
    if isinstance(planned, Swept | Problem):
        return planned
    raise TypeError(f"no outcome for {type(planned).__name__}")


def passing(error: DBAPIError) -> bool:
    """Whether another process was merely in the way: a deadlock, or a lock held too long."""
    return getattr(error.orig, "sqlstate", None) in {"40P01", "40001", "55P03"}


def _unavailable(error: Exception) -> bool:
    """Whether nothing can be written now, whatever it is: locked for too long, full, gone."""
    if not isinstance(error, OperationalError):
        return False
    name = str(getattr(error.orig, "sqlite_errorname", ""))
    return error.connection_invalidated or name.startswith(_UNAVAILABLE)
