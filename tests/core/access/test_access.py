from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from dianku.access.permissions import KERNEL, OWNER, ROLES, Grant, Permissions
from dianku.access.records import NewToken, NewUser, SetUp, SignIn, UserPatch
from dianku.access.service import Access
from dianku.access.sessions import FAILURES_FREE, Sessions
from dianku.context import Context
from dianku.errors import ConfigurationError, Refused

PASSWORD = "correct horse"


def _code(action: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        action()
    return refused.value.problem.code


def _owner(name: str = "ann") -> NewUser:
    return NewUser(name=name, role=OWNER, password=PASSWORD)


def test_owner_holds_every_permission_also_of_plugins() -> None:
    permissions = Permissions([Grant("toys.play", ("clerk",), "toys")])
    for role in ROLES:
        assert permissions.of_role(role) <= permissions.of_role(OWNER)
    assert "toys.play" in permissions.of_role("clerk")
    assert "toys.play" not in permissions.of_role("manager")
    assert permissions.of_role("stranger") == frozenset()


def test_grant_to_an_unknown_role_is_refused_naming_the_plugin() -> None:
    with pytest.raises(ConfigurationError, match="toys"):
        Permissions([Grant("toys.play", ("king",), "toys")])


def test_counter_may_only_scan() -> None:
    assert KERNEL["counter"] == {"scan"}


def test_token_is_shown_once_and_kept_as_a_hash(
    access: Access, ctx: Context, database: Any
) -> None:
    issued = access.create_token(NewToken(name="till", role="clerk"), ctx=ctx)
    assert issued.token is not None
    assert issued.token.startswith(issued.prefix)
    with database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM access_token").all()
        trail = connection.exec_driver_sql("SELECT * FROM audit").all()
    assert issued.token not in repr(rows) + repr(trail)
    actor = access.authenticate(issued.token)
    assert actor is not None
    assert (actor.role, actor.stores) == ("clerk", None)


def test_revoked_token_stops_also_in_another_process(
    access: Access, ctx: Context, database: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = access.create_token(NewToken(name="till", role="clerk"), ctx=ctx)
    other = Access(database, clock=clock)
    assert other.authenticate(token.token or "") is not None
    access.revoke_token(token.id, ctx=ctx)
    assert access.authenticate(token.token or "") is None
    monkeypatch.setattr("dianku.access.known.FRESH_S", -1.0)  # as if the half second were over
    assert other.known.remembered(token.token or "", session=False) is None
    assert other.authenticate(token.token or "") is None


def test_token_past_its_end_is_nobodys(access: Access, ctx: Context, clock: Any) -> None:
    new = NewToken(name="t", role="clerk", expires_at=datetime(2026, 3, 2, 3, 0, tzinfo=UTC))
    token = access.create_token(new, ctx=ctx).token or ""
    assert access.authenticate(token) is not None
    clock.advance(seconds=3600)
    assert access.authenticate(token) is None


def test_token_with_several_wrong_fields_names_them_all(access: Access, ctx: Context) -> None:
    new = NewToken(
        name="t", role="king", stores=["nope"], expires_at=datetime(2020, 1, 1, tzinfo=UTC)
    )
    with pytest.raises(Refused) as refused:
        access.create_token(new, ctx=ctx)
    pointers = {e.pointer for e in refused.value.problem.errors}
    assert pointers == {"/role", "/stores/0", "/expires_at"}
    assert access.list_tokens(ctx=ctx) == []


def test_last_owner_who_can_sign_in_remains(access: Access, ctx: Context) -> None:
    user = access.create_user(_owner(), ctx=ctx)
    assert _code(lambda: access.delete_user(user.id, ctx=ctx)) == "last_owner"
    demote = UserPatch(role="clerk")
    assert _code(lambda: access.patch_user(user.id, demote, ctx=ctx)) == "last_owner"
    access.create_user(_owner("bob"), ctx=ctx)
    assert access.patch_user(user.id, demote, ctx=ctx).role == "clerk"


def test_name_taken_is_refused(access: Access, ctx: Context) -> None:
    access.create_user(_owner(), ctx=ctx)
    assert _code(lambda: access.create_user(_owner(), ctx=ctx)) == "already_exists"


def test_change_leaves_a_line_with_before_and_after_without_secrets(
    access: Access, ctx: Context
) -> None:
    user = access.create_user(_owner(), ctx=ctx)
    access.create_user(_owner("bob"), ctx=ctx)
    access.patch_user(user.id, UserPatch(role="clerk", password="another one"), ctx=ctx)
    line = access.audit(ctx=ctx, subject="ann")[0]
    assert (line.action, line.actor, line.request_id) == ("user.change", "boss", "r-1")
    assert line.before is not None
    assert line.after is not None
    assert (line.before["role"], line.after["role"]) == (OWNER, "clerk")
    assert "another one" not in repr(access.audit(ctx=ctx))
    assert "argon2" not in repr(access.audit(ctx=ctx))


def test_session_begins_with_the_right_password_and_ends(
    access: Access, sessions: Sessions, ctx: Context
) -> None:
    access.create_user(_owner(), ctx=ctx)
    session = sessions.sign_in(SignIn(name="ann", password=PASSWORD))
    found = sessions.actor(session.secret)
    assert found is not None
    assert found.name == "ann"
    sessions.sign_out(session.secret)
    assert sessions.actor(session.secret) is None


def test_new_password_ends_sessions(access: Access, sessions: Sessions, ctx: Context) -> None:
    user = access.create_user(_owner(), ctx=ctx)
    session = sessions.sign_in(SignIn(name="ann", password=PASSWORD))
    access.patch_user(user.id, UserPatch(password="another one"), ctx=ctx)
    assert sessions.actor(session.secret) is None


def test_wrong_passwords_slow_down_but_never_lock_out(
    access: Access, sessions: Sessions, ctx: Context, clock: Any
) -> None:
    access.create_user(_owner(), ctx=ctx)
    wrong, right = SignIn(name="ann", password="x"), SignIn(name="ann", password=PASSWORD)
    for _ in range(FAILURES_FREE):
        assert _code(lambda: sessions.sign_in(wrong)) == "wrong_password"
    assert _code(lambda: sessions.sign_in(right)) == "rate_limited"
    assert _code(lambda: sessions.sign_in(SignIn(name="eve", password="x"))) == "wrong_password"
    clock.advance(seconds=3)
    assert sessions.sign_in(right).actor.name == "ann"


def test_wrong_passwords_at_the_same_instant_in_several_processes_are_no_more_tries(
    access: Access, ctx: Context, database: Any, clock: Any
) -> None:
    access.create_user(_owner(), ctx=ctx)
    processes = [
        Sessions(database, access=Access(database, clock=clock), clock=clock) for _ in range(3)
    ]

    def guess(number: int) -> str:
        tried = SignIn(name="Ann" if number % 2 else "ann", password=f"guess {number}")
        return _code(lambda: processes[number % 3].sign_in(tried))

    with ThreadPoolExecutor(12) as threads:
        found = Counter(threads.map(guess, range(24)))
    assert found == {"wrong_password": FAILURES_FREE, "rate_limited": 24 - FAILURES_FREE}


def test_password_found_right_forgets_wrong_ones_and_those_of_long_ago(
    access: Access, sessions: Sessions, ctx: Context, clock: Any, database: Any
) -> None:
    access.create_user(_owner(), ctx=ctx)
    for name in ("eve", "ann"):
        wrong = SignIn(name=name, password="x")
        assert _code(partial(sessions.sign_in, wrong)) == "wrong_password"
        clock.advance(seconds=1)
    clock.advance(days=1)
    sessions.sign_in(SignIn(name="ann", password=PASSWORD))
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT * FROM sign_in_failure").all() == []


def test_setup_link_names_the_first_owner_once(
    access: Access, sessions: Sessions, ctx: Context
) -> None:
    first, second = sessions.new_setup_link(), sessions.new_setup_link()
    assert first is not None
    assert second is not None
    guess = SetUp(link="guess", name="ann", password=PASSWORD)
    assert _code(lambda: sessions.set_up(guess, ctx=ctx)) == "unauthorized"
    done = sessions.set_up(SetUp(link=first, name="ann", password=PASSWORD), ctx=ctx)
    assert done.token is not None
    actor = access.authenticate(done.token)
    assert actor is not None
    assert actor.role == OWNER
    assert sessions.sign_in(SignIn(name="ann", password=PASSWORD)).actor.name == "ann"
    again = SetUp(link=second, name="eve", password=PASSWORD)
    assert _code(lambda: sessions.set_up(again, ctx=ctx)) == "already_set_up"
    assert sessions.new_setup_link() is None
