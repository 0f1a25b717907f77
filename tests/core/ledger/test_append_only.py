"""Nothing that was posted is ever changed: the database itself refuses it for a day (I2)."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa
from say import Day, line

from dianku.clock import SetClock
from dianku.context import Context
from dianku.ledger.commands import CommitReservation, Posted, Reserve, Reserved, Reverse
from dianku.ledger.requests import NewReservation, NewReservationLine
from dianku.ledger.service import Ledger
from dianku.storage.engine import Database
from dianku.testing.shop import Shop

APPENDED = ("document", "document_line", "document_payment", "stock_move")


@pytest.fixture
def sealed(database: Database) -> None:
    """Rows of the append-only tables cannot be changed or deleted by anybody."""
    with database.writing() as connection:
        if database.dialect == "postgresql":
            connection.exec_driver_sql(
                "CREATE FUNCTION seal() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN RAISE EXCEPTION ''append-only''; END'"
            )
        for table in APPENDED:
            for change in ("UPDATE", "DELETE"):
                connection.exec_driver_sql(
                    f"CREATE TRIGGER seal_{table}_{change} BEFORE {change} ON {table} "
                    + (
                        "FOR EACH ROW EXECUTE FUNCTION seal()"
                        if database.dialect == "postgresql"
                        else "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
                    )
                )


@pytest.mark.usefixtures("sealed")
def test_day_with_every_correction_changes_no_row_that_was_written(
    shop: Shop, ledger: Ledger, owner: Context, clock: SetClock, database: Database
) -> None:
    shop.store("S1")
    shop.store("S2")
    shop.product("tea")
    day = Day(ledger, owner, clock)
    day.set("09:00")
    day.post("receipt", line("tea", 20, unit_cost="1.00"))
    sale = day.post("issue", line("tea", 5))
    day.post("customer_return", line("tea", 2, of_line=1), of_document=sale.number)
    day.post("transfer", line("tea", 1), to_store="S2")
    hold = NewReservation(
        store="S1", lines=[NewReservationLine(sku="tea", quantity=Decimal(3))], expires_in=60
    )
    held = ledger.execute(Reserve(hold), ctx=owner)
    assert isinstance(held, Reserved)
    assert isinstance(ledger.execute(CommitReservation(held.record.id), ctx=owner), Posted)
    day.set("10:30")
    count = day.post("adjustment", line("tea", counted="12"), occurred_at="10:00")
    day.post("issue", line("tea", 1), occurred_at="09:30")
    for number in (sale.number, count.number):
        assert isinstance(ledger.execute(Reverse(number, "typed wrongly"), ctx=owner), Posted)
    ledger.rebuild()

    assert ledger.verify().clean
    with database.writing() as connection, pytest.raises(sa.exc.DBAPIError, match="append-only"):
        connection.exec_driver_sql("UPDATE stock_move SET quantity = 0")
