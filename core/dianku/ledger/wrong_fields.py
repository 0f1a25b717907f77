"""The wrong fields of a document, gathered in one pass so that all of them are named at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from attrs import define, field

from dianku.errors import FieldError, NumberRefused
from dianku.quantity import scaled


@define
class Errors:
    """The wrong fields found so far."""

    found: list[FieldError] = field(factory=list)

    def add(self, pointer: str, code: str, **params: Any) -> None:
        """Note a wrong field."""
        self.found.append(FieldError(pointer, code, params))

    def number(self, pointer: str, number: Decimal, digits: int, *, largest: int) -> int:
        """Scale a number; on refusal note it and go on with 0."""
        try:
            return scaled(number, digits, largest=largest)
        except NumberRefused as refused:
            self.add(pointer, refused.code, **refused.params)
            return 0
