"""Asking the API from within: a page shows what its reader could ask for, and nothing else."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec
from attrs import frozen

from dianku.errors import Problem, Refused, refuse
from dianku.http.admission import check_permission, check_scope
from dianku.http.fields import decode_query
from dianku.http.redaction import COST_VIEW, without_costs
from dianku.http.route import Call, Content, Replied, RouteTable, Stream

if TYPE_CHECKING:
    from dianku.host import Host
    from dianku.http.edge import Edge

PATIENCE_S = 30
"""How long a page waits for a route that answers on the event loop."""


@frozen
class Asking:
    """Puts questions to the routes of one shop, for whoever a page is shown to."""

    host: Host
    table: RouteTable
    edge: Callable[[], Edge]
    loop: asyncio.AbstractEventLoop

    def __call__(self, asking: Call, path: str, query: Mapping[str, Any]) -> Any:
        """The answer to who asked for a page, as plain data: mappings, lists, strings.

        Raises:
            Refused: what the API would say.
        """
        ctx = asking.ctx
        cut = [unquote(one) for one in path.split("/")] if "%2f" in path.lower() else None
        match = self.table.find(unquote(path), parts=cut)
        route = match.methods.get("GET") if match is not None else None
        if match is None or route is None:
            raise refuse("not_found", what="path", name=path[:200])
        check_permission(route, ctx.actor)
        asked = decode_query(list(_pairs(query)), route.query)
        check_scope(ctx, match.params, asked)
        call = Call(
            ctx=ctx,
            host=self.host,
            path=match.params,
            query=asked,
            headers=asking.headers,
            edge=self.edge(),
        )
        result = self._run(route.handler, call)
        if isinstance(result, Replied):
            result = result.body
        if isinstance(result, Problem):
            raise Refused(result)
        if isinstance(result, Content | Stream):
            raise TypeError(f"{path} does not answer with data")
        if COST_VIEW not in ctx.actor.permissions:
            result = without_costs(result)
        return msgspec.to_builtins(result, str_keys=True)

    def _run(self, handler: Callable[[Call], Any], call: Call) -> Any:
        if inspect.iscoroutinefunction(handler):
            running = asyncio.run_coroutine_threadsafe(handler(call), self.loop)
            return running.result(PATIENCE_S)
        return handler(call)


def _pairs(query: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in query.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            if one is not None:
                yield name, str(one).lower() if isinstance(one, bool) else str(one)
