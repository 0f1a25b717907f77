"""Beginning and leaving practice: a throw-away shop for one browser."""

from __future__ import annotations

import asyncio

from dianku.errors import refuse
from dianku.http.edge import edge_of
from dianku.http.identity import session_secret
from dianku.http.practice import COOKIE, PATH, ended_cookie
from dianku.http.route import SIGNED_IN, Call, Replied, Route
from dianku.wire import Answer


class PracticeBegun(Answer):
    """That the caller's browser is in a throw-away shop from now on, told by a cookie."""

    practising: bool


async def begin_practice(call: Call) -> Replied:
    """Make a throw-away shop with sample goods for the browser that asks."""
    practices = edge_of(call).practices
    if practices is None:
        raise refuse("practice_not_here")
    session = session_secret(call.headers.get("cookie", "").encode("latin-1"))
    if "authorization" in call.headers:
        session = ""  # whose token it is asks, whatever cookie comes along
    actor, language, loop = call.ctx.actor, call.ctx.language, asyncio.get_running_loop()
    # Away from the threads that answer the till.
    key = await asyncio.to_thread(
        lambda: practices.begin(actor, session=session, language=language, loop=loop)
    )
    cookie = [f"{COOKIE}={key}", "Path=/", "HttpOnly", "SameSite=Lax"]
    cookie += ["Secure"] if call.secure else []
    return Replied(PracticeBegun(practising=True), 201, {"Set-Cookie": "; ".join(cookie)})


def leave_practice(call: Call) -> Replied:
    """Throw the shop away; the browser is in the real one again."""
    own = edge_of(call).own
    if own is None:
        raise refuse("practice_ended")
    own.leave()
    return Replied(None, 204, {"Set-Cookie": ended_cookie()})


ROUTES = (
    Route(
        "POST",
        PATH,
        begin_practice,
        SIGNED_IN,
        "Practise in a throw-away shop",
        answer=PracticeBegun,
        status=201,
    ),
    Route("DELETE", PATH, leave_practice, SIGNED_IN, "Leave practice", status=204),
)
