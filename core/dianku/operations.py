"""What an administrator does to a shop as a whole: set it up, look at its tables, save it, move it.

The command line calls these beside a running server; each is complete when it returns. What
refuses says why and has changed nothing, or nothing that a second call would not complete.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa
from attrs import frozen

from dianku.access.records import NewToken, NewUser, UserPatch
from dianku.access.secrets import new_secret
from dianku.access.sessions import Sessions
from dianku.backups import ATTACHMENTS
from dianku.catalog.requests import NewStore
from dianku.config import strict_from
from dianku.context import Context
from dianku.differences import readable
from dianku.doctor import examine
from dianku.errors import ConfigurationError, WordedError, refuse
from dianku.exchange.records import ImportRecord
from dianku.hooks.calls import Collected, apart, described
from dianku.host import Host, HostConfig
from dianku.http.fields import convert_value as checked
from dianku.http.site import Entrance
from dianku.http.wording import worded_remarks
from dianku.ledger.read.requests import StockFilter
from dianku.ledger.verify.verification import Verification
from dianku.messages import Messages
from dianku.plugins.editions import Edition, installed_editions
from dianku.plugins.loader import name_of_kernel
from dianku.plugins.states import PluginState
from dianku.storage import backup as archives
from dianku.storage import copy as copies
from dianku.storage import migrate
from dianku.storage.engine import Database
from dianku.storage.file_lock import FileLock
from dianku.storage.migrate import MigrationFailed
from dianku.storage.working_folder import working_folder

__all__ = [
    "ConfigurationError",
    "DemoMade",
    "Edition",
    "Entrance",
    "FileLock",
    "HostConfig",
    "Messages",
    "MigrationFailed",
    "NewStore",
    "NewToken",
    "NewUser",
    "PluginState",
    "SetUpOutcome",
    "SetUpWish",
    "StockFilter",
    "Verification",
    "WordedError",
    "backup",
    "bytes_held",
    "checked",
    "copy_to",
    "database_trouble",
    "edition",
    "editions",
    "examine",
    "import_file",
    "make_demo",
    "name_of_kernel",
    "readable",
    "restore",
    "schema_states",
    "serve",
    "set_up",
    "strict_from",
    "working_folder",
]

DEMO_SEED = 20_260_301
DEMO_OWNER = "demo"
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
    """Make the first store, name the shop, make the first owner: whichever of these is missing.

    A shop that has a store and somebody who signs in is left alone, so the call may be repeated,
    and one that was cut short is completed by the next.

    Raises:
        Refused: `invalid`; nothing was changed.
    """
    begun = bool(host.catalog.list_stores(ctx=ctx))
    peopled = bool(host.access.list_users(ctx=ctx))
    if not begun:
        host.catalog.create_store(wish.store, ctx=ctx)
        named = {"name": wish.shop, "language": wish.language, "timezone": wish.store.timezone}
        host.settings.patch_section("shop", named, ctx=ctx)
    owned = wish.owner is not None and not peopled
    if owned and wish.owner is not None:
        host.access.create_user(wish.owner, ctx=ctx)
    link = _sessions(host).new_setup_link() if not begun and not owned else None
    return SetUpOutcome(changed=owned or not begun, link=link)


def _sessions(host: Host) -> Sessions:
    return Sessions(host.database, access=host.access, clock=host.clock)


_DISK = ("SQLITE_FULL", "SQLITE_IOERR")
"""SQLite's names for a disk that takes nothing more: https://www.sqlite.org/rescode.html."""


def database_trouble(error: Exception) -> ConfigurationError | None:
    """What to say where the database cannot be had: unreachable, locked, no room, no address.

    None for any other error; a table that is missing is a mistake of ours and no trouble of this
    kind.
    """
    if isinstance(error, sa.exc.ArgumentError):
        return ConfigurationError("database_address")
    if isinstance(error, sa.exc.OperationalError) and not str(error.orig).startswith("no such"):
        reason = str(error.orig).strip()
        if str(getattr(error.orig, "sqlite_errorname", "")).startswith(_DISK):
            return ConfigurationError("database_disk", reason=reason)
        return ConfigurationError("database_unusable", reason=reason)
    return None


def import_file(
    host: Host, file: Path, *, kind: str, ctx: Context, progress: Progress, **options: Any
) -> ImportRecord:
    """Take in a spreadsheet; remarks on cells are worded in the caller's language.

    `options` are those of `dianku.exchange.runs.Options`.

    Raises:
        Refused: `invalid`, `import_repeated`, `file_unreadable`.
    """
    record = host.exchange.run(file, kind=kind, ctx=ctx, progress=progress, **options)
    return worded_remarks(record, host.messages, language=ctx.language)


@frozen
class DemoMade:
    """How one gets into a demonstration: an owner's token, and a person who is owner."""

    token: str
    name: str
    password: str


def make_demo(host: Host, *, ctx: Context, progress: Progress) -> DemoMade:
    """Fill an empty shop with goods and months of sales, then with what each plugin adds.

    The same goods and trade every time; a shop that has a store already is left as it is, but for
    its demonstration's owner, who gets a new password.
    """
    from dianku.demo.fill import fill_shop

    if not host.catalog.list_stores(ctx=ctx):
        fill_shop(host.database, now_ms=host.clock.now_ms(), progress=progress)
        for collected in host.plugins.collect("register_demo"):
            _fill(host, collected)
    issued = host.access.create_token(NewToken(name=DEMO_OWNER, role="owner"), ctx=ctx)
    password = new_secret()
    known = [user for user in host.access.list_users(ctx=ctx) if user.name == DEMO_OWNER]
    if known:
        host.access.patch_user(known[0].id, UserPatch(password=password), ctx=ctx)
    else:
        person = NewUser(name=DEMO_OWNER, role="owner", password=password)
        host.access.create_user(person, ctx=ctx)
    return DemoMade(issued.token or "", DEMO_OWNER, password)


def _fill(host: Host, collected: Collected) -> None:
    """Let a plugin add to the demo; one that fails loses its own part."""
    try:
        chance = Random(DEMO_SEED)  # noqa: S311 - meant to be alike every time
        apart(lambda: collected.record.fill(chance))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plugin may raise anything
        said = described(error)
        host.plugins.calls.fail(collected.plugin, "register_demo", said, cause=error)


def serve(
    config: HostConfig,
    *,
    address: str,
    port: int,
    workers: int = 1,
    secure: tuple[int, tuple[str, ...]] | None = None,
    show_link: Callable[[str], None] | None = None,
    show_plain: Callable[[str], None] | None = None,
    show_entrance: Callable[[Entrance], None] | None = None,
) -> None:
    """Serve a shop over HTTP until Ctrl-C or SIGTERM, migrations first.

    Prints and flushes one line, `listening on http://HOST:PORT`, when it answers. `secure` makes
    that HTTPS by the shop's own authority: the port of the plain page that leads phones through
    trusting it (0: a free one), and names of the machine it does not know by itself. `show_link`
    gets a one-time set-up link where nobody can sign in as owner yet, `show_plain` the address of
    that page, `show_entrance` where people come in.

    Raises:
        ConfigurationError: a port is taken, `workers` above 1 on SQLite, or the certificates
            cannot be made or kept.
    """
    from dianku.http.server import SecureWish
    from dianku.http.server import serve as serve_http
    from dianku.trust.reached import plain_addresses

    def entered(host: Host, entrance: Entrance) -> None:
        if show_entrance is not None:
            show_entrance(entrance)
        if show_plain is not None and host.config.https is not None:
            show_plain(plain_addresses(host.config.https, host.trust.server())[0])
        link = _sessions(host).new_setup_link() if show_link is not None else None
        if link is not None and show_link is not None:
            show_link(entrance.set_up(link))

    serve_http(
        config,
        host=address,
        port=port,
        workers=workers,
        secure=None if secure is None else SecureWish(*secure),
        entered=entered,
    )


def schema_states(host: Host) -> list[migrate.SchemaState]:
    """Where the tables of the core and of each plugin stand; the host need not be started."""
    return migrate.status(host.database, host.owners)


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


def backup(
    host: Host, file: Path, *, ctx: Context, progress: Progress | None = None
) -> archives.Manifest:
    """Write the whole shop into one new file, and into the trail that it was done.

    Raises:
        BackupRefused: says what, and what to do.
    """
    return host.backups.write(file, ctx=ctx, progress=progress)


def bytes_held(host: Host) -> int:
    """How much room the shop takes, database and attachments: a backup takes no more."""
    if host.database.dialect == "sqlite":
        size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    else:
        size = "SELECT pg_database_size(current_database())"
    with host.database.reading() as connection:
        held = int(connection.exec_driver_sql(size).scalar_one())
    files = (host.config.data_dir / ATTACHMENTS).rglob("*")
    return held + sum(path.stat().st_size for path in files if path.is_file())


def restore(host: Host, file: Path, *, progress: Progress | None = None) -> archives.Restored:
    """Make the shop of a backup again; the host, on an empty database, must not be started.

    Raises:
        DiankuError: the file is no sound backup, or something is there already.
    """
    return archives.restore(
        file,
        host.database,
        attachments=host.config.data_dir / ATTACHMENTS,
        owners=host.owners,
        progress=progress,
    )


def copy_to(host: Host, url: str) -> copies.Copied:
    """Copy the whole database into another, empty one. Raises `DiankuError`."""
    target = Database(url)
    try:
        return copies.copy(host.database, target, owners=host.owners)
    finally:
        target.close()
