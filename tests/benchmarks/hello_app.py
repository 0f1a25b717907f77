"""Baseline (a): a bare Starlette application that says hello, on the server Dianku uses.

python hello_app.py            prints "listening on http://HOST:PORT"
"""

from __future__ import annotations

import socket

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


async def hello(request: Request) -> Response:
    """Say hello; what was sent is read, as any answer to a POST must."""
    await request.body()
    return PlainTextResponse("hello")


def listen(app: Starlette) -> None:
    """Serve on a free port with the settings of `dianku serve`, and say where."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # who reads the line below may connect at once
    host, port = listener.getsockname()
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        ws="none",
        lifespan="off",
    )
    print(f"listening on http://{host}:{port}", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    listen(Starlette(routes=[Route("/", hello, methods=["GET", "POST"])]))
