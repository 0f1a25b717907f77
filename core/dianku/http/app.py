"""The ASGI application of a host: the API on its straight way, everything else by Starlette.

No middleware stands before the API: each layer would cost every posted line as much as decoding
it. Sites of plugins have a door of their own, probes are few and go through Starlette.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route as StarletteRoute

from dianku import __version__
from dianku.http.api import Api
from dianku.http.bodies import Receive, Scope, Send
from dianku.http.docs_page import DOCS_PAGE, DOCS_POLICY
from dianku.http.openapi import openapi_document, refuse_undescribable
from dianku.http.pages import Pages
from dianku.http.practice import Own, Practices, answer_in_practice, practice_key
from dianku.http.probes import Probes, Traffic
from dianku.http.route import Route, RouteTable
from dianku.http.routes import KERNEL_ROUTES
from dianku.http.site import Sites

if TYPE_CHECKING:
    from dianku.host import Host

ROOT = "/api/v1"
_BELOW = len(ROOT)


class Application:
    """What the server calls. Made by `build_app`, for a host that has started."""

    def __init__(self, api: Api, sites: Sites, rest: Starlette) -> None:
        self.api = api
        self.sites = sites
        self._pages = Pages(api, sites)
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or take part in the server's life."""
        path: str = scope.get("path", "")
        practices = self.api.practices
        if scope["type"] == "http" and practices is not None and path not in _SHARED:
            key = practice_key(scope)
            if key is not None:
                shop = practices.find(key)
                await answer_in_practice(shop, scope, receive, send, host=self.api.host)
                return
        if scope["type"] == "http" and path.startswith("/api/") and path not in _OWN:
            below = path[_BELOW:] if path.startswith(ROOT + "/") else path
            await self.api.handle(scope, receive, send, path=below)
            return
        site = self.sites.at(path) if scope["type"] == "http" else None
        if site is not None:
            await self._pages.handle(scope, receive, send, path=path, site=site)
            return
        await self._rest(scope, receive, send)


def _admit(host: Host, table: RouteTable, route: Route) -> None:
    """Take a plugin's route in, or note why it cannot be: the shop sells without it."""
    try:
        if not callable(route.handler):
            raise TypeError("its handler cannot be called")
        refuse_undescribable(route)
        table.add(route)
    except Exception as error:  # noqa: BLE001 - a plugin may put anything into its record
        said = f"{route.method} {route.path}: {error}"
        host.plugins.calls.fail(route.plugin, "register_routes", said, cause=error)


_SHARED = frozenset({"/healthz", "/readyz", "/metrics"})
"""What is asked of the process, whichever shop somebody is in."""
_OWN = frozenset({"/api/docs", "/api/v1/openapi.json"})


def _sites(host: Host) -> Sites:
    """The places of pages; one that cannot be is its plugin's fault."""
    sites = Sites()
    for one in host.plugins.collect("register_sites"):
        plugin, site = one.plugin, one.record
        try:
            sites.add(site, plugin=plugin)
        except Exception as error:  # noqa: BLE001 - a plugin may put anything into its record
            said = f"{site.path}: {error}"
            host.plugins.calls.fail(plugin, "register_sites", said, cause=error)
    return sites


def build_app(host: Host, own: Own | None = None) -> Application:
    """Make the application; a plugin's route that cannot be answered is that plugin's fault.

    With `own` it is that of a throw-away shop.
    """
    claimed = {f"{r.method} {r.path}" for r in KERNEL_ROUTES}
    table = RouteTable(KERNEL_ROUTES)
    for route in host.plugins.routes(taken=claimed):
        _admit(host, table, route)
    traffic = Traffic()
    api = Api(host, table, messages=host.messages, traffic=traffic)
    api.own = own
    api.practices = Practices(host, build=build_app) if own is None else None
    probes = Probes(host, traffic=traffic)
    document = msgspec.json.encode(
        openapi_document(table.routes, version=__version__), enc_hook=str
    )

    async def openapi(_request: Request) -> Response:
        return Response(document, media_type="application/json")

    async def root(_request: Request) -> Response:
        if sites.first is None:
            return PlainTextResponse("Dianku\n", status_code=404)
        return RedirectResponse(f"{sites.first.path}/", status_code=303)

    async def docs(_request: Request) -> Response:
        return HTMLResponse(DOCS_PAGE, headers={"Content-Security-Policy": DOCS_POLICY})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        api.open()
        yield
        if api.practices is not None:
            await asyncio.to_thread(api.practices.close)
        api.close()

    sites = _sites(host)
    rest = Starlette(
        routes=[
            StarletteRoute("/", root),
            StarletteRoute("/healthz", probes.healthz),
            StarletteRoute("/readyz", probes.readyz),
            StarletteRoute("/metrics", probes.metrics),
            StarletteRoute("/api/docs", docs),
            StarletteRoute("/api/v1/openapi.json", openapi),
        ],
        lifespan=lifespan,
    )
    return Application(api, sites, rest)
