"""Nothing is sold twice: many clients, few units, every way in at once (invariants I3, I4).

Over HTTP, with the load generator in a process of its own; on SQLite with one server, on
PostgreSQL with four. Clients go to whichever server is free, so that the share of the documents
that each of the four posted (the scarce goods and sweets together) is what it did.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from shop_goods import STORE, SWEET, WAYS, Scarce, on_hand, open_for_sale, post_sale, taken
from shop_server import Server, ShopFolder, load

from dianku.testing.postgres import PostgresServer

PROCESSES = {"sqlite": 1, "postgresql": 4}
SWEETS = 400
"""Sold beside the scarce goods, at the least."""
SWEETS_MOST = 5 * SWEETS


class Selling:
    """A shop that is open, with as many servers as its database is for."""

    def __init__(self, kind: str, folder: ShopFolder) -> None:
        self.kind = kind
        self.folder = folder
        folder.init(store=STORE)
        self.token = folder.token("clients")
        self.servers: list[Server] = []
        self.start(PROCESSES[kind])
        open_for_sale(self.servers[0], self.token)

    def start(self, count: int) -> None:
        """Have so many servers at the least."""
        while len(self.servers) < count:
            self.servers.append(Server(self.folder))

    def kill(self) -> None:
        """End all of them by kill -9."""
        while self.servers:
            self.servers.pop().kill()

    def answers(self, requests: list[dict[str, Any]], *, clients: int) -> list[dict[str, Any]]:
        """What so many clients are answered, all released at the same instant."""
        targets = [server.target(self.token) for server in self.servers]
        spec = {"mode": "list", "targets": targets, "connections": clients, "shared": True}
        found: list[dict[str, Any]] = load({**spec, "requests": requests})["answers"]
        return found

    def on_hand(self, sku: str) -> tuple[str, str]:
        """What is on hand and reserved."""
        return on_hand(self.servers[0], self.token, sku)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def selling(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Selling]:
    """One shop for the tests of this module, on one database and then the other."""
    (folder := tmp_path_factory.mktemp("selling") / "shop").mkdir()
    if request.param == "sqlite":
        shop = Selling(request.param, ShopFolder(folder))
        yield shop
        shop.kill()
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.create()
    shop = Selling(request.param, ShopFolder(folder, database_url=server.url(name)))
    yield shop
    shop.kill()
    server.drop(name)


@pytest.mark.parametrize(
    ("clients", "units"),
    [(64, 1), (200, 20), pytest.param(1000, 100, marks=pytest.mark.long("full"))],
)
def test_scarce_goods_many_clients_by_every_way_exactly_all_are_gone(
    selling: Selling, clients: int, units: int
) -> None:
    selling.start(PROCESSES[selling.kind])
    scarce = Scarce(f"unit-{clients}", f"{16901234567000 + clients}")
    scarce.stock_up(selling.servers[0], selling.token, units=units)
    ways = [WAYS[i % len(WAYS)] for i in range(clients)]
    wanted = [scarce.buy(way, key=f"{clients}-{i}") for i, way in enumerate(ways)]
    sweets = [post_sale(f"{clients}-sweet-{i}", SWEET) for i in range(max(clients, SWEETS))]
    answers = selling.answers(wanted + sweets, clients=clients)
    gone = _gone(scarce, ways, answers[:clients])
    posted = gone + Counter(a["target"] for a in answers[clients:] if a["status"] == 201)
    sold = len(sweets)
    # Which of four processes gets the two cores first is chance: a short burst may pass one by.
    while _least(selling, posted) * 10 < posted.total() and sold < SWEETS_MOST:
        more = [post_sale(f"{clients}-more-{sold + i}", SWEET) for i in range(SWEETS)]
        answered = selling.answers(more, clients=clients)
        posted += Counter(a["target"] for a in answered if a["status"] == 201)
        sold += len(more)
    print(
        f"{selling.kind}: {clients} clients, {units} units; gone by process {dict(gone)}, "
        f"posted by process {dict(posted)}"
    )
    assert gone.total() == units
    assert posted.total() == units + sold
    assert selling.on_hand(scarce.sku) == ("0", "0")
    assert _least(selling, posted) * 10 >= posted.total()
    assert selling.folder.verify()["clean"] is True


def _least(selling: Selling, posted: Counter[int]) -> int:
    """How many the process posted that posted fewest."""
    return min(posted[i] for i in range(len(selling.servers)))


def _gone(scarce: Scarce, ways: list[str], answers: list[dict[str, Any]]) -> Counter[int]:
    """Units gone by the process that said so; every refusal is one the shop may make."""
    gone: Counter[int] = Counter()
    for way, answer in zip(ways, answers, strict=True):
        body = json.loads(answer["body"])
        gone[answer["target"]] += taken(way, answer, body)
        if answer["status"] >= 300:
            assert answer["status"] == 409, answer
            assert body["code"] == "insufficient_stock", answer
            assert body["short"][0]["sku"] == scarce.sku
    return gone


def test_one_key_posted_at_the_same_instant_has_one_effect_also_after_kill(
    selling: Selling,
) -> None:
    selling.start(PROCESSES[selling.kind])
    scarce = Scarce()
    scarce.stock_up(selling.servers[0], selling.token, units=50)
    request = post_sale("the-key", {"sku": "unit", "quantity": 1})
    first = selling.answers([request] * 32, clients=32)
    selling.kill()
    selling.start(1)
    again = selling.answers([request] * 32, clients=32)
    assert selling.on_hand("unit") == ("49", "0")
    refused = selling.answers([post_sale("the-key", {"sku": "unit", "quantity": 2})], clients=1)
    numbers = {json.loads(a["body"])["number"] for a in first + again}
    assert len(numbers) == 1
    assert {a["status"] for a in first + again} == {201}
    assert [a["replayed"] for a in first].count(False) == 1
    assert all(a["replayed"] for a in again)
    assert [a["status"] for a in refused] == [422]
    assert json.loads(refused[0]["body"])["code"] == "idempotency_conflict"
    assert selling.folder.verify()["clean"] is True
