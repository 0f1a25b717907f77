"""Imports over HTTP: a key stands for one file, whoever asks at the same instant."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dianku.context import Context
from dianku.errors import Refused, refuse
from dianku.host import Host
from dianku.http.routes.exchange import ImportForm
from dianku.idempotency import digest, keyed


def sheet(quantity: int, *, rows: int = 40) -> bytes:
    lines = [f"cola,{quantity},R{quantity}-{row}" for row in range(rows)]
    return "\n".join(["sku,quantity,reference", *lines]).encode()


def bring(
    call: Callable[..., Any], content: bytes, key: str, *, dry_run: bool = False, **who: Any
) -> Any:
    return call(
        "POST",
        "/imports",
        files={"file": ("slips.csv", content)},
        data={"kind": "receipts", "store": "S1", "dry_run": str(dry_run).lower()},
        headers={"idempotency-key": key},
        **who,
    )


def on_hand(call: Callable[..., Any]) -> str:
    found: str = call("GET", "/stock?sku=cola&store=S1").json()["items"][0]["on_hand"]
    return found


def test_of_several_files_under_one_key_one_is_taken_and_the_refused_have_no_effect(
    call: Callable[..., Any],
) -> None:
    call("GET", "/stores")
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda n: (n, bring(call, sheet(n), "K")), range(1, 7)))
    taken = [n for n, answer in answers if answer.status_code == 201]
    refused = {answer.json()["code"] for _, answer in answers if answer.status_code != 201}
    assert len(taken) == 1
    assert refused == {"idempotency_conflict"}
    assert on_hand(call) == str(40 * taken[0])


def test_file_sent_several_times_at_once_under_one_key_is_taken_once_and_answered_alike(
    call: Callable[..., Any],
) -> None:
    call("GET", "/stores")
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: bring(call, sheet(2), "K"), range(6)))
    assert {(a.status_code, a.json()["id"], a.json()["status"]) for a in answers} == {
        (201, answers[0].json()["id"], "done")
    }
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 5
    assert on_hand(call) == "80"


def test_run_whose_key_is_refused_can_be_begun_again(host: Host) -> None:
    ctx = Context(host.access.actor("test"))

    def refused(begin: Callable[[], str]) -> str:
        with host.database.writing() as connection, host.database.joined(connection):
            begin()
            raise refuse("idempotency_conflict")

    kind = {"kind": "receipts", "filename": "slips.csv", "store": "S1", "ctx": ctx}
    with pytest.raises(Refused, match="idempotency_conflict"):
        host.exchange.start_import(sheet(3), enter=refused, **kind)  # type: ignore[arg-type]
    record = host.exchange.start_import(sheet(3), **kind)  # type: ignore[arg-type]
    host.exchange.wait(record.id, seconds=30)
    assert host.exchange.get_import(record.id, ctx=ctx).created == 40


@pytest.mark.parametrize("dry_run", [False, True])
def test_import_whose_process_died_is_taken_up_by_its_key(
    host: Host, call: Callable[..., Any], *, dry_run: bool
) -> None:
    content = sheet(2)
    form = ImportForm(kind="receipts", store="S1", dry_run=dry_run)
    wanted = digest("import", {"file": hashlib.sha256(content).hexdigest()}, form)

    def claimed_and_died(begin: Callable[[], str]) -> str:
        keyed(host.database, key="K", digest=wanted, effect=lambda _: {"id": begin()})
        raise SystemExit

    with pytest.raises(SystemExit):
        host.exchange.start_import(
            content,
            kind="receipts",
            filename="slips.csv",
            ctx=Context(host.access.actor("test")),
            enter=claimed_and_died,
            store="S1",
            dry_run=dry_run,
        )
    assert call("GET", "/imports/1").json()["status"] == "failed"
    answers = [bring(call, content, "K", dry_run=dry_run) for _ in range(2)]
    assert [(a.json()["id"], a.json()["status"], a.json()["created"]) for a in answers] == [
        ("1", "done", 40)
    ] * 2
    moved = call("GET", "/stock?sku=cola&store=S1").json()["items"]
    assert [row["on_hand"] for row in moved] == ([] if dry_run else ["80"])


def test_import_of_others_is_not_there_for_who_is_limited_to_stores(
    call: Callable[..., Any],
) -> None:
    made = bring(call, sheet(1), "K").json()["id"]
    mine = {"role": "manager", "stores": ["S2"]}
    assert call("GET", f"/imports/{made}", **mine).status_code == 404
    assert call("POST", f"/imports/{made}/undo", **mine).status_code == 404
    assert call("GET", f"/imports/{made}").status_code == 200


def test_imports_are_listed_newest_first_in_pages_and_of_others_only_to_the_whole_shop(
    call: Callable[..., Any],
) -> None:
    assert call("GET", "/imports").json() == {"items": [], "next_cursor": None}
    made = []
    for number in range(3):
        content = f"sku,name\nnew-{number},New\n,\n-,{'x' * 500}\n".encode()
        answer = call(
            "POST",
            "/imports",
            data={"kind": "products"},
            files={"file": (f"{number}.csv", content)},
        )
        made.append(answer.json())
    newest = [record["id"] for record in reversed(made)]
    whole = call("GET", "/imports").json()
    assert [record["id"] for record in whole["items"]] == newest
    assert whole["next_cursor"] is None
    short = [{**column, "samples": []} for column in made[-1]["columns"]]
    told = {**made[-1], "errors": [], "notes": [], "excerpt": [], "fields": [], "columns": short}
    assert whole["items"][0] == told
    first = call("GET", "/imports?limit=2").json()
    assert [record["id"] for record in first["items"]] == newest[:2]
    rest = call("GET", f"/imports?limit=2&cursor={first['next_cursor']}").json()
    assert ([record["id"] for record in rest["items"]], rest["next_cursor"]) == (newest[2:], None)
    mine: dict[str, Any] = {"role": "manager", "stores": ["S1"]}
    assert call("GET", "/imports", **mine).json()["items"] == []
    own = bring(call, sheet(1), "K", **mine).json()["id"]
    assert [record["id"] for record in call("GET", "/imports", **mine).json()["items"]] == [own]
    wrong = call("GET", "/imports?cursor=nothing")
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "unknown_cursor")
    assert call("GET", "/imports", role="clerk").status_code == 403


def test_mapping_comes_as_json_and_is_refused_by_field(call: Callable[..., Any]) -> None:
    def send(mapping: str, **more: str) -> Any:
        return call(
            "POST",
            "/imports",
            files={"file": ("goods.csv", "甲,乙\nN9,茶\n".encode())},
            data={"kind": "products", "dry_run": "true", "mapping": mapping, **more},
            headers={"accept-language": "zh-CN"},
        )

    told = send('{"sku": "甲", "name": "B", "price": null}').json()
    assert [(c["column"], c["field"], c["samples"]) for c in told["columns"]] == [
        ("甲", "sku", ["N9"]),
        ("乙", "name", ["茶"]),
    ]
    assert {"name": "price", "title": "售价"} in told["fields"]
    unknown = send("{}").json()
    assert (unknown["code"], unknown["columns"][1]["letter"]) == ("columns_not_found", "B")
    assert {"name": "price", "title": "售价"} in unknown["fields"]
    for wrong, status, code in (
        ("{", 400, "unreadable_body"),
        ('{"sku": "A", "sku": "B"}', 400, "unreadable_body"),
        ('["sku"]', 422, "wrong_type"),
        ('{"sku": 1}', 422, "wrong_type"),
        ('{"sku": "没有"}', 422, "unknown_column"),
    ):
        answer = send(wrong)
        body = answer.json()
        found = body["errors"][0]["code"] if body.get("errors") else body["code"]
        assert (answer.status_code, found) == (status, code), wrong
    assert send("{}", heading_row="-1").status_code == 422
