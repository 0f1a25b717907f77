"""Bring a database to the schema that the installed code needs, one owner after the other.

The kernel and each plugin own a line of revisions and a version table of their own
(`alembic_version_<owner>`), so a plugin can leave without its position, or anyone else's, being
lost. Each owner is brought up in one transaction under one lock: servers that start together do
the work once, and a revision that fails leaves nothing half done. There is no way down; going
back is restoring a backup.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.errors import WordedError
from dianku.storage.engine import BUSY_TIMEOUT_MS, LOCK_MIGRATE, Database
from dianku.storage.strays import untouched

_PATIENCE_MS = 600_000
_one_at_a_time = threading.Lock()
"""Alembic's `op` is a global of the process."""


@frozen
class Owner:
    """Whose tables these are: `core` or a plugin's name, and the folder of its revisions."""

    name: str
    folder: Path

    @property
    def version_table(self) -> str:
        """Where its position is kept."""
        return f"alembic_version_{self.name}"

    def owns(self, table: str) -> bool:
        """Whether a table bears this owner's name; that of the kernel's bears no plugin's."""
        # Alembic rebuilds a table of SQLite under this name.
        bare = table.removeprefix("_alembic_tmp_")
        return bare.startswith(f"{self.name}_") or bare == self.version_table


CORE = Owner("core", Path(__file__).parent / "revisions")
"""The kernel's own line; it goes before every plugin's."""


@frozen
class SchemaState:
    """Where an owner's tables stand: at `current`, while the code needs `head`.

    `current` None: nothing was made yet. `known` False: the database was made by code newer
    than this.
    """

    owner: str
    current: str | None
    head: str | None
    known: bool = True

    @property
    def is_current(self) -> bool:
        """Whether there is nothing to do."""
        return self.current == self.head


class MigrationFailed(WordedError):
    """An owner's tables could not be brought up; nothing of that owner was changed."""

    def __init__(self, code: str, *, owner: str, **params: Any) -> None:
        super().__init__(code, owner=owner, **params)
        self.owner = owner


def status(database: Database, owners: Iterable[Owner] = (CORE,)) -> list[SchemaState]:
    """Where each owner's tables stand."""
    with database.reading() as connection:
        return [_state(connection, owner) for owner in owners]


def pending(database: Database, owners: Iterable[Owner] = (CORE,)) -> list[SchemaState]:
    """The owners whose tables are not what the installed code needs."""
    return [state for state in status(database, owners) if not state.is_current]


def positions(connection: Connection) -> dict[str, str]:
    """The revision of every owner whose tables the database has, installed here or not."""
    prefix = Owner("", CORE.folder).version_table
    names = sa.inspect(connection).get_table_names()
    return {
        name.removeprefix(prefix): str(
            connection.exec_driver_sql(f'SELECT version_num FROM "{name}"').scalar()
        )
        for name in sorted(names)
        if name.startswith(prefix)
    }


def upgrade(
    database: Database, owners: Iterable[Owner] = (CORE,), *, to: str | None = None
) -> list[SchemaState]:
    """Bring the owners up, in the order given, to the newest revision or to revision `to`.

    Returns the states before, of the owners that had something to do. Safe to call from any
    number of processes at once.

    Raises:
        MigrationFailed: A revision failed, or the database is newer than the code. Owners
            before the failing one stay as they were brought up.
    """
    behind = []
    for owner in owners:
        with database.reading() as connection:
            before = _state(connection, owner)
        if before.current == (to or before.head):
            continue
        _refuse_newer(before)
        if _bring_up(database, owner, to or "head"):
            behind.append(before)
    return behind


def refuse_newer(owners: Iterable[Owner], positions: Mapping[str, str]) -> None:
    """Refuse tables that stand at a revision the installed code does not know.

    Raises:
        MigrationFailed: They do; nothing was looked at but the code.
    """
    for owner in owners:
        script, current = _script(owner), positions.get(owner.name)
        if current is not None and not _knows(script, current):
            raise MigrationFailed("revision_unknown", owner=owner.name, revision=current)


def _refuse_newer(state: SchemaState) -> None:
    if not state.known:
        raise MigrationFailed("revision_unknown", owner=state.owner, revision=state.current)


def _script(owner: Owner) -> ScriptDirectory:
    return ScriptDirectory(owner.folder, version_locations=[owner.folder])


def _state(connection: Connection, owner: Owner) -> SchemaState:
    context = MigrationContext.configure(connection, opts={"version_table": owner.version_table})
    script = _script(owner)
    current = context.get_current_revision()
    return SchemaState(
        owner.name,
        current,
        script.get_current_head(),
        known=current is None or _knows(script, current),
    )


def _knows(script: ScriptDirectory, revision: str) -> bool:
    try:
        return script.get_revision(revision) is not None
    except CommandError:
        return False


def _bring_up(database: Database, owner: Owner, target: str) -> bool:
    """Run what is missing; False if another process did it while this one waited."""
    script = _script(owner)

    def steps(revision: Any, _context: MigrationContext) -> Sequence[Any]:
        # What alembic's own `upgrade` command uses; private, so alembic is bounded below 1.21.
        done: Sequence[Any] = script._upgrade_revs(target, revision)  # noqa: SLF001
        return done

    with _one_at_a_time, _exclusive(database) as connection:
        before = _state(connection, owner)
        _refuse_newer(before)
        with EnvironmentContext(Config(), script, fn=steps) as environment:
            environment.configure(
                connection=connection,
                version_table=owner.version_table,
                transactional_ddl=True,
                render_as_batch=True,
            )
            try:
                with _within_its_own(database, connection, owner):
                    environment.run_migrations()
            except MigrationFailed:
                raise
            except Exception as error:
                raise MigrationFailed(
                    "revision_broke", owner=owner.name, reason=f"{type(error).__name__}: {error}"
                ) from error
        _refuse_broken_references(database, connection, owner)
        return _state(connection, owner).current != before.current


@contextmanager
def _within_its_own(database: Database, connection: Connection, owner: Owner) -> Iterator[None]:
    """Let the revisions of a plugin touch tables of its own name and no others."""
    if owner.name == CORE.name:
        yield
        return
    with untouched(database, connection, own=owner.owns) as touched:
        yield
    if touched:
        raise MigrationFailed("revision_strays", owner=owner.name, tables=", ".join(touched))


@contextmanager
def _exclusive(database: Database) -> Iterator[Connection]:
    """A write transaction that waits for whoever migrates now, however long that takes."""
    with database.engine.connect() as connection:
        if database.dialect == "sqlite":
            # Both settings do nothing inside a transaction, so before it. Rebuilding a table in
            # a batch drops the old one, which with foreign keys on would delete what refers to it.
            _pragmas(connection, f"busy_timeout={_PATIENCE_MS}", "foreign_keys=OFF")
        try:
            with connection.begin():
                database.lock(connection, LOCK_MIGRATE)
                yield connection
        finally:
            if database.dialect == "sqlite":
                _pragmas(connection, f"busy_timeout={BUSY_TIMEOUT_MS}", "foreign_keys=ON")


def _pragmas(connection: Connection, *pragmas: str) -> None:
    cursor = connection.connection.cursor()
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _refuse_broken_references(database: Database, connection: Connection, owner: Owner) -> None:
    if database.dialect == "postgresql":
        return
    if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all():
        raise MigrationFailed("references_broken", owner=owner.name, rows=str(broken[:3]))
