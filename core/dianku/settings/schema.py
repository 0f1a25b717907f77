"""What can be set: sections of fields with types, bounds and defaults; some are secrets.

A field checks one value and answers with the rule it breaks, never with an exception, so that all
wrong fields of a change are named at once. Decimals travel as strings and are kept as such.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from ipaddress import ip_network
from typing import Any, Literal

from attrs import field, frozen

from dianku.clock import timezones
from dianku.errors import FieldError
from dianku.hooks.records import Title

FieldType = Literal[
    "text", "integer", "decimal", "boolean", "choice", "texts", "timezone", "networks"
]
TEXT_MAX = 2000
TEXTS_MAX = 200
DIGITS_MAX = 18
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
"""What `Decimal` takes is more than what other programs read: `1_000`, blanks, other digits."""


@frozen(kw_only=True)
class Field:
    """One setting. `default` None means unset, and only then may it be cleared with null.

    `minimum` and `maximum` bound integers and decimals; a `secret` is text that is never shown.
    """

    name: str
    type: FieldType
    title: Title
    default: Any = None
    minimum: int | None = None
    maximum: int | None = None
    choices: Sequence[str] = ()
    secret: bool = False
    description: Title | None = None

    def wrong(self, value: Any) -> FieldError | None:
        """The rule a value breaks, None when it is good."""
        pointer = f"/{self.name}"
        if value is None:
            wanted = self.default is not None
            return FieldError(pointer, "required") if wanted else None
        code, params = _broken(self, value)
        return FieldError(pointer, code, params) if code else None


@frozen
class Section:
    """The settings of one owner: `shop`, `http`, `net`, or a plugin by its name."""

    name: str
    title: Title
    fields: Mapping[str, Field] = field(factory=dict)

    @classmethod
    def of(cls, name: str, title: Title, *fields: Field) -> Section:
        """A section of fields, in this order."""
        return cls(name, title, {f.name: f for f in fields})

    def wrong(self, values: Mapping[str, Any]) -> list[FieldError]:
        """Every value that has no field here or breaks its field's rule."""
        wrong = []
        for key, value in values.items():
            found = self.fields.get(key)
            error = FieldError(f"/{key}", "unknown_field") if found is None else found.wrong(value)
            if error is not None:
                wrong.append(error)
        return wrong


def _broken(rule: Field, value: Any) -> tuple[str, Mapping[str, Any]]:
    match rule.type:
        case "boolean":
            good = isinstance(value, bool)
            return ("", {}) if good else ("wrong_type", {"expected": "boolean"})
        case "integer":
            return _broken_integer(rule, value)
        case "decimal":
            return _broken_decimal(rule, value)
        case "texts":
            return _broken_texts(value)
        case "networks":
            return _broken_networks(value)
        case "timezone":
            return _broken_timezone(value)
        case "text" | "choice":
            return _broken_text(value, choices=rule.choices)


def _broken_integer(rule: Field, value: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(value, bool) or not isinstance(value, int):
        return "wrong_type", {"expected": "integer"}
    return _out_of_bounds(rule, value)


def _broken_text(value: Any, *, choices: Sequence[str] = ()) -> tuple[str, Mapping[str, Any]]:
    if not isinstance(value, str):
        return "wrong_type", {"expected": "text"}
    if choices and value not in choices:
        return "not_a_choice", {"choices": ", ".join(choices)}
    if len(value) > TEXT_MAX:
        return "too_long", {"limit": TEXT_MAX}
    return ("bad_characters", {}) if "\x00" in value else ("", {})


def _broken_texts(value: Any) -> tuple[str, Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return "wrong_type", {"expected": "list of texts"}
    if len(value) > TEXTS_MAX:
        return "too_many", {"limit": TEXTS_MAX}
    return next((broken for one in value if (broken := _broken_text(one))[0]), ("", {}))


def _broken_networks(value: Any) -> tuple[str, Mapping[str, Any]]:
    code, params = _broken_texts(value)
    if code:
        return code, params
    for one in value:
        try:
            ip_network(one, strict=False)
        except ValueError:
            return "not_a_network", {"name": one[:100]}
    return "", {}


def _broken_timezone(value: Any) -> tuple[str, Mapping[str, Any]]:
    # An unknown one would be found out by the jobs, none of which could say when it is due.
    code, params = _broken_text(value)
    if code or value in timezones():
        return code, params
    return "unknown_timezone", {"name": value}


def _broken_decimal(rule: Field, value: Any) -> tuple[str, Mapping[str, Any]]:
    if not isinstance(value, str) or len(value) > DIGITS_MAX + 2 or not _PLAIN.fullmatch(value):
        return "wrong_type", {"expected": "decimal string"}
    return _out_of_bounds(rule, Decimal(value))


def _out_of_bounds(rule: Field, value: int | Decimal) -> tuple[str, Mapping[str, Any]]:
    if rule.minimum is not None and value < rule.minimum:
        return "too_small", {"limit": rule.minimum}
    if rule.maximum is not None and value > rule.maximum:
        return "too_large", {"limit": rule.maximum}
    return "", {}
