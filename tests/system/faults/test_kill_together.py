"""kill -9 while documents are posted together: each group is there whole, or not at all (I3).

The groups are sent again with their keys after every kill, as a till would send an exchange.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from shop_goods import DOCUMENTS, STORE, SWEET, on_hand, open_for_sale, sale
from shop_server import LoadRun, Server, ShopFolder, load

from dianku.testing.postgres import PostgresServer

KILLS = 6
GROUPS_PER_ROUND = 600
EACH = 3
"""Documents of a group, and what is gone after it: one is sold, comes back, and three are sold."""
START = 1_000_000

pytestmark = [pytest.mark.long("faults"), pytest.mark.timeout(600)]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_groups_killed_under_load_are_there_whole_or_not_at_all(
    tmp_path: Path, postgres_server: PostgresServer, kind: str
) -> None:
    (folder := tmp_path / "shop").mkdir()
    name = postgres_server.create()
    url = postgres_server.url(name) if kind == "postgresql" else None
    _kill_again_and_again(ShopFolder(folder, database_url=url), servers=1 if url is None else 3)
    postgres_server.drop(name)


def _kill_again_and_again(shop: ShopFolder, *, servers: int) -> None:
    shop.init(store=STORE)
    token = shop.token("till")
    chance = random.Random(20260302)
    told: dict[int, list[str]] = {}
    sent = late = 0
    running = [Server(shop)]
    open_for_sale(running[0], token)
    for _ in range(KILLS):
        running += [Server(shop) for _ in range(servers - len(running))]
        sent += GROUPS_PER_ROUND
        waiting = [n for n in range(sent) if n not in told]
        run = LoadRun(_spec(running, token, waiting))
        run.wait_for_answers(chance.randrange(50, GROUPS_PER_ROUND * 2 // 3))
        for server in running:
            server.kill()
        for n, answer in zip(waiting, run.result()["answers"], strict=True):
            if answer is not None:
                status, told[n] = _group_of(answer)
                late += status == "replayed"
        running = [Server(shop)]
    with running[0] as server:
        answers = load(_spec([server], token, list(range(sent))))["answers"]
        found = {n: _group_of(answer) for n, answer in enumerate(answers)}
        assert {n: found[n] for n in told} == {n: ("replayed", told[n]) for n in told}
        numbers = [number for _, group in found.values() for number in group]
        assert len(set(numbers)) == len(numbers) == EACH * sent
        assert on_hand(server, token, "sweet") == (str(START - EACH * sent), "0")
    print(f"{KILLS} kills; {sent} groups, {late} had their effect before a kill unanswered")
    assert late > 0
    assert shop.verify()["clean"] is True


def _group_of(answer: dict[str, Any]) -> tuple[str, list[str]]:
    """What became of a group, which is one thing, and its numbers."""
    assert answer["status"] == 200, answer
    results = json.loads(answer["body"])["results"]
    [status] = {result["status"] for result in results}
    assert status in {"created", "replayed"}, results
    return status, [result["number"] for result in results]


def _spec(running: list[Server], token: str, groups: list[int]) -> dict[str, Any]:
    return {
        "mode": "list",
        "targets": [server.target(token) for server in running],
        "connections": 32,
        "requests": [_group(n) for n in groups],
        "announce_every": 10,
    }


def _group(number: int) -> dict[str, Any]:
    documents = [
        sale(SWEET),
        {"kind": "customer_return", "store": STORE, "lines": [SWEET]},
        sale({**SWEET, "quantity": 3}),
    ]
    keyed = [{"key": f"group-{number}-{i}", **one} for i, one in enumerate(documents)]
    body = {"documents": keyed, "together": True}
    return {"method": "POST", "path": f"{DOCUMENTS}/batch", "body": body}
