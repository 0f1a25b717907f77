"""Check what came in against its type, naming every wrong field at once.

The fast path is one pass of msgspec. Only when that refuses is the value walked field by field,
so that the answer lists all mistakes with RFC 6901 pointers, not just the first. Both paths agree
on what is right; the walk also mends what JSON leaves open, a whole number written as 1.0, and
keeps what is sound, so that more can be said of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import inspect as shapes

from dianku.errors import FieldError, Problem, Refused, invalid, refuse

ERRORS_MAX = 200
"""How many wrong fields one answer names; a body of a million mistakes gets a short reply."""

ABSENT: Any = object()
"""Stands in what is left of a list for an item that is wrong as a whole."""

_any_decoder = msgspec.json.Decoder(float_hook=Decimal)


_UNDERSCORED = re.compile(rb'"(?![a-zA-Z])[^"]*(?:_|\\u005[fF])')
"""A string that the decoder may take for a number as Python writes one: "1_000" is none here."""


class _NamedTwice(ValueError):
    """A name stands twice in one object: readers differ on which of the two counts."""


def _named_once(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NamedTwice(f"the name {twice[:100]!r} stands twice in one object")


# Its scanner is C and makes nothing: a few microseconds, a hundred for a hundred lines.
_names = json.JSONDecoder(object_pairs_hook=_named_once, parse_int=str, parse_float=str)


class WrongBody(Refused):
    """A body with wrong fields; `sound` is what is left of it without them, as plain values.

    A field that is wrong is not in `sound`; of a list a wrong item is `ABSENT`, so that the others
    keep their places. The whole is `ABSENT` where nothing is left.
    """

    def __init__(self, errors: Sequence[FieldError], sound: Any) -> None:
        super().__init__(Problem("invalid", errors=errors))
        self.sound = sound


@lru_cache(maxsize=512)
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


@lru_cache(maxsize=512)
def _shape(kind: Any) -> shapes.Type:
    return shapes.type_info(kind)


def decode_body(raw: bytes, kind: Any) -> Any:
    """Decode a JSON body to its type.

    Raises:
        Refused: `unreadable_body` (no JSON at all, or a name that stands twice in one object), or
            `invalid` with every wrong field.
    """
    try:
        found = _decoder(kind).decode(raw)
        _names.decode(raw.decode())
    except msgspec.ValidationError as error:
        return _checked(_plain(raw), kind, error=error, lax=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, _NamedTwice) as error:
        raise _unreadable(error) from error
    if _UNDERSCORED.search(raw):
        return _checked(_plain(raw), kind, error=None, lax=False)
    return found


def convert_value(value: Any, kind: Any, *, lax: bool = False) -> Any:
    """Check plain values (of a query, of a form) against a type; `lax` reads numbers from text.

    Raises:
        Refused: `invalid` with every wrong field.
    """
    error = None
    try:
        found = msgspec.convert(value, kind, strict=not lax)
    except msgspec.ValidationError as refused:
        error = refused
    if error is not None or (lax and "_" in str(value)):
        return _checked(value, kind, error=error, lax=lax)
    return found


def objects_of(texts: Mapping[str, str], kind: Any) -> dict[str, Any]:
    """The texts of a form's fields; those that are objects are JSON.

    Raises:
        Refused: `unreadable_body`: no JSON, or a name that stands twice in it.
    """
    shape = _bare(_shape(kind))
    if not isinstance(shape, shapes.StructType):
        raise TypeError(f"{kind!r} is no struct")
    objects = {
        field.encode_name
        for field in shape.fields
        if any(isinstance(t, shapes.DictType) for t in _members(field.type))
    }
    return {
        name: _plain(text.encode()) if name in objects else text for name, text in texts.items()
    }


def decode_query(pairs: list[tuple[str, str]], kind: Any) -> Any:
    """Check query parameters against a struct: lists may repeat, nothing unknown is passed over.

    Raises:
        Refused: `invalid`; pointers name the parameter, as "/limit".
    """
    values: dict[str, Any] = {}
    if kind is dict:
        for name, text in pairs:
            values.setdefault(name, []).append(text)
        return {name: texts if len(texts) > 1 else texts[0] for name, texts in values.items()}
    lists = _list_fields(kind) if kind is not None else {}
    errors: list[FieldError] = []
    found: Any = None
    for name, text in pairs:
        if name not in lists:
            errors.append(FieldError(_step("", name), "unknown_parameter"))
        elif lists[name]:
            values.setdefault(name, []).append(text)
        elif name in values:
            errors.append(FieldError(_step("", name), "repeated"))
        else:
            values[name] = text
    try:
        found = convert_value(values, kind, lax=True) if kind is not None else None
    except Refused as refused:
        errors += refused.problem.errors
    if errors:
        raise invalid(*errors[:ERRORS_MAX])
    return found


@lru_cache(maxsize=256)
def _list_fields(kind: Any) -> dict[str, bool]:
    shape = _bare(_shape(kind))
    if not isinstance(shape, shapes.StructType):
        raise TypeError(f"{kind!r} is no struct")
    return {
        field.encode_name: any(isinstance(t, shapes.ListType) for t in _members(field.type))
        for field in shape.fields
    }


def _plain(raw: bytes) -> Any:
    try:
        found = _any_decoder.decode(raw)
        _names.decode(raw.decode())
    except (
        msgspec.DecodeError,
        UnicodeDecodeError,
        RecursionError,
        InvalidOperation,
        _NamedTwice,
    ) as error:
        raise _unreadable(error) from error
    return found


def _unreadable(error: Exception) -> Refused:
    reason = "too deeply nested" if isinstance(error, RecursionError) else str(error)
    return refuse("unreadable_body", reason=reason[:200])


def _checked(value: Any, kind: Any, *, error: msgspec.ValidationError | None, lax: bool) -> Any:
    walk = _Walk(lax=lax)
    try:
        mended = walk.visit(_shape(kind), value, "")
    except RecursionError as depth:
        raise _unreadable(depth) from depth
    if walk.errors:
        raise WrongBody(walk.errors[:ERRORS_MAX], mended)
    try:
        return msgspec.convert(mended, kind, strict=not lax)
    except msgspec.ValidationError as again:
        raise invalid(_from_message(str(again))) from error


_PATH = re.compile(r" - at `\$(?P<path>[^`]*)`$")


def _from_message(message: str) -> FieldError:
    """The field error of a message msgspec words itself, for a rule the walk does not know."""
    found = _PATH.search(message)
    path = found["path"] if found else ""
    pointer = re.sub(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]", r"/\1\2", path)
    return FieldError(pointer, "not_allowed", {"reason": _PATH.sub("", message)})


def _step(pointer: str, name: str | int) -> str:
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"


def _bare(shape: shapes.Type) -> shapes.Type:
    while isinstance(shape, shapes.Metadata):
        shape = shape.type
    return shape


def _members(shape: shapes.Type) -> tuple[shapes.Type, ...]:
    bare = _bare(shape)
    if isinstance(bare, shapes.UnionType):
        return tuple(_bare(member) for member in bare.types)
    return (bare,)


class _Walk:
    """One walk over a value beside its type; `errors` collects what is wrong."""

    def __init__(self, *, lax: bool) -> None:
        self.lax = lax
        self.errors: list[FieldError] = []

    def visit(self, shape: shapes.Type, value: Any, pointer: str) -> Any:
        """Check one value; returns it, mended where JSON allows two spellings, or `ABSENT`."""
        bare = _bare(shape)
        check = _CHECKS.get(type(bare))
        if check is None or len(self.errors) > ERRORS_MAX:
            return value
        noted = len(self.errors)
        found = check(self, bare, value, pointer)
        if any(error.pointer == pointer for error in self.errors[noted:]):
            return ABSENT
        return found

    def wrong(self, pointer: str, code: str, **params: Any) -> None:
        """Note a wrong field."""
        self.errors.append(FieldError(pointer, code, params))

    def struct(self, shape: Any, value: Any, pointer: str) -> Any:
        """Check an object field by field, and that it has no others."""
        if not isinstance(value, Mapping):
            self.wrong(pointer, "wrong_type", expected="object")
            return value
        known = {field.encode_name: field for field in shape.fields}
        mended = {}
        for name, item in value.items():
            if name in known:
                found = self.visit(known[name].type, item, _step(pointer, name))
                if found is not ABSENT:
                    mended[name] = found
            elif shape.forbid_unknown_fields:
                self.wrong(_step(pointer, name), "unknown_field")
        for name, field in known.items():
            if field.required and name not in value:
                self.wrong(_step(pointer, name), "missing")
        return mended

    def sequence(self, shape: Any, value: Any, pointer: str) -> Any:
        """Check a list and its length."""
        if not isinstance(value, list | tuple):
            self.wrong(pointer, "wrong_type", expected="array")
            return value
        if shape.max_length is not None and len(value) > shape.max_length:
            self.wrong(pointer, "too_many", max=shape.max_length)
            return value
        if shape.min_length is not None and len(value) < shape.min_length:
            self.wrong(pointer, "too_few", min=shape.min_length)
        return [self.visit(shape.item_type, v, _step(pointer, i)) for i, v in enumerate(value)]

    def mapping(self, shape: Any, value: Any, pointer: str) -> Any:
        """Check an object whose names are free."""
        if not isinstance(value, Mapping):
            self.wrong(pointer, "wrong_type", expected="object")
            return value
        return {k: self.visit(shape.value_type, v, _step(pointer, k)) for k, v in value.items()}

    def union(self, shape: Any, value: Any, pointer: str) -> Any:
        """Check against the member that is meant: null, or the one whose JSON kind fits."""
        members = [_bare(member) for member in shape.types]
        if value is None and any(isinstance(m, shapes.NoneType) for m in members):
            return None
        rest = [m for m in members if not isinstance(m, shapes.NoneType)]
        if len(rest) == 1:
            return self.visit(rest[0], value, pointer)
        trials: list[list[FieldError]] = []
        for member in rest:
            trial = _Walk(lax=self.lax)
            mended = trial.visit(member, value, pointer)
            if not trial.errors:
                return mended
            trials.append(trial.errors)
        nearest: list[FieldError] = min(trials, key=_misses_the_kind)
        self.errors += nearest
        return ABSENT

    def text(self, shape: Any, value: Any, pointer: str) -> Any:
        """Check a string: its length and pattern."""
        if not isinstance(value, str):
            self.wrong(pointer, "wrong_type", expected="string")
        elif shape.max_length is not None and len(value) > shape.max_length:
            self.wrong(pointer, "too_long", max=shape.max_length)
        elif shape.min_length is not None and len(value) < shape.min_length:
            self.wrong(pointer, "too_short", min=shape.min_length)
        elif shape.pattern is not None and not re.search(shape.pattern, value):
            self.wrong(pointer, "pattern", pattern=shape.pattern)
        return value

    def integer(self, shape: Any, value: Any, pointer: str) -> Any:
        """Check a whole number and its bounds; 2.0 is one."""
        number = value
        if isinstance(number, str) and self.lax:
            number = _decimal(number)
        if isinstance(number, Decimal) and number.is_finite() and abs(number.adjusted()) < 19:
            number = int(number) if number == number.to_integral_value() else number
        if not isinstance(number, int) or isinstance(number, bool):
            self.wrong(pointer, "wrong_type", expected="integer")
            return value
        self._bounds(shape, number, pointer)
        return number

    def real(self, shape: Any, value: Any, pointer: str) -> Any:
        """Check a number that may have decimals."""
        number = _decimal(value) if isinstance(value, str) and self.lax else value
        if isinstance(number, bool) or not isinstance(number, int | float | Decimal):
            self.wrong(pointer, "wrong_type", expected="number")
            return value
        self._bounds(shape, number, pointer)
        return float(number)

    def _bounds(self, shape: Any, number: Any, pointer: str) -> None:
        if shape.ge is not None and number < shape.ge:
            self.wrong(pointer, "too_small", min=shape.ge)
        if shape.gt is not None and number <= shape.gt:
            self.wrong(pointer, "too_small", min=shape.gt)
        if shape.le is not None and number > shape.le:
            self.wrong(pointer, "too_large", max=shape.le)
        if shape.lt is not None and number >= shape.lt:
            self.wrong(pointer, "too_large", max=shape.lt)

    def decimal(self, _shape: Any, value: Any, pointer: str) -> Any:
        """Check an exact number, given as a JSON number or a string."""
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            self.wrong(pointer, "wrong_type", expected="decimal")
            return value
        number = _decimal(value)
        if number is None:
            self.wrong(pointer, "not_a_number")
        elif not number.is_finite():
            self.wrong(pointer, "not_finite")
        return value if number is None else number

    def boolean(self, _shape: Any, value: Any, pointer: str) -> Any:
        """Check a yes or no."""
        if self.lax and isinstance(value, str) and value.lower() in _BOOLEANS:
            return _BOOLEANS[value.lower()]
        if not isinstance(value, bool):
            self.wrong(pointer, "wrong_type", expected="boolean")
        return value

    def literal(self, shape: Any, value: Any, pointer: str) -> Any:
        """Check that a word is one of those allowed."""
        if isinstance(value, list | dict) or value not in shape.values:
            allowed = ", ".join(str(v) for v in shape.values)
            self.wrong(pointer, "not_one_of", allowed=allowed)
        return value

    def moment(self, shape: Any, value: Any, pointer: str) -> Any:
        """Check an RFC 3339 time with its zone."""
        try:
            parsed = msgspec.convert(value, datetime) if isinstance(value, str) else None
        except msgspec.ValidationError:
            parsed = None
        if parsed is None:
            self.wrong(pointer, "not_a_time")
        elif shape.tz and parsed.tzinfo is None:
            self.wrong(pointer, "no_zone")
        return value

    def day(self, _shape: Any, value: Any, pointer: str) -> Any:
        """Check a calendar date."""
        try:
            parsed = msgspec.convert(value, date) if isinstance(value, str) else None
        except msgspec.ValidationError:
            parsed = None
        if parsed is None:
            self.wrong(pointer, "not_a_date")
        return value

    def nothing(self, _shape: Any, value: Any, pointer: str) -> Any:
        """Check that there is null."""
        if value is not None:
            self.wrong(pointer, "wrong_type", expected="null")
        return value


def _misses_the_kind(errors: list[FieldError]) -> bool:
    """Whether a trial failed on the JSON kind already: the least telling of reasons."""
    return errors[0].code == "wrong_type"


_BOOLEANS = {"1": True, "true": True, "0": False, "false": False}
_CHECKS: Mapping[type, Callable[[_Walk, Any, Any, str], Any]] = {
    shapes.StructType: _Walk.struct,
    shapes.ListType: _Walk.sequence,
    shapes.DictType: _Walk.mapping,
    shapes.UnionType: _Walk.union,
    shapes.StrType: _Walk.text,
    shapes.IntType: _Walk.integer,
    shapes.FloatType: _Walk.real,
    shapes.DecimalType: _Walk.decimal,
    shapes.BoolType: _Walk.boolean,
    shapes.LiteralType: _Walk.literal,
    shapes.DateTimeType: _Walk.moment,
    shapes.DateType: _Walk.day,
    shapes.NoneType: _Walk.nothing,
}


def _decimal(value: str | int | Decimal) -> Decimal | None:
    if isinstance(value, str) and "_" in value:
        return None
    try:
        return Decimal(value)
    except InvalidOperation:
        return None
