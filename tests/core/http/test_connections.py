"""What a connection may cost before anybody is known by it: headers without an end, silence."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from dianku.http.connections import BoundedConnection

WAIT_S = 30


class Brisk(BoundedConnection):
    """Looks often, so that a test need not wait."""

    look_s = 0.05


@contextmanager
def serving(connection: type[BoundedConnection]) -> Iterator[int]:
    async def length(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    app = Starlette(routes=[Route("/", length, methods=["GET", "POST"])])
    server = uvicorn.Server(uvicorn.Config(app, http=connection, ws="none", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        running.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        running.join(WAIT_S)


@pytest.fixture
def port() -> Iterator[int]:
    with serving(Brisk) as port:
        yield port


def told(port: int, *pieces: bytes) -> bytes:
    """Send, then read until the server closes; pytest's time limit ends what never does."""
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as caller:
        found = b""
        try:
            for piece in pieces:
                caller.sendall(piece)
            while piece := caller.recv(65_536):
                found += piece
        except (BrokenPipeError, ConnectionResetError):
            pass
        return found


def test_headers_without_an_end_are_refused() -> None:
    line = b"x-a: " + b"a" * 8_000 + b"\r\n"
    head = b"GET / HTTP/1.1\r\nhost: x\r\n"
    with serving(BoundedConnection) as port:
        answer = told(port, head, *[line] * (2_000_000 // len(line)))
    # It may be lost where the server closed on what was still being sent.
    assert answer[:12] in {b"HTTP/1.1 431", b""}


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", b""),
        (b"\r\n", b""),
        (b"GET / HTTP/1.1\r\nhost: x\r\n", b"HTTP/1.1 408"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc", b""),
        (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n\r\n", b"HTTP/1.1 200"),
        (b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\n", b"HTTP/1.1 200"),
    ],
)
def test_caller_who_falls_silent_is_not_waited_for(port: int, sent: bytes, status: bytes) -> None:
    assert told(port, sent)[:12] == status


def test_body_that_keeps_coming_is_taken_whole_and_the_connection_kept(port: int) -> None:
    body = b"a" * 3_000_000
    head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3000000\r\n\r\n"
    answers = told(port, head, body, b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert answers.count(b"HTTP/1.1 200") == 2
    assert b"\r\n\r\n3000000HTTP/1.1" in answers
