"""What the installation does by itself and keeps safe: its jobs, its backups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

from dianku.backups import MAKE_PERMISSION, KeptBackup
from dianku.clock import format_ms
from dianku.http.edge import edge_of
from dianku.http.plugin_threads import handled
from dianku.http.route import Call, Replied, Route, Stream
from dianku.http.routes.answers import REPLAYED, Nothing, Page
from dianku.idempotency import digest, keyed, recall
from dianku.wire import Answer

CHUNK = 1 << 20
BACKUP_TYPE = "application/zip"


class JobRecord(Answer):
    """Work done by the clock: when it ran last, how that went, when it is due.

    `outcome` is running, done or failed, null where it never ran; `owner` is `core` or a plugin.
    """

    name: str
    title: str
    owner: str
    started_at: str | None
    ended_at: str | None
    outcome: str | None
    message: str | None
    due_at: str


class BackupRecord(Answer):
    """A backup in the data folder; `size` in bytes."""

    name: str
    size: int
    made_at: str


def list_jobs(call: Call) -> Page[JobRecord]:
    """List jobs with how their last run went."""
    return Page(
        items=[
            JobRecord(
                name=state.name,
                title=state.title.in_language(call.ctx.language),
                owner=state.owner,
                started_at=_moment(state.started_at),
                ended_at=_moment(state.ended_at),
                outcome=state.outcome,
                message=state.message,
                due_at=format_ms(state.due_at),
            )
            for state in call.host.jobs.states()
        ]
    )


def list_backups(call: Call) -> Page[BackupRecord]:
    """List the backups in the data folder, the newest first."""
    return Page(items=[_backup(one) for one in call.host.backups.list_all(ctx=call.ctx)])


def make_backup(call: Call) -> Replied:
    """Write a backup into the data folder; the answer comes when it is whole."""
    database, wanted = call.host.database, digest("backup", {}, call.body)
    kept = recall(database, key=call.key, digest=wanted)
    if kept is not None:
        return Replied(kept, 201, REPLAYED)
    record = _backup(call.host.backups.make(ctx=call.ctx))
    # Not within the key's transaction: the till writes while the file is made.
    keyed(database, key=call.key, digest=wanted, effect=lambda _: record)
    return Replied(record, 201)


async def get_backup(call: Call) -> Stream:
    """Give a backup, in pieces."""
    loop, threads = asyncio.get_running_loop(), edge_of(call).threads
    name = call.path["name"]
    file = await loop.run_in_executor(
        threads, handled, lambda _: call.host.backups.open(name, ctx=call.ctx), None
    )

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while piece := await loop.run_in_executor(threads, file.read, CHUNK):
                yield piece
        finally:
            file.close()

    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    return Stream(chunks(), BACKUP_TYPE, headers)


def _backup(one: KeptBackup) -> BackupRecord:
    return BackupRecord(name=one.name, size=one.size, made_at=format_ms(one.made_at_ms))


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else format_ms(at_ms)


ROUTES = (
    Route("GET", "/jobs", list_jobs, "plugin.view", "Jobs", answer=Page[JobRecord]),
    Route("GET", "/backups", list_backups, MAKE_PERMISSION, "Backups", answer=Page[BackupRecord]),
    Route(
        "POST",
        "/backups",
        make_backup,
        MAKE_PERMISSION,
        "Make a backup",
        request=Nothing,
        answer=BackupRecord,
        status=201,
        keyed=True,
    ),
    Route(
        "GET",
        "/backups/{name}",
        get_backup,
        MAKE_PERMISSION,
        "A backup, as a file",
        media_type=BACKUP_TYPE,
    ),
)
