"""Nothing is sold twice: many clients, few units, every way in at once (invariants I3, I4).

Over HTTP, with the load generator in a process of its own; on SQLite with one server, on
PostgreSQL with four, each of which must have done its share.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shop_goods import STORE, WAYS, buy, on_hand, sale, stock_up, taken
from shop_server import LoadRun, Server, ShopFolder, load, servers

from dianku.testing.postgres import PostgresServer

PROCESSES = {"sqlite": 1, "postgresql": 4}


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shop_folder(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ShopFolder]:
    """A shop that is set up, on one database or the other."""
    (folder := tmp_path / "shop").mkdir()
    if kind == "sqlite":
        shop = ShopFolder(folder)
        shop.init(store=STORE)
        yield shop
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.create()
    shop = ShopFolder(folder, database_url=server.url(name))
    shop.init(store=STORE)
    yield shop
    server.drop(name)


@pytest.mark.parametrize(
    ("clients", "units"),
    [
        (64, 1),
        pytest.param(200, 20),
        pytest.param(1000, 100, marks=pytest.mark.long("full")),
    ],
)
def test_scarce_goods_many_clients_by_every_way_exactly_all_are_gone(
    shop_folder: ShopFolder, kind: str, clients: int, units: int
) -> None:
    token = shop_folder.token("clients")
    with servers(shop_folder, PROCESSES[kind]) as running:
        stock_up(running[0], token, units=units)
        ways = [WAYS[i % len(WAYS)] for i in range(clients)]
        wanted = [buy(way, key=f"client-{i}") for i, way in enumerate(ways)]
        # Whatever became of the scarce thing, everybody takes a sweet: every process has work.
        wanted += [_sweet(i) for i in range(clients)]
        targets = [server.target(token) for server in running]
        spec = {"mode": "list", "targets": targets, "connections": clients, "requests": wanted}
        answers = load(spec)["answers"]
        gone = _gone(ways, answers[:clients])
        sweets = Counter(a["target"] for a in answers[clients:] if a["status"] == 201)
        print(
            f"{kind}: {clients} clients, {units} units; gone by process {dict(gone)}, "
            f"sweets by process {dict(sweets)}"
        )
        assert gone.total() == units
        assert sweets.total() == clients
        assert on_hand(running[0], token, "unit") == ("0", "0")
        posted = gone + sweets
        assert min(posted[i] for i in range(len(running))) * 10 >= posted.total()
    assert shop_folder.verify()["clean"] is True


def _sweet(number: int) -> dict[str, Any]:
    body = sale({"sku": "sweet", "quantity": 1})
    key = f"sweet-{number}"
    return {"method": "POST", "path": "/api/v1/documents", "key": key, "body": body}


def _gone(ways: list[str], answers: list[dict[str, Any]]) -> Counter[int]:
    """Units gone by the process that said so; every refusal is one the shop may make."""
    gone: Counter[int] = Counter()
    for way, answer in zip(ways, answers, strict=True):
        body = json.loads(answer["body"])
        gone[answer["target"]] += taken(way, answer, body)
        if answer["status"] >= 300:
            assert answer["status"] == 409, answer
            assert body["code"] == "insufficient_stock", answer
            assert body["short"][0]["sku"] == "unit"
    return gone


def test_one_key_posted_at_the_same_instant_has_one_effect_also_after_kill(
    shop_folder: ShopFolder, kind: str
) -> None:
    token = shop_folder.token("clients")
    body = sale({"sku": "unit", "quantity": 1})
    request = {"method": "POST", "path": "/api/v1/documents", "key": "the-key", "body": body}
    with servers(shop_folder, PROCESSES[kind]) as running:
        stock_up(running[0], token, units=50)
        first = _answers(running, token, request)
        for server in running:
            server.kill()
    with servers(shop_folder, PROCESSES[kind]) as running:
        again = _answers(running, token, request)
        assert on_hand(running[0], token, "unit") == ("49", "0")
        other = {**request, "body": sale({"sku": "unit", "quantity": 2})}
        refused = _answers(running, token, other)
    numbers = {json.loads(a["body"])["number"] for a in first + again}
    assert len(numbers) == 1
    assert {a["status"] for a in first + again} == {201}
    assert [a["replayed"] for a in first].count(False) == 1
    assert all(a["replayed"] for a in again)
    assert {a["status"] for a in refused} == {422}
    assert {json.loads(a["body"])["code"] for a in refused} == {"idempotency_conflict"}
    assert shop_folder.verify()["clean"]


def _answers(running: list[Server], token: str, request: dict[str, Any]) -> list[dict[str, Any]]:
    targets = [server.target(token) for server in running]
    spec = {"mode": "list", "targets": targets, "connections": 32, "requests": [request] * 32}
    found: list[dict[str, Any]] = LoadRun(spec).result()["answers"]
    return found
