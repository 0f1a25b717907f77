"""What really moves when a product is sold: kits and services become their components.

Components nest; what is stocked (goods, and goods made in the shop) is a leaf. The catalog keeps
compositions free of circles, so the walk ends.
"""

from __future__ import annotations

from fractions import Fraction

from dianku.catalog.on_shelf import Products
from dianku.catalog.records import Product
from dianku.quantity import divide_half_up

Recipe = tuple[tuple[int, int], ...]


def recipe_of(product: Product, catalog: Products) -> Recipe:
    """Leaves of one base unit: (product id, steps), each product once, in order of first use."""
    totals: dict[int, Fraction] = {}
    _add(product, Fraction(1), catalog, totals)
    return tuple(
        (i, divide_half_up(total.numerator, total.denominator)) for i, total in totals.items()
    )


def _add(product: Product, units: Fraction, catalog: Products, totals: dict[int, Fraction]) -> None:
    for component_id, steps in product.components:
        component = catalog.product(component_id)
        wanted = units * steps
        if component.stocked:
            totals[component_id] = totals.get(component_id, Fraction(0)) + wanted
        else:
            _add(component, wanted / 10**component.precision, catalog, totals)


def parts_of(
    product: Product, quantity: int, recipe: Recipe, catalog: Products
) -> tuple[tuple[Product, int], ...]:
    """What `quantity` steps of a composed product take: (leaf, steps), half up.

    A tenth of a facial takes no mask: what comes to less than half a step is left out.
    """
    scale = 10**product.precision
    taken = ((i, divide_half_up(quantity * steps, scale)) for i, steps in recipe)
    return tuple((catalog.product(i), steps) for i, steps in taken if steps)
