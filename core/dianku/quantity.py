"""Exact numbers: quantities in steps, money in minor units, costs in ten-thousandths.

Inside Dianku no quantity and no amount is ever a float (invariant I9):

* a *quantity* is an integer of the product's smallest step, 10 ** -precision of its base unit;
* an *amount* is an integer of the currency's minor unit (fen, cent);
* a *cost* or *value* is an integer of 1/10000 of the currency unit.

Outside they are decimal strings. Rounding is half up, away from zero, and happens only here.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact

from dianku.errors import NumberRefused

COST_DIGITS = 4
COST_SCALE = 10**COST_DIGITS
MINOR_DIGITS = 2
COST_PER_MINOR = 10 ** (COST_DIGITS - MINOR_DIGITS)
LINE_DIGITS = 3
"""Alert lines of a category are kept in thousandths: its products may differ in precision."""

QUANTITY_MAX = 10**12
"""Largest quantity of one line, in steps; a thousand million pieces with three decimals."""
AMOUNT_MAX = 10**13
"""Largest amount of one line, in minor units; sums of many still fit 64 bits."""


_EXACT = Context(prec=100, traps=[Inexact])
"""Multiplies without rounding; what would have to be rounded has digits nobody may send."""
_POWERS = tuple(Decimal(10**digits) for digits in range(COST_DIGITS + 1))


def divide_half_up(numerator: int, denominator: int) -> int:
    """Divide two integers, rounding halves away from zero. `denominator` must be positive."""
    if numerator >= 0:
        return (2 * numerator + denominator) // (2 * denominator)
    return -((-2 * numerator + denominator) // (2 * denominator))


def scaled(number: Decimal, digits: int, *, largest: int) -> int:
    """Turn a decimal into an integer of 10 ** -digits.

    Raises:
        NumberRefused: with code `not_finite`, `too_large` or `too_many_digits`. The exponent is
            looked at before anything is multiplied, so "1e999999" costs nothing.
    """
    if not number.is_finite():
        raise NumberRefused("not_finite")
    if number.is_zero():
        return 0
    if number.adjusted() + digits > 18:
        raise NumberRefused("too_large", limit=format_scaled(largest, digits))
    try:
        steps = _EXACT.multiply(number, _POWERS[digits])
    except Inexact:
        raise NumberRefused("too_many_digits", digits=digits) from None
    whole = int(steps)
    if whole != steps:
        raise NumberRefused("too_many_digits", digits=digits)
    if abs(whole) > largest:
        raise NumberRefused("too_large", limit=format_scaled(largest, digits))
    return whole


def parse_quantity(number: Decimal, precision: int) -> int:
    """Turn a quantity in base units into steps. Raises `NumberRefused`."""
    return scaled(number, precision, largest=QUANTITY_MAX)


def parse_amount(number: Decimal) -> int:
    """Turn money into minor units. Raises `NumberRefused`."""
    return scaled(number, MINOR_DIGITS, largest=AMOUNT_MAX)


def parse_cost(number: Decimal) -> int:
    """Turn a unit cost into ten-thousandths. Raises `NumberRefused`."""
    return scaled(number, COST_DIGITS, largest=AMOUNT_MAX)


def format_scaled(value: int, digits: int) -> str:
    """Write an integer of 10 ** -digits as a decimal string with exactly that many decimals."""
    if digits == 0:
        return str(value)
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value), 10**digits)
    return f"{sign}{whole}.{rest:0{digits}d}"


def format_quantity(steps: int, precision: int) -> str:
    """Write a quantity: "3" for whole pieces, "2.500" at precision 3."""
    return str(steps) if precision == 0 else format_scaled(steps, precision)


def format_amount(minor: int) -> str:
    """Write money with its two decimals: "12.50"."""
    return format_scaled(minor, MINOR_DIGITS)


def format_cost(value: int) -> str:
    """Write a cost or value with two to four decimals: "12.50", "3.3333".

    Never rounded to cents (a value is exact); zeros past the second decimal are left away.
    """
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value), COST_SCALE)
    if rest % 100 == 0:
        return f"{sign}{whole}.{rest // 100:02d}"
    if rest % 10 == 0:
        return f"{sign}{whole}.{rest // 10:03d}"
    return f"{sign}{whole}.{rest:04d}"


def cost_of(steps: int, unit_cost: int, precision: int) -> int:
    """Value of `steps` at a unit cost per base unit, in ten-thousandths, half up."""
    return divide_half_up(steps * unit_cost, 10**precision)


def unit_cost_of(value: int, steps: int, precision: int) -> int:
    """Unit cost per base unit of `steps` (positive) worth `value`, half up."""
    return divide_half_up(value * 10**precision, steps)


def amount_of(steps: int, unit_price: int, precision: int) -> int:
    """Amount of `steps` at a price per base unit, in minor units, half up."""
    return divide_half_up(steps * unit_price, 10**precision)


def share_of(total: int, part: int, whole: int) -> int:
    """The part of `total` that falls to `part` of `whole`, half up.

    Give successive parts as differences of cumulative shares and they add up to `total` exactly.
    """
    return divide_half_up(total * part, whole)
