"""The plain model itself against the examples of the design, before it judges the ledger."""

from __future__ import annotations

import pytest
from plain_cells import Cell, Document, Goods, Hold, Refusal, Wanted
from plain_reversal import reverse
from plain_shop import Shop
from shop_steps import Steps
from step_chance import GOODS, STORES

HOUR = 3_600_000
NINE, TEN, NOON = 9 * HOUR, 10 * HOUR, 12 * HOUR


def _shop(*goods: Goods) -> Shop:
    return Shop(goods or (Goods("tea"),), ("s", "t"))


def _levels(cell: Cell) -> tuple[int, int]:
    return cell.on_hand, cell.value


def test_model_shortage_settled_by_receipt_matches_the_designs_example() -> None:
    shop = _shop()
    shop.receipt("s", [Wanted("tea", 10, value=200_000)], at=1)
    sale = shop.issue("s", [Wanted("tea", 12)], at=2, now=2, strict=False)
    assert sale.lines[0].parts[0].cost == 240_000
    assert _levels(shop.cells["s", "tea"]) == (-2, -40_000)
    shop.receipt("s", [Wanted("tea", 10, value=300_000)], at=3)
    assert _levels(shop.cells["s", "tea"]) == (8, 240_000)


def test_model_three_receipts_issued_one_by_one_leave_nothing() -> None:
    shop = _shop()
    for pence in (333, 333, 334):
        shop.receipt("s", [Wanted("tea", 1, value=pence * 100)], at=1)
    costs = [
        shop.issue("s", [Wanted("tea", 1)], at=2, now=2, strict=True).lines[0].parts[0].cost
        for _ in range(3)
    ]
    assert sum(costs) == 100_000
    assert _levels(shop.cells["s", "tea"]) == (0, 0)


def test_model_count_with_late_movements_matches_the_designs_example() -> None:
    shop = _shop()
    shop.receipt("s", [Wanted("tea", 20, value=0)], at=NINE - HOUR)
    shop.issue("s", [Wanted("tea", 1)], at=TEN + 300_000, now=NOON, strict=False)
    count = shop.count("s", [Wanted("tea", counted=42)], at=TEN)
    assert count.lines[0].quantity == 22
    cell = shop.cells["s", "tea"]
    assert cell.on_hand == 41
    late = shop.receipt("s", [Wanted("tea", 24, value=240_000)], at=NINE + HOUR // 2)
    assert late.absorbed
    assert _levels(cell) == (41, 0)
    shop.issue("s", [Wanted("tea", 2)], at=TEN - 600_000, now=NOON, strict=False)
    assert cell.on_hand == 41
    shop.issue("s", [Wanted("tea", 1)], at=TEN + 120_000, now=NOON, strict=False)
    assert cell.on_hand == 40
    assert cell.level_at(TEN) == 42


def test_model_two_counts_of_one_moment_leave_the_level_of_the_last() -> None:
    shop = _shop()
    shop.receipt("s", [Wanted("tea", 20, value=0)], at=NINE)
    shop.count("s", [Wanted("tea", counted=23)], at=TEN)
    second = shop.count("s", [Wanted("tea", counted=18)], at=TEN)
    assert second.lines[0].quantity == -5
    assert shop.cells["s", "tea"].on_hand == 18


def test_model_boxes_beyond_their_candles_are_refused_with_one_short_line() -> None:
    shop = _shop(
        Goods("cake"),
        Goods("candle"),
        Goods("box", composition="kit", recipe=(("cake", 1), ("candle", 2))),
    )
    shop.receipt("s", [Wanted("cake", 9, value=0), Wanted("candle", 5, value=0)], at=1)
    with pytest.raises(Refusal) as refused:
        shop.issue("s", [Wanted("box", 2), Wanted("candle", 2)], at=2, now=2, strict=True)
    assert refused.value.short == {"candle"}


def test_model_sale_partly_returned_reverses_the_rest() -> None:
    shop = _shop()
    shop.receipt("s", [Wanted("tea", 5, value=1_000)], at=1)
    sale = shop.issue("s", [Wanted("tea", 5)], at=2, now=2, strict=True)
    shop.customer_return("s", [Wanted("tea", 2, of=sale.lines[0])], at=3)
    reverse(shop, sale, now=4)
    assert _levels(shop.cells["s", "tea"]) == (5, 1_000)


def test_model_reversed_receipt_after_sales_leaves_a_positive_value() -> None:
    shop = _shop()
    shop.receipt("s", [Wanted("tea", 10, value=10_000)], at=1)
    second = shop.receipt("s", [Wanted("tea", 10, value=90_000)], at=2)
    shop.issue("s", [Wanted("tea", 8)], at=3, now=3, strict=True)
    reverse(shop, second, now=4)
    assert _levels(shop.cells["s", "tea"]) == (2, 10_000)


def test_model_random_steps_keep_value_positive_on_stock_and_buckets_above_zero() -> None:
    model = Shop(GOODS, STORES)
    steps = Steps(model, seed=3)
    steps.now = 1_772_416_800_000
    for number in range(6_000):
        steps.now += steps.pause()
        model.begin(steps.now)
        step = steps.draw()
        try:
            effect = step.effect()
        except Refusal:
            continue
        steps.accepted[step.name] += 1
        if isinstance(effect, Hold):
            steps.book.holds.append((str(number), effect))
        elif isinstance(effect, Document):
            steps.book.documents.append((str(number), effect))
            steps.accepted.update(effect.traits)
        for cell in model.cells.values():
            assert min(cell.damaged, cell.kept, cell.in_transit) >= 0
            assert min(cell.damaged_value, cell.in_transit_value) >= 0
            assert cell.value >= 0 or cell.on_hand <= 0
            assert cell.value <= 0 or cell.on_hand >= 0
            assert cell.on_hand == sum(quantity for _, _, quantity in cell.moves)
            held = [0] if cell.shelf is None else [0, *cell.shelf.held.values()]
            assert min(held) == 0
            assert sum(held) <= max(cell.on_hand, 0)
    print(sorted(steps.accepted.items()))
    assert min(steps.accepted.values()) >= 15
