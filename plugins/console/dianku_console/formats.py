"""Figures, money and times as people read them, from the exact strings the API answers with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

NO_FIGURE = "–"
MINUS = "\N{MINUS SIGN}"
SYMBOLS: Mapping[str, str] = {
    "CNY": "¥",
    "EUR": "€",
    "GBP": "£",
    "HKD": "HK$",
    "JPY": "¥",
    "TWD": "NT$",
    "USD": "$",
}


def figure(value: object, *, sign: bool = False) -> str:
    """A quantity with its thousands set apart, as exact as it came; `–` where there is none."""
    number = _number(value)
    if number is None:
        return NO_FIGURE
    text = f"{number:,f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if number < 0:
        return MINUS + text.removeprefix("-")
    return f"+{text}" if sign and number > 0 else text


def symbol_of(currency: str) -> str:
    """The sign of a currency; its code with a space where it has none."""
    return SYMBOLS.get(currency, f"{currency} ")


def money(value: object, currency: str = "CNY") -> str:
    """An amount with its currency's sign; more than two decimals only where it has them."""
    number = _number(value)
    if number is None:
        return NO_FIGURE
    digits = max(2, -int(number.normalize().as_tuple().exponent))
    whole = f"{abs(number):,.{digits}f}"
    return f"{MINUS if number < 0 else ''}{symbol_of(currency)}{whole}"


def moment(value: object, zone: str, *, now: datetime, language: str) -> str:
    """A time in a store's clock: the hour today, the day before that, the year when it is old."""
    if not value:
        return NO_FIGURE
    when = datetime.fromisoformat(str(value)).astimezone(ZoneInfo(zone))
    today = now.astimezone(ZoneInfo(zone)).date()
    clock = f"{when:%H:%M}"
    if when.date() == today:
        return clock
    if when.date() == today - timedelta(days=1):
        return f"昨天 {clock}" if language == "zh-CN" else f"yesterday {clock}"
    return f"{day(when.date(), language=language, now=today)} {clock}"


def day(value: object, *, language: str, now: date) -> str:
    """A calendar date, with its year only where it is not this one."""
    if not value:
        return NO_FIGURE
    found = value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
    if language == "zh-CN":
        short = f"{found.month}月{found.day}日"
        return short if found.year == now.year else f"{found.year}年{short}"
    short = f"{found.day} {found:%b}"
    return short if found.year == now.year else f"{short} {found.year}"


def _number(value: object) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
