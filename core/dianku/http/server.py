"""Serving a host over HTTP with uvicorn: one process, or several on PostgreSQL.

Each process has a listening socket of its own (SO_REUSEPORT) with Nagle's algorithm off: with it
on, an answer on a kept connection waits for the caller's delayed acknowledgement, 40 ms each.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import uvicorn
from attrs import evolve, frozen

from dianku.config import HostConfig, Https
from dianku.errors import ConfigurationError
from dianku.host import Host
from dianku.http.app import Application, build_app
from dianku.http.connections import served
from dianku.http.log import server_log
from dianku.http.secure import Beside, tls_context
from dianku.http.site import Entrance

BACKLOG = 2048
GRACE_S = 10
Ready = Callable[[], None]
Made = Callable[[Host, Application], None]


@frozen
class SecureWish:
    """That HTTPS is wanted: the port of the plain door beside it, and further names."""

    plain_port: int = 0
    names: tuple[str, ...] = ()


class Server(uvicorn.Server):
    """A uvicorn server that says when it answers, and ends streams before it waits for them.

    `beside` is what runs along with HTTPS.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        app: Application,
        ready: Ready,
        beside: Beside | None = None,
    ) -> None:
        super().__init__(config)
        self._application = app
        self._ready = ready
        self._beside = beside

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, then say so."""
        await super().startup(sockets)
        if self.started:
            if self._beside is not None:
                await self._beside.begin()
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let what is under way end, and stop."""
        self._application.api.end_streams()
        if self._beside is not None:
            await self._beside.end()
        await super().shutdown(sockets)


def listening_socket(
    host: str, port: int, *, shared: bool = False, option: str = "--port"
) -> socket.socket:
    """A socket that listens, with answers sent at once; port 0 takes a free one.

    `option` is where another port would be said.

    Raises:
        ConfigurationError: the address cannot be had: which, why, what to do.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found.bind((host, port))
        found.listen(BACKLOG)
    except OSError as error:
        found.close()
        raise ConfigurationError(
            "address_not_had",
            host=host,
            port=port,
            reason=error.strerror or str(error),
            option=option,
        ) from error
    found.setblocking(False)
    return found


def serve(
    config: HostConfig,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    workers: int = 1,
    secure: SecureWish | None = None,
    announce: Callable[[str], None] | None = None,
    opened: Callable[[Host], None] | None = None,
    entered: Callable[[Host, Entrance], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; what is under way is finished first.

    Prints `listening on http://HOST:PORT` once it answers (`https` where that is wanted).
    `opened` is called with the host when it has started (in the first process only), before that
    line; `entered` with where people come in, once the sites are known.

    Raises:
        ConfigurationError: the address is taken, `workers` above 1 on SQLite, or whatever the
            host's start refuses.
    """
    say = announce or _print
    if workers > 1 and not config.url.startswith("postgresql"):
        raise ConfigurationError("workers_need_postgresql")
    listener = listening_socket(host, port, shared=workers > 1)
    port = listener.getsockname()[1]
    plain = None
    if secure is not None:
        plain = listening_socket(host, secure.plain_port, option="--plain-port")
        wish = Https(host=host, port=port, plain_port=plain.getsockname()[1], names=secure.names)
        config = evolve(config, https=wish)
    config = evolve(config, alone=workers == 1)
    address = _address(host, port, secure=secure is not None)

    def ready() -> None:
        say(f"listening on {address}")

    def made(shop: Host, app: Application) -> None:
        if entered is not None:
            entered(shop, Entrance(_near(address), app.sites.first))

    if workers == 1:
        _run(config, listener, plain=plain, ready=ready, opened=opened, made=made)
        return
    _run_workers(
        config,
        listener,
        plain=plain,
        host=host,
        count=workers,
        ready=ready,
        opened=opened,
        made=made,
    )


def _run(
    config: HostConfig,
    listener: socket.socket,
    *,
    plain: socket.socket | None = None,
    ready: Ready,
    opened: Callable[[Host], None] | None = None,
    made: Made | None = None,
) -> None:
    host = Host.build(config)
    context = tls_context(host.trust) if config.https is not None else None
    with server_log(host.settings), host:
        if opened is not None:
            opened(host)
        app = build_app(host)
        if made is not None:
            made(host, app)
        _settle_garbage()
        settings = _settings(app, context=context)
        beside = Beside(host.trust, context, app, plain) if context is not None else None
        server = Server(settings, app=app, ready=ready, beside=beside)
        with _signals_kept(), asyncio.Runner(loop_factory=settings.get_loop_factory()) as runner:
            runner.run(server.serve(sockets=[listener]))


def _settings(app: Application, *, context: ssl.SSLContext | None) -> uvicorn.Config:
    """How uvicorn serves; with a `context` over HTTPS."""
    return served(
        app,
        lifespan="on",
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=75,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        ssl_context_factory=None if context is None else lambda *_: context,
    )


def _settle_garbage() -> None:
    """Keep the collector away from what lives as long as the process.

    What is loaded by now is never garbage, and a batch makes thousands of objects that die with
    it by reference count; left at its defaults the collector costs an eighth of the posting path
    and its full passes are the slowest answers.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Keep the end of the process in our hands.

    uvicorn raises the signal that stopped it once more when it is done, which would end the
    process before the host is closed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held = {s: signal.signal(s, lambda *_: None) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)


def _worker(config: HostConfig, host: str, port: int, reply: Connection) -> None:
    # The parent decides when to stop; a ctrl-C reaches the whole group.
    listener = listening_socket(host, port, shared=True)
    threading.Thread(target=_stop_with_parent, args=(os.getppid(),), daemon=True).start()
    _run(config, listener, ready=lambda: reply.send(b"ready"))


def _stop_with_parent(parent: int) -> None:
    pause = threading.Event()
    while not pause.wait(1):
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)
            return


def _run_workers(
    config: HostConfig,
    listener: socket.socket,
    *,
    plain: socket.socket | None,
    host: str,
    count: int,
    ready: Ready,
    opened: Callable[[Host], None] | None,
    made: Made,
) -> None:
    """Serve in this process and in `count` - 1 others, each with its own socket and poster."""
    port = listener.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    started: list[Any] = []

    def start_others(first: Host) -> None:
        # The first process has migrated and loaded everything; now the others find it done.
        if opened is not None:
            opened(first)
        replies = []
        for _ in range(count - 1):
            reply, child = context.Pipe(duplex=False)
            process = context.Process(target=_worker, args=(config, host, port, child))
            process.start()
            child.close()
            started.append(process)
            replies.append(reply)
        for reply in replies:
            try:
                reply.recv()
            except EOFError as error:
                raise ConfigurationError("worker_stopped") from error

    try:
        _run(config, listener, plain=plain, ready=ready, opened=start_others, made=made)
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.join(GRACE_S + 5)
            if process.is_alive():
                process.kill()
                process.join()


def _address(host: str, port: int, *, secure: bool) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if secure else 'http'}://{shown}:{port}"


def _near(address: str) -> str:
    """An address that a browser on this machine opens, also where all of them are listened on."""
    return address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the one line callers wait for


__all__ = ["SecureWish", "Server", "listening_socket", "serve"]
