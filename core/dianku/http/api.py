"""Answering one request: who, may they, what do they say, and the answer in their language.

Plain ASGI, because this is the way every posted line takes. The order is fixed: path, method,
caller, rate, permission, body, handler. Nothing of a body is read for somebody who may not.
"""

from __future__ import annotations

import asyncio
import errno
import inspect
import itertools
import logging
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote

import msgspec
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dianku.context import Context
from dianku.errors import FieldError, Problem, Refused, invalid, refuse
from dianku.http.admission import check_permission, check_scope
from dianku.http.asking import Asking
from dianku.http.bodies import Disconnected, Form, Receive, Scope, Send, read_body
from dianku.http.edge import Edge
from dianku.http.event_streams import EventStreams
from dianku.http.fields import ERRORS_MAX, WrongBody, decode_body, decode_query
from dianku.http.identity import Identity
from dianku.http.limits import RateLimit
from dianku.http.plugin_threads import PluginThreads, handled
from dianku.http.posting import Landing
from dianku.http.probes import Traffic
from dianku.http.problem_answers import encode_problem, problem_headers
from dianku.http.redaction import COST_VIEW, without_costs
from dianku.http.route import PUBLIC, Call, Content, Replied, Route, RouteTable, Stream
from dianku.http.transport import over_https
from dianku.messages import Messages, negotiate

if TYPE_CHECKING:
    from dianku.host import Host
    from dianku.http.practice import Own, Practices

log = logging.getLogger("dianku.http")
KEY_MAX = 255
DEVICE_MAX = 64
QUERY_MAX = 16_384
THREADS = 12
PLUGIN_THREADS = 8
FULL_RETRY_S = 60
"""What a caller is told to wait when the disk is full: a person has to make room."""
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
REQUEST_ID = re.compile(rb"[A-Za-z0-9_.:-]{1,64}")
_JSON_TYPES = frozenset({b"application/json", b"application/problem+json"})
_ONCE = (
    b"authorization",
    b"content-encoding",
    b"content-type",
    b"cookie",
    b"idempotency-key",
    b"last-event-id",
    b"x-csrf-token",
)
"""Headers that must not come twice: a proxy may have judged by the other one of the two."""
_encoder = msgspec.json.Encoder()
_negotiated = lru_cache(maxsize=512)(negotiate)
Headers = Mapping[bytes, bytes]


class Api:
    """The routes of a host as an ASGI application, below its root path.

    `threads` run the handlers that are plain functions; `messages` word the problems.
    """

    def __init__(
        self, host: Host, table: RouteTable, *, messages: Messages, traffic: Traffic
    ) -> None:
        self.host = host
        self._table = table
        self.messages = messages
        self.traffic = traffic
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="http")
        self.plugin_threads = PluginThreads(PLUGIN_THREADS)
        self.identity = Identity(host.access, self.threads)
        self.rate = RateLimit(lambda: int(host.settings.last.get("http", "rate_limit")))
        self.practices: Practices | None = None
        self.own: Own | None = None
        self._edge: Edge | None = None
        self._prefix = secrets.token_hex(5)
        self._count = itertools.count(1)
        self._coroutines = {id(r): inspect.iscoroutinefunction(r.handler) for r in table.routes}

    def open(self) -> Edge:
        """Begin to answer, on the running loop."""
        streams = EventStreams(
            self.host.database,
            self.host.events_bell,
            threads=self.threads,
            each_look=self.host.look_again,
        )
        self.host.settings.watched = True
        self._edge = Edge(
            self.messages,
            Landing(self.threads),
            streams,
            self.threads,
            self.plugin_threads,
            Asking(self.host, self._table, self.opened, asyncio.get_running_loop()),
            self.practices,
            self.own,
        )
        return self._edge

    def opened(self) -> Edge:
        """What requests are answered with; begun by the first, where no server began it."""
        return self._edge or self.open()

    def end_streams(self) -> None:
        """End the answers that would not end by themselves: the server is about to stop."""
        if self._edge is not None:
            self._edge.streams.close()
        if self.practices is not None:
            self.practices.end_streams()

    def close(self) -> None:
        """Stop answering."""
        self.host.settings.watched = False
        self.end_streams()
        self._edge = None
        self.threads.shutdown(wait=False, cancel_futures=True)
        self.plugin_threads.shutdown(wait=False, cancel_futures=True)

    async def handle(self, scope: Scope, receive: Receive, send: Send, *, path: str) -> None:
        """Answer one HTTP request for a path below the root."""
        headers: Headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if REQUEST_ID.fullmatch(given) else self.next_id()
        language = _negotiated(headers.get(b"accept-language", b"").decode("latin-1"))
        try:
            status, answer_headers, body = await self._answer(
                scope, receive, headers, path=path, request_id=request_id, language=language
            )
        except Refused as refused:
            status, answer_headers, body = self.refusal(refused.problem, language, request_id)
        except Disconnected:
            return
        except (OperationalError, PoolTimeout) as error:
            log.warning("request %s: the database is not available: %s", request_id, error)
            status, answer_headers, body = self.refusal(Problem("busy"), language, request_id)
        except Exception as error:  # noqa: BLE001 - whoever asks is answered
            what = f"{scope['method']} {path}"
            problem = broken(error, request_id=request_id, what=what)
            status, answer_headers, body = self.refusal(problem, language, request_id)
        self.traffic.count(scope["method"] if status != 405 else "other", status)
        answer_headers.append((b"x-request-id", request_id.encode()))
        if isinstance(body, Stream):
            if scope["method"] == "HEAD":
                await body.close()
                await send(
                    {"type": "http.response.start", "status": status, "headers": answer_headers}
                )
                await send({"type": "http.response.body"})
                return
            await _send_stream(send, receive, status, answer_headers, body)
            return
        answer_headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": answer_headers})
        await send({"type": "http.response.body", "body": body})

    def refusal(
        self, problem: Problem, language: str, request_id: str
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """A problem as status, headers and body."""
        encoded = partial(
            encode_problem, messages=self.messages, language=language, request_id=request_id
        )
        try:
            body, headers = encoded(problem), problem_headers(problem)
        except Exception as error:  # noqa: BLE001 - a plugin may put anything into a problem
            problem = broken(error, request_id=request_id, what=f"a problem {problem.code}")
            body, headers = encoded(problem), problem_headers(problem)
        if problem.code == "body_too_large":
            headers.append((b"connection", b"close"))  # the rest of the body is not wanted
        return problem.status, headers, body

    def next_id(self) -> str:
        """A number for a request that brought none."""
        # Fresh random bits for each would be a system call, and a chance to lose the
        # interpreter to the poster in the middle of every request.
        return f"{self._prefix}-{next(self._count):x}"

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        headers: Headers,
        *,
        path: str,
        request_id: str,
        language: str,
    ) -> tuple[int, list[tuple[bytes, bytes]], Any]:
        if len(headers) != len(scope["headers"]):
            refuse_repeated(scope["headers"])
        route, params = self._route(path, scope)
        actor = await self.identity.actor(headers, method=route.method)
        wait = self.rate.wait_seconds(actor.id or peer_of(scope))
        if wait:
            raise refuse("rate_limited", retry_after_seconds=wait)
        check_permission(route, actor)
        device = headers.get(b"x-device")
        ctx = Context(
            actor=actor,
            device=None if device is None else device.decode("latin-1")[:DEVICE_MAX],
            language=language,
            request_id=request_id,
        )
        query = decoded_query(route.query, scope["query_string"])
        check_scope(ctx, params, query)
        if route.form is not None:
            return await self._with_form(route, ctx, params, query, scope, receive, headers)
        raw = await self._body(route, receive, headers)
        try:
            body = None if route.request is None else _decoded(route, raw)
        except WrongBody as wrong:
            raise await self._all_wrong(route, ctx, wrong) from None
        call = Call(
            ctx=ctx,
            host=self.host,
            path=params,
            query=query,
            body=body,
            key=_key(headers),
            headers=texts_of(headers) if _heard(route) else _NO_HEADERS,
            raw=raw,
            secure=over_https(scope, headers, trusted=self.trusted),
            edge=self.opened(),
        )
        return self.rendered(route, ctx, await self._run(route, call))

    async def _all_wrong(self, route: Route, ctx: Context, wrong: WrongBody) -> Refused:
        """The refusal of a body, with what else is wrong with it where the route can tell."""
        found = list(wrong.problem.errors)
        if route.further is None or len(found) >= ERRORS_MAX:
            return wrong
        more = await asyncio.get_running_loop().run_in_executor(
            self.threads, route.further, self.host, ctx, wrong
        )
        return invalid(*[*found, *more][:ERRORS_MAX])

    def trusted(self) -> Sequence[str]:
        """The proxies whose word on encryption is taken."""
        return list(self.host.settings.last.get("http", "trusted_proxies"))

    def _route(self, path: str, scope: Scope) -> tuple[Route, Mapping[str, str]]:
        match = self._table.find(path, parts=parts_of(path, scope))
        method: str = scope["method"]
        if match is None or "\0" in path:  # no text of the shop has that sign, and no database
            raise refuse("not_found", what="path", name=path[:200])
        route = match.methods.get("GET" if method == "HEAD" else method)
        if route is None:
            allow = ", ".join(sorted(match.methods))
            raise refuse("method_not_allowed", method=method, allow=allow)
        return route, match.params

    async def _with_form(
        self,
        route: Route,
        ctx: Context,
        params: Mapping[str, str],
        query: Any,
        scope: Scope,
        receive: Receive,
        headers: Headers,
    ) -> tuple[int, list[tuple[bytes, bytes]], Any]:
        given = headers.get(b"content-type", b"")
        if not given.lower().startswith(b"multipart/form-data"):
            raise _wrong_media(given, expected="multipart/form-data")
        limit = int(self.host.settings.last.get("http", "upload_bytes_max"))
        declared = headers.get(b"content-length")
        form = Form(scope, receive, kind=route.form, declared=declared, max_bytes=limit)
        async with form as (fields, upload):
            call = Call(
                ctx=ctx,
                host=self.host,
                path=params,
                query=query,
                body=fields,
                key=_key(headers),
                upload=upload,
                edge=self.opened(),
            )
            return self.rendered(route, ctx, await self._run(route, call))

    async def _body(self, route: Route, receive: Receive, headers: Headers) -> bytes:
        if route.request is None and not route.raw:
            return b""
        given = headers.get(b"content-type", b"")
        if given and not route.raw and not _is_json(given):
            raise _wrong_media(given, expected="application/json")
        packed = headers.get(b"content-encoding", b"identity")
        if packed.lower() != b"identity" and not route.raw:
            raise _wrong_media(packed, expected="application/json")
        limit = int(self.host.settings.last.get("http", "body_bytes_max"))
        return await read_body(receive, declared=headers.get(b"content-length"), max_bytes=limit)

    async def _run(self, route: Route, call: Call) -> Any:
        if self._coroutines[id(route)]:
            return await route.handler(call)
        threads = self.plugin_threads if route.plugin else self.threads
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(threads, handled, route.handler, call)

    def rendered(
        self, route: Route, ctx: Context, result: Any
    ) -> tuple[int, list[tuple[bytes, bytes]], Any]:
        """What a handler gave, as status, headers and body (bytes, or a `Stream`)."""
        status, extra = route.status, _NO_HEADERS
        if isinstance(result, Replied):
            status, extra, result = result.status or status, result.headers, result.body
        if isinstance(result, Problem):
            raise Refused(result)
        if type(status) is not int or not 200 <= status <= 599:  # a plugin may say anything
            raise TypeError(f"{status!r} is no status of an answer")
        headers = [(k.lower().encode(), v.encode("latin-1")) for k, v in extra.items()]
        if isinstance(result, Content):
            if not isinstance(result.content, bytes):
                raise TypeError(f"content is a {type(result.content).__name__}, not bytes")
            return status, headers + _content_headers(result), result.content
        if isinstance(result, Stream):
            more = [(k.encode(), v.encode("latin-1")) for k, v in result.headers.items()]
            headers.append((b"content-type", result.media_type.encode()))
            return status, headers + more, result
        if status == 204:
            return status, headers, b""
        if COST_VIEW not in ctx.actor.permissions:
            result = without_costs(result)
        headers.append((b"content-type", b"application/json"))
        return status, headers, _encoder.encode(result)


_NO_HEADERS: Mapping[str, str] = {}


def broken(error: Exception, *, request_id: str, what: str) -> Problem:
    """What is told of an error nobody expected; whoever runs the shop finds it in the log."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        log.error("request %s: %s: no room on the disk: %s", request_id, what, error)
        return Problem("storage_full", {"retry_after_seconds": FULL_RETRY_S})
    log.error("request %s: %s broke", request_id, what, exc_info=error)
    return Problem("internal_error", {"request_id": request_id})


def refuse_repeated(sent: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuse what says twice who asks or what is asked. Raises `Refused`: `invalid`."""
    names = [name for name, _ in sent]
    twice = [name.decode().title() for name in _ONCE if names.count(name) > 1]
    if twice:
        raise invalid(*(FieldError(f"/{name}", "repeated") for name in twice))


@lru_cache(maxsize=64)
def _is_json(media_type: bytes) -> bool:
    return media_type.partition(b";")[0].strip().lower() in _JSON_TYPES


def parts_of(path: str, scope: Scope) -> list[str] | None:
    """The segments of a path in which a segment has a slash of its own; else None.

    The server decodes `%2F` before anybody can tell it from the slash between segments, so these
    paths, and no others, are cut before they are decoded.
    """
    raw: bytes | None = scope.get("raw_path")
    if raw is None or b"%2f" not in raw.lower():
        return None
    below = raw[len(scope["path"]) - len(path) :]
    return [unquote(segment) for segment in below.decode("ascii", "replace").split("/")]


def decoded_query(kind: Any, raw: bytes) -> Any:
    """The query string as the type a route names. Raises `Refused`."""
    if not raw and kind is None:
        return None
    if len(raw) > QUERY_MAX:
        raise refuse("body_too_large", max=QUERY_MAX)
    try:
        text = raw.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=2000)
    except ValueError as error:
        raise refuse("unreadable_body", reason=str(error)[:200]) from error
    wrong = dict.fromkeys(name for name, value in pairs if "\0" in name + value)
    if wrong:
        raise invalid(*(FieldError(f"/{name}", "bad_characters") for name in wrong))
    return decode_query(pairs, kind)


def _decoded(route: Route, raw: bytes) -> Any:
    if not raw and route.optional:
        raw = b"{}"
    return decode_body(raw, route.request)


def _key(headers: Headers) -> str | None:
    given = headers.get(b"idempotency-key")
    if given is None:
        return None
    try:
        key = given.decode().strip()
    except UnicodeDecodeError as error:  # replaced signs would make one key of two
        raise invalid(FieldError("/Idempotency-Key", "bad_characters")) from error
    if not 1 <= len(key) <= KEY_MAX:
        code = "too_long" if key else "missing"
        raise invalid(FieldError("/Idempotency-Key", code, {"max": KEY_MAX}))
    return key


def texts_of(headers: Headers) -> dict[str, str]:
    """Headers as text, by lower-case name."""
    return {k.decode("latin-1"): v.decode("latin-1") for k, v in headers.items()}


def _wrong_media(given: bytes, *, expected: str) -> Refused:
    shown = given.decode("latin-1")[:100]
    return refuse("unsupported_media_type", expected=expected, given=shown)


def peer_of(scope: Scope) -> str:
    """Who asks, where nobody is known: the machine."""
    client = scope.get("client")
    return f"peer:{client[0]}" if client else "peer:"


def _content_headers(content: Content) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-type", content.media_type.encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    if content.filename is not None:
        name = quote(content.filename)
        headers.append((b"content-disposition", f"attachment; filename*=UTF-8''{name}".encode()))
    headers += [(k.lower().encode(), v.encode("latin-1")) for k, v in content.headers.items()]
    return headers


async def _send_stream(
    send: Send, receive: Receive, status: int, headers: list[tuple[bytes, bytes]], answer: Stream
) -> None:
    """Send chunks as they come; stop when the caller leaves."""
    await send({"type": "http.response.start", "status": status, "headers": headers})

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def pump() -> None:
        async for chunk in answer.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    leaving, pumping = asyncio.ensure_future(gone()), asyncio.ensure_future(pump())
    await asyncio.wait({leaving, pumping}, return_when=asyncio.FIRST_COMPLETED)
    leaving.cancel()
    broken = pumping.exception() if pumping.done() else None
    pumping.cancel()
    await asyncio.gather(leaving, pumping, return_exceptions=True)
    if broken is not None:
        # The status is out already. What is raised here ends the connection before its last
        # chunk, so that nobody takes half a table for the whole, and is found in the log.
        raise broken


def _heard(route: Route) -> bool:
    """Whether a handler gets headers; not where every sale would pay for them."""
    return route.raw or route.request is None or route.permission == PUBLIC
