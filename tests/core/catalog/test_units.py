from __future__ import annotations

import pytest

from dianku.catalog.records import Product
from dianku.catalog.units import format_stock


def _product(*, unit: str, precision: int, display: tuple[str, int] | None) -> Product:
    return Product(
        id=1,
        sku="A",
        name="A",
        unit=unit,
        precision=precision,
        price=None,
        cost=None,
        track_lots=False,
        shelf_life_days=None,
        composition="none",
        components=(),
        barcodes=(),
        archived=False,
        display=display,
    )


@pytest.mark.parametrize(
    ("steps", "precision", "display", "text"),
    [
        (9750, 0, ("瓶", 500), "19 瓶 + 250 ml"),
        (9500, 0, ("瓶", 500), "19 瓶"),
        (250, 0, ("瓶", 500), "250 ml"),
        (0, 0, ("瓶", 500), "0 ml"),
        (-750, 0, ("瓶", 500), "-1 瓶 - 250 ml"),
        (-100, 0, ("瓶", 500), "-100 ml"),
        (9_750_500, 3, ("瓶", 500), "19 瓶 + 250.5 ml"),
        (9_750, 0, None, "9750 ml"),
        (2_500, 3, None, "2.500 ml"),
    ],
)
def test_stock_in_display_units(
    steps: int, precision: int, display: tuple[str, int] | None, text: str
) -> None:
    product = _product(unit="ml", precision=precision, display=display)
    assert format_stock(product, steps) == text
