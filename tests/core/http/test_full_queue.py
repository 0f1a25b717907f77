"""A queue that is full says so at once and when to come again, and loses nothing it took."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from starlette.testclient import TestClient

from dianku.host import Host
from dianku.ledger.posting.batching import BATCH_COMMANDS

RECEIPT = {"kind": "receipt", "store": "S1", "lines": [{"sku": "cola", "quantity": 1}]}
ROOM = 40


def test_flood_over_http_is_answered_busy_with_when_to_come_again(
    host: Host, client: TestClient, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dianku.ledger.service.QUEUE_MAX", ROOM)
    monkeypatch.setattr("dianku.http.probes.QUEUE_MAX", ROOM)
    assert call("POST", "/documents", RECEIPT).status_code == 201
    path = host.database.url.database
    assert path is not None
    with closing(sqlite3.connect(path, isolation_level=None)) as other, ThreadPoolExecutor(4) as by:
        other.execute("BEGIN IMMEDIATE")  # another program writes: the poster has to wait for it
        # More than the poster takes at once and the queue has room for, whichever comes first.
        batch = {"documents": [RECEIPT] * ((BATCH_COMMANDS + ROOM) // 3 + 1)}
        floods = [by.submit(call, "POST", "/documents/batch", batch) for _ in range(3)]
        while host.ledger.waiting < ROOM:
            call("GET", "/me")
        refused = call("POST", "/documents", RECEIPT, headers={"idempotency-key": "K"})
        other.execute("ROLLBACK")
        results = [r for flood in floods for r in flood.result(60).json()["results"]]

    assert (refused.status_code, refused.json()["code"]) == (503, "busy")
    assert int(refused.headers["retry-after"]) >= 1
    became = Counter(r["status"] for r in results)
    assert became["refused"] >= 1
    assert {r["problem"]["code"] for r in results if r["status"] == "refused"} <= {"busy"}
    assert call("POST", "/documents", RECEIPT, headers={"idempotency-key": "K"}).status_code == 201
    stock = call("GET", "/stock?sku=cola&store=S1").json()["items"][0]
    assert stock["on_hand"] == str(2 + became["created"])
    assert client.get("/readyz").status_code == 200
