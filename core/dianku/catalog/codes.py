"""Codes on goods: check digits, the forms one GTIN is written in, and what a GS1 string says.

A code is kept and compared as written; only here is it known that 12 digits of a UPC, the same
with a leading zero, and a GTIN-14 with indicator 0 are one number. Nothing is guessed: a number
whose check digit is wrong is no GTIN, and a string is read as GS1 only where something says that
it is one (a symbology identifier, a separator, brackets, or a sound GTIN behind AI 01 or 02).
biip alone would read any 18 digits as "AI 21, serial number".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import frozen
from biip import ParseError
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementString
from biip.gs1_messages import GS1Message

from dianku.clock import day_number
from dianku.quantity import divide_half_up

GTIN_SIZES = (8, 12, 13, 14)
SEPARATOR = "\x1d"
"""FNC1 as scanners send it."""

_SYMBOLOGY = re.compile(r"^\][A-Za-z][0-9A-Za-z]")
_GS1_SYMBOLOGIES = frozenset({"]C1", "]d2", "]Q3", "]e0", "]J1"})
_BRACKETED = re.compile(r"\((\d{2,4})\)([^(]+)")
_NEEDED = re.compile(r"01|02|10|11|15|17|30|37|310\d|392\d")
_DIGITS = re.compile(r"[0-9]+")


def check_digit(payload: str) -> str:
    """The mod 10 digit that belongs behind `payload`: weights 3, 1, 3 ... from the right."""
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(payload)))
    return str(-total % 10)


def is_number(code: str) -> bool:
    """Whether a code is ASCII digits and nothing else ("٣" is a digit to `str.isdigit`)."""
    return _DIGITS.fullmatch(code) is not None


def has_check_digit(code: str) -> bool:
    """Whether a code is digits and its last is the check digit of the others."""
    return len(code) > 1 and is_number(code) and check_digit(code[:-1]) == code[-1]


def gtin_forms(code: str) -> tuple[str, ...]:
    """All ways one GTIN may be written, as given first; empty if the code is no GTIN.

    The number is the same with zeros in front: GTIN-8, UPC-A (12), EAN-13, and 14 digits with
    indicator 0. An indicator of 1 to 9 makes another number, a carton's own.
    """
    if len(code) not in GTIN_SIZES or not has_check_digit(code):
        return ()
    whole = code.zfill(14)
    forms = [whole[14 - size :] for size in GTIN_SIZES if not whole[: 14 - size].strip("0")]
    return (code, *(form for form in forms if form != code))


def strip_symbology(code: str) -> str:
    """The code without the identifier (`]E0`, `]C1`) that some scanners put in front."""
    return code[3:] if _SYMBOLOGY.match(code) else code


@frozen
class Gs1Data:
    """What a GS1 string says of the goods that it is on.

    Attributes:
        gtin: 14 digits, of AI 01, or 02 for what a logistic unit contains.
        lot: AI 10.
        made_on: AI 11, a day number.
        expires_on: AI 17, or else 15 (best before), a day number.
        item_count: AI 30, items in a trade item of variable measure.
        pack_count: AI 37, trade items in a logistic unit.
        weight_mg: AI 310n, net weight in milligrams.
        amount: AI 392n, the price of what is in hand, in minor units.
    """

    gtin: str
    lot: str | None = None
    made_on: int | None = None
    expires_on: int | None = None
    item_count: int | None = None
    pack_count: int | None = None
    weight_mg: int | None = None
    amount: int | None = None


def parse_gs1(code: str) -> Gs1Data | None:
    """Read a GS1 element string (or Digital Link); None where it is none or names no goods."""
    try:
        elements = _elements(code)
    except (ParseError, ValueError):
        return None
    return _data(elements) if elements else None


def _elements(code: str) -> list[GS1ElementString]:
    text = strip_symbology(code)
    if text.startswith(("http://", "https://")):
        return list(GS1DigitalLinkURI.parse(text).element_strings)
    if text.startswith("("):
        return _bracketed(text)
    text = text.lstrip(SEPARATOR)
    if code[:3] in _GS1_SYMBOLOGIES or SEPARATOR in code:
        return _separated(text)
    if text[:2] in {"01", "02"} and has_check_digit(text[2:16]) and len(text) >= 16:
        return list(GS1Message.parse(text).element_strings)
    return []


def _separated(text: str) -> list[GS1ElementString]:
    """A string that is GS1 for certain; what biip cannot read and we do not need is passed by."""
    elements: list[GS1ElementString] = []
    rest = text
    while rest:
        try:
            element = GS1ElementString.extract(rest)
        except ParseError:
            if _NEEDED.match(rest):
                raise
            rest = rest.partition(SEPARATOR)[2]
            continue
        elements.append(element)
        rest = rest[len(element.ai.ai) + len(element.value) :].lstrip(SEPARATOR)
    return elements


def _bracketed(text: str) -> list[GS1ElementString]:
    """The printed form. A value must be used up: biip drops what it cannot place."""
    compact = "".join(text.split())
    pieces = _BRACKETED.findall(compact)
    if "".join(f"({ai}){value}" for ai, value in pieces) != compact:
        return []
    elements = []
    for ai, value in pieces:
        if not _NEEDED.fullmatch(ai):
            continue
        element = GS1ElementString.extract(f"{ai}{value}")
        if element.ai.ai != ai or element.value != value:
            return []
        elements.append(element)
    return elements


def _data(elements: Iterable[GS1ElementString]) -> Gs1Data | None:
    by_ai = {element.ai.ai: element for element in elements}
    goods = by_ai.get("01") or by_ai.get("02")
    if goods is None or not has_check_digit(goods.value) or len(goods.value) != 14:
        return None
    lot = by_ai.get("10")
    return Gs1Data(
        gtin=goods.value,
        lot=lot.value if lot is not None else None,
        made_on=_day(by_ai.get("11")),
        expires_on=_day(by_ai.get("17")) or _day(by_ai.get("15")),
        item_count=_count(by_ai.get("30")),
        pack_count=_count(by_ai.get("37")),
        weight_mg=_measure(by_ai, "310", digits=6),
        amount=_measure(by_ai, "392", digits=2),
    )


def _day(element: GS1ElementString | None) -> int | None:
    if element is None or element.date is None:
        return None
    return day_number(element.date)


def _count(element: GS1ElementString | None) -> int | None:
    return int(element.value) if element is not None and is_number(element.value) else None


def _measure(by_ai: dict[str, GS1ElementString], family: str, *, digits: int) -> int | None:
    """The value of an AI whose last figure says its decimals, in 10 ** -digits, half up."""
    for ai, element in by_ai.items():
        if ai[:3] == family and len(ai) == 4 and is_number(element.value):
            shift = digits - int(ai[3])
            value = int(element.value)
            return value * 10**shift if shift >= 0 else divide_half_up(value, 10**-shift)
    return None
