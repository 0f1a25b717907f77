"""The pytest plugin: fixtures by name, databases of both kinds, and what a run must have.

A test that asks for `database` (or for anything built on it) runs on SQLite and on PostgreSQL,
unless it carries `sqlite_only` or `postgres_only`. Every test has a database of its own, copied
from a template with the whole schema. Dianku is imported inside the fixtures, so that loading
this plugin costs a foreign test run nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dianku.testing.required import absent, required

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from dianku.catalog.snapshot import CatalogCache
    from dianku.clock import SetClock
    from dianku.config import HostConfig
    from dianku.context import Context
    from dianku.host import Host
    from dianku.ledger.service import Ledger
    from dianku.storage.engine import Database
    from dianku.testing.postgres import PostgresServer
    from dianku.testing.runs import Run
    from dianku.testing.shop import Shop

_MARKERS = (
    "sqlite_only: the database is SQLite alone",
    "postgres_only: the database is PostgreSQL alone",
)
# Its assertions then say what they compared, as those of a test module do.
pytest.register_assert_rewrite("dianku.testing.conformance")

_run_key: pytest.StashKey[Run] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Announce the markers; the controller of a run makes the folder its workers share."""
    for line in _MARKERS:
        config.addinivalue_line("markers", line)
    required()
    if not hasattr(config, "workerinput"):
        from dianku.testing.runs import Run

        config.stash[_run_key] = Run()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the run started."""
    run = config.stash.get(_run_key, None)
    if run is not None:
        run.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that uses `database` the kinds it is for."""
    if "database" not in metafunc.fixturenames:
        return
    only = {
        kind
        for kind, marker in (("sqlite", "sqlite_only"), ("postgresql", "postgres_only"))
        if metafunc.definition.get_closest_marker(marker)
    }
    metafunc.parametrize("database", sorted(only) or ["sqlite", "postgresql"], indirect=True)


def _make_schema(url: str) -> None:
    from dianku.storage.engine import Database
    from dianku.storage.migrate import upgrade

    database = Database(url)
    upgrade(database)
    database.close()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.sqlite3"
    _make_schema(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> PostgresServer:
    """The run's PostgreSQL server; absent, the test is skipped, or fails where it is required."""
    from dianku.testing.postgres import PostgresAbsent, server_of_run
    from dianku.testing.runs import folder_of_run

    try:
        return server_of_run(folder_of_run(), make_schema=_make_schema)
    except PostgresAbsent as error:
        absent("postgres", str(error))


@pytest.fixture
def sqlite_url(tmp_path: Path, _sqlite_template: Path) -> str:
    """The address of a new SQLite database with the schema."""
    path = tmp_path / "dianku.sqlite3"
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def data_folder(tmp_path: Path, _sqlite_template: Path) -> Path:
    """The data folder of a shop whose database has the schema, and nothing in it."""
    from dianku.config import DATABASE_FILE, HostConfig

    folder = tmp_path / "shop"
    HostConfig(data_dir=folder).make_folder()
    shutil.copyfile(_sqlite_template, folder / DATABASE_FILE)
    return folder


@pytest.fixture(scope="session")
def _emptied_postgres() -> list[tuple[str, str]]:
    """(name, shape) of databases with the schema and without a row, left by tests before."""
    return []


@pytest.fixture
def postgres_url(
    postgres_server: PostgresServer, _emptied_postgres: list[tuple[str, str]]
) -> Iterator[str]:
    """The address of a PostgreSQL database with the schema, and nothing in it."""
    from dianku.testing.postgres import copy_of_template

    if _emptied_postgres:
        name, shape = _emptied_postgres.pop()
    else:
        name = copy_of_template(postgres_server)
        shape = postgres_server.shape(name)
    yield postgres_server.url(name)
    if postgres_server.empty(name, shape=shape):
        _emptied_postgres.append((name, shape))
    else:
        postgres_server.drop(name)


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """A new SQLite database with the schema."""
    yield from _opened(sqlite_url)


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[Database]:
    """A new PostgreSQL database with the schema."""
    yield from _opened(postgres_url)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Database:
    """A new database with the schema: SQLite and PostgreSQL in turn."""
    kind = getattr(request, "param", "sqlite")
    name = "postgres_database" if kind == "postgresql" else "sqlite_database"
    found: Database = request.getfixturevalue(name)
    return found


@pytest.fixture
def empty_database_url(
    database: Database, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The address of a database without any table, of the same kind as `database`."""
    if database.dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.create()
    yield server.url(name)
    server.drop(name)


def _opened(url: str) -> Iterator[Database]:
    from dianku.storage.engine import Database

    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands at 10:00 on Monday 2 March 2026 in China."""
    from datetime import UTC, datetime

    from dianku.clock import SetClock, to_ms

    return SetClock(to_ms(datetime(2026, 3, 2, 2, 0, tzinfo=UTC)))


@pytest.fixture
def host_config(database: Database, clock: SetClock, tmp_path: Path) -> HostConfig:
    """What `host` is built from: the kernel alone, strict, on `database`; override to change it."""
    from dianku.config import HostConfig

    return HostConfig(
        data_dir=tmp_path,
        database_url=database.url.render_as_string(hide_password=False),
        clock=clock,
        strict=True,
        plugins=False,
    )


@pytest.fixture
def host(host_config: HostConfig) -> Iterator[Host]:
    """A started shop that posts, on `database`; notifying and jobs stay still."""
    from dianku.host import Host

    shop = Host.build(host_config)
    try:
        shop.start(background=False)
        yield shop
    finally:
        shop.close()


@pytest.fixture
def client(host: Host, owner: Context) -> Iterator[TestClient]:
    """An HTTP client of `host` that carries an owner's token."""
    from starlette.testclient import TestClient

    from dianku.access.records import NewToken
    from dianku.http.app import build_app

    issued = host.access.create_token(NewToken(name="test", role="owner"), ctx=owner)
    headers = {"Authorization": f"Bearer {issued.token}", "Accept-Language": "en"}
    with TestClient(build_app(host), headers=headers) as found:
        yield found


@pytest.fixture
def shop(database: Database) -> Shop:
    """Stores and products in one line each, in `database`."""
    from dianku.testing.shop import Shop

    return Shop(database)


@pytest.fixture
def database_digest() -> Callable[..., str]:
    """A function of a database: the digest of all its rows, to show that nothing changed."""
    from dianku.testing import digest

    return digest.database_digest


@pytest.fixture(scope="session")
def shared_data(pytestconfig: pytest.Config) -> Path:
    """The folder of shared material: `DIANKU_SHARED`, or `../shared` beside the repository."""
    given: Any = os.environ.get("DIANKU_SHARED")
    folder = Path(given) if given else pytestconfig.rootpath.parent / "shared"
    if not (folder / "data").is_dir():
        absent("shared", f"{folder} has no data; set DIANKU_SHARED to the folder of shared data")
    return folder


@pytest.fixture
def owner() -> Context:
    """A caller who may do everything, in every store."""
    from dianku.access.permissions import KERNEL, OWNER
    from dianku.context import Actor, Context

    return Context(Actor(name="owner", role=OWNER, permissions=KERNEL[OWNER]), language="en")


@pytest.fixture
def cache() -> CatalogCache:
    """The catalog as the test's process knows it, empty at first."""
    from dianku.catalog.snapshot import CatalogCache

    return CatalogCache()


@pytest.fixture
def ledger(database: Database, cache: CatalogCache, clock: SetClock) -> Iterator[Ledger]:
    """The ledger on `database`, its poster running."""
    from dianku.ledger.service import Ledger

    ledger = Ledger(database, cache, clock)
    ledger.start()
    yield ledger
    ledger.close()
