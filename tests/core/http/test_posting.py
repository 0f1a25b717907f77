from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from dianku.host import Host
from dianku.http.app import build_app

SALE = {"kind": "issue", "store": "S1", "lines": [{"sku": "cola", "quantity": 1}]}

pytestmark = pytest.mark.usefixtures("stocked")


def test_document_posted_answers_201_with_lines_and_balances(call: Callable[..., Any]) -> None:
    answer = call("POST", "/documents", SALE)
    assert answer.status_code == 201
    body = answer.json()
    assert body["lines"][0]["amount"] == "3.00"
    assert body["balances"][0]["on_hand"] == "99"
    assert call("GET", f"/documents/{body['number']}").json()["number"] == body["number"]


def test_key_used_again_replays_for_equal_numbers_and_refuses_others(
    call: Callable[..., Any],
) -> None:
    key = {"Idempotency-Key": "till-1"}
    first = call("POST", "/documents", SALE, headers=key)
    spelled = {**SALE, "lines": [{"quantity": "1.00", "sku": "cola"}], "note": None}
    again = call("POST", "/documents", spelled, headers=key)
    assert again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["number"] == first.json()["number"]
    other = {**SALE, "lines": [{"sku": "cola", "quantity": 2}]}
    refused = call("POST", "/documents", other, headers=key)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_conflict")


def test_key_of_a_product_replays_the_product(call: Callable[..., Any]) -> None:
    key = {"Idempotency-Key": "p"}
    new = {"sku": "tea", "name": "Tea", "unit": "box", "price": 1}
    first = call("POST", "/products", new, headers=key)
    again = call("POST", "/products", {**new, "price": "1.0", "precision": 0}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert call("POST", "/documents", SALE, headers=key).json()["code"] == "idempotency_conflict"


def test_key_of_a_token_replays_without_its_secret(call: Callable[..., Any]) -> None:
    key = {"Idempotency-Key": "t"}
    first = call("POST", "/tokens", {"name": "till", "role": "clerk"}, headers=key).json()
    again = call("POST", "/tokens", {"name": "till", "role": "clerk"}, headers=key).json()
    assert first["token"].startswith("dk_")
    assert again == {**first, "token": None}


def test_one_key_at_the_same_instant_has_one_effect(call: Callable[..., Any]) -> None:
    call("GET", "/me")
    key = {"Idempotency-Key": "same"}
    with ThreadPoolExecutor(16) as threads:
        answers = list(
            threads.map(lambda _: call("POST", "/documents", SALE, headers=key), range(32))
        )
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["number"] for a in answers}) == 1
    assert sum("idempotency-replayed" not in a.headers for a in answers) == 1


def test_short_stock_names_every_short_product(call: Callable[..., Any]) -> None:
    lines = [{"sku": "cola", "quantity": 101}, {"sku": "cake", "quantity": 1}]
    wish = {"kind": "issue", "store": "S1", "policy": "strict", "lines": lines}
    answer = call("POST", "/documents", wish)
    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_stock")
    assert {row["sku"] for row in answer.json()["short"]} == {"cola", "cake"}


def test_batch_answers_each_in_order(call: Callable[..., Any]) -> None:
    strict = {**SALE, "policy": "strict", "lines": [{"sku": "cola", "quantity": 1000}]}
    documents = [{**SALE, "key": "b1"}, {**strict, "key": "b2"}, {**SALE, "key": "b3"}]
    body = call("POST", "/documents/batch", {"documents": documents}).json()
    assert [r["status"] for r in body["results"]] == ["created", "refused", "created"]
    assert body["results"][1]["problem"]["code"] == "insufficient_stock"
    again = call("POST", "/documents/batch", {"documents": documents}).json()
    assert [r["status"] for r in again["results"]] == ["replayed", "refused", "replayed"]
    assert again["results"][0]["number"] == body["results"][0]["number"]


def test_reservation_is_committed_into_a_document(call: Callable[..., Any]) -> None:
    wish = {"store": "S1", "lines": [{"sku": "cola", "quantity": 2}]}
    promised = call("POST", "/reservations", wish)
    assert (promised.status_code, promised.json()["status"]) == (201, "active")
    committed = call("POST", f"/reservations/{promised.json()['id']}/commit")
    assert (committed.status_code, committed.json()["kind"]) == (201, "issue")


def test_reversal_answers_201_and_once(call: Callable[..., Any]) -> None:
    number = call("POST", "/documents", SALE).json()["number"]
    first = call("POST", f"/documents/{number}/reverse", {"reason": "typo"})
    assert first.status_code == 201
    again = call("POST", f"/documents/{number}/reverse", {"reason": "typo"})
    assert again.status_code == 409


def test_warnings_are_worded_in_the_callers_language(call: Callable[..., Any]) -> None:
    lines = [{"sku": "cake", "quantity": 1}]
    sale = {"kind": "issue", "store": "S1", "lines": lines}
    english = call("POST", "/documents", sale).json()["warnings"]
    chinese = call("POST", "/documents", sale, headers={"accept-language": "zh"}).json()["warnings"]
    assert english[0]["code"] == chinese[0]["code"] == "sold_without_stock"
    assert "cake" in english[0]["message"]
    assert "账上没有货" in chinese[0]["message"]


def test_bad_requests_change_nothing(
    call: Callable[..., Any], host: Host, database_digest: Callable[..., str]
) -> None:
    call("GET", "/me")
    before = database_digest(host.database)
    line = {"sku": "cola", "quantity": 1}
    wrong: list[dict[str, Any]] = [
        {**SALE, "lines": []},
        {**SALE, "kind": "theft"},
        {**SALE, "store": "nowhere"},
        {**SALE, "extra": 1},
        {**SALE, "occurred_at": "2026-03-01T10:00:00"},
        *({**SALE, "lines": [{**line, "quantity": q}]} for q in ("NaN", -1, 0, "1.5", 1e300, "x")),
        *({**SALE, "lines": [{**line, "amount": a}]} for a in ("Infinity", "0.001", -1)),
        {**SALE, "lines": [{"sku": "unknown", "quantity": 1}]},
        {**SALE, "lines": [line] * 1001},
    ]
    for body in wrong:
        answer = call("POST", "/documents", body)
        assert answer.status_code in {404, 422}, body
        assert answer.headers["content-type"] == "application/problem+json"
    assert database_digest(host.database) == before


def test_transfer_received_in_parts_answers_the_transfer_as_it_stands(
    call: Callable[..., Any],
) -> None:
    call("POST", "/stores", {"code": "S9", "name": "Nine", "kind": "warehouse"})
    line = {"sku": "cola", "quantity": 5}
    sent = call(
        "POST", "/documents", {"kind": "transfer", "store": "S1", "to_store": "S9", "lines": [line]}
    ).json()
    assert sent["status"] == "sent"
    path = f"/transfers/{sent['number']}"
    key = {"Idempotency-Key": "arrival-1"}
    part = {"lines": [{"line": 1, "quantity": 2}]}
    some = call("POST", f"{path}/receive", part, headers=key)
    assert (some.status_code, some.json()["status"]) == (200, "partly_received")
    again = call("POST", f"{path}/receive", part, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["number"] == sent["number"]
    over = call("POST", f"{path}/receive", {"lines": [{"line": 1, "quantity": 4}]})
    assert (over.status_code, over.json()["code"]) == (409, "over_received")
    closed = call("POST", f"{path}/close", {"loss_to": "sender"})
    assert (closed.status_code, closed.json()["status"]) == (200, "closed")


def test_product_the_store_does_not_carry_is_never_low(call: Callable[..., Any]) -> None:
    call("PATCH", "/products/cola", {"low_stock": 500})
    assert call("GET", "/stock?low=1").json()["items"][0]["sku"] == "cola"
    call("PUT", "/products/cola/stores/S1", {"carried": False})
    assert call("GET", "/stock?low=1").json()["items"] == []


def test_lines_of_the_shop_hold_where_product_and_category_set_none(
    call: Callable[..., Any],
) -> None:
    assert call("GET", "/stock?low=1").json()["items"] == []
    changes = {"low_stock": "500", "unusual_receipt_times": 2}
    assert call("PATCH", "/settings/shop", changes).status_code == 200
    low = call("GET", "/stock?low=1").json()["items"]
    assert [(row["sku"], row["low_stock"]) for row in low] == [("cola", "500")]
    receipt = {"kind": "receipt", "store": "S1", "lines": [{"sku": "cola", "quantity": 250}]}
    warned = call("POST", "/documents", receipt).json()
    assert [w["code"] for w in warned["warnings"]] == ["unusual_quantity"]


@pytest.mark.usefixtures("stocked")
def test_document_that_is_asked_about_is_foretold_in_words_and_spends_no_number(
    call: Callable[..., Any],
) -> None:
    sale = {"kind": "issue", "store": "S1", "lines": [{"sku": "cola", "quantity": 1, "amount": 1}]}
    key = {"Idempotency-Key": "asked"}
    told = call("POST", "/documents/check", sale, headers=key)
    assert (told.status_code, told.json()["movements"]) == (
        200,
        [{"sku": "cola", "quantity": "-1"}],
    )
    [warning] = told.json()["warnings"]
    assert (warning["code"], warning["message"]) == (
        "below_cost",
        "cola would be sold for 1.00, below its cost of 2.00",
    )
    masked = call("POST", "/documents/check", sale, role="clerk").json()
    assert (masked["warnings"], masked["lines"][0]["cost"]) == ([], None)
    posted = call("POST", "/documents", sale, headers=key)
    assert (posted.status_code, posted.json()["warnings"]) == (201, [])
    assert "idempotency-replayed" not in posted.headers
    assert [d["kind"] for d in call("GET", "/documents").json()["items"]] == ["issue", "receipt"]
    gone = {"kind": "write_off", "store": "S1", "lines": [{"sku": "cola", "quantity": 100}]}
    unsaid = call("POST", "/documents/check", gone)
    assert (unsaid.status_code, unsaid.json()["errors"][0]["pointer"]) == (422, "/lines/0/reason")
    gone["lines"] = [{"sku": "cola", "quantity": 100, "reason": "lost"}]
    short = call("POST", "/documents/check", gone)
    assert (short.status_code, short.json()["short"][0]["available"]) == (409, "99")
    assert call("POST", "/documents/check", gone, role="readonly").status_code == 403
    assert call("POST", "/documents/check", gone, role="clerk", stores=["S2"]).status_code == 403


def test_warnings_call_goods_by_their_names_also_after_a_start(
    call: Callable[..., Any], host: Host, token: Callable[..., str]
) -> None:
    call("POST", "/products", {"sku": "T1", "name": "Tea", "spec": "500 ml", "unit": "pc"})
    sale = {"kind": "issue", "store": "S1", "lines": [{"sku": "T1", "quantity": 1}]}
    sold = call("POST", "/documents", sale).json()
    said = [warning["message"] for warning in sold["warnings"]]
    assert said == ["Tea 500 ml was sold though the books show none; on hand -1"]
    headers = {"authorization": f"Bearer {token('owner')}", "accept-language": "en"}
    with Host.build(host.config) as again, TestClient(build_app(again)) as client:
        for path in (f"/documents/{sold['number']}", "/documents?kind=issue"):
            found = client.get(f"/api/v1{path}", headers=headers).json()
            record = found["items"][0] if "items" in found else found
            assert [warning["message"] for warning in record["warnings"]] == said
