"""Streams end: with their token, and for who only asks for their headers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import attrs

from dianku.catalog.requests import NewProduct
from dianku.clock import SetClock
from dianku.context import Context
from dianku.host import Host
from dianku.http.edge import Edge
from dianku.http.event_streams import EventStreams
from dianku.http.posting import Landing
from dianku.http.route import Call
from dianku.http.routes.events import StreamQuery, stream_events


def test_head_of_a_stream_ends_after_its_headers(call: Callable[..., Any]) -> None:
    answer = call("HEAD", "/events/stream")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_stream_ends_with_the_token_it_came_with(host: Host, clock: SetClock) -> None:
    async def chunks() -> list[bytes]:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(2) as threads:
            streams = EventStreams(host.database, host.events_bell, threads=threads)
            actor = attrs.evolve(host.access.actor("screen"), ends_at_ms=clock.now_ms() + 1000)
            request = Call(
                ctx=Context(actor),
                host=host,
                query=StreamQuery(after=0),
                edge=Edge(host.messages, Landing(threads), streams, threads, threads, nobody_asks),
            )
            answer = await stream_events(request)
            found = [await anext(answer.chunks), await anext(answer.chunks)]
            clock.advance(seconds=1)
            await loop.run_in_executor(threads, product, host, "late")
            found += [chunk async for chunk in answer.chunks]
            streams.close()
            return found

    found = asyncio.run(chunks())
    assert b"cola" in found[1]
    assert not any(b"late" in chunk for chunk in found)


def nobody_asks(_asking: Call, path: str, _query: object) -> NoReturn:
    raise AssertionError(f"a stream asked for {path}")


def product(host: Host, sku: str) -> None:
    new = NewProduct(sku=sku, name=sku, unit="pc")
    host.catalog.create_product(new, ctx=Context(host.access.actor("test")))
