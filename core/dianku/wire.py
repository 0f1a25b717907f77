"""Types that travel: the base of every request and answer body, and the number and time aliases.

Requests are frozen structs that refuse unknown fields; they are decoded and checked in one pass,
and the OpenAPI document is made from them. Numbers come in as JSON strings or numbers and are
exact (`Decimal`); they go out as strings. Times carry their zone.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

__all__ = [
    "UNSET",
    "Answer",
    "Code",
    "Day",
    "Name",
    "Note",
    "Number",
    "Numeral",
    "Request",
    "UnsetType",
    "When",
]


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of what a client sends."""


class Answer(msgspec.Struct, kw_only=True, omit_defaults=False):
    """The base of what a client gets."""


Number = Annotated[
    Decimal,
    Meta(description="Exact decimal, as a JSON string or number", examples=["12.50"]),
]
Numeral = Annotated[str, Meta(description="Exact decimal string", examples=["12.50"])]
When = Annotated[datetime, Meta(tz=True, description="RFC 3339 with zone")]
Day = Annotated[date, Meta(description="Calendar date")]
Code = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f](?!\n)$",
        description="A code the shop chooses; kept as written",
    ),
]
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*(?!\n)$")]
Note = Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$")]

Plain = Any
"""A value JSON can carry."""
