"""Numbers of a request as integers, with every wrong one named and none stopping the others."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from attrs import Factory, define

from dianku.errors import FieldError, NumberRefused, invalid


@define
class Fields:
    """Collects what is wrong with a body, pointer by pointer."""

    errors: list[FieldError] = Factory(list)

    def wrong(self, pointer: str, code: str, **params: Any) -> None:
        """Note a wrong field."""
        self.errors.append(FieldError(pointer, code, params))

    def number(
        self, pointer: str, value: Decimal | None, parse: Callable[[Decimal], int]
    ) -> int | None:
        """A number that may be left out and is not negative; None as well where it is wrong."""
        if value is None:
            return None
        try:
            found = parse(value)
        except NumberRefused as refused:
            self.wrong(pointer, refused.code, **refused.params)
            return None
        if found < 0:
            self.wrong(pointer, "negative")
            return None
        return found

    def check(self) -> None:
        """Refuse with all that was noted, if anything was. Raises `Refused`: `invalid`."""
        if self.errors:
            raise invalid(*self.errors)
