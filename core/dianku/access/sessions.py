"""Signing in with a password, and the first owner's one-time link.

After `FAILURES_FREE` wrong passwords for a name, in whatever process, each further try must wait,
longer every time, so that guessing is slow and a shop is never locked out for good. A try counts
as wrong until its password was found right: many at the same instant are no more than one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.access import store
from dianku.access.permissions import OWNER
from dianku.access.records import (
    NewToken,
    NewUser,
    SessionRecord,
    SetUp,
    SetUpDone,
    SetUpState,
    SignIn,
)
from dianku.access.secrets import check_password, hash_password, hashed, new_secret
from dianku.access.service import Access, within
from dianku.access.tables import setup_link, sign_in_failure, user_account, user_session
from dianku.catalog.tables import store as store_table
from dianku.clock import Clock, format_ms
from dianku.context import Actor, Context
from dianku.errors import refuse
from dianku.storage.engine import LOCK_CATALOG, Database

SESSION_MS = 14 * 86_400_000
FAILURES_FREE = 5
WAIT_FIRST_MS = 2_000
WAIT_MAX_MS = 900_000
SESSION_ID = 16
"""Signs of a session's hash that tell it from others and give away nothing of its secret."""
EVERYBODY = "user.edit"
"""Who may end the sessions of others: they could as well put them out of action."""
FORGOTTEN_MS = 86_400_000
"""When wrong passwords for a name, which may be nobody's, are not kept any longer."""

_TAKE = """
INSERT INTO sign_in_failure (name, failures, last_at) VALUES (:name, 0, :at)
ON CONFLICT (name) DO UPDATE SET failures = sign_in_failure.failures
RETURNING failures, last_at
"""
_COUNT = "UPDATE sign_in_failure SET failures = failures + 1, last_at = :at WHERE name = :name"


@frozen
class Session:
    """A session just begun: the secret goes into the cookie and is kept nowhere else."""

    secret: str
    actor: Actor


class Sessions:
    """Signing in and out, and setting up."""

    def __init__(self, database: Database, *, access: Access, clock: Clock) -> None:
        self._database = database
        self._access = access
        self._clock = clock

    def actor(self, secret: str) -> Actor | None:
        """Whose session it is; None when it ended or never was."""
        return self._access.known.look_up(secret, session=True)

    def sign_in(self, wish: SignIn) -> Session:
        """Begin a session. Takes as long for a name nobody has as for a wrong password.

        Raises:
            Refused: `wrong_password`, or `rate_limited` after too many of them.
        """
        tried = hashed(wish.name.casefold())
        self.count_try(tried)
        with self._database.reading() as connection:
            row = store.user_by_name(connection, wish.name)
        kept = row.password if row is not None and row.active else None
        right = check_password(kept, wish.password)
        if not right or row is None:
            raise refuse("wrong_password")
        return self.begin(int(row.id), [tried], lasts_ms=SESSION_MS, device=wish.device)

    def begin(
        self,
        user_id: int,
        tried: Sequence[str],
        *,
        lasts_ms: int,
        device: str | None,
        shared_device_id: int | None = None,
    ) -> Session:
        """A session of somebody whose secret was right; `tried` is what was counted before.

        Raises:
            Refused: `wrong_password` for who was put out of action meanwhile.
        """
        secret = new_secret()
        now = self._clock.now_ms()
        with self._database.writing() as connection:
            connection.execute(
                sa.delete(sign_in_failure).where(
                    sa.or_(
                        sign_in_failure.c.name.in_(tried),
                        sign_in_failure.c.last_at <= now - FORGOTTEN_MS,
                    )
                )
            )
            connection.execute(sa.delete(user_session).where(user_session.c.expires_at <= now))
            connection.execute(
                sa.insert(user_session).values(
                    hash=hashed(secret),
                    user_id=user_id,
                    created_at=now,
                    expires_at=now + lasts_ms,
                    device=device,
                    seen_at=now,
                    shared_device_id=shared_device_id,
                )
            )
        actor = self.actor(secret)
        if actor is None:  # put out of action between the two transactions
            raise refuse("wrong_password")
        return Session(secret, actor)

    def sign_out(self, secret: str) -> None:
        """End a session, in every process."""
        with self._access.changing() as connection:
            connection.execute(sa.delete(user_session).where(user_session.c.hash == hashed(secret)))

    def list_sessions(self, *, ctx: Context, current: str) -> list[SessionRecord]:
        """The caller's own, and everybody's for who may change people; `current` is a secret.

        Of others only those whose stores are all the caller's too.
        """
        every = ctx.may(EVERYBODY)
        own = _user_id(ctx)
        if own is None and not every:
            return []
        with self._database.reading() as connection:
            now = self._clock.now_ms()
            rows = store.sessions(connection, now_ms=now, user_id=None if every else own)
        here = hashed(current) if current else ""
        return [
            SessionRecord(
                id=row.hash[:SESSION_ID],
                user=row.name,
                device=row.device,
                created_at=format_ms(row.created_at),
                seen_at=None if row.seen_at is None else format_ms(row.seen_at),
                expires_at=format_ms(row.expires_at),
                current=row.hash == here,
            )
            for row in rows
            if row.user_id == own or within(ctx, row.stores)
        ]

    def end_session(self, session_id: str, *, ctx: Context) -> None:
        """End one of the sessions that `list_sessions` gives, in every process.

        Raises:
            Refused: `not_found`.
        """
        found = [s for s in self.list_sessions(ctx=ctx, current="") if s.id == session_id]
        if not found:
            raise refuse("not_found", what="session", name=session_id[:SESSION_ID])
        with self._access.changing() as connection:
            starts = sa.func.substr(user_session.c.hash, 1, SESSION_ID)
            connection.execute(sa.delete(user_session).where(starts == session_id))
            details = {"subject": found[0].user, "before": {"device": found[0].device}}
            self._access.note(connection, ctx, "session.end", details)

    def setup_state(self) -> SetUpState:
        """Whether the shop waits for its first owner, and what of it is there."""
        with self._database.reading() as connection:
            stores = connection.execute(sa.select(sa.func.count()).select_from(store_table))
            return SetUpState(
                open=not store.count_owners(connection), begun=bool(stores.scalar_one())
            )

    def check_link(self, secret: str) -> None:
        """Whether a one-time link is good, without using it.

        Raises:
            Refused: `already_set_up`, `unauthorized` (no such link).
        """
        with self._database.reading() as connection:
            if store.count_owners(connection):
                raise refuse("already_set_up")
            good = sa.select(setup_link.c.hash).where(
                setup_link.c.hash == hashed(secret), setup_link.c.used_at.is_(None)
            )
            if connection.execute(good).first() is None:
                raise refuse("unauthorized")

    def new_setup_link(self) -> str | None:
        """The secret of a new one-time link; None when there is an owner who can sign in.

        Links given before and not used stay valid, so two starts print two links that work.
        """
        with self._database.writing() as connection:
            self._database.lock(connection, LOCK_CATALOG)
            if store.count_owners(connection):
                return None
            secret = new_secret()
            connection.execute(
                sa.insert(setup_link).values(hash=hashed(secret), created_at=self._clock.now_ms())
            )
            return secret

    def set_up(self, wish: SetUp, *, ctx: Context) -> SetUpDone:
        """Name the first owner; the link, and every other one, is used up by it.

        Raises:
            Refused: `already_set_up`, `unauthorized` (no such link), `already_exists` (the name).
        """
        password = hash_password(wish.password)
        with self._access.changing() as connection:
            self._use_link(connection, wish.link)
            if store.user_by_name(connection, wish.name) is not None:
                raise refuse("already_exists", what="user", name=wish.name)
            wanted = NewUser(name=wish.name, role=OWNER)
            user = self._access.create_user(wanted, ctx=ctx, connection=connection)
            connection.execute(
                sa.update(user_account)
                .where(user_account.c.id == int(user.id))
                .values(password=password)
            )
            token = None
            if wish.with_token:
                named = NewToken(name=f"{wish.name} (set-up)", role=OWNER)
                token = self._access.create_token(named, ctx=ctx, connection=connection).token
        user.can_sign_in = True
        return SetUpDone(user=user, token=token)

    def _use_link(self, connection: Connection, secret: str) -> None:
        if store.count_owners(connection):
            raise refuse("already_set_up")
        now = self._clock.now_ms()
        used = connection.execute(
            sa.update(setup_link)
            .where(setup_link.c.hash == hashed(secret), setup_link.c.used_at.is_(None))
            .values(used_at=now)
        )
        if used.rowcount != 1:
            raise refuse("unauthorized")
        connection.execute(
            sa.update(setup_link).where(setup_link.c.used_at.is_(None)).values(used_at=now)
        )

    def count_try(self, tried: str) -> None:
        """Count a try, before its password is looked at; refuse one that has to wait."""
        now = self._clock.now_ms()
        with self._database.writing() as connection:
            # The row is locked from here on: of tries at the same instant each sees the others.
            row = connection.execute(sa.text(_TAKE), {"name": tried, "at": now}).one()
            if row.failures >= FAILURES_FREE:
                doubled = WAIT_FIRST_MS * 2 ** min(row.failures - FAILURES_FREE, 20)
                left = row.last_at + min(doubled, WAIT_MAX_MS) - now
                if left > 0:
                    seconds = -(-left // 1000)
                    extra = {"retry_after_seconds": seconds}
                    raise refuse("rate_limited", extra=extra, retry_after_seconds=seconds)
            connection.execute(sa.text(_COUNT), {"name": tried, "at": now})


def _user_id(ctx: Context) -> int | None:
    """The person a caller is; None for a token."""
    kind, _, row = ctx.actor.id.partition(":")
    return int(row) if kind == "user" else None
