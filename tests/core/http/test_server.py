"""The real server in a process of its own: its one line, its sockets, its streams, its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from dianku.config import HostConfig
from dianku.context import Context
from dianku.errors import ConfigurationError
from dianku.http.server import listening_socket, serve

WAIT_S = 60
SERVE = """
import sys
from pathlib import Path
from dianku.access.records import NewToken
from dianku.catalog.requests import NewStore
from dianku.config import HostConfig
from dianku.context import Context
from dianku.http.server import serve

def opened(host):
    ctx = Context(host.access.actor("test"))
    print(host.access.create_token(NewToken(name="owner", role="owner"), ctx=ctx).token)
    host.catalog.create_store(NewStore(code="S1", name="S1"), ctx=ctx)

serve(HostConfig(data_dir=Path(sys.argv[1])), port=0, opened=opened)
print("closed", flush=True)
"""


class Served:
    """A running server: its address, a caller with an owner's token, its process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        token = self.line()
        said = self.line()
        assert said.startswith("listening on http://127.0.0.1:")
        self.port = int(said.rpartition(":")[2])
        self.caller = httpx2.Client(
            base_url=f"http://127.0.0.1:{self.port}/api/v1",
            headers={"authorization": f"Bearer {token}"},
            timeout=WAIT_S,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        # Not `select`: what came together with the line before is in the buffer already.
        said = self.process.stdout.readline()
        assert said, "the server ended"
        return said.strip()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path / "shop")],
        stdout=subprocess.PIPE,
        bufsize=1,
        text=True,
        env=dict(os.environ),
    )
    try:
        running = Served(process)
        yield running
        running.caller.close()
    finally:
        process.kill()
        process.wait(WAIT_S)
        if process.stdout is not None:
            process.stdout.close()


def _events(lines: Iterator[str], *, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for line in lines:
        if line.startswith("data: "):
            found.append(json.loads(line.removeprefix("data: ")))
            if len(found) == count:
                break
    return found


def _product(sku: str) -> dict[str, str]:
    return {"sku": sku, "name": sku, "unit": "pc"}


def test_stream_resumes_after_the_last_event_seen(served: Served) -> None:
    for sku in ("a", "b", "c"):
        assert served.caller.post("/products", json=_product(sku)).status_code == 201
    with served.caller.stream("GET", "/events/stream?after=0") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        first = _events(answer.iter_lines(), count=2)
    headers = {"last-event-id": str(first[-1]["id"])}
    with served.caller.stream("GET", "/events/stream", headers=headers) as answer:
        lines = answer.iter_lines()
        assert _events(lines, count=1)[0]["data"]["sku"] == "c"
        served.caller.post("/products", json=_product("d"))
        assert _events(lines, count=1)[0]["data"]["sku"] == "d"
    assert [event["id"] for event in first] == [1, 2]


def test_stream_ends_when_its_token_is_revoked(served: Served) -> None:
    made = served.caller.post("/tokens", json={"name": "screen", "role": "clerk"}).json()
    headers = {"authorization": f"Bearer {made['token']}"}
    with served.caller.stream("GET", "/events/stream", headers=headers) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("retry")
        assert served.caller.delete(f"/tokens/{made['id']}").status_code == 204
        assert not [line for line in lines if line.startswith("data")]
    again = served.caller.get("/events", headers=headers)
    assert again.status_code == 401


def test_sigterm_ends_streams_and_closes_the_shop(served: Served) -> None:
    with served.caller.stream("GET", "/events/stream") as answer:
        lines = answer.iter_lines()
        next(lines)
        served.process.send_signal(signal.SIGTERM)
        assert list(lines) is not None
    assert served.line() == "closed"
    assert served.process.wait(WAIT_S) == 0


def test_huge_body_in_chunks_is_refused_with_memory_flat(served: Served) -> None:
    def memory() -> int:
        status = Path(f"/proc/{served.process.pid}/status")
        if not status.exists():
            pytest.skip("memory is read from /proc")
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmRSS"))
        return int(line.split()[1])

    served.caller.get("/me")
    before = memory()
    refused = b""
    with socket.create_connection(("127.0.0.1", served.port), timeout=WAIT_S) as raw:
        token = served.caller.headers["authorization"].encode()
        raw.sendall(
            b"POST /api/v1/documents HTTP/1.1\r\nhost: x\r\nauthorization: "
            + token
            + b"\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
        try:
            for _ in range(1600):
                raw.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            refused = raw.recv(64)
        except ConnectionResetError:
            refused = b"HTTP/1.1 413"
    assert refused.startswith(b"HTTP/1.1 413")
    assert memory() - before < 40_000
    assert served.caller.get("/me").status_code == 200


def test_accepted_sockets_send_at_once() -> None:
    with listening_socket("127.0.0.1", 0) as listener:
        listener.setblocking(True)
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_address_that_is_taken_is_said_with_what_to_do(tmp_path: Path) -> None:
    with (
        listening_socket("127.0.0.1", 0) as listener,
        pytest.raises(ConfigurationError, match="--port"),
    ):
        serve(HostConfig(data_dir=tmp_path), port=listener.getsockname()[1])


def test_several_workers_on_sqlite_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="PostgreSQL"):
        serve(HostConfig(data_dir=tmp_path), port=0, workers=2)


def test_session_needs_its_csrf_token_to_change_something(
    client: Any, host: Any, call: Callable[..., Any]
) -> None:
    new = {"name": "ann", "role": "owner", "password": "correct horse"}
    assert call("POST", "/users", new).status_code == 201
    login = {"name": "ann", "password": "correct horse"}
    signed = client.post("/api/v1/sessions", json=login)
    assert signed.status_code == 201
    assert "HttpOnly" in signed.headers["set-cookie"]
    assert client.get("/api/v1/me").json()["name"] == "ann"
    store = {"code": "S9", "name": "S9"}
    assert client.post("/api/v1/stores", json=store).status_code == 403
    csrf = {"x-csrf-token": signed.json()["csrf"]}
    assert client.post("/api/v1/stores", json=store, headers=csrf).status_code == 201
    assert client.delete("/api/v1/sessions", headers=csrf).status_code == 204
    client.cookies.clear()
    assert client.get("/api/v1/me").status_code == 401
    ctx = Context(host.access.actor("test"))
    assert host.access.audit(ctx=ctx, action="store.create")[0].subject == "S9"
