"""What an administrator does to a shop as a whole: set it up, look at its tables, save it, move it.

The command line calls these beside a running server; each is complete when it returns. What
refuses says why and has changed nothing, or nothing that a second call would not complete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from dianku.access.records import NewToken, NewUser
from dianku.catalog.requests import NewStore
from dianku.config import strict_from
from dianku.context import Context
from dianku.errors import ConfigurationError, refuse
from dianku.exchange.records import ImportRecord
from dianku.host import Host, HostConfig
from dianku.http.fields import convert_value as checked
from dianku.http.routes.exchange import ExportQuery, ImportForm
from dianku.http.wording import worded_remarks
from dianku.ledger.queries_requests import StockFilter
from dianku.messages import Messages
from dianku.plugins.discovery import discover
from dianku.plugins.editions import Edition, installed_editions
from dianku.plugins.loader import MIGRATIONS
from dianku.storage import backup as archives
from dianku.storage import copy as copies
from dianku.storage import migrate
from dianku.storage.engine import Database

__all__ = [
    "ConfigurationError",
    "HostConfig",
    "Messages",
    "NewStore",
    "NewToken",
    "NewUser",
    "SetUpOutcome",
    "SetUpWish",
    "StockFilter",
    "backup",
    "checked",
    "copy_to",
    "edition",
    "editions",
    "export_file",
    "import_file",
    "restore",
    "schema_states",
    "set_up",
    "strict_from",
]

Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""


@frozen(kw_only=True)
class SetUpWish:
    """A shop to begin with; `owner` None leaves the owner to whoever uses the one-time link."""

    shop: str
    language: str
    store: NewStore
    owner: NewUser | None = None


@frozen
class SetUpOutcome:
    """Whether anything was done, and the secret of the one-time link where there is no owner."""

    changed: bool
    link: str | None = None


def set_up(host: Host, wish: SetUpWish, *, ctx: Context) -> SetUpOutcome:
    """Name the shop, make its owner and its first store; a shop that has a store is left alone.

    The store comes last, so that a call that was cut short is completed by the next.

    Raises:
        Refused: `invalid`; nothing but the shop's name may have been kept.
    """
    if host.catalog.list_stores(ctx=ctx):
        return SetUpOutcome(changed=False)
    named = {"name": wish.shop, "language": wish.language, "timezone": wish.store.timezone}
    host.settings.patch_section("shop", named, ctx=ctx)
    if wish.owner is not None and wish.owner.name not in _user_names(host):
        host.access.create_user(wish.owner, ctx=ctx)
    host.catalog.create_store(wish.store, ctx=ctx)
    link = None if wish.owner is not None else host.sessions.new_setup_link()
    return SetUpOutcome(changed=True, link=link)


def _user_names(host: Host) -> set[str]:
    return {user.name for user in host.access.list_users()}


def import_file(
    host: Host, file: Path, *, form: Mapping[str, Any], ctx: Context, progress: Progress
) -> ImportRecord:
    """Take in a spreadsheet as `POST /imports` does; remarks are worded in the caller's language.

    Raises:
        Refused: `invalid`, `import_repeated`, `file_unreadable`.
    """
    asked = checked(form, ImportForm)
    with file.open("rb") as opened:
        record = host.exchange.run_import(
            opened, file.name, asked, ctx=ctx, key=None, progress=progress
        )
    return worded_remarks(record, Messages(), language=ctx.language)


def export_file(host: Host, file: Path, *, kind: str, ctx: Context) -> int:
    """Write a table as `GET /exports/{kind}` does, in the form the file's ending names.

    Returns the number of bytes written.

    Raises:
        Refused: `not_found` (kind), `invalid` (an ending that is neither csv nor xlsx).
    """
    asked = checked({"format": file.suffix.removeprefix(".").lower()}, ExportQuery)
    content = host.exchange.export(kind, asked, ctx=ctx)
    return file.write_bytes(content)


def _owners(host: Host) -> list[migrate.Owner]:
    """The core and every installed plugin with tables, whether or not it is switched on."""
    found = discover(host.config.plugin_files) if host.config.plugins else []
    return [
        migrate.CORE,
        *(
            migrate.Owner(one.name, one.folder / MIGRATIONS)
            for one in found
            if one.folder is not None and one.manifest is not None and one.manifest.tables
        ),
    ]


def schema_states(host: Host) -> list[migrate.SchemaState]:
    """Where the tables of the core and of each plugin stand; the host need not be started."""
    return migrate.status(host.database, _owners(host))


def editions(host: Host) -> list[Edition]:
    """Every edition that is installed, by name, or the bare kernel where there is none."""
    return list(installed_editions().values()) or [host.plugins.edition]


def edition(host: Host, name: str | None) -> Edition:
    """The edition of that name; without one, the edition the shop runs as.

    Raises:
        Refused: `not_found`.
    """
    if name is None:
        return host.plugins.edition
    for one in editions(host):
        if one.name == name:
            return one
    raise refuse("not_found", what="edition", name=name)


def backup(host: Host, file: Path) -> archives.Manifest:
    """Write the whole shop into one new file. Raises `DiankuError`: says what, and what to do."""
    return archives.backup(
        host.database,
        file,
        now_ms=host.clock.now_ms(),
        attachments=host.config.attachments_dir,
    )


def restore(host: Host, file: Path) -> archives.Restored:
    """Make the shop of a backup again; the host, on an empty database, must not be started.

    Raises:
        DiankuError: the file is no sound backup, or something is there already.
    """
    return archives.restore(
        file,
        host.database,
        attachments=host.config.attachments_dir,
        owners=_owners(host),
    )


def copy_to(host: Host, url: str) -> copies.Copied:
    """Copy the whole database into another, empty one. Raises `DiankuError`."""
    target = Database(url)
    try:
        return copies.copy(host.database, target, owners=_owners(host))
    finally:
        target.close()
