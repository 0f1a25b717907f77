"""Users, tokens and sessions: who gets in, and who may say so.

Every change raises the counter `access`, so that each process forgets what it knew, and leaves a
line in the audit trail in the same transaction. A secret is returned once, by what makes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import sqlalchemy as sa
from msgspec import UNSET, structs
from sqlalchemy.engine import Connection

from dianku.access import store
from dianku.access.known import ACCESS_VERSION, KnownActors
from dianku.access.permissions import OWNER, ROLES, Permissions
from dianku.access.records import (
    IssuedToken,
    NewToken,
    NewUser,
    TokenRecord,
    UserPatch,
    UserRecord,
)
from dianku.access.secrets import PREFIX_SHOWN, hash_password, hashed, new_token
from dianku.access.tables import access_token, user_account
from dianku.access.trail import AuditRecord, read_trail, record_change
from dianku.clock import Clock, to_ms
from dianku.context import Actor, Context
from dianku.errors import FieldError, invalid, refuse
from dianku.storage import events
from dianku.storage.engine import LOCK_CATALOG, Database

SYSTEM = "system"


class Access:
    """Who may do what in one shop.

    `permissions` holds the kernel's and the plugins'; `known` answers for secrets without asking
    the database each time.
    """

    def __init__(
        self, database: Database, *, clock: Clock, permissions: Permissions | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self.permissions = permissions if permissions is not None else Permissions()
        self.known = KnownActors(database, clock=clock, permissions=self.permissions)

    def actor(self, name: str, *, role: str = OWNER, stores: Sequence[str] | None = None) -> Actor:
        """An actor of a role that needs no secret: the command line on this machine."""
        scope = None if stores is None else frozenset(stores)
        return Actor(name, role, self.permissions.of_role(role), scope)

    def authenticate(self, token: str) -> Actor | None:
        """Whose token it is; None for nobody's, a revoked one, one past its end."""
        return self.known.look_up(token, session=False)

    @contextmanager
    def changing(self, connection: Connection | None = None) -> Iterator[Connection]:
        """Change access in a transaction (the caller's, if given): every process will notice."""
        surrounding = self._database.writing() if connection is None else nullcontext(connection)
        with surrounding as inner:
            # Rules such as "one owner must remain" read before they write.
            self._database.lock(inner, LOCK_CATALOG)
            events.bump(inner, ACCESS_VERSION)
            yield inner
        self.known.forget()

    def create_user(
        self, new: NewUser, *, ctx: Context, connection: Connection | None = None
    ) -> UserRecord:
        """Add a person.

        Raises:
            Refused: `invalid` (role, stores), `already_exists`.
        """
        password = None if new.password is None else hash_password(new.password)
        with self.changing(connection) as inner:
            self._check(inner, ctx, role=new.role, stores=new.stores)
            if store.user_by_name(inner, new.name) is not None:
                raise refuse("already_exists", what="user", name=new.name)
            row = store.insert_user(
                inner,
                {
                    "name": new.name,
                    "role": new.role,
                    "stores": store.stores_text(new.stores),
                    "password": password,
                    "pin": None if new.pin is None else hash_password(new.pin),
                    "created_at": self._clock.now_ms(),
                },
            )
            record = store.user_record(row)
            self._note(inner, ctx, "user.create", record.name, after=record)
        return record

    def list_users(self, *, ctx: Context) -> list[UserRecord]:
        """Everybody whose stores are all the caller's too, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(user_account).order_by(user_account.c.name))
            return [store.user_record(row) for row in rows if within(ctx, row.stores)]

    def get_user(self, user_id: str, *, ctx: Context) -> UserRecord:
        """One person. Raises `Refused` (`not_found`, also for one of other stores)."""
        with self._database.reading() as connection:
            row = store.user_by_id(connection, _row_id(user_id, what="user"))
        if row is None or not within(ctx, row.stores):
            raise refuse("not_found", what="user", name=user_id)
        return store.user_record(row)

    def patch_user(self, user_id: str, patch: UserPatch, *, ctx: Context) -> UserRecord:
        """Change a person; a new password or PIN, or being put out of action, ends their sessions.

        Raises:
            Refused: `not_found`, `invalid`, `last_owner`.
        """
        values = {k: v for k, v in structs.asdict(patch).items() if v is not UNSET}
        if "password" in values:
            values["password"] = hash_password(values["password"])
        if values.get("pin") is not None:
            values["pin"] = hash_password(values["pin"])
        if "stores" in values:
            values["stores"] = store.stores_text(values["stores"])
        with self.changing() as connection:
            before = store.user_by_id(connection, _row_id(user_id, what="user"))
            if before is None:
                raise refuse("not_found", what="user", name=user_id)
            _check_within(ctx, before.stores)
            stores = store.stores_of(before.stores) if patch.stores is UNSET else patch.stores
            role = before.role if patch.role is UNSET else patch.role
            self._check(connection, ctx, role=role, stores=stores)
            after = store.update_user(connection, before.id, values)
            was_owner = before.role == OWNER and before.active and before.password is not None
            still = after.role == OWNER and after.active
            if was_owner and not still and not store.count_owners(connection, but=before.id):
                raise refuse("last_owner")
            if {"password", "pin"} & values.keys() or not after.active:
                store.end_sessions(connection, before.id)
            record = store.user_record(after)
            old = store.user_record(before)
            self._note(connection, ctx, "user.change", record.name, before=old, after=record)
        return record

    def delete_user(self, user_id: str, *, ctx: Context) -> None:
        """Put a person out of action for good; their name stays on what they did.

        Raises:
            Refused: `not_found`, `last_owner`.
        """
        self.patch_user(user_id, UserPatch(active=False), ctx=ctx)

    def create_token(
        self, new: NewToken, *, ctx: Context, connection: Connection | None = None
    ) -> IssuedToken:
        """Make a token; its secret is in this answer and nowhere else.

        Raises:
            Refused: `invalid` (role, stores, an end that is past).
        """
        expires_at = None if new.expires_at is None else to_ms(new.expires_at)
        secret = new_token()
        with self.changing(connection) as inner:
            self._check(inner, ctx, role=new.role, stores=new.stores, expires_at=expires_at)
            row = store.insert_token(
                inner,
                {
                    "name": new.name,
                    "role": new.role,
                    "stores": store.stores_text(new.stores),
                    "prefix": secret[:PREFIX_SHOWN],
                    "hash": hashed(secret),
                    "created_at": self._clock.now_ms(),
                    "created_by": ctx.actor.name,
                    "expires_at": expires_at,
                },
            )
            record = store.token_record(row)
            self._note(inner, ctx, "token.create", record.name, after=record)
        return IssuedToken(token=secret, **structs.asdict(record))

    def list_tokens(self, *, ctx: Context) -> list[TokenRecord]:
        """Every token whose stores are all the caller's too, the newest first, without secrets."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(access_token).order_by(access_token.c.id.desc()))
            return [store.token_record(row) for row in rows if within(ctx, row.stores)]

    def revoke_token(self, token_id: str, *, ctx: Context) -> None:
        """End a token; in every process it stops within a second. Again: nothing happens.

        Raises:
            Refused: `not_found`.
        """
        with self.changing() as connection:
            row = store.token_by_id(connection, _row_id(token_id, what="token"))
            if row is None:
                raise refuse("not_found", what="token", name=token_id)
            _check_within(ctx, row.stores)
            if row.revoked_at is None:
                connection.execute(
                    sa.update(access_token)
                    .where(access_token.c.id == row.id)
                    .values(revoked_at=self._clock.now_ms())
                )
                before = store.token_record(row)
                self._note(connection, ctx, "token.revoke", row.name, before=before)

    def audit(
        self,
        *,
        ctx: Context,
        before_id: int | None = None,
        limit: int = 100,
        actor: str | None = None,
        action: str | None = None,
        subject: str | None = None,
    ) -> list[AuditRecord]:
        """The trail of administration, the newest first.

        Raises:
            Refused: `forbidden` for who is limited to stores: it tells of the whole shop.
        """
        ctx.require_all_stores()
        with self._database.reading() as connection:
            return read_trail(
                connection,
                before_id=before_id,
                limit=limit,
                actor=actor,
                action=action,
                subject=subject,
            )

    def note(
        self, connection: Connection, ctx: Context, action: str, details: Mapping[str, Any]
    ) -> None:
        """Leave a line in the trail about a change of something else, in its transaction.

        `details` has its `subject`, and what it was `before` and is `after`.
        """
        self._note(
            connection,
            ctx,
            action,
            str(details["subject"]),
            before=details.get("before"),
            after=details.get("after"),
        )

    def _note(
        self,
        connection: Connection,
        ctx: Context,
        action: str,
        subject: str,
        *,
        before: Any = None,
        after: Any = None,
    ) -> None:
        record_change(
            connection,
            ctx=ctx,
            at_ms=self._clock.now_ms(),
            action=action,
            subject=subject,
            before=before,
            after=after,
        )

    def faults(
        self,
        *,
        ctx: Context,
        role: str,
        stores: Sequence[str] | None,
        expires_at: int | None = None,
    ) -> list[FieldError]:
        """What would be wrong with somebody of this role and these stores; nothing is changed."""
        with self._database.reading() as connection:
            return self._faults(connection, ctx, role=role, stores=stores, expires_at=expires_at)

    def _check(
        self,
        connection: Connection,
        ctx: Context,
        *,
        role: str,
        stores: Sequence[str] | None,
        expires_at: int | None = None,
    ) -> None:
        wrong = self._faults(connection, ctx, role=role, stores=stores, expires_at=expires_at)
        if wrong:
            raise invalid(*wrong)

    def _faults(
        self,
        connection: Connection,
        ctx: Context,
        *,
        role: str,
        stores: Sequence[str] | None,
        expires_at: int | None,
    ) -> list[FieldError]:
        wrong = []
        if role not in ROLES:
            wrong.append(FieldError("/role", "not_one_of", {"allowed": ", ".join(ROLES)}))
        if stores is None and ctx.actor.stores is not None:
            # Left out means every store, which is more than who asks has.
            wrong.append(FieldError("/stores", "missing"))
        codes = list(stores or ())
        unknown = set(store.unknown_stores(connection, codes))
        for position, code in enumerate(codes):
            if code in unknown or not ctx.sees_store(code):
                wrong.append(FieldError(f"/stores/{position}", "unknown_store", {"name": code}))
        if expires_at is not None and expires_at <= self._clock.now_ms():
            wrong.append(FieldError("/expires_at", "in_the_past"))
        return wrong


def within(ctx: Context, stores: str | None) -> bool:
    """Whether somebody's stores, as they are kept, are all among the caller's."""
    codes = store.stores_of(stores)
    mine = ctx.actor.stores
    return mine is None or (codes is not None and mine.issuperset(codes))


def _check_within(ctx: Context, stores: str | None) -> None:
    if not within(ctx, stores):
        raise refuse("forbidden", permission="store")


def _row_id(text: str, *, what: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise refuse("not_found", what=what, name=text)
    return int(text)
