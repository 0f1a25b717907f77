"""kill -9 under load, again and again: what was answered is there, what was not is there once.

Invariants I3 and I8. The same keys are sent again after every kill, as a till would; at the end
the stock says how many effects there were. A kill keeps the machine's page cache, so this shows
atomicity and the once of keys; that the disk has it is shown by `test_syncs`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shop_goods import STORE, SWEET, on_hand, open_for_sale, post_sale
from shop_server import LoadRun, Server, ShopFolder, load

from dianku.testing.postgres import PostgresAbsent, PostgresServer
from dianku.testing.required import absent
from dianku.testing.runs import folder_of_run

KILLS = 20
REQUESTS_PER_ROUND = 1_500
CONNECTIONS = 32
START = 1_000_000

pytestmark = [pytest.mark.long("faults"), pytest.mark.timeout(900)]


class Till:
    """What a till remembers: which keys it sent, and which number it was told for them."""

    def __init__(self) -> None:
        self.sent = 0
        self.answered: dict[str, str] = {}
        self.waiting: list[str] = []
        self.hits = 0
        """Kills after which at least one key had its effect though no answer came."""
        self.late_answers = 0

    def requests(self) -> list[dict[str, Any]]:
        """What is unanswered, again, and new sales."""
        new = [f"sale-{self.sent + i:07d}" for i in range(REQUESTS_PER_ROUND)]
        self.sent += len(new)
        self.waiting += new
        return [post_sale(key, SWEET) for key in self.waiting]

    def note(self, keys: list[str], answers: list[dict[str, Any] | None]) -> None:
        """Take down what was answered; the rest is to be sent again."""
        replayed = 0
        for key, answer in zip(keys, answers, strict=True):
            if answer is None:
                continue
            assert answer["status"] == 201, answer
            self.answered[key] = json.loads(answer["body"])["number"]
            replayed += answer["replayed"]
        self.hits += replayed > 0
        self.late_answers += replayed
        self.waiting = [key for key in keys if key not in self.answered]


@pytest.fixture
def durable_postgres() -> Iterator[PostgresServer]:
    """A server that syncs its commits, unlike that of the other tests."""
    server = PostgresServer(folder_of_run() / "durable", durable=True)
    try:
        server.start()
    except PostgresAbsent as error:
        absent("postgres", str(error))
    yield server
    server.stop()


def test_sqlite_killed_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    (folder := tmp_path / "shop").mkdir()
    _kill_again_and_again(ShopFolder(folder), servers=1)


def test_postgresql_killed_under_load_loses_and_doubles_nothing(
    tmp_path: Path, durable_postgres: PostgresServer
) -> None:
    (folder := tmp_path / "shop").mkdir()
    url = durable_postgres.url(durable_postgres.create())
    _kill_again_and_again(ShopFolder(folder, database_url=url), servers=2)


def _kill_again_and_again(shop: ShopFolder, *, servers: int) -> None:
    shop.init(store=STORE)
    token = shop.token("till")
    chance = random.Random(20260302)
    till = Till()
    running = [Server(shop)]
    open_for_sale(running[0], token)
    for _ in range(KILLS):
        running += [Server(shop) for _ in range(servers - len(running))]
        requests = till.requests()
        run = LoadRun(_spec(running, token, requests))
        run.wait_for_answers(chance.randrange(100, len(requests) * 2 // 3))
        for server in running:
            server.kill()
        till.note([r["key"] for r in requests], run.result()["answers"])
        running = [Server(shop)]
    with running[0] as server:
        _settle(server, token, till)
    print(
        f"{KILLS} kills, {till.hits} hit a commit; {till.sent} sales, "
        f"{till.late_answers} had their effect before the kill and their answer after it"
    )
    assert till.hits > 0
    assert shop.verify()["clean"] is True


def _settle(server: Server, token: str, till: Till) -> None:
    """Send what is unanswered once more, then everything: numbers must be those told before."""
    requests = [post_sale(key, SWEET) for key in till.waiting]
    till.note(till.waiting, load(_spec([server], token, requests))["answers"])
    assert till.waiting == []
    keys = sorted(till.answered)
    told = dict(till.answered)
    answers = load(_spec([server], token, [post_sale(key, SWEET) for key in keys]))["answers"]
    assert all(answer["replayed"] for answer in answers)
    assert {k: json.loads(a["body"])["number"] for k, a in zip(keys, answers, strict=True)} == told
    assert len(set(told.values())) == len(told) == till.sent
    assert on_hand(server, token, "sweet") == (str(START - till.sent), "0")


def _spec(running: list[Server], token: str, requests: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "mode": "list",
        "targets": [server.target(token) for server in running],
        "connections": CONNECTIONS,
        "requests": requests,
        "announce_every": 10,
    }
