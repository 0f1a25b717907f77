"""The test kit itself: a database of its own for each test, and digests that notice a change."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from dianku.clock import SetClock, format_ms
from dianku.storage import events
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


@pytest.mark.parametrize("round_", [1, 2])
def test_database_of_each_test_starts_empty(database: Database, round_: int) -> None:
    with database.writing() as connection:
        assert events.current(connection, "round") == 0, f"round {round_} saw the one before"
        events.bump(connection, "round")


def test_digest_of_a_changed_row_differs_and_of_a_rolled_back_one_does_not(
    database: Database, database_digest: Callable[[Database], str]
) -> None:
    before = database_digest(database)
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        events.bump(connection, "x")
        raise ZeroDivisionError
    assert database_digest(database) == before
    with database.writing() as connection:
        events.bump(connection, "x")
    assert database_digest(database) != before


@pytest.mark.sqlite_only
def test_database_marked_sqlite_only_is_sqlite(database: Database) -> None:
    assert database.dialect == "sqlite"


@pytest.mark.postgres_only
def test_database_marked_postgres_only_is_postgresql(database: Database) -> None:
    assert database.dialect == "postgresql"


def test_clock_stands_at_the_kits_moment(clock: SetClock) -> None:
    assert format_ms(clock.now_ms()) == "2026-03-02T02:00:00.000Z"


def test_shop_rows_carry_the_catalog_version(shop: Shop, database: Database) -> None:
    with database.reading() as connection:
        before = events.current(connection, "catalog")
    shop.product("CANDLE")
    shop.product("BOX", composition="kit", components={"CANDLE": 2}, barcodes=["6901234567892"])
    with database.reading() as connection:
        versions = connection.execute(sa.text("SELECT version FROM product ORDER BY id")).all()
        assert [row[0] for row in versions] == [before + 1, before + 2]
        assert events.current(connection, "catalog") == before + 2
