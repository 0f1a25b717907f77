"""An exchange over HTTP: documents of one request that are posted all or none; returns by right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from dianku.access.records import NewUser
from dianku.context import Context
from dianku.host import Host

pytestmark = pytest.mark.usefixtures("stocked")
SALE = {"kind": "issue", "store": "S1", "lines": [{"sku": "cola", "quantity": 2}]}
CREDIT = [{"kind": "exchange", "amount": "6.00"}]


def test_exchange_is_paid_with_what_comes_back_and_the_day_says_so(
    call: Callable[..., Any],
) -> None:
    sale = call("POST", "/documents", SALE).json()["number"]
    back = {**SALE, "kind": "customer_return", "of_document": sale, "payments": CREDIT, "key": "r"}
    rest = [*CREDIT, {"kind": "cash", "amount": "3.00"}]
    new = {**SALE, "lines": [{"sku": "cola", "quantity": 3}], "payments": rest, "key": "s"}
    results = call("POST", "/documents/batch", {"documents": [back, new], "together": True}).json()
    assert [r["status"] for r in results["results"]] == ["created", "created"]
    found = call("GET", "/takings?store=S1").json()
    net = {row["payment"]: row["net"] for row in found["items"] if row["payment"]}
    assert net == {"cash": "3.00", "exchange": "0.00"}


def test_exchange_refused_in_part_says_each_ones_reason(call: Callable[..., Any]) -> None:
    wrong = {**SALE, "lines": [{"sku": "nix", "quantity": 1}]}
    answer = call("POST", "/documents/batch", {"documents": [SALE, wrong], "together": True})
    assert [r["problem"]["code"] for r in answer.json()["results"]] == [
        "not_posted_alone",
        "invalid",
    ]
    many = call("POST", "/documents/batch", {"documents": [SALE] * 21, "together": True})
    assert (many.status_code, many.json()["errors"][0]["code"]) == (422, "too_many_together")
    assert call("GET", "/documents?kind=issue").json()["items"] == []


def test_goods_are_paid_by_exchange_only_with_those_that_come_back_for_as_much(
    call: Callable[..., Any],
) -> None:
    paid = {**SALE, "payments": CREDIT}
    wrong = {"pointer": "/payments/0/kind", "code": "exchange_unmatched"}
    for path in ("/documents", "/documents/check"):
        answer = call("POST", path, paid)
        assert answer.status_code == 422
        assert [{k: e[k] for k in wrong} for e in answer.json()["errors"]] == [wrong]
    sale = call("POST", "/documents", {**SALE, "lines": [{"sku": "cola", "quantity": 3}]}).json()
    less = [{"kind": "exchange", "amount": "3.00"}]
    back = {"sku": "cola", "quantity": 1}
    given = {
        **SALE,
        "kind": "customer_return",
        "of_document": sale["number"],
        "lines": [back],
        "payments": less,
    }
    for body in ({"documents": [given, paid], "together": True}, {"documents": [given, paid]}):
        results = call("POST", "/documents/batch", body).json()["results"]
        codes = [result["problem"]["errors"][0]["code"] for result in results]
        assert codes == ["exchange_unmatched"] * 2
    assert len(call("GET", "/documents").json()["items"]) == 2, "the sale, and what was received"


@pytest.mark.parametrize(("role", "status"), [("clerk", 403), ("manager", 201)])
def test_return_without_a_sale_is_for_people_who_may(
    host: Host, client: TestClient, call: Callable[..., Any], role: str, status: int
) -> None:
    password = "correct horse"
    ctx = Context(host.access.actor("test"))
    host.access.create_user(NewUser(name=role, role=role, password=password), ctx=ctx)
    begun = client.post("/api/v1/sessions", json={"name": role, "password": password}).json()
    back = {**SALE, "kind": "customer_return"}
    headers = {"x-csrf-token": begun["csrf"]}

    answer = client.post("/api/v1/documents", json=back, headers=headers)
    assert answer.status_code == status
    assert answer.json().get("permission") in {None, "return.without_sale"}
    client.cookies.clear()

    # Another till tells what has happened there, and what shows its sale needs no such right.
    assert call("POST", "/documents", back, role=role).status_code == 201
    of = {"of_document": call("POST", "/documents", SALE).json()["number"]}
    begun = client.post("/api/v1/sessions", json={"name": role, "password": password}).json()
    headers = {"x-csrf-token": begun["csrf"]}
    assert client.post("/api/v1/documents", json={**back, **of}, headers=headers).status_code == 201
