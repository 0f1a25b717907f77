"""Returns that name goods but no line of their sale: which lines they are of, to the cent."""

from __future__ import annotations

import pytest
from busy_day import do
from say import Day, balance_of, line

from dianku.ledger.commands import Reverse
from dianku.ledger.requests import DocumentRecord
from dianku.testing.shop import Shop


@pytest.fixture
def sold(day: Day, shop: Shop) -> DocumentRecord:
    """Two and two of tea on one sale, at two costs and two prices, with a cup between."""
    shop.product("tea", price=900)
    shop.product("cup", price=300)
    day.post("receipt", line("tea", 4, amount="10.01"), line("cup", 1, amount="1.00"))
    sale = day.post(
        "issue",
        line("tea", 2, amount="10.01"),
        line("cup", 1, amount="3.00"),
        line("tea", 2, amount="5.55"),
    )
    assert [x.cost for x in sale.lines] == ["5.005", "1.00", "5.005"]
    return sale


def told(record: DocumentRecord) -> list[tuple[int, int | None, str, str | None, str | None]]:
    """Each line: its number, the sale's line, how many, the refund, the cost."""
    return [(x.line, x.of_line, x.quantity or "", x.amount, x.cost) for x in record.lines]


def test_return_by_code_of_more_than_one_line_sold_is_spread_over_the_lines_in_order(
    day: Day, sold: DocumentRecord
) -> None:
    back = day.post("customer_return", line("tea", 3), line("cup", 1), of_document=sold.number)
    assert told(back) == [
        (1, 1, "2", "10.01", "5.005"),
        (2, 3, "1", "2.78", "2.5025"),
        (3, 2, "1", "3.00", "1.00"),
    ]
    assert balance_of(back, "tea").on_hand == "3"
    rest = day.post("customer_return", line("tea", 1), of_document=sold.number)
    assert told(rest) == [(1, 3, "1", "2.77", "2.5025")]
    over = day.refused("customer_return", line("tea", 1), of_document=sold.number)
    assert over.code == "over_returned"
    assert over.extra["lines"] == [
        {"line": 1, "sku": "tea", "requested": "1", "returnable": "0", "kept": "0"}
    ]
    assert day.ledger.verify().clean


def test_return_by_code_of_what_one_line_still_has_is_of_that_line(
    day: Day, sold: DocumentRecord
) -> None:
    day.post("customer_return", line("tea", 1, of_line=1), of_document=sold.number)
    back = day.post("customer_return", line("tea", 2), of_document=sold.number)
    assert [(x.of_line, x.amount) for x in back.lines] == [(3, "5.55")]


def test_return_by_code_of_more_than_is_left_of_all_lines_is_told_what_is(
    day: Day, sold: DocumentRecord
) -> None:
    day.post("customer_return", line("tea", 1), of_document=sold.number)
    asked = line("tea", 2), line("tea", 2)
    over = day.refused("customer_return", *asked, of_document=sold.number)
    assert over.extra["lines"] == [
        {"line": 1, "sku": "tea", "requested": "2", "returnable": "1", "kept": "0"}
    ]
    named = day.refused("customer_return", line("tea", 3, of_line=3), of_document=sold.number)
    assert named.extra["lines"][0]["returnable"] == "2"


def test_refund_of_a_return_by_code_is_bound_by_what_was_paid_on_its_lines_together(
    day: Day, sold: DocumentRecord
) -> None:
    asked = line("tea", 3, amount="12.80")
    over = day.refused("customer_return", asked, of_document=sold.number)
    assert over.code == "over_refunded"
    assert {x["line"] for x in over.extra["lines"]} <= {1, 3}
    less = line("tea", 3, amount="12.78")
    back = day.post("customer_return", less, of_document=sold.number)
    assert [(x.of_line, x.amount) for x in back.lines] == [(1, "10.00"), (3, "2.78")]


def test_reversal_of_a_return_by_code_and_of_its_sale_follow_the_lines(
    day: Day, sold: DocumentRecord
) -> None:
    back = day.post("customer_return", line("tea", 3), of_document=sold.number)
    undone = do(day, Reverse(back.number, "typed wrongly"))
    assert [(x.quantity, x.amount) for x in undone.lines] == [("2", "10.01"), ("1", "2.78")]
    assert balance_of(undone, "tea").on_hand == "0"
    again = day.post("customer_return", line("tea", 3), of_document=sold.number)
    assert [(x.of_line, x.amount) for x in again.lines] == [(1, "10.01"), (3, "2.78")]
    rest = do(day, Reverse(sold.number, "typed wrongly"))
    assert [(x.of_line, x.quantity, x.amount, x.cost) for x in rest.lines] == [
        (2, "1", "3.00", "1.00"),
        (3, "1", "2.77", "2.5025"),
    ]
    tea = balance_of(rest, "tea")
    assert (tea.on_hand, tea.value) == ("4", "10.01")
    assert day.ledger.verify().clean
