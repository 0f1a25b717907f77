"""How sales were paid: what is said adds up, stays with the document, and is taken back with it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from driver import hearing
from say import Day, line

from dianku.catalog.snapshot import CatalogCache
from dianku.clock import SetClock
from dianku.ledger.commands import Posted, Reverse
from dianku.ledger.payments import shared
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.read.requests import DocumentFilter
from dianku.ledger.requests import DocumentRecord, Payment
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


def by(**amounts: Any) -> list[Payment]:
    """Payments by kind, in the order they are said."""
    return [Payment(kind=kind, amount=Decimal(x)) for kind, x in amounts.items()]  # type: ignore[arg-type]


def told(record: DocumentRecord) -> list[tuple[str, str]]:
    """What a record says of how it was paid."""
    return [(p.kind, p.amount) for p in record.payments]


@pytest.fixture
def stocked(day: Day, shop: Shop) -> Day:
    """Tea at 3.00 and milk at 2.50, ten of each."""
    shop.product("tea", price=300)
    shop.product("milk", price=250)
    day.post("receipt", line("tea", 10), line("milk", 10))
    return day


def taken_back(day: Day, number: str) -> DocumentRecord:
    """The reversal of a document."""
    outcome = day.ledger.execute(Reverse(number, "wrong"), ctx=day.owner)
    assert isinstance(outcome, Posted), outcome
    return outcome.record


def test_payments_are_kept_shown_found_and_replayed(
    stocked: Day, database: Database, cache: CatalogCache, clock: SetClock
) -> None:
    stock, owner = StockQueries(database, cache, clock), stocked.owner
    lines = [line("tea", 2), line("milk", 1)]
    sale = stocked.post("issue", *lines, payments=by(cash="3.5", wechat="5.00"), key="k")
    plain = stocked.post("issue", line("tea", 1))
    assert told(sale) == [("cash", "3.50"), ("wechat", "5.00")]
    assert told(plain) == []
    assert stock.document(sale.number, ctx=owner).payments == sale.payments
    found = stock.documents(DocumentFilter(payment=["wechat"]), ctx=owner).items
    assert [told(each) for each in found] == [told(sale)]
    assert stock.documents(DocumentFilter(payment=["card"]), ctx=owner).items == []
    again = stocked.ask("issue", *lines, payments=by(cash="3.50", wechat="5"), key="k")
    assert (again.replayed, again.record.payments) == (True, sale.payments)
    other = stocked.refused("issue", *lines, payments=by(cash="5.00", wechat="3.50"), key="k")
    assert other.code == "idempotency_conflict"


@pytest.mark.parametrize(
    ("payments", "faults"),
    [
        (by(cash="2.99"), [("/payments", "payments_mismatch")]),
        (by(cash="3.00", card="0.01"), [("/payments", "payments_mismatch")]),
        (by(cash="3.00", card="0"), [("/payments/1/amount", "not_positive")]),
        (by(cash="4.00", card="-1"), [("/payments/1/amount", "not_positive")]),
        (by(cash="3.001"), [("/payments/0/amount", "too_many_digits")]),
        (by(cash="NaN"), [("/payments/0/amount", "not_finite")]),
        (by(cash="1e999999"), [("/payments/0/amount", "too_large")]),
    ],
)
def test_payments_that_are_wrong_are_named_and_nothing_is_posted(
    stocked: Day, payments: Sequence[Payment], faults: Any
) -> None:
    refused = stocked.refused("issue", line("tea", 1), payments=payments)
    assert refused.code == "invalid"
    assert [(e.pointer, e.code) for e in refused.errors] == faults
    assert stocked.post("issue", line("tea", 1)).balances[0].on_hand == "9"


def test_payments_of_what_takes_none_are_refused(stocked: Day) -> None:
    refused = stocked.refused("receipt", line("tea", 1, amount="3"), payments=by(cash="3"))
    assert [(e.pointer, e.code) for e in refused.errors] == [("/payments", "not_for_kind")]


def test_payments_must_come_to_what_a_partial_sale_leaves(stocked: Day) -> None:
    wish = {"policy": "strict", "partial": True}
    refused = stocked.refused("issue", line("tea", 12), payments=by(cash="36"), **wish)
    assert [(e.pointer, e.params["amount"]) for e in refused.errors] == [("/payments", "30.00")]
    sale = stocked.post("issue", line("tea", 12), payments=by(cash="30"), **wish)
    assert told(sale) == [("cash", "30.00")]


def test_reversal_takes_back_what_was_not_refunded_of_each_kind(
    stocked: Day, database: Database
) -> None:
    sale = stocked.post("issue", line("tea", 4), payments=by(cash="7", wechat="5"))
    back = {"of_document": sale.number}
    wrong = stocked.refused("customer_return", line("tea", 1), payments=by(cash="2"), **back)
    assert [(e.pointer, e.params["amount"]) for e in wrong.errors] == [("/payments", "3.00")]
    refund = stocked.post("customer_return", line("tea", 1), payments=by(wechat="3"), **back)
    assert told(refund) == [("wechat", "3.00")]
    assert told(taken_back(stocked, sale.number)) == [("cash", "7.00"), ("wechat", "2.00")]
    with database.reading() as connection:
        kept = connection.execute(
            sa.text("SELECT kind, amount FROM document_payment ORDER BY document_id, part")
        ).all()
    assert [tuple(row) for row in kept] == [
        ("cash", 700),
        ("wechat", 500),
        ("wechat", 300),
        ("cash", -700),
        ("wechat", -200),
    ]
    assert stocked.ledger.verify().clean


def test_reversal_after_a_refund_of_another_kind_shares_what_is_left(stocked: Day) -> None:
    sale = stocked.post("issue", line("tea", 3), payments=by(wechat="6", card="3"))
    stocked.post("customer_return", line("tea", 1), payments=by(cash="3"), of_document=sale.number)
    assert told(taken_back(stocked, sale.number)) == [("wechat", "4.00"), ("card", "2.00")]
    silent = stocked.post("issue", line("tea", 1))
    assert told(taken_back(stocked, silent.number)) == []


def test_sale_without_payments_costs_no_statement(stocked: Day, database: Database) -> None:
    def statements(**more: Any) -> list[str]:
        heard: list[str] = []
        with hearing(database, lambda _, statement: heard.append(statement)):
            stocked.post("issue", line("tea", 1), **more)
        return [each for each in heard if "document_payment" in each]

    assert statements() == []
    assert len(statements(payments=by(cash="3"))) == 1


def test_verify_names_payments_that_do_not_come_to_their_document(
    stocked: Day, database: Database
) -> None:
    sale = stocked.post("issue", line("tea", 2), payments=by(cash="4", card="2"))
    with database.writing() as connection:
        connection.execute(sa.text("UPDATE document_payment SET amount = 250 WHERE part = 2"))
        connection.execute(
            sa.text(
                "INSERT INTO document_payment (document_id, part, kind, amount) "
                "VALUES (9999, 1, 'cash', 5)"
            )
        )
    named = [
        (d.table, d.figure, d.expected, d.found, d.store, d.detail)
        for d in stocked.ledger.verify().differences
    ]
    assert named == [
        ("document_payment", "amount", 600, 650, "S1", sale.number),
        ("document_payment", "amount", 0, 5, None, "id 9999"),
    ]


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (10, [1, 1, 1], [4, 3, 3]),
        (7, [500, 300, 0], [4, 3, 0]),
        (0, [5, 5], [0, 0]),
        (1, [1, 999], [0, 1]),
    ],
)
def test_shares_are_exact_and_the_largest_rest_gets_the_rest(
    total: int, weights: list[int], shares: list[int]
) -> None:
    assert shared(total, weights) == shares
