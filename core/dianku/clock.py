"""Time as the ledger keeps it: milliseconds since 1970 in UTC, and a store's business date.

The clock is injected everywhere, so a test (or a demo of months of trading) brings its own.
Dates are kept as day numbers, days since 1970-01-01: windows are then plain integer ranges on
every database.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo, available_timezones

_EPOCH = date(1970, 1, 1).toordinal()
_EPOCH_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR_MS = 3_600_000
QUARTER_MS = 900_000
"""The least step in which a zone changes its offset from UTC."""


class Clock(Protocol):
    """What tells the time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 in UTC."""
        return time.time_ns() // 1_000_000


class SetClock:
    """A clock that stands still until it is set: for tests, replays and the demo."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """The time it was last set to."""
        return self._now_ms

    def set(self, now_ms: int) -> None:
        """Set the time, forwards or backwards."""
        self._now_ms = now_ms

    def advance(self, *, seconds: float = 0, days: float = 0) -> None:
        """Move the time forward."""
        self._now_ms += int((seconds + days * 86_400) * 1000)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def day_of(number: int) -> date:
    """The date of a day number."""
    return date.fromordinal(number + _EPOCH)


def from_ms(value: int) -> datetime:
    """The moment as an aware datetime in UTC."""
    return _EPOCH_TIME + timedelta(milliseconds=value)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime, cut to the millisecond."""
    return (moment - _EPOCH_TIME) // timedelta(milliseconds=1)


def format_ms(value: int) -> str:
    """RFC 3339 with milliseconds and zone: "2026-03-01T10:00:00.000Z"."""
    second, ms = divmod(value, 1000)
    return f"{_second_text(second)}.{ms:03d}Z"


@lru_cache(maxsize=4096)
def _second_text(second: int) -> str:
    # A batch speaks of the same few seconds again and again.
    day, rest = divmod(second, 86_400)
    minutes, second = divmod(rest, 60)
    return f"{day_text(day)}T{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"


@lru_cache(maxsize=4096)
def day_text(number: int) -> str:
    """The date of a day number as text: "2026-03-01"."""
    return day_of(number).isoformat()


@lru_cache(maxsize=1)
def timezones() -> frozenset[str]:
    """The names of all time zones this machine knows."""
    return frozenset(available_timezones())


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=65_536)
def _offset_ms(zone: str, quarter: int) -> int:
    # Zones change their offset on whole quarters of an hour (Lord Howe at half past); caching by
    # quarter keeps zoneinfo out of the posting path.
    moment = _EPOCH_TIME + timedelta(minutes=15 * quarter)
    offset = moment.astimezone(_zone(zone)).utcoffset()
    return int(offset.total_seconds() * 1000) if offset is not None else 0


def local_ms(moment_ms: int, zone: str) -> int:
    """The wall clock of a zone at a moment, as milliseconds since its own 1970."""
    return moment_ms + _offset_ms(zone, moment_ms // QUARTER_MS)


def business_day(moment_ms: int, *, zone: str, cutoff_minutes: int) -> int:
    """The business date of a moment as a day number.

    A sale at 02:00 in a store whose day is cut off at 04:00 belongs to the day before.
    """
    return (local_ms(moment_ms, zone) - cutoff_minutes * 60_000) // 86_400_000


def local_day(moment_ms: int, zone: str) -> int:
    """The calendar date of a moment in a zone: what expiry dates are compared with."""
    return local_ms(moment_ms, zone) // 86_400_000


def local_hour(moment_ms: int, zone: str) -> int:
    """The hour of the day, 0 to 23, on the wall clock of a zone."""
    return local_ms(moment_ms, zone) // _HOUR_MS % 24


def day_start_ms(day: int, *, zone: str, cutoff_minutes: int) -> int:
    """The moment at which a business date begins."""
    naive = day * 86_400_000 + cutoff_minutes * 60_000
    guess = naive - _offset_ms(zone, naive // QUARTER_MS)
    return naive - _offset_ms(zone, guess // QUARTER_MS)
