"""Periods and cursors of the reports."""

from __future__ import annotations

from datetime import date

import pytest

from dianku.api import Refused
from dianku_reports.rules import Period, cursor_offset, cursor_text, period

TODAY = date(2026, 3, 31)


def test_period_of_days_ends_today_and_includes_it() -> None:
    assert period(today=TODAY) == Period(date(2026, 3, 25), TODAY)
    assert period(today=TODAY, days=1) == Period(TODAY, TODAY)
    assert period(today=TODAY, days=30) == Period(date(2026, 3, 2), TODAY)


def test_period_from_without_to_reaches_to_today() -> None:
    assert period(today=TODAY, first=date(2026, 3, 1)) == Period(date(2026, 3, 1), TODAY)


@pytest.mark.parametrize(
    ("days", "first", "last", "pointer"),
    [
        (7, TODAY, None, "/days"),
        (None, None, TODAY, "/from"),
        (None, TODAY, date(2026, 3, 30), "/to"),
    ],
)
def test_period_that_makes_no_sense_is_refused_by_name(
    days: int | None, first: date | None, last: date | None, pointer: str
) -> None:
    with pytest.raises(Refused) as refused:
        period(today=TODAY, days=days, first=first, last=last)
    assert [e.pointer for e in refused.value.problem.errors] == [pointer]


def test_cursor_round_trips_and_foreign_ones_are_refused() -> None:
    assert cursor_offset(cursor_text(1200)) == 1200
    assert (cursor_text(None), cursor_offset(None)) == (None, 0)
    for wrong in ("", "12", "o", "o-1", "ox", "o99999999"):
        with pytest.raises(Refused):
            cursor_offset(wrong)
