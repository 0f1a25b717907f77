"""See whether a shop would start, on a copy that is thrown away: what is tried there costs nothing.

The copy is what `dianku plugin install` starts the shop on, with the newcomer on the path of that
process alone. Jobs and notify hooks do not run in a rehearsal: they act on the world outside, and
the real shop does that already.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from attrs import frozen
from sqlalchemy.engine import URL, make_url

from dianku.config import DATABASE_FILE, HostConfig
from dianku.context import Context
from dianku.errors import ConfigurationError
from dianku.hooks.kinds import HOOKS, Kind
from dianku.host import Host
from dianku.plugins.states import PluginState
from dianku.storage.backup import online_copy
from dianku.storage.copy import DatabaseSource, transfer
from dianku.storage.engine import Database
from dianku.storage.leader import leader_lock
from dianku.storage.schema import metadata
from dianku.storage.shape import TableShape, table_names

__all__ = ["Copy", "Rehearsal", "copied", "is_served", "note_change", "rehearse", "tables_of"]

_FORGOTTEN = ("plugin_switch", "plugin_fault")
"""What a copy holds about a plugin that is not so of the newcomer of that name."""
_SMALL = frozenset({"plugin_switch", "setting", "setting_secret"})


@frozen
class Copy:
    """A database to be spoilt; `whole` False where the books were left out of it."""

    url: str
    whole: bool


@frozen
class Rehearsal:
    """How a start went: every plugin's state, whether `/readyz` said 200, and if not, why."""

    states: Sequence[PluginState]
    ready: bool
    error: str = ""


def rehearse(config: HostConfig, *, language: str = "en") -> Rehearsal:
    """Start a host with all its plugins, ask them for what they give, and ask `/readyz`.

    Whatever plugins raise is in their states; one that ends or holds up the process does so here,
    therefore the caller is a process of its own.
    """
    try:
        host = Host.build(config)
    except ConfigurationError as error:
        return Rehearsal((), ready=False, error=error.worded(language))
    try:
        host.start(background=False, afresh=True)
        for hook in HOOKS.values():
            if hook.kind is Kind.COLLECT and hook.name != "register_routes":
                host.plugins.collect(hook.name)
        ready = asyncio.run(_asked(host)) == 200
        return Rehearsal(host.plugins.states, ready=ready)
    except ConfigurationError as error:
        return Rehearsal(host.plugins.states, ready=False, error=error.worded(language))
    finally:
        host.close()


async def _asked(host: Host) -> int:
    """The status `/readyz` answers with; the application asks the plugins for their routes."""
    from dianku.http.app import build_app

    answers: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answers.append(int(message["status"]))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/readyz",
        "raw_path": b"/readyz",
        "query_string": b"",
        "headers": [],
    }
    await build_app(host)(scope, receive, send)
    return answers[0]


@contextmanager
def copied(host: Host, folder: Path, *, newcomers: Collection[str]) -> Iterator[Copy]:
    """A copy of a shop's database to rehearse on, gone after the block; the shop goes on selling.

    SQLite: the whole file, in `folder`. PostgreSQL: a schema of its own in the same database, with
    every plugin's tables and the settings, without the books. In the copy the newcomers are
    switched on, whatever the shop said of plugins of their names before.

    Raises:
        ConfigurationError: PostgreSQL lets this account make no schema.
        BackupRefused: there is no room for the copy.
    """
    if host.database.dialect == "sqlite":
        file = folder / DATABASE_FILE
        online_copy(host.database, file)
        url, gone = make_url(f"sqlite:///{file}"), None
    else:
        url, gone = _schema(host)
    try:
        if gone is not None:
            _carry_plugins(host, url)
        _forget(url, newcomers)
        yield Copy(url.render_as_string(hide_password=False), whole=gone is None)
    finally:
        if gone is not None:
            with host.database.writing() as connection:
                connection.exec_driver_sql(f'DROP SCHEMA "{gone}" CASCADE')


def _schema(host: Host) -> tuple[URL, str]:
    name = f"dianku_trial_{secrets.token_hex(4)}"
    try:
        with host.database.writing() as connection:
            connection.exec_driver_sql(f'CREATE SCHEMA "{name}"')
    except sa.exc.ProgrammingError as error:
        raise ConfigurationError("no_trial_schema", reason=str(error.orig).strip()) from error
    url = host.database.url
    options = " ".join([*_options(url), f"-csearch_path={name}"])
    return url.update_query_dict({"options": options}), name


def _options(url: URL) -> Sequence[str]:
    found = url.query.get("options", ())
    return [found] if isinstance(found, str) else found


class _WithoutBooks(DatabaseSource):
    """A database as if the kernel had but its settings: what plugins keep, and at what revision."""

    def shapes(self) -> Sequence[TableShape]:
        """Every table that is small or not the kernel's."""
        books = metadata.tables.keys() - _SMALL
        return [shape for shape in super().shapes() if shape.name not in books]


def _carry_plugins(host: Host, url: URL) -> None:
    target = Database(url)
    try:
        with host.database.reading() as connection:
            transfer(_WithoutBooks(connection), target, owners=host.owners)
    finally:
        target.close()


def _forget(url: URL, newcomers: Collection[str]) -> None:
    database = Database(url)
    try:
        with database.writing() as connection:
            there = set(table_names(connection))
            for name in there.intersection(_FORGOTTEN):
                table = metadata.tables[name]
                mine = table.c.plugin.in_(newcomers)
                connection.execute(sa.delete(table).where(mine))
    finally:
        database.close()


def is_served(host: Host) -> bool:
    """Whether a server of this shop is running now, here or on another machine."""
    lock = leader_lock(host.database)
    free = lock.hold()
    lock.release()
    return not free


def tables_of(host: Host, plugin: str) -> Mapping[str, int]:
    """The tables of a plugin that are in the database, installed or not, and their rows.

    Where there is no manifest to name them, those that bear its name and are nobody else's.
    """
    others = {t for m in host.plugins.manifests if m.name != plugin for t in m.tables}
    manifest = next((m for m in host.plugins.manifests if m.name == plugin), None)
    with host.database.reading() as connection:
        there = sorted(table_names(connection))
        if manifest is not None:
            mine = [name for name in there if name in manifest.tables]
        else:
            taken = others | metadata.tables.keys()
            mine = [n for n in there if n.startswith(f"{plugin}_") and n not in taken]
        count = sa.select(sa.func.count())
        return {n: connection.execute(count.select_from(sa.table(n))).scalar_one() for n in mine}


def note_change(
    host: Host,
    action: str,
    subject: str,
    *,
    ctx: Context,
    before: Any = None,
    after: Any = None,
) -> None:
    """Write into the trail what was done to the installation, such as `plugin.install`."""
    with host.database.writing() as connection:
        details = {"subject": subject, "before": before, "after": after}
        host.access.note(connection, ctx, action, details)
