"""What a kill -9 in the middle leaves behind is taken up again, once, by whoever asks again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from shop_server import Server, ShopFolder

ROWS = 1500
SHEET = "\n".join(["sku,quantity,reference", *(f"cola,2,R{n}" for n in range(ROWS))]).encode()


def _bring(server: Server, token: str, *, dry_run: bool = False) -> httpx2.Response:
    return httpx2.post(
        f"{server.url}/api/v1/imports",
        files={"file": ("slips.csv", SHEET)},
        data={"kind": "receipts", "store": "S1", "dry_run": str(dry_run).lower()},
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "K"},
        timeout=120,
    )


def _until(look: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """Ask again until the answer is the wanted one; pytest's time limit ends it."""
    while True:
        if wanted(found := look()):
            return found


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long("full"))],
)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> ShopFolder:
    (place := tmp_path / "shop").mkdir()
    if request.param == "sqlite":
        return ShopFolder(place)
    server = request.getfixturevalue("postgres_server")
    return ShopFolder(place, database_url=server.url(server.create()))


@pytest.mark.long("full")
def test_import_cut_off_by_kill_is_taken_up_by_its_key_and_posts_nothing_twice(
    folder: ShopFolder,
) -> None:
    folder.init(store="S1")
    token = folder.token("clerk")
    with Server(folder) as server:
        product = {"sku": "cola", "name": "cola", "unit": "pc"}
        server.call("POST", "/products", token=token, body=product)
        sending = threading.Thread(target=_sent_in_vain, args=(server, token))
        sending.start()

        def posted() -> list[Any]:
            found = server.call("GET", "/documents?limit=1", token=token)
            return list(found["items"])

        _until(posted, bool)
        server.kill()
        sending.join()
    with Server(folder) as server:
        stopped = server.call("GET", "/imports/1", token=token)
        assert stopped["status"] == "failed"
        answers = [_bring(server, token)]
        done = _until(
            lambda: server.call("GET", "/imports/1", token=token),
            lambda record: record["status"] != "running",
        )
        answers.append(_bring(server, token))
        stock = server.call("GET", "/stock?sku=cola&store=S1", token=token)
    assert [(a.status_code, a.json()["id"]) for a in answers] == [(201, "1")] * 2
    assert all(a.headers["idempotency-replayed"] == "true" for a in answers)
    assert (done["status"], done["rows"], done["failed"]) == ("done", ROWS, 0)
    assert stock["items"][0]["on_hand"] == str(2 * ROWS)
    assert folder.verify()["clean"] is True


def _sent_in_vain(server: Server, token: str) -> None:
    with pytest.raises(httpx2.TransportError):
        _bring(server, token)
