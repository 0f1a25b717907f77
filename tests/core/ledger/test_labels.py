"""Labels of the shop's own scales, sold as they are scanned."""

from __future__ import annotations

import sqlalchemy as sa
from say import Day, balance_of, line

from dianku.storage.engine import Database
from dianku.testing.shop import Shop


def _labels(database: Database) -> None:
    """Have the scale of S1 print flag 21, item and amount."""
    with database.writing() as connection:
        template = '[{"prefix": "21", "template": "FFWWWWWEEEEEC"}]'
        connection.execute(
            sa.text("UPDATE store SET scale_templates = :t WHERE code = 'S1'"), {"t": template}
        )
        connection.execute(sa.text("UPDATE counter SET value = value + 1 WHERE name = 'catalog'"))


def test_weighed_label_takes_its_weight_and_its_amount(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("apple", precision=3, price=2980, barcodes=["12345"])
    _labels(database)
    day.post("receipt", line("apple", "10"))
    sale = day.post("issue", line(barcode="2112345012353"))
    assert sale.lines[0].quantity == "0.414"
    assert sale.lines[0].amount == "12.35"
    assert balance_of(sale, "apple").on_hand == "9.586"
    twice = day.post("issue", line(barcode="2112345012353", quantity=2))
    assert (twice.lines[0].quantity, twice.lines[0].amount) == ("0.828", "24.70")
    for quantity, code in (("0.414", "too_many_digits"), ("0", "not_positive")):
        wrong = day.refused("issue", line(barcode="2112345012353", quantity=quantity))
        assert [e.code for e in wrong.errors] == [code]


def test_label_of_goods_without_a_price_takes_the_weight_that_is_told(
    day: Day, shop: Shop, database: Database
) -> None:
    shop.product("apple", precision=3, barcodes=["12345"])
    _labels(database)
    day.post("receipt", line("apple", "10"))
    sale = day.post("issue", line(barcode="2112345012353", quantity="2.5"))
    assert (sale.lines[0].quantity, sale.lines[0].amount) == ("2.500", "12.35")
