"""Payments over HTTP: in and out of every call that shows a document, and in exports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("stocked")
SALE = {"kind": "issue", "store": "S1", "lines": [{"sku": "cola", "quantity": 2}]}
PAID = [{"kind": "cash", "amount": "1.00"}, {"kind": "alipay", "amount": 5}]
TOLD = [{"kind": "cash", "amount": "1.00"}, {"kind": "alipay", "amount": "5.00"}]


def test_payments_are_in_every_answer_and_in_the_export(call: Callable[..., Any]) -> None:
    sale = call("POST", "/documents", {**SALE, "payments": PAID}, role="clerk").json()
    assert sale["payments"] == TOLD
    assert call("GET", f"/documents/{sale['number']}").json()["payments"] == TOLD
    batch = [{**SALE, "key": "b", "payments": PAID}, {**SALE, "payments": PAID[:1]}]
    results = call("POST", "/documents/batch", {"documents": batch}).json()["results"]
    assert [r["status"] for r in results] == ["created", "refused"]
    faults = results[1]["problem"]["errors"]
    assert [(e["pointer"], e["code"]) for e in faults] == [("/payments", "payments_mismatch")]
    found = call("GET", "/documents?payment=alipay&payment=card").json()["items"]
    assert [one["payments"] for one in found] == [TOLD, TOLD]
    assert call("GET", "/documents?payment=card").json()["items"] == []
    assert call("GET", "/documents?payment=gold").status_code == 422
    undone = call("POST", f"/documents/{sale['number']}/reverse", {"reason": "wrong"}).json()
    assert undone["payments"] == TOLD
    lines = call("GET", "/exports/documents?format=csv&payment=alipay").text.splitlines()
    assert [line.rsplit(",", 1)[1] for line in lines] == [
        "Payments",
        *["cash 1.00; alipay 5.00"] * 3,
    ]


@pytest.mark.parametrize(
    "payments",
    [
        [],
        [{"kind": "gold", "amount": "6"}],
        [{"kind": "cash"}],
        [{"kind": "cash", "amount": "6", "tip": 1}],
        [{"kind": "cash", "amount": "0.30"}] * 21,
        {"cash": "6"},
    ],
)
def test_payments_of_another_form_are_refused(call: Callable[..., Any], payments: Any) -> None:
    answer = call("POST", "/documents", {**SALE, "payments": payments})
    assert answer.status_code == 422
    assert all(e["pointer"].startswith("/payments") for e in answer.json()["errors"])
