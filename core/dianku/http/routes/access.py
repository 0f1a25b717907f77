"""Users, tokens, sessions, the first set-up, and the trail of administration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, structs

from dianku.access.records import (
    IssuedToken,
    Me,
    NewShop,
    NewToken,
    NewUser,
    SessionRecord,
    SetUp,
    SetUpDone,
    SetUpState,
    ShopBrief,
    SignedIn,
    SignIn,
    TokenRecord,
    UserPatch,
    UserRecord,
)
from dianku.access.secrets import csrf_of
from dianku.access.sessions import SESSION_MS, Sessions
from dianku.access.trail import AuditRecord
from dianku.catalog.requests import NewStore
from dianku.clock import timezones
from dianku.context import Actor, Context
from dianku.errors import FieldError, invalid
from dianku.http.further_forms import people_faults
from dianku.http.identity import session_cookie, session_secret
from dianku.http.route import PUBLIC, SIGNED_IN, Call, Replied, Route
from dianku.http.routes.answers import ListQuery, Page, once, page_of

if TYPE_CHECKING:
    from dianku.host import Host

FIRST_STORE = "main"
"""The code of a first store that somebody only named; the command line's default as well."""


class AuditQuery(ListQuery, frozen=True):
    """Which lines of the trail, the newest first."""

    actor: Annotated[str, Meta(max_length=200)] | None = None
    action: Annotated[str, Meta(max_length=200)] | None = None
    subject: Annotated[str, Meta(max_length=200)] | None = None


def list_users(call: Call) -> Page[UserRecord]:
    """List everybody who may sign in."""
    return page_of(
        call.host.access.list_users(ctx=call.ctx), call.query, name=lambda user: user.name
    )


def create_user(call: Call) -> Replied:
    """Add a person."""
    access = call.host.access
    return once(call, "user", lambda c: access.create_user(call.body, ctx=call.ctx, connection=c))


def get_user(call: Call) -> UserRecord:
    """Show a person."""
    return call.host.access.get_user(call.path["id"], ctx=call.ctx)


def patch_user(call: Call) -> UserRecord:
    """Change a person."""
    return call.host.access.patch_user(call.path["id"], call.body, ctx=call.ctx)


def delete_user(call: Call) -> None:
    """Put a person out of action."""
    call.host.access.delete_user(call.path["id"], ctx=call.ctx)


def list_tokens(call: Call) -> Page[TokenRecord]:
    """List tokens without their secrets."""
    tokens = sorted(
        call.host.access.list_tokens(ctx=call.ctx), key=lambda token: f"{token.id:0>18}"
    )
    page = page_of(tokens, call.query, name=lambda token: f"{token.id:0>18}")
    return Page(items=page.items, next_cursor=page.next_cursor)


def create_token(call: Call) -> Replied:
    """Make a token; its secret is shown this once and not in a replay."""
    access = call.host.access
    return once(
        call,
        "token",
        lambda c: access.create_token(call.body, ctx=call.ctx, connection=c),
        keep=lambda issued: structs.replace(issued, token=None),
    )


def revoke_token(call: Call) -> None:
    """End a token."""
    call.host.access.revoke_token(call.path["id"], ctx=call.ctx)


def read_audit(call: Call) -> Page[AuditRecord]:
    """Show who changed what."""
    asked: AuditQuery = call.query
    cursor = asked.cursor
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise invalid(FieldError("/cursor", "unknown_cursor"))
    lines = call.host.access.audit(
        ctx=call.ctx,
        before_id=int(cursor) if cursor else None,
        limit=asked.limit,
        actor=asked.actor,
        action=asked.action,
        subject=asked.subject,
    )
    more = len(lines) == asked.limit
    return Page(items=lines, next_cursor=lines[-1].id if more else None)


def show_set_up(call: Call) -> SetUpState:
    """Say whether the shop waits for its first owner."""
    return _sessions(call).setup_state()


def set_up(call: Call) -> SetUpDone:
    """Name the first owner, with the one-time link, and the shop with its first store."""
    wish: SetUp = call.body
    actor = call.host.access.actor(wish.name)
    ctx = Context(actor, language=call.ctx.language, request_id=call.ctx.request_id)
    if wish.shop is not None:
        if wish.shop.timezone not in timezones():
            params = {"name": wish.shop.timezone}
            raise invalid(FieldError("/shop/timezone", "unknown_timezone", params))
        _sessions(call).check_link(wish.link)
        _begin(call.host, wish.shop, ctx)
    # The link is used up last: whatever is cut short before it can be sent again.
    return _sessions(call).set_up(wish, ctx=ctx)


def _begin(host: Host, shop: NewShop, ctx: Context) -> None:
    """Make the first store and name the shop; a shop that has a store is left as it is."""
    if host.catalog.list_stores(ctx=ctx):
        return
    first = NewStore(code=FIRST_STORE, name=shop.store, timezone=shop.timezone)
    host.catalog.create_store(first, ctx=ctx)
    named = {"name": shop.name, "language": shop.language, "timezone": shop.timezone}
    host.settings.patch_section("shop", named, ctx=ctx)


def list_sessions(call: Call) -> Page[SessionRecord]:
    """List where the caller is signed in; for who may change people, everybody."""
    secret = session_secret(call.headers.get("cookie", "").encode("latin-1"))
    return Page(items=_sessions(call).list_sessions(ctx=call.ctx, current=secret))


def end_session(call: Call) -> None:
    """End a session."""
    _sessions(call).end_session(call.path["id"], ctx=call.ctx)


def sign_in(call: Call) -> Replied:
    """Begin a session."""
    session = _sessions(call).sign_in(call.body)
    cookie = session_cookie(session.secret, max_age_seconds=SESSION_MS // 1000, secure=call.secure)
    me = _me(session.actor, shop=_shop(call))
    answer = SignedIn(csrf=csrf_of(session.secret), **structs.asdict(me))
    return Replied(answer, headers={"Set-Cookie": cookie})


def sign_out(call: Call) -> Replied:
    """End the session."""
    secret = session_secret(call.headers.get("cookie", "").encode("latin-1"))
    if secret:
        _sessions(call).sign_out(secret)
    ended = session_cookie("", max_age_seconds=0, secure=call.secure)
    return Replied(None, headers={"Set-Cookie": ended})


def who_am_i(call: Call) -> Me:
    """Say who the caller is and what they may do."""
    return _me(call.ctx.actor, shop=_shop(call))


def me_of(call: Call, actor: Actor) -> Me:
    """Who an actor is, and of which shop."""
    return _me(actor, shop=_shop(call))


def _shop(call: Call) -> ShopBrief:
    kept = call.host.settings.view().section("shop")
    return ShopBrief(**{name: kept[name] for name in ShopBrief.__struct_fields__})


def _me(actor: Actor, *, shop: ShopBrief) -> Me:
    return Me(
        name=actor.name,
        role=actor.role,
        stores=None if actor.stores is None else sorted(actor.stores),
        permissions=sorted(actor.permissions),
        shop=shop,
    )


def _sessions(call: Call) -> Sessions:
    host = call.host
    return Sessions(host.database, access=host.access, clock=host.clock)


ROUTES = (
    Route("GET", "/setup", show_set_up, PUBLIC, "Whether to set up", answer=SetUpState),
    Route("GET", "/sessions", list_sessions, SIGNED_IN, "Sign-ins", answer=Page[SessionRecord]),
    Route("DELETE", "/sessions/{id}", end_session, SIGNED_IN, "End a sign-in", status=204),
    Route(
        "GET",
        "/users",
        list_users,
        "user.view",
        "List users",
        query=ListQuery,
        answer=Page[UserRecord],
    ),
    Route(
        "POST",
        "/users",
        create_user,
        "user.edit",
        "Add a user",
        request=NewUser,
        further=people_faults,
        answer=UserRecord,
        status=201,
        keyed=True,
    ),
    Route("GET", "/users/{id}", get_user, "user.view", "Show a user", answer=UserRecord),
    Route(
        "PATCH",
        "/users/{id}",
        patch_user,
        "user.edit",
        "Change a user",
        request=UserPatch,
        answer=UserRecord,
    ),
    Route(
        "DELETE", "/users/{id}", delete_user, "user.edit", "Put a user out of action", status=204
    ),
    Route(
        "GET",
        "/tokens",
        list_tokens,
        "token.view",
        "List tokens",
        query=ListQuery,
        answer=Page[TokenRecord],
    ),
    Route(
        "POST",
        "/tokens",
        create_token,
        "token.edit",
        "Make a token",
        request=NewToken,
        further=people_faults,
        answer=IssuedToken,
        status=201,
        keyed=True,
    ),
    Route("DELETE", "/tokens/{id}", revoke_token, "token.edit", "Revoke a token", status=204),
    Route(
        "GET",
        "/audit",
        read_audit,
        "audit.view",
        "The trail of administration",
        query=AuditQuery,
        answer=Page[AuditRecord],
    ),
    Route(
        "POST",
        "/setup",
        set_up,
        PUBLIC,
        "Name the first owner",
        request=SetUp,
        answer=SetUpDone,
        status=201,
    ),
    Route(
        "POST",
        "/sessions",
        sign_in,
        PUBLIC,
        "Sign in with a password",
        request=SignIn,
        answer=SignedIn,
        status=201,
    ),
    Route("DELETE", "/sessions", sign_out, SIGNED_IN, "Sign out", status=204),
    Route("GET", "/me", who_am_i, SIGNED_IN, "Who the caller is", answer=Me),
)
