"""Answering for the sites of plugins: the same door as the API's, with pages for answers.

Handlers run on the threads of plugins, so a page that hangs leaves the till its own. A page says
no more of a failure than a problem would, and whatever a plugin forgets, its pages are not sniffed,
not framed and run no script of another's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from attrs import define, evolve
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dianku.access.secrets import csrf_of
from dianku.context import Context
from dianku.errors import Problem, Refused, refuse
from dianku.http.admission import check_permission, check_scope
from dianku.http.api import (
    REQUEST_ID,
    Api,
    Headers,
    broken,
    decoded_query,
    parts_of,
    peer_of,
    refuse_repeated,
    texts_of,
)
from dianku.http.bodies import Receive, Scope, Send
from dianku.http.identity import NOBODY, session_secret
from dianku.http.plugin_threads import handled
from dianku.http.problem_answers import problem_body
from dianku.http.route import PUBLIC, Call, Content, Replied, Route
from dianku.http.site import Refusal, Site, Sites, language_of
from dianku.http.transport import over_https

log = logging.getLogger("dianku.http")
Answered = tuple[int, list[tuple[bytes, bytes]], bytes]

GUARDS: Mapping[bytes, bytes] = {
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    b"cross-origin-opener-policy": b"same-origin",
    b"referrer-policy": b"same-origin",
    b"x-content-type-options": b"nosniff",
    b"cache-control": b"no-store",
}
"""What an answer of a site says unless the site says otherwise."""


@define
class _Asked:
    """One request for a page, and who asks as soon as that is known."""

    call: Call
    path: str
    query: bytes


class Pages:
    """The sites of a host; who may, how often and in which words is the API's."""

    def __init__(self, api: Api, sites: Sites) -> None:
        self._api = api
        self._sites = sites

    async def handle(
        self, scope: Scope, receive: Receive, send: Send, *, path: str, site: Site
    ) -> None:
        """Answer one request for a path of a site."""
        del receive  # whoever shows a page reads nothing but the address
        headers: Headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if REQUEST_ID.fullmatch(given) else self._api.next_id()
        language = language_of(headers.get(b"cookie"), headers.get(b"accept-language"))
        call = Call(
            ctx=Context(NOBODY, language=language, request_id=request_id),
            host=self._api.host,
            query={},
            headers=texts_of(headers),
            secure=over_https(scope, headers, trusted=self._api.trusted),
            edge=self._api.opened(),
        )
        asked = _Asked(call, path, scope["query_string"])
        try:
            status, sent, body = await self._shown(asked, scope, headers, site)
        except Exception as error:  # noqa: BLE001 - also a site whose refusals are broken
            problem = broken(error, request_id=request_id, what=f"a refusal of {site.path}")
            status, sent, body = self._api.refusal(problem, language, request_id)
        self._api.traffic.count(scope["method"] if status != 405 else "other", status)
        sent.append((b"x-request-id", request_id.encode()))
        named = {name for name, _ in sent}
        sent += [(name, value) for name, value in GUARDS.items() if name not in named]
        sent.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": body})

    async def _shown(self, asked: _Asked, scope: Scope, headers: Headers, site: Site) -> Answered:
        """The page, or the site's own for who is turned away."""
        try:
            if len(headers) != len(scope["headers"]):
                refuse_repeated(scope["headers"])
            actor = await self._api.identity.actor(headers, method="GET")
            secret = session_secret(headers.get(b"cookie")) if actor is not NOBODY else ""
            asked.call = evolve(
                asked.call,
                ctx=evolve(asked.call.ctx, actor=actor),
                csrf=csrf_of(secret) if secret else "",
            )
            route, call = self._admitted(asked, scope)
            return self._rendered(route, await self._run(route.handler, call))
        except Refused as refused:
            problem = refused.problem
        except (OperationalError, PoolTimeout) as error:
            log.warning("a page: the database is not available: %s", error)
            problem = Problem("busy")
        except Exception as error:  # noqa: BLE001 - whoever asks is answered
            what = f"{scope['method']} {asked.path}"
            problem = broken(error, request_id=asked.call.ctx.request_id, what=what)
        return await self._refused(site, asked, problem)

    def _admitted(self, asked: _Asked, scope: Scope) -> tuple[Route, Call]:
        """The route and the call, for who may. Raises `Refused`."""
        path, method, ctx = asked.path, scope["method"], asked.call.ctx
        wait = self._api.rate.wait_seconds(ctx.actor.id or peer_of(scope))
        if wait:
            raise refuse("rate_limited", retry_after_seconds=wait)
        match = self._sites.table.find(path, parts=parts_of(path, scope))
        if match is None or "\0" in path:
            raise refuse("not_found", what="path", name=path[:200])
        if method not in {"GET", "HEAD"}:
            raise refuse("method_not_allowed", method=method, allow="GET")
        route = match.methods["GET"]
        check_permission(route, ctx.actor)
        query = decoded_query(dict, asked.query) or {}
        check_scope(ctx, match.params, None)
        return route, evolve(asked.call, path=match.params, query=query)

    async def _run(self, handler: Any, asked: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._api.plugin_threads, handled, handler, asked)

    def _rendered(self, route: Route, result: Any) -> Answered:
        page = result.body if isinstance(result, Replied) else result
        if not isinstance(page, Content):
            raise TypeError(f"{route.path} answers with a {type(page).__name__}, not with Content")
        status, headers, body = self._api.rendered(route, Context(NOBODY), result)
        # Both say it: once is enough.
        return status, [(n, v) for n, v in headers if n != b"x-content-type-options"], body

    async def _refused(self, site: Site, asked: _Asked, problem: Problem) -> Answered:
        body = problem_body(problem, messages=self._api.messages, language=asked.call.ctx.language)
        query = asked.query.decode("latin-1")
        refusal = Refusal(
            call=asked.call,
            problem=problem,
            title=body["title"],
            detail=body["detail"],
            target=f"{asked.path}?{query}" if query else asked.path,
        )
        route = Route("GET", site.path, _no_handler, PUBLIC, "", status=problem.status)
        return self._rendered(route, await self._run(site.refused, refusal))


def _no_handler(_call: Call) -> Content:
    raise AssertionError("a refusal is made by its site")
