"""Reading and writing of access rows; no rule is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from dianku.access.permissions import OWNER
from dianku.access.records import TokenRecord, UserRecord
from dianku.access.tables import access_token, user_account, user_session
from dianku.catalog.tables import store
from dianku.clock import format_ms


def stores_text(codes: Sequence[str] | None) -> str | None:
    """Store codes as they are kept: sorted JSON, NULL for every store."""
    return None if codes is None else msgspec.json.encode(sorted(set(codes))).decode()


def stores_of(text: str | None) -> list[str] | None:
    """Store codes as kept, None for every store."""
    return None if text is None else msgspec.json.decode(text, type=list[str])


def unknown_stores(connection: Connection, codes: Sequence[str]) -> list[str]:
    """Those of `codes` that are no store, in their order."""
    known = set(connection.execute(sa.select(store.c.code)).scalars())
    return [code for code in codes if code not in known]


def user_record(row: Row[Any]) -> UserRecord:
    """A user's row as it is shown."""
    return UserRecord(
        id=str(row.id),
        name=row.name,
        role=row.role,
        stores=stores_of(row.stores),
        active=bool(row.active),
        can_sign_in=bool(row.active) and row.password is not None,
        has_pin=row.pin is not None,
        created_at=format_ms(row.created_at),
    )


def token_record(row: Row[Any]) -> TokenRecord:
    """A token's row as it is shown."""
    return TokenRecord(
        id=str(row.id),
        name=row.name,
        role=row.role,
        stores=stores_of(row.stores),
        prefix=row.prefix,
        created_at=format_ms(row.created_at),
        created_by=row.created_by,
        expires_at=None if row.expires_at is None else format_ms(row.expires_at),
        revoked_at=None if row.revoked_at is None else format_ms(row.revoked_at),
    )


def user_by_name(connection: Connection, name: str) -> Row[Any] | None:
    """The user of a name."""
    query = sa.select(user_account).where(user_account.c.name == name)
    return connection.execute(query).one_or_none()


def user_by_id(connection: Connection, row_id: int) -> Row[Any] | None:
    """The user of a row number."""
    query = sa.select(user_account).where(user_account.c.id == row_id)
    return connection.execute(query).one_or_none()


def insert_user(connection: Connection, values: Mapping[str, Any]) -> Row[Any]:
    """Write a user; returns the row."""
    return connection.execute(
        sa.insert(user_account).values(**values).returning(*user_account.c)
    ).one()


def update_user(connection: Connection, row_id: int, values: Mapping[str, Any]) -> Row[Any]:
    """Change a user; returns the row."""
    if values:
        connection.execute(
            sa.update(user_account).where(user_account.c.id == row_id).values(**values)
        )
    return connection.execute(sa.select(user_account).where(user_account.c.id == row_id)).one()


def end_sessions(connection: Connection, user_id: int) -> None:
    """End every session of a user."""
    connection.execute(sa.delete(user_session).where(user_session.c.user_id == user_id))


def sessions(connection: Connection, *, now_ms: int, user_id: int | None) -> Sequence[Row[Any]]:
    """Sessions that last, of one person or of all, the one heard of last first."""
    query = (
        sa.select(user_session, user_account.c.name, user_account.c.stores)
        .join(user_account, user_session.c.user_id == user_account.c.id)
        .where(user_session.c.expires_at > now_ms, user_account.c.active)
        .order_by(sa.func.coalesce(user_session.c.seen_at, user_session.c.created_at).desc())
    )
    if user_id is not None:
        query = query.where(user_session.c.user_id == user_id)
    return connection.execute(query).all()


def note_seen(connection: Connection, hashes: Iterable[str], *, at_ms: int) -> None:
    """Sessions were heard of."""
    connection.execute(
        sa.update(user_session).where(user_session.c.hash.in_(list(hashes))).values(seen_at=at_ms)
    )


def count_owners(connection: Connection, *, but: int = 0) -> int:
    """How many owners can sign in, leaving one out."""
    query = sa.select(sa.func.count()).where(
        user_account.c.role == OWNER,
        user_account.c.active,
        user_account.c.password.is_not(None),
        user_account.c.id != but,
    )
    return int(connection.execute(query).scalar_one())


def insert_token(connection: Connection, values: Mapping[str, Any]) -> Row[Any]:
    """Write a token; returns the row."""
    return connection.execute(
        sa.insert(access_token).values(**values).returning(*access_token.c)
    ).one()


def token_by_id(connection: Connection, row_id: int) -> Row[Any] | None:
    """The token of a row number."""
    query = sa.select(access_token).where(access_token.c.id == row_id)
    return connection.execute(query).one_or_none()


def token_by_hash(connection: Connection, hash_: str) -> Row[Any] | None:
    """The token of a hash, revoked and expired ones left out by who asks."""
    query = sa.select(access_token).where(access_token.c.hash == hash_)
    return connection.execute(query).one_or_none()


def session_user(connection: Connection, hash_: str) -> Row[Any] | None:
    """The user of a session's hash, with the session's end as `session_expires_at`."""
    query = (
        sa.select(user_account, user_session.c.expires_at.label("session_expires_at"))
        .join(user_session, user_session.c.user_id == user_account.c.id)
        .where(user_session.c.hash == hash_)
    )
    return connection.execute(query).one_or_none()
