"""Clean one cell: what was meant by what was typed, exactly, or a reason why it cannot be known.

Full-width figures, thousands separators, currency marks, percent signs, floats a spreadsheet made
of whole numbers: what these mean is certain, and they are read. What is not certain is refused
with a code; nothing is guessed and nothing is cut off.
"""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from dianku.exchange.reading import BLANKS, Raw

FIGURES_MAX = 15
"""A spreadsheet keeps 15 significant figures of a number; what is longer was cut."""


class CellRefused(Exception):
    """A cell that cannot be read; `code` says why, `params` with which figures."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


_NOTHING = frozenset(
    [
        "-",
        "--",
        "---",
        "—",
        "——",
        "/",
        "//",
        "\\",
        "无",
        "暂无",
        "空",
        "未知",
        "n/a",
        "na",
        "null",
        "none",
        "nil",
        "nan",
    ]
)
_CURRENCY = re.compile(
    r"^(?:cny|rmb|人民币|usd|eur|gbp|hkd|[¥$€£])|(?:cny|rmb|元|圆|块|[¥$€£])$", re.IGNORECASE
)
_GROUPED = re.compile(r"^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$")
_CHINESE_GROUPED = re.compile(r"^[+-]?\d{1,4}(?:,\d{4})+(?:\.\d*)?$")
_PLAIN = re.compile(r"^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?$", re.IGNORECASE)
_EXPONENT = re.compile(r"^(\d)(?:\.(\d+))?e\+?(\d{1,2})$", re.IGNORECASE)
_WHOLE_FLOAT = re.compile(r"^(\d+)\.0+$")
_MEASURED = re.compile(r"^([+-]?[\d,]*\.?\d+)\s*([^\d\s.,%/()+-]{1,20})$")
_SPAN = re.compile(
    r"^(\d+(?:\.\d+)?)(?:个)?(天|日|d|days?|周|weeks?|月|months?|m|年|years?|y)?$", re.IGNORECASE
)
_SPAN_DAYS = {"天": 1, "日": 1, "d": 1, "周": 7, "w": 7, "月": 30, "m": 30, "年": 365, "y": 365}
_DATE = re.compile(
    r"^(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))"
    r"(?:[ t]*(?:(上午|下午|am|pm) ?)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6}))?)?)?"
    r"(?: ?(am|pm))?\s*(z|[+-]\d{2}:?\d{2})?$",
    re.IGNORECASE,
)
_CONTROLS = dict.fromkeys([*range(32), 127], " ")
_TRUE = frozenset({"是", "y", "yes", "true", "1", "√", "✓", "有", "启用", "开启", "对"})
_FALSE = frozenset({"否", "n", "no", "false", "0", "×", "✗", "x", "无", "停用", "关闭", "不", "非"})


FORMULA_ERRORS = frozenset(
    f"#{name}"
    for name in ("N/A", "NULL!", "VALUE!", "REF!", "DIV/0!", "NAME?", "NUM!", "SPILL!", "CALC!")
)
"""What a spreadsheet shows where a formula failed: something was meant, and it is not known."""
_COMMA = re.compile(r"^[^\d.,]{0,4}(?:\d{1,3}(?:\.\d{3})+|\d+),\d{1,2}[^\d.,]{0,4}$")
_POINT = re.compile(r"^[^\d.,]{0,4}(?:\d{1,3}(?:,\d{3})+|\d+)\.\d{1,2}[^\d.,]{0,4}$")


def is_decimal_comma(text: str) -> bool:
    """Whether a number can only have a decimal comma: 3,50 or 1.234,5."""
    return _COMMA.match(text.strip(BLANKS)) is not None


def is_decimal_point(text: str) -> bool:
    """Whether a number can only have a decimal point: 3.50 or 1,234.5."""
    return _POINT.match(text.strip(BLANKS)) is not None


def point_for_comma(text: str) -> str:
    """A number with the decimal comma, as one with the point and no groups."""
    return text.replace(".", "").replace(",", ".")


def fold(text: str) -> str:
    """The compatibility form in lower case, without blanks at the ends: full-width made plain."""
    return unicodedata.normalize("NFKC", text).strip(BLANKS).lower()


def shown(raw: Raw) -> str:
    """A cell as a person sees it, with whole numbers as such; empty for an empty cell."""
    if raw is None:
        return ""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "TRUE" if raw else "FALSE"
    if isinstance(raw, float):
        return _plain_float(raw)
    if isinstance(raw, datetime):
        return raw.isoformat(sep=" ")
    return str(raw)


def _plain_float(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    number = Decimal(format(value, f".{FIGURES_MAX}g"))
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def text_of(raw: Raw) -> str | None:
    """Text: ends stripped, control characters made blanks; None for an empty cell."""
    text = shown(raw)
    return text.translate(_CONTROLS).strip(BLANKS) or None


def number_of(raw: Raw) -> Decimal | None:
    """An exact number; None where nothing (or a dash, "无") was entered.

    A percentage is its fraction. Raises `CellRefused` with `not_a_number`.
    """
    if isinstance(raw, (bool, datetime, date, time, timedelta)):
        raise CellRefused("not_a_number")
    if isinstance(raw, int):
        return Decimal(raw)
    if isinstance(raw, float):
        if not math.isfinite(raw):
            raise CellRefused("not_a_number")
        return Decimal(format(raw, f".{FIGURES_MAX}g"))
    text = fold(raw or "")
    if not text or text in _NOTHING:
        return None
    return _number(text)


def _number(text: str) -> Decimal:
    text = text.replace("−", "-").replace("，", ",").replace("'", "").replace("\u00a0", "")
    negative = False
    if text.startswith("(") and text.endswith(")"):
        negative, text = True, text[1:-1]
    sign, body = (text[0], text[1:]) if text[:1] in {"+", "-"} else ("", text)
    body = _CURRENCY.sub("", body.strip()).strip()
    percent = body.endswith("%")
    body = body.removesuffix("%").replace(" ", "") if _spaced(body) else body.removesuffix("%")
    if body[:1] in {"+", "-"} and not sign:
        sign, body = body[0], body[1:]
    if _GROUPED.match(body) or _CHINESE_GROUPED.match(body):
        body = body.replace(",", "")
    if not _PLAIN.match(body):
        raise CellRefused("not_a_number")
    try:
        number = Decimal(sign + body)
    except InvalidOperation as error:  # pragma: no cover - the pattern admits numbers only
        raise CellRefused("not_a_number") from error
    if percent:
        number = number.scaleb(-2)
    return -number if negative else number


def _spaced(body: str) -> bool:
    return re.match(r"^\d{1,3}(?: \d{3})+(?:\.\d+)?%?$", body) is not None


def without_unit(raw: Raw, unit: str) -> Raw:
    """What a cell says before a unit, where that is a figure; the cell as it is where not."""
    if not isinstance(raw, str):
        return raw
    text, ending = fold(raw), fold(unit)
    # A unit called "0" is no unit behind "10": figures belong to the figure.
    if not ending or ending[0] in "0123456789.,-" or not text.endswith(ending):
        return raw
    figure = text.removesuffix(ending).rstrip().removesuffix("/").rstrip()
    return figure if figure and figure[-1] in "0123456789.元" else raw


def figure_and_unit(raw: Raw) -> tuple[str, str] | None:
    """A cell such as "5箱" as its figure and its unit; None for any other."""
    found = _MEASURED.match(fold(raw)) if isinstance(raw, str) else None
    return (found[1], found[2]) if found else None


def whole_of(raw: Raw, *, largest: int) -> int | None:
    """A whole number from 0 to `largest`. Raises `CellRefused`."""
    number = number_of(raw)
    if number is None:
        return None
    if number.adjusted() > 18 or number != number.to_integral_value():
        raise CellRefused("not_whole")
    value = int(number)
    if not 0 <= value <= largest:
        code = "too_small" if value < 0 else "too_large"
        raise CellRefused(code, min=0, max=largest)
    return value


def days_of(raw: Raw) -> int | None:
    """A span in days: 180, "180天", "12个月" (30 days each), "2年". Raises `CellRefused`."""
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return whole_of(raw, largest=36_500) or None
    text = fold(shown(raw))
    if not text or text in _NOTHING:
        return None
    found = _SPAN.match(text.replace(" ", ""))
    if not found:
        raise CellRefused("not_a_span")
    unit = found.group(2) or "天"
    factor = _SPAN_DAYS.get(unit) or _SPAN_DAYS[unit[0]]
    days = Decimal(found.group(1)) * factor
    if days != days.to_integral_value() or days > 36_500:
        raise CellRefused("not_a_span")
    return int(days) or None


def truth_of(raw: Raw) -> bool | None:
    """Yes or no. Raises `CellRefused` with `not_yes_no`."""
    if isinstance(raw, bool):
        return raw
    text = fold(shown(raw))
    if not text:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise CellRefused("not_yes_no")


def moment_of(raw: Raw, *, zone: str) -> datetime | None:
    """A moment, aware; without a zone of its own it is on the store's wall clock."""
    if isinstance(raw, str):
        found = _DATE.match(fold(raw))
        if found:
            return _moment(found, zone=zone)
        _no_date(raw)
        return None
    day = date_of(raw)
    if day is None:
        return None
    if isinstance(raw, datetime):
        return raw.replace(tzinfo=ZoneInfo(zone))
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone))


def date_of(raw: Raw) -> date | None:
    """A calendar date; the time of day is left aside. Raises `CellRefused` with `not_a_date`."""
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    if isinstance(raw, (float, int)) and not isinstance(raw, bool):
        return _serial_or_figures(raw)
    if raw is None or isinstance(raw, str):
        found = _DATE.match(fold(raw or ""))
        if found:
            return _moment(found, zone="UTC").date()
        _no_date(raw or "")
        return None
    raise CellRefused("not_a_date")


def has_time(raw: Raw) -> bool:
    """Whether a cell says a time of day beside the date."""
    if isinstance(raw, datetime):
        return raw.time() != time()
    return isinstance(raw, str) and ":" in fold(raw)


def _serial_or_figures(raw: float) -> date:
    """20260301, or a spreadsheet's serial day (1970 to 2100)."""
    if raw == int(raw) and 19_000_101 <= raw <= 21_001_231:
        found = _DATE.match(str(int(raw)))
        if found:
            return _moment(found, zone="UTC").date()
    if 25_569 <= raw < 73_051:
        return date(1899, 12, 30) + timedelta(days=int(raw))
    raise CellRefused("not_a_date")


def _no_date(text: str) -> None:
    folded = fold(text)
    if folded and folded not in _NOTHING:
        raise CellRefused("not_a_date")


def _moment(found: re.Match[str], *, zone: str) -> datetime:
    year, month, day, month2, day2, half, hour, minute, second, fraction, half2, offset = (
        found.groups()
    )
    try:
        naive = datetime(  # noqa: DTZ001 - the zone is put on below
            int(year),
            int(month or month2),
            int(day or day2),
            _hour(int(hour or 0), half or half2),
            int(minute or 0),
            int(second or 0),
            int((fraction or "0").ljust(6, "0")),
        )
    except ValueError as error:
        raise CellRefused("not_a_date") from error
    if offset is None:
        return naive.replace(tzinfo=ZoneInfo(zone))
    if offset == "z":
        return naive.replace(tzinfo=UTC)
    return datetime.fromisoformat(f"{naive.isoformat()}{offset[:3]}:{offset[-2:]}")


def _hour(hour: int, half: str | None) -> int:
    """The hour of a day of 24, of one that may be said by the half of the day."""
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise CellRefused("not_a_date")
    return hour % 12 + (12 if half in {"下午", "pm"} else 0)


def code_of(raw: Raw) -> str | None:
    """A code as it was typed: a number without the ".0" and the exponent a spreadsheet adds.

    Raises:
        CellRefused: `figures_lost` where the number has more figures than a spreadsheet keeps,
            or was written as 6.90E+12 with figures missing.
    """
    if isinstance(raw, float):
        text = _plain_float(raw)
        if len(text.lstrip("-").replace(".", "")) > FIGURES_MAX:
            raise CellRefused("figures_lost", figures=FIGURES_MAX)
        return text
    typed = text_of(raw)
    if typed is None:
        return None
    plain = unicodedata.normalize("NFKC", typed) if _has_full_width(typed) else typed
    plain = plain.strip(BLANKS)
    found = _EXPONENT.match(plain)
    if found and int(found.group(3)) >= 5:
        lead, decimals, exponent = found.group(1), found.group(2) or "", int(found.group(3))
        if len(decimals) != exponent:
            raise CellRefused("figures_lost", figures=1 + len(decimals))
        return lead + decimals
    whole = _WHOLE_FLOAT.match(plain)
    if whole and len(whole.group(1)) > 1:
        return whole.group(1)
    return plain or None


def _has_full_width(text: str) -> bool:
    return not text.isascii() and any("\uff01" <= c <= "\uff5e" for c in text)
