"""Shops of earlier releases as they lay on the disk, brought in without today's code.

A release is a folder of `tests/releases`: the SQLite file and a dump of the same shop on
PostgreSQL, both compressed, and `release.toml`, which says what they hold and what the shop must
still answer.
A frozen release is sealed: `SEALS` has the hash of everything in its folder.
"""

from __future__ import annotations

import hashlib
import lzma
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from dianku.storage.copy import DatabaseSource, RowsDigest
from dianku.storage.engine import Database
from dianku.storage.shape import TableShape, read_shape, table_names

RELEASES = Path(__file__).parents[1] / "releases"
SEALS = RELEASES / "SEALS"
FILES = {"sqlite": "shop.sqlite3.xz", "postgresql": "shop.sql.xz"}


@dataclass(frozen=True)
class Release:
    """One release's folder."""

    folder: Path

    @property
    def version(self) -> str:
        """The version of which its shop is."""
        return self.folder.name

    @cached_property
    def said(self) -> Mapping[str, Any]:
        """What its `release.toml` says."""
        return tomllib.loads((self.folder / "release.toml").read_text(encoding="utf-8"))

    @property
    def frozen(self) -> bool:
        """Whether the version is out, so that its files stay as they are for ever."""
        return bool(self.said["frozen"])

    @property
    def seal(self) -> str:
        """The hash of everything in the folder."""
        whole = hashlib.sha256()
        for name in (*FILES.values(), "release.toml"):
            whole.update(hashlib.sha256((self.folder / name).read_bytes()).digest())
        return whole.hexdigest()

    def hashes(self) -> dict[str, str]:
        """The hash of each file of a database, by its name."""
        return {
            name: hashlib.sha256((self.folder / name).read_bytes()).hexdigest()
            for name in FILES.values()
        }

    def bring_in(self, url: str) -> None:
        """Put its shop where there is no database file yet, or into an empty database."""
        where = sa.make_url(url)
        if where.get_backend_name() == "sqlite":
            packed = self.folder / FILES["sqlite"]
            Path(where.database or "").write_bytes(lzma.decompress(packed.read_bytes()))
            return
        text = lzma.decompress((self.folder / FILES["postgresql"]).read_bytes()).decode()
        with psycopg.connect(url, client_encoding="UTF8") as connection:
            _run_dump(connection, text)


def releases() -> list[Release]:
    """Every release that is kept, the oldest first."""
    found = [Release(path.parent) for path in RELEASES.glob("*/release.toml")]
    return sorted(found, key=lambda one: [int(part) for part in one.version.split(".")])


def seals() -> dict[str, str]:
    """The seals of the frozen releases, by version."""
    lines = SEALS.read_text().split("\n") if SEALS.exists() else []
    return dict(line.split() for line in lines if line)


def _run_dump(connection: psycopg.Connection[Any], text: str) -> None:
    """Run a plain dump: statements that end with their line, and rows up to a line of their end."""
    lines = iter(text.split("\n"))
    statement: list[str] = []
    with connection.cursor() as cursor:
        for line in lines:
            statement.append(line)
            if not line.endswith(";"):
                continue
            sql = "\n".join(statement).encode()
            statement.clear()
            if not line.endswith(" FROM stdin;"):
                cursor.execute(sql)
                continue
            with cursor.copy(sql) as copy:
                for row in iter(lines.__next__, "\\."):
                    copy.write(f"{row}\n".encode())


def rows_of(database: Database, like: Sequence[TableShape] | None = None) -> dict[str, str]:
    """Count and digest of the rows of every table, or of the tables and columns of `like`."""
    with database.reading() as connection:
        source = DatabaseSource(connection)
        shapes = like if like is not None else source.shapes()
        return {shape.name: _digest(source.rows(shape)) for shape in shapes}


def shapes_of(database: Database) -> list[TableShape]:
    """The tables there are, with their columns."""
    with database.reading() as connection:
        return [read_shape(connection, name) for name in table_names(connection)]


def counts_of(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    with database.reading() as connection:
        return {
            name: int(connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one())
            for name in table_names(connection)
        }


def _digest(rows: Iterator[tuple[Any, ...]]) -> str:
    digest = RowsDigest()
    for _ in digest.passing(rows):
        pass
    return f"{digest.count} rows {digest.hexdigest}"
