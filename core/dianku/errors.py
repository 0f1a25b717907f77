"""Refusals and errors: what is said when something cannot be done.

A refusal the shop expects (not enough stock, an unknown product) is a value, a `Problem`; it
travels to the edge and is worded there, in the caller's language, from the catalogue in
`dianku.messages`. `Refused` carries a `Problem` through code that has no other way back.
Every code is listed in `STATUS`; a code that is not there is a mistake in our code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from attrs import field, frozen

_EMPTY: Mapping[str, Any] = MappingProxyType({})

STATUS: Mapping[str, int] = MappingProxyType(
    {
        # the request itself
        "unreadable_body": 400,
        "unauthorized": 401,
        "forbidden": 403,
        "not_found": 404,
        "method_not_allowed": 405,
        "body_too_large": 413,
        "unsupported_media_type": 415,
        "invalid": 422,
        "idempotency_conflict": 422,
        "file_unreadable": 422,
        "file_too_large": 413,
        "columns_not_found": 422,
        "import_refused": 422,
        "rate_limited": 429,
        "internal_error": 500,
        "busy": 503,
        "storage_full": 503,
        "not_ready": 503,
        # refused by the state of the shop
        "conflict": 409,
        "already_exists": 409,
        "insufficient_stock": 409,
        "not_reversible": 409,
        "already_reversed": 409,
        "over_refunded": 409,
        "over_returned": 409,
        "not_posted_alone": 409,
        "over_received": 409,
        "transfer_closed": 409,
        "reservation_expired": 409,
        "reservation_ended": 409,
        "composition_cycle": 409,
        "composition_in_use": 409,
        "has_movements": 409,
        "archived": 409,
        "value_below_zero": 409,
        "checked_refused": 409,
        "check_failed": 503,
        "import_repeated": 409,
        "import_mapped": 409,
        "import_not_undoable": 409,
        "already_settled": 409,
        "already_set_up": 409,
        "backup_running": 409,
        "last_owner": 409,
        "practice_ended": 409,
        "practice_not_here": 409,
        "wrong_password": 401,
    }
)
"""Every problem code and the HTTP status it answers with."""


@frozen
class FieldError:
    """One wrong field: where (RFC 6901 pointer into the body), which rule, with which figures."""

    pointer: str
    code: str
    params: Mapping[str, Any] = _EMPTY


@frozen
class Problem:
    """A refusal: a stable code, its figures, all wrong fields, and what a machine may read.

    `extra` becomes members of the RFC 9457 answer beside the standard ones, such as
    `short: [{sku, store, requested, available}]` of `insufficient_stock`.
    """

    code: str = field()
    params: Mapping[str, Any] = _EMPTY
    errors: Sequence[FieldError] = ()
    extra: Mapping[str, Any] = _EMPTY

    @code.validator
    def _known(self, _attribute: object, value: str) -> None:
        if value not in STATUS:
            raise ValueError(f"unknown problem code {value!r}")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS[self.code]


class DiankuError(Exception):
    """The root of what Dianku raises on purpose."""


class Refused(DiankuError):
    """A `Problem` on its way to the edge."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code} {dict(problem.params)} {list(problem.errors)}")
        self.problem = problem


class NumberRefused(DiankuError):
    """A number that cannot be a quantity or an amount; `code` says why."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class WordedError(DiankuError):
    """What whoever runs the shop is told, in their language: `error.<code>` of the catalogue.

    `str()` is the English of it, for logs and tracebacks. A figure that is itself such an error,
    or several of them, is worded along.
    """

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        return self.worded("en")

    def worded(self, language: str) -> str:
        """What happened, what it is about, and what to do."""
        from dianku.messages import Messages

        figures = {name: _figure(value, language) for name, value in self.params.items()}
        return Messages().text(f"error.{self.code}", language, **figures)


def _figure(value: Any, language: str) -> Any:
    if isinstance(value, WordedError):
        return value.worded(language)
    if isinstance(value, tuple) and all(isinstance(one, WordedError) for one in value):
        return "\n".join(one.worded(language) for one in value)
    return value


class ConfigurationError(WordedError):
    """The installation is wrong: says what, where, and what to do. Ends the command with 1."""


def refuse(code: str, *, extra: Mapping[str, Any] | None = None, **params: Any) -> Refused:
    """Make a `Refused` of one code, such as "not_found", with its parameters."""
    return Refused(Problem(code, params, (), extra or {}))


def invalid(*errors: FieldError) -> Refused:
    """Make a `Refused` of wrong values: 422 `invalid`."""
    return Refused(Problem("invalid", errors=errors))
