"""Labels of the shop's own scales: which product, how much, for how much.

A label's layout is a setting of the scale, so it is a template per store and prefix and never
guessed: F flag, W item code, E amount in minor units, N weight in grams (or count), C check
digit; 13 or 18 digits. Source of the letters: drivers of Chinese scales (大华, 顶尖).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from attrs import frozen

from dianku.catalog.codes import has_check_digit
from dianku.quantity import divide_half_up

MASS_UNITS_MG = {
    "kg": 1_000_000,
    "千克": 1_000_000,
    "公斤": 1_000_000,
    "斤": 500_000,
    "市斤": 500_000,
    "两": 50_000,
    "g": 1_000,
    "克": 1_000,
}
"""Units that are weights, in milligrams; a 斤 is 500 g."""


@frozen
class ScaleLabel:
    """What a label says: the item as it may be written in the catalog, `amount`, `measure`.

    `items` in the order to try: the item code, the same with fewer zeros in front, flag and item
    code together. `amount` in minor units; `measure` grams, or a count; None if not printed.
    """

    items: tuple[str, ...]
    amount: int | None
    measure: int | None


def read_label(code: str, templates: Sequence[tuple[str, str]]) -> tuple[ScaleLabel, ...]:
    """Read a code by the (prefix, template) pairs of a store; empty if none fits.

    The length, the prefix and the check digit must agree. The longest prefix wins.
    """
    fitting = [
        (prefix, template)
        for prefix, template in templates
        if len(template) == len(code) and code.startswith(prefix)
    ]
    if not fitting or not has_check_digit(code):
        return ()
    longest = max(len(prefix) for prefix, _ in fitting)
    return tuple(_label(code, template) for prefix, template in fitting if len(prefix) == longest)


def _label(code: str, template: str) -> ScaleLabel:
    parts: dict[str, str] = {}
    at = 0
    for letter, run in groupby(template):
        size = len(list(run))
        parts[letter] = code[at : at + size]
        at += size
    item = parts["W"]
    zeros = len(item) - len(item.lstrip("0"))
    spellings = (*(item[i:] for i in range(min(zeros, len(item) - 1) + 1)), parts["F"] + item)
    return ScaleLabel(
        items=tuple(dict.fromkeys(spellings)),
        amount=int(parts["E"]) if "E" in parts else None,
        measure=int(parts["N"]) if "N" in parts else None,
    )


def weight_in_steps(weight_mg: int, *, unit: str, precision: int) -> int | None:
    """A weight as steps of a product, half up; None where it is not sold by weight.

    A unit that is no weight but has three decimals is taken for kilograms. 0 where the product's
    step is coarser than the weight.
    """
    unit_mg = MASS_UNITS_MG.get(unit.strip().lower())
    if unit_mg is None:
        if precision != 3:
            return None
        unit_mg = 1_000_000
    return divide_half_up(weight_mg * 10**precision, unit_mg)
