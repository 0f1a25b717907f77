"""A test's PostgreSQL database is given to the next one only if it can be made as new."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dianku.storage.engine import Database
from dianku.testing.postgres import PostgresServer

ROWS = "INSERT INTO counter (name, value) SELECT 'c' || n, n FROM generate_series(1, {rows}) AS n"
LOT = "INSERT INTO lot (product_id, code, expires_on) VALUES (1, 'A', 0) RETURNING id"


@pytest.fixture
def name(postgres_url: str) -> str:
    return str(sa.make_url(postgres_url).database)


@pytest.mark.parametrize("rows", [1, 20_000])
def test_database_that_was_left_is_emptied_and_counts_from_one(
    postgres_server: PostgresServer, postgres_database: Database, name: str, rows: int
) -> None:
    shape = postgres_server.shape(name)
    with postgres_database.writing() as connection:
        connection.exec_driver_sql("SET session_replication_role = replica")
        connection.exec_driver_sql(ROWS.format(rows=rows))
        first = connection.exec_driver_sql(LOT).scalar_one()
    postgres_database.close()

    assert postgres_server.empty(name, shape=shape)

    with postgres_database.writing() as connection:
        connection.exec_driver_sql("SET session_replication_role = replica")
        assert connection.exec_driver_sql("SELECT count(*) FROM counter").scalar() == 0
        assert connection.exec_driver_sql(LOT).scalar_one() == first
        connection.rollback()


def test_database_somebody_holds_or_has_altered_is_not_given_on(
    postgres_server: PostgresServer, postgres_database: Database, name: str
) -> None:
    shape = postgres_server.shape(name)
    with postgres_database.writing() as connection:
        connection.exec_driver_sql(ROWS.format(rows=3))
    with postgres_database.reading() as connection:
        connection.exec_driver_sql("SELECT 1")
        assert not postgres_server.empty(name, shape=shape)
    with postgres_database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE counter ADD COLUMN odd INTEGER")
    postgres_database.close()

    assert not postgres_server.empty(name, shape=shape)
    with postgres_database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM counter").scalar() == 3
