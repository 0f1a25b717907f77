"""A connection to a caller who may be slow, gone, or sending without an end.

Invariant: before anybody is known by a token, a connection costs a bounded piece of memory and,
unless something of a request keeps coming, a bounded time. uvicorn bounds neither: it keeps every
header it is sent, and waits for ever for a first request, the rest of a head, or of a body.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_BYTES_MAX = 65_536
"""Bytes of a request's line and headers that are waited for; those of one piece are there."""
LOOK_S = 20.0
"""How often a connection is looked at; who kept still from one look to the next has left."""
BODY_BYTES_MIN = 500
"""Bytes of a body that must come from one look to the next: less is a way to hold a connection."""


def served(app: Any, *, lifespan: Literal["on", "off"], **more: Any) -> uvicorn.Config:
    """How uvicorn serves an application here: over bounded connections, silent about itself."""
    return uvicorn.Config(
        app,
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        http=BoundedConnection,
        ws="none",
        proxy_headers=False,
        **more,
    )


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's connection, with an end to what it waits for."""

    look_s = LOOK_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._in_head = False
        self._received = 0
        self._seen: tuple[object, int] | None = None
        self._look_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look at it by the clock."""
        super().connection_made(transport)
        self._look_timer = self.loop.call_later(self.look_s, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop looking."""
        if self._look_timer is not None:
            self._look_timer.cancel()
            self._look_timer = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in a piece; one more of a head that has no end is refused."""
        super().data_received(data)
        self._received += len(data)
        # A head is complete when uvicorn has put its path into the scope.
        if self.scope is None or "path" in self.scope:
            self._in_head = False
            return
        # What stood before the head in its first piece is not its own.
        self._head_bytes = self._head_bytes + len(data) if self._in_head else 0
        self._in_head = True
        if self._head_bytes > HEAD_BYTES_MAX:
            self._end(431, "The headers are too large.")

    def _look(self) -> None:
        """End it where the same thing is waited for as at the last look and too little came."""
        waited = self._waited_for()
        last, self._seen = self._seen, None
        if waited is not None:
            if last is not None and last[0] is waited:
                came = self._received - last[1]
                if waited is not self.cycle or came < BODY_BYTES_MIN:
                    self._end(408, "The request did not come in time.")
                    return
            self._seen = (waited, self._received)
        self._look_timer = self.loop.call_later(self.look_s, self._look)

    def _waited_for(self) -> object | None:
        """What the caller owes: a first request, the rest of a head, of a body; else None."""
        if self._in_head:
            return self.scope
        if self.cycle is None:
            return self
        if self.cycle.response_complete:
            # Between two requests uvicorn's own timer runs, unless something came that is none.
            return self if self.timeout_keep_alive_task is None else None
        paused = self.flow.read_paused
        return self.cycle if self.cycle.more_body and not paused else None

    def _end(self, status: int, said: str) -> None:
        """Close; say why, where a request was begun and no answer is under way."""
        if self.transport.is_closing():
            return
        if self._in_head and (self.cycle is None or self.cycle.response_complete):
            body = said.encode()
            head = b"content-type: text/plain\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            self.transport.write(STATUS_LINE[status] + head % len(body) + body)
        self.transport.close()
