"""Which stores a reader sees, and what day it is in each.

Store scope is applied here and nowhere else on the read side: a query that names no store gets
those in scope, one that names a store out of scope is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

from attrs import frozen

from dianku.catalog.records import Store
from dianku.catalog.snapshot import CatalogCache
from dianku.clock import business_day, day_number, day_start_ms, to_ms
from dianku.context import Context
from dianku.errors import FieldError, invalid, refuse

_DAY_LAST = day_number(date(9998, 12, 31))


def stores_in_scope(
    cache: CatalogCache, *, ctx: Context, named: Sequence[str] = ()
) -> tuple[Store, ...]:
    """Return the stores a query runs over, by code.

    Raises:
        Refused: `not_found` for a store that is not there, `forbidden` for one out of scope.
    """
    for code in named:
        if code not in cache.stores:
            raise refuse("not_found", what="store", name=code)
        if not ctx.sees_store(code):
            raise refuse("forbidden", permission="store", store=code)
    codes: Iterable[str] = dict.fromkeys(named) if named else cache.stores
    return tuple(cache.stores[c] for c in sorted(codes) if ctx.sees_store(c))


def today(store: Store, *, now_ms: int) -> int:
    """Tell the store's business date now, as a day number."""
    return business_day(now_ms, zone=store.timezone, cutoff_minutes=store.day_cutoff_minutes)


@frozen
class Point:
    """A date or an instant, as one was given: exactly one of the two is set.

    `day` is a business date of whichever store is looked at, `at_ms` a moment.
    """

    day: int | None = None
    at_ms: int | None = None

    def start_ms(self, store: Store) -> int:
        """Tell when it begins in a store: the first moment of the date, or the instant."""
        if self.day is None:
            return self.at_ms or 0
        return _day_start(self.day, store)

    def end_ms(self, store: Store) -> int:
        """Tell when it is over: the first moment of the next date, or one past the instant."""
        if self.day is None:
            return (self.at_ms or 0) + 1
        return _day_start(self.day + 1, store)

    def day_in(self, store: Store) -> int:
        """Tell the business date it falls on in a store."""
        return today(store, now_ms=self.at_ms or 0) if self.day is None else self.day


def _day_start(day: int, store: Store) -> int:
    return day_start_ms(day, zone=store.timezone, cutoff_minutes=store.day_cutoff_minutes)


def read_point(text: str | None, *, pointer: str) -> Point | None:
    """Read a date or an RFC 3339 time with zone; None when nothing was given.

    Raises:
        Refused: `invalid` with `not_a_moment` at the pointer.
    """
    if text is None:
        return None
    wrong = invalid(FieldError(pointer, "not_a_moment"))
    try:
        if len(text) == len("2026-03-01"):
            day = day_number(date.fromisoformat(text))
            if not 0 <= day <= _DAY_LAST:
                raise wrong
            return Point(day=day)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise wrong from None
    if moment.tzinfo is None or not 1970 < moment.year < 9999:
        raise wrong
    return Point(at_ms=to_ms(moment.astimezone(UTC)))
