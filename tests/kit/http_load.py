"""A load generator: a process of its own that speaks HTTP/1.1 over plain sockets.

It reads one JSON specification from standard input and writes one JSON result to standard output.

* `list`: send given requests over so many connections, all released at the same instant; the
  result has an entry for each request, answered or not (a connection that breaks leaves its
  request unanswered and is not opened again). With `announce_every` it says on standard error
  how many answers it has, so that a test can strike at a given moment.
  With `shared` a request goes to whichever target has a connection free first: a slow one does
  less. A request's `then` is sent by the same client once the request succeeded, with the `id` of
  its answer in place of `{id}`; its answer is the one that counts.
* `flood`: send a template over and over for some seconds, every request with the next number
  (twelve digits) in place of `{n}` and another product number (six digits) in place of each
  `{p}`, or, with `words`, another of these; the result has latencies and counts.

It uses neither Dianku nor an HTTP library: what it measures and what it proves is the server's.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import uvloop

NUMBER, PRODUCT = "@@@@@@@@@@@@", "$$$$$$"
"""What stands in an encoded template: as long as what replaces it, so lengths stay right."""


class Answer(NamedTuple):
    """Status, header lines (lower case) and body of one answer."""

    status: int
    head: bytes
    body: bytes


class Connection(asyncio.Protocol):
    """One keep-alive connection: one request at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._waiting: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not every uvloop registers its transports with asyncio's class.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionResetError("closed"))
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        lowered = head.lower()
        length = int(lowered.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or b"0")
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        status = int(head.split(b" ", 2)[1])
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Answer(status, lowered, rest[:length]))

    async def ask(self, request: bytes) -> Answer:
        """Send a request and wait for its answer. Raises `OSError` when the connection breaks."""
        if self._transport is None:
            raise ConnectionResetError("closed")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting


async def connect(target: dict[str, Any]) -> Connection:
    """Open a connection to `{host, port}`."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, target["host"], target["port"])
    return connection


def encode(target: dict[str, Any], request: dict[str, Any]) -> bytes:
    """The bytes of a request `{method, path, key?, body?}` to a target `{host, port, token?}`."""
    body = b"" if request.get("body") is None else json.dumps(request["body"]).encode()
    lines = [
        f"{request['method']} {request['path']} HTTP/1.1",
        f"Host: {target['host']}:{target['port']}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    if target.get("token"):
        lines.append(f"Authorization: Bearer {target['token']}")
    if request.get("key"):
        lines.append(f"Idempotency-Key: {request['key']}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def run_list(spec: dict[str, Any]) -> dict[str, Any]:
    """Send `spec.requests` over `spec.connections` connections spread over `spec.targets`."""
    targets = spec["targets"]
    queues: list[deque[int]] = [deque() for _ in targets]
    if spec.get("shared"):
        queues = [deque()] * len(targets)
    for index in range(len(spec["requests"])):
        queues[index % len(targets)].append(index)
    answers: list[dict[str, Any] | None] = [None] * len(spec["requests"])
    go = asyncio.Event()
    counted = [0]
    announce_every = spec.get("announce_every", 0)

    async def work(place: int) -> None:
        connection = await connect(targets[place])
        await go.wait()
        while queues[place]:
            index = queues[place].popleft()
            request = spec["requests"][index]
            try:
                answer = await connection.ask(encode(targets[place], request))
                if request.get("then") and answer.status < 300:
                    later = follow(request["then"], json.loads(answer.body))
                    answer = await connection.ask(encode(targets[place], later))
            except OSError:
                return
            answers[index] = {
                "status": answer.status,
                "replayed": b"idempotency-replayed: true" in answer.head,
                "body": answer.body.decode(),
                "target": place,
            }
            counted[0] += 1
            if announce_every and counted[0] % announce_every == 0:
                print(f"answered {counted[0]}", file=sys.stderr, flush=True)

    workers = [asyncio.ensure_future(work(i % len(targets))) for i in range(spec["connections"])]
    await asyncio.sleep(0)
    if spec.get("announce"):
        print("ready", file=sys.stderr, flush=True)
    go.set()
    await asyncio.gather(*workers)
    return {"answers": answers}


def follow(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """The request that follows an answer."""
    return {**request, "path": request["path"].replace("{id}", str(answer["id"]))}


async def run_flood(spec: dict[str, Any]) -> dict[str, Any]:
    """Send `spec.template` for `spec.seconds` over `spec.connections` connections."""
    target = spec["targets"][0]
    numbers = _numbers(spec.get("first", 0))
    latencies: list[float] = []
    bad: list[Answer] = []
    products = spec.get("products", 1)
    words = [word.encode() for word in spec.get("words", ())]
    plain = json.dumps(spec["template"]).replace("{n}", NUMBER).replace("{p}", PRODUCT)
    pieces = encode(target, json.loads(plain)).split(PRODUCT.encode())
    places = len(pieces) - 1

    async def work() -> None:
        connection = await connect(target)
        while (start := time.perf_counter()) < stop_at:
            number = next(numbers)
            request = pieces[0].replace(NUMBER.encode(), b"%012d" % number)
            for place, piece in enumerate(pieces[1:]):
                product = (number * places + place) * 7919 % products
                request += words[product] if words else b"%06d" % product
                request += piece.replace(NUMBER.encode(), b"%012d" % number)
            answer = await connection.ask(request)
            latencies.append(time.perf_counter() - start)
            if answer.status >= 300:
                bad.append(answer)

    began = time.perf_counter()
    stop_at = began + spec["seconds"]
    await asyncio.gather(*(work() for _ in range(spec["connections"])))
    elapsed = time.perf_counter() - began
    latencies.sort()
    return {
        "requests": len(latencies),
        "refused": len(bad),
        "first_refusal": bad[0].body.decode() if bad else None,
        "seconds": elapsed,
        "per_second": len(latencies) / elapsed,
        "p50_ms": 1000 * _percentile(latencies, 0.50),
        "p99_ms": 1000 * _percentile(latencies, 0.99),
        "next": next(numbers),
    }


def _numbers(first: int) -> Iterator[int]:
    while True:
        yield first
        first += 1


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> None:
    """Read a specification, run it, print its result."""
    spec = json.load(sys.stdin)
    mode = {"list": run_list, "flood": run_flood}[spec["mode"]]
    json.dump(uvloop.run(mode(spec)), sys.stdout)


if __name__ == "__main__":
    main()
