"""The table of routes: what may be asked, by whom, with which types. Everything else is denied.

A `Route` names the permission it needs; `public` must be said, nothing is public by silence. The
same record serves dispatch, permission, checking of bodies and the OpenAPI document, so these
cannot drift apart. Plugins register routes of their own below the same root; a method and path
is claimed once.
"""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import TYPE_CHECKING, Any, BinaryIO

from attrs import field, frozen

from dianku.context import Context
from dianku.errors import ConfigurationError, FieldError

if TYPE_CHECKING:
    from dianku.host import Host
    from dianku.http.edge import Edge
    from dianku.http.fields import WrongBody

PUBLIC = "public"
"""The permission that everybody has, also without a token."""

SIGNED_IN = "signed_in"
"""The permission of everybody who has shown a token or a session."""

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


@frozen
class Upload:
    """A file of a multipart request: its name as sent, and its content in a file kept on disk.

    `file` is open and at its start; it is gone when the handler returns.
    """

    filename: str
    file: BinaryIO
    size: int


@frozen
class Call:
    """One request as its handler sees it: checked, with the caller known.

    `path` holds the decoded path parameters, `query` and `body` the structs the route names,
    `key` the Idempotency-Key, `upload` the file of a form. A `raw` route gets the body's bytes in
    `raw` and the `headers` by lower-case name, nothing of it parsed (signatures are checked
    first). `secure` says that the caller's connection is encrypted. On a page of a site, `csrf` is
    what its scripts send with a change (empty without a session). `edge` is for the kernel's own
    routes.
    """

    ctx: Context
    host: Host
    path: Mapping[str, str] = field(factory=dict)
    query: Any = None
    body: Any = None
    key: str | None = None
    headers: Mapping[str, str] = field(factory=dict)
    raw: bytes = b""
    upload: Upload | None = None
    secure: bool = False
    csrf: str = ""
    edge: Edge | None = None

    def ask(self, path: str, /, **query: Any) -> Any:
        """What the API answers this caller to `GET` of a path below `/api/v1`, as plain data.

        The same permissions, stores and masked costs as over HTTP, without the way there; so a
        page shows nothing its reader could not ask for. `path` has its segments percent-encoded;
        of `query`, what is None is left out and a list repeats its name. Not on the event loop.

        Raises:
            Refused: as the API would.

        Example:
            `call.ask("/stock", store="S1", low=True)["items"]`
        """
        if self.edge is None:
            raise TypeError("only a call that came over HTTP can ask")
        return self.edge.ask(self, path, query)


@frozen
class Replied:
    """An answer with its own status or headers: a replay, a cookie."""

    body: Any
    status: int | None = None
    headers: Mapping[str, str] = field(factory=dict)


@frozen
class Content:
    """An answer that is no JSON: an export, a picture, a page."""

    content: bytes
    media_type: str
    filename: str | None = None
    headers: Mapping[str, str] = field(factory=dict)


@frozen
class Stream:
    """An answer without an end: chunks as they come, until the caller leaves or the host stops."""

    chunks: AsyncIterator[bytes]
    media_type: str
    headers: Mapping[str, str] = field(factory=dict)

    async def close(self) -> None:
        """Let go of the chunks nobody will ask for."""
        if isinstance(self.chunks, AsyncGenerator):
            await self.chunks.aclose()


Handler = Callable[[Call], Any]
Further = Callable[["Host", Context, "WrongBody"], Sequence[FieldError]]
"""What else is wrong with a body that has wrong types, found in what of it is right."""


@frozen
class Route:
    """One method of one path.

    `path` is below `/api/v1`, with parameters in braces; `query` may be `dict`, which takes any
    parameters, repeated ones as lists; `described` are the types whose fields the OpenAPI document
    then names. `handler` is a function (run in a
    thread) or a coroutine function (run on the loop); it returns an Answer, a list of them, a
    Problem, a `Replied` or a `Content`, or raises `Refused`. `request` and `query` are
    `wire.Request` types, `form` one for the fields of a multipart body with one `file`.
    `status` is the answer's when all goes well; 204 has no body. `keyed` says that an
    Idempotency-Key is understood, `optional` that the body may be left out, `raw` that the
    handler gets bytes and headers. `media_type` is the answer's, where it is no JSON, and
    `media_types` others it may have. `further`
    adds to the wrong types of a body what else can be known to be wrong with it.

    Example:
        `Route("GET", "/reports/sales", sales, "report.view", "Sales totals",
        query=SalesQuery, answer=SalesAnswer)`
    """

    method: str
    path: str
    handler: Handler
    permission: str
    summary: str
    request: Any = None
    query: Any = None
    answer: Any = None
    status: int = 200
    form: Any = None
    keyed: bool = False
    media_type: str = "application/json"
    plugin: str = ""
    optional: bool = False
    raw: bool = False
    further: Further | None = None
    described: Sequence[type] = ()
    media_types: Sequence[str] = ()


@frozen
class Match:
    """What a path leads to: the routes by method, and the path's parameters."""

    methods: Mapping[str, Route]
    params: Mapping[str, str]


class RouteTable:
    """All routes, found by path.

    Raises:
        ConfigurationError: a route without a permission, of an unknown method, with a parameter
            named differently than another's at the same place, claimed twice, or in the way of
            another owner's.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes: list[Route] = []
        self._fixed: dict[str, dict[str, Route]] = {}
        self._open: dict[int, list[tuple[tuple[str, ...], dict[str, Route]]]] = {}
        self._claims: dict[tuple[int, str], list[tuple[tuple[str, ...], Route]]] = {}
        for route in routes:
            self.add(route)

    def add(self, route: Route) -> None:
        """Take one more route in; what it raises leaves the table as it was."""
        owner = route.plugin or "dianku"
        claim = f"{route.method} {route.path}"
        if not route.permission:
            raise ConfigurationError("route_without_permission", owner=owner, route=claim)
        if route.method not in METHODS or not route.path.startswith("/"):
            raise ConfigurationError("route_unreadable", owner=owner, route=claim)
        self._refuse_shadow(route, owner=owner, claim=claim)
        methods = self._methods(route.path)
        if route.method in methods:
            first = methods[route.method].plugin or "dianku"
            raise ConfigurationError("route_claimed", owner=owner, route=claim, first=first)
        methods[route.method] = route
        self.routes.append(route)
        parts = tuple(route.path.split("/"))
        self._claims.setdefault((len(parts), _first(parts)), []).append((parts, route))

    def _refuse_shadow(self, route: Route, *, owner: str, claim: str) -> None:
        """Of two owners' paths no request may fit both: one would answer for the other."""
        parts = tuple(route.path.split("/"))
        for others, known in self._near(parts):
            if known.plugin == route.plugin or known.path == route.path:
                continue
            if _meet(parts, others) and _shape(parts) != _shape(others):
                first, taken = known.plugin or "dianku", f"{known.method} {known.path}"
                raise ConfigurationError(
                    "route_shadows", owner=owner, route=claim, first=first, taken=taken
                )

    def _near(self, parts: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Route]]:
        """Routes as long as this one whose first word could be the same."""
        length, word = len(parts), _first(parts)
        for (other_length, other), routes in self._claims.items():
            if other_length == length and (not word or not other or word == other):
                yield from routes

    def _methods(self, path: str) -> dict[str, Route]:
        if "{" not in path:
            return self._fixed.setdefault(path, {})
        parts = tuple(path.split("/"))
        level = self._open.setdefault(len(parts), [])
        for known, methods in level:
            if _shape(known) == _shape(parts):
                if known != parts:
                    raise ConfigurationError(
                        "route_parameters_differ", route=path, known="/".join(known)
                    )
                return methods
        methods = {}
        level.append((parts, methods))
        # Paths with a fixed word come before those with a parameter at the same place.
        level.sort(key=lambda entry: _shape(entry[0]), reverse=True)
        return methods

    def find(self, path: str, *, parts: list[str] | None = None) -> Match | None:
        """The routes of a decoded path (without its root), or None.

        `parts` are the decoded segments of a path with a slash inside of one.
        """
        if parts is None:
            fixed = self._fixed.get(path)
            if fixed is not None:
                return Match(fixed, {})
            parts = path.split("/")
        for pattern, methods in self._open.get(len(parts), ()):
            params = _bind(pattern, parts)
            if params is not None:
                return Match(methods, params)
        return None


def _shape(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("" if part.startswith("{") else part for part in parts)


def _first(parts: tuple[str, ...]) -> str:
    """The first word of a path, empty where a parameter stands there."""
    word = parts[1] if len(parts) > 1 else ""
    return "" if word.startswith("{") else word


def _meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether there are paths that fit both."""
    return len(one) == len(other) and all(
        a == b or a.startswith("{") or b.startswith("{") for a, b in zip(one, other, strict=True)
    )


def _bind(pattern: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for wanted, given in zip(pattern, parts, strict=True):
        if wanted.startswith("{"):
            if not given:
                return None
            params[wanted[1:-1]] = given
        elif wanted != given:
            return None
    return params
