"""What the edge of one process has of its own, besides the host: words, landing, streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dianku.http.event_streams import EventStreams
from dianku.http.posting import Landing
from dianku.http.route import Call
from dianku.messages import Messages

if TYPE_CHECKING:
    from dianku.http.practice import Own, Practices


@frozen
class Edge:
    """Handed to every handler with its call.

    `landing` is where the poster's outcomes arrive, `streams` what follows the event log,
    `threads` where plain functions run, `plugin_threads` where those of plugins do. `ask` puts
    a question to the API's own routes (`Call.ask`). `practices` makes throw-away shops, `own` is
    the one that this process's edge is of, where it is of one.
    """

    messages: Messages
    landing: Landing
    streams: EventStreams
    threads: Executor
    plugin_threads: Executor
    ask: Callable[[Call, str, Mapping[str, Any]], Any]
    practices: Practices | None = None
    own: Own | None = None


def edge_of(call: Call) -> Edge:
    """The edge a call came in by; only calls that came over HTTP have one."""
    if call.edge is None:
        raise TypeError("this handler answers calls over HTTP only")
    return call.edge
