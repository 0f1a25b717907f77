"""Stock in the units a person counts in: 19 瓶 + 250 ml, never 19.5 瓶."""

from __future__ import annotations

from dianku.catalog.records import Product
from dianku.quantity import format_quantity


def format_stock(product: Product, steps: int) -> str:
    """Write a quantity in the product's display unit and the rest in its base unit.

    9,750 of a product in ml with the display unit 瓶 of 500 are "19 瓶 + 250 ml"; without a
    display unit, or below one, the base unit alone. Each part of a negative quantity carries its
    sign: "-1 瓶 - 250 ml".
    """
    if product.display is None:
        return f"{format_quantity(steps, product.precision)} {product.unit}"
    unit, factor = product.display
    whole, rest = divmod(abs(steps), factor * 10**product.precision)
    parts = [f"{whole} {unit}"] if whole else []
    if rest or not whole:
        # A rest without decimals is written without: 250 ml, not 250.000 ml.
        text = format_quantity(rest, product.precision)
        parts.append(f"{text.rstrip('0').rstrip('.') if '.' in text else text} {product.unit}")
    sign = "-" if steps < 0 else ""
    return sign + (" - " if steps < 0 else " + ").join(parts)
