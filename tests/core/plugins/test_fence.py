"""A plugin's connection writes its own tables and nothing else, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dianku.errors import DiankuError
from dianku.settings.store import Settings
from dianku.storage.engine import Database
from dianku.storage.fence import FenceBroken, FencedDatabase
from dianku.testing.digest import database_digest


@pytest.fixture
def fenced(database: Database) -> FencedDatabase:
    with database.writing() as c:
        c.exec_driver_sql("CREATE TABLE alerts_alert (id bigint PRIMARY KEY, sku text)")
        c.exec_driver_sql(
            "INSERT INTO setting_secret (section, key, value) VALUES ('alerts', 'key', '\"s\"')"
        )
        c.exec_driver_sql("INSERT INTO counter (name, value) VALUES ('event', 1)")
    return FencedDatabase(database, plugin="alerts")


def test_fence_lets_a_plugin_write_and_read_its_own_tables(fenced: FencedDatabase) -> None:
    with fenced.writing() as c:
        c.execute(sa.text("INSERT INTO alerts_alert (id, sku) VALUES (1, 'A'), (2, 'B')"))
        c.execute(sa.text("UPDATE alerts_alert SET sku = 'C' WHERE id = 2"))
        c.execute(sa.text("DELETE FROM alerts_alert WHERE id = 1"))

    with fenced.reading() as c:
        assert c.execute(sa.text("SELECT id, sku FROM alerts_alert")).all() == [(2, "C")]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO counter (name, value) VALUES ('x', 1)",
        "UPDATE counter SET value = 9",
        "DELETE FROM counter",
        "DELETE FROM alertsother",
        "DROP TABLE kept_answer",
        "CREATE TABLE alerts_more (id bigint)",
        "ALTER TABLE product ADD COLUMN mine text",
        "SELECT * FROM setting_secret",
        "INSERT INTO alerts_alert (id, sku) SELECT 7, value FROM setting_secret",
    ],
)
def test_fence_refuses_anything_else_and_keeps_nothing(
    database: Database, fenced: FencedDatabase, statement: str
) -> None:
    with database.writing() as c:
        c.exec_driver_sql("CREATE TABLE alertsother (id bigint)")
        c.exec_driver_sql("INSERT INTO alertsother VALUES (1)")
    before = database_digest(database)

    with pytest.raises(FenceBroken) as caught, fenced.writing() as c:
        c.execute(sa.text("INSERT INTO alerts_alert (id, sku) VALUES (5, 'E')"))
        c.execute(sa.text(statement))

    assert isinstance(caught.value, DiankuError)
    assert "'alerts'" in str(caught.value)
    assert database_digest(database) == before


def test_fence_refuses_reading_secrets_also_in_a_reading_transaction(
    fenced: FencedDatabase,
) -> None:
    with pytest.raises(FenceBroken), fenced.reading() as c:
        c.execute(sa.text("SELECT count(value) FROM setting_secret")).all()


def test_fence_refuses_writing_in_a_reading_transaction(
    database: Database, fenced: FencedDatabase
) -> None:
    before = database_digest(database)

    with pytest.raises((sa.exc.DBAPIError, FenceBroken)), fenced.reading() as c:
        c.execute(sa.text("INSERT INTO alerts_alert (id, sku) VALUES (5, 'E')"))

    assert database_digest(database) == before


def test_fence_of_one_plugin_leaves_the_kernels_connections_alone(
    database: Database, fenced: FencedDatabase
) -> None:
    with fenced.writing() as c:
        c.execute(sa.text("INSERT INTO alerts_alert (id, sku) VALUES (1, 'A')"))

    with database.reading() as c:
        assert Settings(database).view(c).version == 0
