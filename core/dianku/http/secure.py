"""HTTPS by the shop's own authority: the context, what keeps it fresh, the plain door beside it.

A certificate is renewed while the server runs: the context takes the new one in, and connections
that are there keep theirs.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from contextlib import suppress
from pathlib import Path

import uvicorn

from dianku.errors import ConfigurationError
from dianku.http.app import Application
from dianku.http.connections import served
from dianku.http.plain import PlainDoor
from dianku.trust.keeping import Trust

log = logging.getLogger("dianku.http")
LOOK_S = 60.0
"""How often is looked whether the certificate is still good, and still of this machine's names."""
PLAIN_GRACE_S = 1


class RenewedContext(ssl.SSLContext):
    """A server's TLS context that takes in the certificate of a file when that is another one."""

    _taken: tuple[int, int] | None = None

    def take(self, file: Path) -> bool:
        """Take in the file's certificate; True where it was not taken in yet."""
        found = file.stat()
        mark = (found.st_ino, found.st_mtime_ns)
        if mark == self._taken:
            return False
        self.load_cert_chain(file)
        self._taken = mark
        return True


def tls_context(trust: Trust) -> RenewedContext:
    """The context of a server; its authority and certificate are made where there are none.

    Raises:
        ConfigurationError: as `Trust.renew`.
    """
    context = RenewedContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    refresh(trust, context)
    return context


def refresh(trust: Trust, context: RenewedContext) -> bool:
    """Renew what is due and take it in; True where the context has another certificate now.

    Raises:
        ConfigurationError: as `Trust.renew`.
    """
    trust.renew()
    return context.take(trust.server_file)


class Beside:
    """What runs along with HTTPS: renewal, and in the first process the plain door."""

    def __init__(
        self,
        trust: Trust,
        context: RenewedContext,
        app: Application,
        plain: socket.socket | None,
    ) -> None:
        self._trust = trust
        self._context = context
        self._app = app
        self._plain = plain
        self._door: uvicorn.Server | None = None
        self._renewal: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Open the plain door and begin to look at the certificate."""
        if self._plain is not None:
            settings = served(
                PlainDoor(self._app),
                lifespan="off",
                timeout_graceful_shutdown=PLAIN_GRACE_S,
                timeout_keep_alive=5,
            )
            settings.load()
            door = uvicorn.Server(settings)
            door.lifespan = settings.lifespan_class(settings)
            await door.startup([self._plain])
            self._door = door
        self._renewal = asyncio.create_task(self._keep_fresh())

    async def end(self) -> None:
        """Close the door and stop looking."""
        if self._renewal is not None:
            self._renewal.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewal
        if self._door is not None and self._plain is not None:
            await self._door.shutdown([self._plain])

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                if await asyncio.to_thread(refresh, self._trust, self._context):
                    log.info("a new certificate is in use")
            except (ConfigurationError, OSError, ValueError):
                # The one in use is good for days yet; the doctor says what is wrong.
                log.exception("the certificate could not be renewed")
