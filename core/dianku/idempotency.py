"""One key, one effect, for ever (invariant I3): hashes of keys, digests of commands, kept answers.

All keys of a shop live in one space, `posted_key`. A key stands there together with the effect it
had, written in the same transaction, or it does not stand there at all. What posts documents
claims its keys in the poster; everything else that creates goes through `keyed`.

Two bodies are the same when they ask for the same: numbers are compared as exact decimals (1, 1.0
and "1.00"), moments as instants, and a field left out equals null and equals its default.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec
import sqlalchemy as sa
from attrs import frozen
from msgspec import UNSET, Struct
from msgspec.structs import astuple
from sqlalchemy.engine import Connection

from dianku.clock import to_ms
from dianku.errors import refuse
from dianku.ledger.tables import kept_answer, posted_key
from dianku.storage.engine import LOCK_CATALOG, Database

Pair = tuple[int, int]
"""Sixteen bytes as two signed 64-bit integers, the form both databases keep."""

NOT_COMPARED = frozenset({"sent_at", "key", "password"})
"""Fields of a body that say how it was sent, not what it asks for; and passwords, of which no fast
hash may be kept beside the slow one."""

PLAIN_DIGITS_MAX = 60
_encode = msgspec.json.Encoder(order="sorted").encode
_TWO = struct.Struct(">qq")


def hash_key(key: str) -> Pair:
    """The hash under which a key is kept."""
    return _pair(key.encode())


def digest(command: str, params: Mapping[str, Any], body: Any) -> Pair:
    """Hash what is asked for: the command's name, its path parameters and its body.

    `body` is a decoded request (or plain JSON values); `NOT_COMPARED` fields at its top are left
    out, so a document alone and the same document in a batch have one digest.
    """
    plain = canonical(body)
    if isinstance(plain, dict):
        plain = {name: value for name, value in plain.items() if name not in NOT_COMPARED}
    return _pair(_encode([command, canonical(params), plain]))


def canonical(value: Any) -> Any:
    """Plain values that are equal exactly when two requests ask for the same."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is Decimal or kind is int or kind is float:
        return _number(value if kind is Decimal else Decimal(repr(value)))
    if kind is datetime:
        return to_ms(value) if value.tzinfo is not None else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Struct):
        return _struct(value)
    if isinstance(value, Mapping):
        return {str(name): canonical(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    return str(value)


@frozen
class Kept:
    """An answer to a keyed request: `body` as plain JSON values, `replayed` if given before."""

    status: int
    body: Any
    replayed: bool


def keyed(
    database: Database,
    *,
    key: str | None,
    digest: Pair,
    effect: Callable[[Connection], Any],
    status: int = 201,
    keep: Callable[[Any], Any] | None = None,
) -> Kept:
    """Let `effect` happen once for a key, in one transaction with the key.

    `effect` gets the writing connection and returns the answer; services it calls join the
    transaction (`Database.joined`). A refusal it raises rolls back and is not remembered.
    `keep` says what of the answer is remembered (a token's secret is not). Without a key the
    effect just happens.

    Raises:
        Refused: `idempotency_conflict` if the key was used for something else, or whatever the
            effect refuses.
    """
    with database.writing() as connection, database.joined(connection):
        # The exclusive catalog lock, taken first as everywhere, keeps every poster and every
        # other keyed request out, so looking before writing cannot race.
        database.lock(connection, LOCK_CATALOG)
        if key is None:
            return Kept(status, effect(connection), replayed=False)
        kept = _look_up(connection, hash_key(key), digest)
        if kept is not None:
            return kept
        answer = effect(connection)
        remembered = answer if keep is None else keep(answer)
        _remember(connection, hash_key(key), digest, status=status, body=remembered)
        return Kept(status, answer, replayed=False)


def recall(database: Database, *, key: str | None, digest: Pair) -> Any:
    """What was remembered for a key, None if it was never used.

    Raises:
        Refused: `idempotency_conflict` if the key was used for something else.
    """
    if key is None:
        return None
    with database.reading() as connection:
        kept = _look_up(connection, hash_key(key), digest)
    return None if kept is None else kept.body


def release(database: Database, *, key: str | None, digest: Pair) -> None:
    """Forget a key that was claimed for what was then refused: refusals are not remembered."""
    if key is None:
        return
    high, low = hash_key(key)
    with database.writing() as connection:
        database.lock(connection, LOCK_CATALOG)
        claimed = sa.and_(
            posted_key.c.key_high == high,
            posted_key.c.key_low == low,
            posted_key.c.digest_high == digest[0],
            posted_key.c.digest_low == digest[1],
        )
        connection.execute(sa.delete(posted_key).where(claimed))


def is_used(database: Database, *, key: str) -> bool:
    """Whether a key has had its effect; one in flight has not yet."""
    high, low = hash_key(key)
    found = sa.select(posted_key.c.key_high).where(
        posted_key.c.key_high == high, posted_key.c.key_low == low
    )
    with database.reading() as connection:
        return connection.execute(found).first() is not None


def _look_up(connection: Connection, key: Pair, wanted: Pair) -> Kept | None:
    row = connection.execute(
        sa.select(posted_key, kept_answer.c.status, kept_answer.c.body)
        .outerjoin(
            kept_answer,
            sa.and_(posted_key.c.subject == "answer", posted_key.c.subject_id == kept_answer.c.id),
        )
        .where(posted_key.c.key_high == key[0], posted_key.c.key_low == key[1])
    ).one_or_none()
    if row is None:
        return None
    if (row.digest_high, row.digest_low) != wanted or row.body is None:
        raise refuse("idempotency_conflict")
    return Kept(row.status, msgspec.json.decode(row.body), replayed=True)


def _remember(connection: Connection, key: Pair, done: Pair, *, status: int, body: Any) -> None:
    answer_id = connection.execute(
        sa.insert(kept_answer)
        .values(status=status, body=msgspec.json.encode(body).decode())
        .returning(kept_answer.c.id)
    ).scalar_one()
    connection.execute(
        sa.insert(posted_key).values(
            key_high=key[0],
            key_low=key[1],
            digest_high=done[0],
            digest_low=done[1],
            subject="answer",
            subject_id=answer_id,
        )
    )


def _pair(data: bytes) -> Pair:
    high, low = _TWO.unpack(blake2b(data, digest_size=16).digest())
    return high, low


def _number(value: Decimal) -> str:
    said = str(value)
    if said.isdigit() or not value.is_finite():  # most are whole
        return said
    if abs(value.adjusted()) > PLAIN_DIGITS_MAX:  # never write out 1e999999
        sign, figures, exponent = value.as_tuple()
        digits = "".join(map(str, figures))
        short = digits.rstrip("0")
        return f"{'-' * sign}{short}e{int(exponent) + len(digits) - len(short)}"
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


@lru_cache(maxsize=512)
def _fields(kind: type[Struct]) -> tuple[tuple[str, Any], ...]:
    names = zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True)
    defaults = {f.name: _default(f) for f in msgspec.structs.fields(kind)}
    return tuple((encoded, defaults[name]) for name, encoded in names)


def _default(info: msgspec.structs.FieldInfo) -> Any:
    if info.default is not msgspec.NODEFAULT:
        return info.default
    if info.default_factory is not msgspec.NODEFAULT:
        return info.default_factory()
    return msgspec.NODEFAULT


def _struct(value: Struct) -> dict[str, Any]:
    # Most fields of a line are left out, and what is its default by identity costs one comparison.
    return {
        encoded: canonical(item)
        for item, (encoded, default) in zip(astuple(value), _fields(type(value)), strict=True)
        if item is not default
        and item is not UNSET
        and (item is not None or default is UNSET)
        and item != default
    }
