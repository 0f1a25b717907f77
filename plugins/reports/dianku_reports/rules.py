"""Which days a report is about, and how a total's page follows another. Pure: no shop, no clock.

A window of N days ends today and includes it: 7 days are today and the six before.
"""

from __future__ import annotations

from datetime import date, timedelta

from attrs import frozen

from dianku.api import FieldError, invalid

DAYS_DEFAULT = 7


@frozen
class Period:
    """Business dates, both ends included."""

    first: date
    last: date


def period(
    *, today: date, days: int | None = None, first: date | None = None, last: date | None = None
) -> Period:
    """Work out the period of `days=` or of `from=` and `to=`; a week where nothing is said.

    Raises:
        Refused: `invalid`: both ways at once (`/days` `days_or_period`), an end without a
            beginning (`/from` `missing`), an end before the beginning (`/to` `before_from`).
    """
    if first is None and last is None:
        return Period(today - timedelta(days=(days or DAYS_DEFAULT) - 1), today)
    if days is not None:
        raise invalid(FieldError("/days", "days_or_period"))
    if first is None:
        raise invalid(FieldError("/from", "missing"))
    last = last or today
    if last < first:
        raise invalid(FieldError("/to", "before_from"))
    return Period(first, last)


def cursor_text(offset: int | None) -> str | None:
    """Write where the next page of totals begins."""
    return None if offset is None else f"o{offset}"


def cursor_offset(cursor: str | None) -> int:
    """Read a cursor. Raises `Refused`: `/cursor` `unknown_cursor`."""
    if cursor is None:
        return 0
    figures = cursor.removeprefix("o")
    if figures == cursor or not figures.isascii() or not figures.isdecimal() or len(figures) > 7:
        raise invalid(FieldError("/cursor", "unknown_cursor"))
    return int(figures)
