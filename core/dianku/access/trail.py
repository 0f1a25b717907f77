"""The trail of administration: every change with who, when, and what was there before.

A line is written in the transaction of the change it tells of, so neither is there without the
other. Secrets never enter it: values under telling names are replaced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dianku.access.tables import audit
from dianku.clock import format_ms
from dianku.context import Context
from dianku.wire import Answer

_SECRET = re.compile(r"secret|password|token$|api_?key|private|credential", re.IGNORECASE)
MASK = "••••"
BACKED_UP = "backup"
"""The action of a line that tells of a backup made; its subject is the file's name."""


class AuditRecord(Answer):
    """One administrative change."""

    id: str
    at: str
    actor: str
    action: str
    subject: str
    request_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def record_change(
    connection: Connection,
    *,
    ctx: Context,
    at_ms: int,
    action: str,
    subject: str,
    before: Any = None,
    after: Any = None,
) -> None:
    """Write one line: `action` such as `user.create`, `subject` the name of what was changed."""
    connection.execute(
        sa.insert(audit).values(
            at=at_ms,
            actor=ctx.actor.name,
            action=action,
            subject=subject,
            request_id=ctx.request_id,
            before=_plain(before),
            after=_plain(after),
        )
    )


def read_trail(
    connection: Connection,
    *,
    before_id: int | None,
    limit: int,
    actor: str | None = None,
    action: str | None = None,
    subject: str | None = None,
) -> list[AuditRecord]:
    """The newest lines first, those below `before_id`."""
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(audit.c.id < before_id)
    wanted = ((audit.c.actor, actor), (audit.c.action, action), (audit.c.subject, subject))
    for column, value in wanted:
        if value is not None:
            query = query.where(column == value)
    return [
        AuditRecord(
            id=str(row.id),
            at=format_ms(row.at),
            actor=row.actor,
            action=row.action,
            subject=row.subject,
            request_id=row.request_id,
            before=msgspec.json.decode(row.before) if row.before else None,
            after=msgspec.json.decode(row.after) if row.after else None,
        )
        for row in connection.execute(query)
    ]


def _plain(value: Any) -> str | None:
    if value is None:
        return None
    return msgspec.json.encode(_masked(msgspec.to_builtins(value, enc_hook=str))).decode()


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: MASK if item and _SECRET.search(str(name)) else _masked(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return value
