"""Run jobs when they are due, in the process that leads, each owner's on a thread of its own.

A job that raises is recorded and runs again as scheduled; one that hangs holds up only its own
plugin's. Clocks that jump back make a job wait, never run twice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from attrs import define, field, frozen

from dianku.clock import Clock
from dianku.errors import refuse
from dianku.hooks.calls import described, kept
from dianku.hooks.records import Job, Title
from dianku.jobs.schedule import due_at
from dianku.jobs.tables import job_run
from dianku.storage.engine import Database

_log = logging.getLogger(__name__)
Failed = Callable[[str, str, str], None]
"""Told of a failed job: its owner, its name, the error."""


@frozen
class JobState:
    """A job and how its last run went; times in milliseconds, None where there was none."""

    name: str
    title: Title
    owner: str
    started_at: int | None
    ended_at: int | None
    outcome: str | None
    message: str | None
    due_at: int


@define
class _Lane:
    """The jobs of one owner."""

    owner: str
    jobs: dict[str, Job] = field(factory=dict)
    last: dict[str, int | None] = field(factory=dict)
    thread: threading.Thread | None = None
    lock: threading.Lock = field(factory=threading.Lock)


class JobRunner:
    """The jobs of the kernel and of plugins.

    Args:
        leading: Whether this process is the one that runs them.
        zone: The time zone of the shop's clock, for daily jobs.
        failed: Told when a job raises.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        leading: Callable[[], bool],
        zone: Callable[[], str],
        failed: Failed = lambda _owner, _job, _error: None,
        poll_seconds: float = 1.0,
    ) -> None:
        self._database = database
        self._clock = clock
        self._leading = leading
        self._zone = zone
        self._failed = failed
        self._poll_seconds = poll_seconds
        self._since = clock.now_ms()
        self._lanes: dict[str, _Lane] = {}
        self._stopping = threading.Event()

    def add(self, owner: str, job: Job) -> None:
        """Take a job in, before `start`; its full name is `OWNER.NAME`."""
        lane = self._lanes.setdefault(owner, _Lane(owner))
        lane.jobs[f"{owner}.{job.name}"] = job

    def start(self) -> None:
        """Begin to run what is due."""
        for lane in self._lanes.values():
            lane.thread = threading.Thread(
                target=self._follow, args=(lane,), name=f"jobs-{lane.owner}", daemon=True
            )
            lane.thread.start()

    def close(self, *, patience: float = 5.0) -> None:
        """Stop; a job that hangs is left behind after `patience` seconds."""
        self._stopping.set()
        for lane in self._lanes.values():
            if lane.thread is not None:
                lane.thread.join(patience)

    def run_due(self) -> list[str]:
        """Run, here and now, all that is due, whoever leads; returns their names."""
        return [name for lane in self._lanes.values() for name in self._round(lane, fresh=True)]

    def run_now(self, name: str) -> str:
        """Run one job, due or not; returns its outcome.

        Raises:
            Refused: `not_found`.
        """
        for lane in self._lanes.values():
            if name in lane.jobs:
                with lane.lock:
                    return self._run(lane, name)
        raise refuse("not_found", what="job", name=name)

    def states(self) -> Sequence[JobState]:
        """Every job by name, with its last run as the database has it."""
        now = self._clock.now_ms()
        zone = self._zone()
        states = []
        with self._database.reading() as c:
            for lane in self._lanes.values():
                for name, job in lane.jobs.items():
                    query = sa.select(job_run).where(job_run.c.job == name)
                    row = c.execute(query.order_by(job_run.c.id.desc()).limit(1)).first()
                    due = due_at(
                        job.schedule,
                        last_ms=row.started_at if row else None,
                        since_ms=self._since,
                        zone=zone,
                        now_ms=now,
                    )
                    states.append(
                        JobState(
                            name=name,
                            title=job.title,
                            owner=lane.owner,
                            started_at=row.started_at if row else None,
                            ended_at=row.ended_at if row else None,
                            outcome=row.outcome if row else None,
                            message=row.message if row else None,
                            due_at=due,
                        )
                    )
        return sorted(states, key=lambda state: state.name)

    def _follow(self, lane: _Lane) -> None:
        led = False
        while not self._stopping.wait(self._poll_seconds):
            leads = self._leading()
            if leads:
                try:
                    self._round(lane, fresh=not led)
                except Exception:  # noqa: BLE001 - the database may be away for a while
                    _log.exception("jobs of %s could not be run", lane.owner)
                    leads = False
            led = leads

    def _round(self, lane: _Lane, *, fresh: bool) -> list[str]:
        """Run what is due of one owner; `fresh`: another process may have run it meanwhile."""
        with lane.lock:
            if fresh:
                lane.last = self._last_starts(lane)
            zone = self._zone()
            ran = []
            for name, job in lane.jobs.items():
                now = self._clock.now_ms()
                last = lane.last.get(name)
                due = due_at(
                    job.schedule, last_ms=last, since_ms=self._since, zone=zone, now_ms=now
                )
                if due <= now and not self._stopping.is_set():
                    self._run(lane, name)
                    ran.append(name)
            return ran

    def _run(self, lane: _Lane, name: str) -> str:
        started = self._clock.now_ms()
        lane.last[name] = started
        row = {"job": name, "started_at": started, "outcome": "running"}
        with self._database.writing() as c:
            inserted = c.execute(job_run.insert(), row).inserted_primary_key
            run_id = inserted[0] if inserted is not None else None
        outcome, message = "done", None
        try:
            said = lane.jobs[name].run()
            if said is not None and not isinstance(said, str):
                raise TypeError(f"returned a {type(said).__name__}, not a text")
            message = None if said is None else kept(said)
        except BaseException as error:  # noqa: BLE001 - a plugin may raise anything
            outcome, message = "failed", described(error)
            self._failed(lane.owner, name, message)
        ended = {"ended_at": self._clock.now_ms(), "outcome": outcome, "message": message}
        with self._database.writing() as c:
            c.execute(job_run.update().where(job_run.c.id == run_id).values(ended))
        return outcome

    def _last_starts(self, lane: _Lane) -> dict[str, int | None]:
        query = (
            sa.select(job_run.c.job, sa.func.max(job_run.c.started_at).label("at"))
            .where(job_run.c.job.in_(list(lane.jobs)))
            .group_by(job_run.c.job)
        )
        with self._database.reading() as c:
            return {row.job: row.at for row in c.execute(query)}
