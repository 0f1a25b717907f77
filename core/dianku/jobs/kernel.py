"""The kernel's own jobs: let go of holds that are over, and forget what nobody reads any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from dianku.clock import Clock
from dianku.hooks.records import Daily, Every, Job, Title
from dianku.jobs.tables import job_run
from dianku.storage.engine import Database
from dianku.storage.schema import event

DAY_MS = 86_400_000
EVENTS_KEPT_DAYS = 400
RUNS_KEPT_DAYS = 30
SWEEP_SECONDS = 30
CHUNK = 10_000
"""Rows deleted in one transaction: the till waits for it at most that long."""


def kernel_jobs(
    database: Database, *, clock: Clock, expire_holds: Callable[[], int]
) -> Sequence[Job]:
    """The jobs; `expire_holds` releases every hold that is over and says how many."""

    def expire() -> str | None:
        count = expire_holds()
        return f"{count} expired" if count else None

    def prune_events() -> str | None:
        before = clock.now_ms() - EVENTS_KEPT_DAYS * DAY_MS
        return _pruned(database, event, event.c.at, before)

    def prune_runs() -> str | None:
        before = clock.now_ms() - RUNS_KEPT_DAYS * DAY_MS
        return _pruned(database, job_run, job_run.c.started_at, before)

    return (
        Job("expire_holds", Title("释放到期占用", "Expire holds"), Every(SWEEP_SECONDS), expire),
        Job("prune_events", Title("清理旧事件", "Prune events"), Daily(4), prune_events),
        Job("prune_runs", Title("清理任务记录", "Prune job runs"), Daily(4), prune_runs),
    )


def _pruned(database: Database, table: sa.Table, moment: sa.Column[int], before: int) -> str | None:
    """Delete rows older than a moment, oldest first, a chunk at a time."""
    total = 0
    while True:
        oldest = sa.select(table.c.id).where(moment < before).order_by(table.c.id).limit(CHUNK)
        with database.writing() as c:
            gone = c.execute(table.delete().where(table.c.id.in_(oldest))).rowcount
        total += gone
        if gone < CHUNK:
            return f"{total} deleted" if total else None
