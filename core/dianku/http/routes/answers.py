"""Shapes many routes share: lists that are short enough to be one page, and keyed creation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Generic, TypeVar

from msgspec import Meta
from sqlalchemy.engine import Connection

from dianku.context import Context
from dianku.errors import refuse
from dianku.http.route import Call, Replied
from dianku.idempotency import digest, keyed
from dianku.wire import Answer, Note, Request

Item = TypeVar("Item")
REPLAYED = {"Idempotency-Replayed": "true"}
LIMIT_MAX = 1000


class Page(Answer, Generic[Item]):
    """A page of a list; `next_cursor` null at its end."""

    items: list[Item]
    next_cursor: str | None = None


class ListQuery(Request, frozen=True):
    """What every list takes."""

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = 100
    cursor: Annotated[str, Meta(max_length=200)] | None = None


class WithNote(Request, frozen=True):
    """A word on why."""

    note: Note


class Nothing(Request, frozen=True):
    """A body without fields."""


def once(
    call: Call,
    command: str,
    effect: Callable[[Connection], Any],
    *,
    status: int = 201,
    keep: Callable[[Any], Any] | None = None,
) -> Replied:
    """Do something once for the request's key, and answer; a replay says so in its header.

    `command` names what is asked for among all commands of the shop.

    Raises:
        Refused: `idempotency_conflict`, what the effect refuses, or `forbidden` for a replay that
            would tell of stores out of scope: the effect, which looks at that, is not asked again.
    """
    wanted = digest(command, call.path, call.body)
    kept = keyed(
        call.host.database, key=call.key, digest=wanted, effect=effect, status=status, keep=keep
    )
    if kept.replayed:
        _refuse_out_of_scope(call.ctx, kept.body)
    return Replied(kept.body, kept.status, REPLAYED if kept.replayed else {})


def _refuse_out_of_scope(ctx: Context, told: Any) -> None:
    """Refuse whoever is limited to some stores an answer that is of others, or of all."""
    if ctx.actor.stores is None or not isinstance(told, Mapping):
        return
    named = [told["store"]] if "store" in told else told.get("stores", ())
    if named is None or not all(ctx.sees_store(code) for code in named if isinstance(code, str)):
        raise refuse("forbidden", permission="store")


def page_of(records: list[Any], query: ListQuery, *, name: Callable[[Any], str]) -> Page[Any]:
    """A page of a list that is sorted by `name`; the cursor is the last name of the page."""
    rest = [r for r in records if query.cursor is None or name(r) > query.cursor]
    items = rest[: query.limit]
    more = len(rest) > len(items)
    return Page(items=items, next_cursor=name(items[-1]) if more else None)
