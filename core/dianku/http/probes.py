"""Questions of whoever watches the machine, at the root and without a token.

`/healthz` says the process lives and asks no database. `/readyz` says whether it can post.
`/metrics` are counters as text, in the form Prometheus reads.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from dianku.catalog.snapshot import CATALOG_VERSION
from dianku.ledger.service import QUEUE_MAX
from dianku.storage.events import current

if TYPE_CHECKING:
    from dianku.host import Host

log = logging.getLogger("dianku.http")
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Traffic:
    """What this process answered, counted."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()
        self.started = time.time()

    def count(self, method: str, status: int) -> None:
        """Count one answer."""
        self.answers[method, status] += 1


class Probes:
    """The three questions about one host."""

    def __init__(self, host: Host, *, traffic: Traffic) -> None:
        self._host = host
        self._traffic = traffic

    async def healthz(self, _request: Request) -> Response:
        """Alive."""
        return PlainTextResponse("ok\n")

    async def readyz(self, _request: Request) -> Response:
        """Whether documents can be posted now; 503 with what stands in the way."""
        state = await asyncio.to_thread(self._state)
        status = 200 if state["ready"] else 503
        headers = {} if state["ready"] else {"Retry-After": "1"}
        body = msgspec.json.encode(state)
        return Response(body, status, headers, media_type="application/json")

    async def metrics(self, _request: Request) -> Response:
        """Counters as text."""
        lines = [
            "# HELP dianku_http_answers_total Answers by method and status.",
            "# TYPE dianku_http_answers_total counter",
        ]
        for (method, status), count in sorted(self._traffic.answers.items()):
            labels = f'method="{method}",status="{status}"'
            lines.append(f"dianku_http_answers_total{{{labels}}} {count}")
        lines += [
            "# HELP dianku_started_seconds When this process began to answer.",
            "# TYPE dianku_started_seconds gauge",
            f"dianku_started_seconds {self._traffic.started:.3f}",
        ]
        return Response("\n".join(lines) + "\n", media_type=METRICS_TYPE)

    def _state(self) -> dict[str, Any]:
        host = self._host
        state: dict[str, Any] = {
            "ready": False,
            "database": host.database.dialect,
            "plugins": {s.name: s.status.value for s in host.plugins.states},
            "faults": {
                s.name: list(dict.fromkeys(fault.brief for fault in s.faults))
                for s in host.plugins.states
                if s.faults
            },
            "leader": host.leader.held,
            "queue": host.ledger.waiting,
        }
        try:
            found = host.readiness()
            with host.database.reading() as connection:
                state["catalog_version"] = current(connection, CATALOG_VERSION)
        except SQLAlchemyError:
            # Why is in the log; who asks here has shown no token.
            log.warning("not ready: the database cannot be written to", exc_info=True)
            return state
        state["migrations_pending"] = found["migrations_pending"]
        return {**state, "ready": found["ready"] and state["queue"] < QUEUE_MAX}
