"""Two servers on one PostgreSQL: what one does the other knows, and it goes on where that died."""

from __future__ import annotations

import http.client
import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from shop_server import Server, ShopFolder

from dianku.testing.postgres import PostgresServer

EAR = """
import os
from dianku.api import hookimpl
@hookimpl
def document_posted(event, shop):
    file = os.open({path!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, b"%d %d\\n" % (os.getpid(), event.id))
    os.close(file)
"""


@pytest.fixture
def folder(postgres_server: PostgresServer, tmp_path: Path) -> ShopFolder:
    (place := tmp_path / "shop").mkdir()
    folder = ShopFolder(place, database_url=postgres_server.url(postgres_server.create()))
    folder.init(store="S1")
    return folder


def until(look: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """Ask again until the answer is the wanted one; pytest's time limit ends it."""
    while True:
        if wanted(found := look()):
            return found


def asked(server: Server, method: str, path: str, token: str, body: Any = None) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token}"}
    address = f"{server.url}/api/v1{path}"
    return httpx2.request(method, address, headers=headers, json=body, timeout=60)


def streamed(server: Server, token: str, *, last: int | None) -> Iterator[dict[str, Any]]:
    """The events of a stream; it ends with its server."""
    headers = {"Authorization": f"Bearer {token}"}
    if last is not None:
        headers["Last-Event-ID"] = str(last)
    address = f"{server.url}/api/v1/events/stream" + ("?after=0" if last is None else "")
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60) as a:
        try:
            for line in a:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])
        except (http.client.IncompleteRead, ConnectionResetError):
            return


def product(sku: str) -> dict[str, str]:
    return {"sku": sku, "name": sku, "unit": "pc"}


def test_settings_rights_and_streams_hold_across_two_servers(folder: ShopFolder) -> None:
    token = folder.token("owner")
    with Server(folder) as one, Server(folder) as other:
        for sku in ("a", "b", "c"):
            one.call("POST", "/products", token=token, body=product(sku))
        events = streamed(one, token, last=None)
        seen = [next(events) for _ in range(2)]

        one.call("PATCH", "/settings/http", token=token, body={"body_bytes_max": 10_000})
        big = {**product("d"), "spec": "x" * 11_000}
        until(lambda: asked(other, "POST", "/products", token, big).status_code, lambda s: s == 413)

        made = one.call("POST", "/tokens", token=token, body={"name": "till", "role": "clerk"})
        assert asked(other, "GET", "/me", made["token"]).status_code == 200
        assert asked(one, "DELETE", f"/tokens/{made['id']}", token).status_code == 204
        until(lambda: asked(other, "GET", "/me", made["token"]).status_code, lambda s: s == 401)

        one.kill()
        events = streamed(other, token, last=seen[-1]["id"])
        seen.append(next(events))
        other.call("POST", "/products", token=token, body=product("e"))
        seen.append(next(events))
    assert [event["id"] for event in seen] == [1, 2, 3, 4]
    assert [event["data"]["sku"] for event in seen] == ["a", "b", "c", "e"]


def test_plugin_is_told_of_every_document_when_its_leader_is_killed_or_stops(
    folder: ShopFolder, tmp_path: Path
) -> None:
    heard, ear = tmp_path / "heard", tmp_path / "ear.py"
    ear.write_text(EAR.format(path=str(heard)))
    token, words = folder.token("owner"), ("--plugin", str(ear))

    def told() -> list[tuple[int, int]]:
        lines = heard.read_text().splitlines() if heard.exists() else []
        return [(int(pid), int(number)) for pid, number in map(str.split, lines)]

    def leads(server: Server) -> bool:
        return bool(httpx2.get(f"{server.url}/readyz", timeout=60).json()["leader"])

    def sell(server: Server, count: int) -> None:
        line = {"lines": [{"sku": "cola", "quantity": 1}]}
        documents = [{"kind": "receipt", "store": "S1", **line} for _ in range(count)]
        server.call("POST", "/documents/batch", token=token, body={"documents": documents})

    def posted(server: Server) -> list[int]:
        found = server.call("GET", "/events?type=document.posted&limit=1000", token=token)
        return [event["id"] for event in found["items"]]

    with Server(folder, words=words) as one, Server(folder, words=words) as other:
        one.call("POST", "/products", token=token, body=product("cola"))
        leader, next_one = (
            until(lambda: [s for s in (one, other) if leads(s)], lambda found: len(found) == 1)[0],
            other,
        )
        if leader is other:
            next_one = one
        sell(next_one, 30)
        until(lambda: len(told()), lambda count: count >= 30)
        assert {pid for pid, _ in told()} == {leader.pid}
        sell(next_one, 300)
        leader.kill()
        sell(next_one, 30)
        until(lambda: {number for _, number in told()}, lambda n: n >= set(posted(next_one)))
        by_first = [number for pid, number in told() if pid == leader.pid]
        by_next = [number for pid, number in told() if pid == next_one.pid]
        everything = posted(next_one)
        assert by_first == everything[: len(by_first)]
        assert by_next == everything[-len(by_next) :]
        # At least once: what the dead one had not noted as told is told again, a batch at most.
        assert len(by_first) + len(by_next) - len(everything) <= 200
        next_one.stop()
    with Server(folder, words=words) as third:
        sell(third, 30)
        until(lambda: told()[-1][1], lambda number: number == posted(third)[-1])
        by_third = [number for pid, number in told() if pid == third.pid]
    # Who stopped in good order noted all it told: nothing comes twice, nothing is left out.
    assert by_third == [n for n in range(everything[-1] + 1, by_third[-1] + 1) if n in by_third]
    assert len(by_third) == 30
