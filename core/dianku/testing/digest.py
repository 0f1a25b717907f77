"""A fingerprint of everything in a database: the check behind "nothing changed"."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import sqlalchemy as sa

from dianku.storage.engine import Database


def table_digests(database: Database, *, ignore: Collection[str] = ()) -> dict[str, str]:
    """A digest of the rows of each table, whatever their order; `ignore` names tables to skip.

    Compare two of these where a difference should name its table.
    """
    with database.reading() as connection:
        names = sorted(set(sa.inspect(connection).get_table_names()) - set(ignore))
        return {name: _digest(connection, name) for name in names}


def database_digest(database: Database, *, ignore: Collection[str] = ()) -> str:
    """One digest of the rows of all tables: equal before and after means nothing was written."""
    digests = table_digests(database, ignore=ignore)
    return hashlib.sha256(repr(sorted(digests.items())).encode()).hexdigest()


def _digest(connection: sa.Connection, name: str) -> str:
    table = sa.Table(name, sa.MetaData(), autoload_with=connection)
    rows = connection.execute(sa.select(table)).all()
    whole = hashlib.sha256()
    for line in sorted(repr(tuple(row)) for row in rows):
        whole.update(line.encode())
    return whole.hexdigest()
