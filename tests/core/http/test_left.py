"""What of a document is left: to come back, to go back, to arrive. And transfers on their way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("stocked")
Ask = Callable[..., Any]


def left(call: Ask, number: str) -> list[Any]:
    return [line["left"] for line in call("GET", f"/documents/{number}").json()["lines"]]


def post(call: Ask, kind: str, *quantities: int, **more: Any) -> str:
    lines = [{"sku": "cola", "quantity": n} for n in quantities]
    answer = call("POST", "/documents", {"kind": kind, "store": "S1", "lines": lines, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["number"])


def test_left_of_a_sale_shrinks_by_returns_and_grows_when_one_is_taken_back(call: Ask) -> None:
    sale = post(call, "issue", 3, 2)
    assert left(call, sale) == ["3", "2"]
    whole = {"sku": "cola", "quantity": 2, "of_line": 2}
    body = {"kind": "customer_return", "store": "S1", "of_document": sale, "lines": [whole]}
    back = call("POST", "/documents", body).json()["number"]
    post(call, "customer_return", 1, of_document=sale)
    assert left(call, sale) == ["2", "0"]
    assert left(call, back) == [None]
    call("POST", f"/documents/{back}/reverse", {"reason": "kept after all"})
    assert left(call, sale) == ["2", "2"]
    listed = call("GET", f"/documents?number={sale}").json()["items"][0]
    assert [line["left"] for line in listed["lines"]] == [None, None]


def test_left_of_what_was_reversed_is_nothing(call: Ask) -> None:
    sale = post(call, "issue", 3)
    call("POST", f"/documents/{sale}/reverse", {"reason": "wrong"})
    assert left(call, sale) == ["0"]


def test_left_of_a_receipt_shrinks_by_what_goes_back_to_the_supplier(call: Ask) -> None:
    receipt = post(call, "receipt", 10)
    post(call, "supplier_return", 4, of_document=receipt)
    assert left(call, receipt) == ["6"]


def test_transfer_is_on_the_way_until_the_last_of_it_came_or_was_given_up(call: Ask) -> None:
    def on_the_way() -> list[str]:
        found = call("GET", "/documents?on_the_way=true&store=S2").json()["items"]
        return [one["number"] for one in found]

    post(call, "issue", 1)
    first = post(call, "transfer", 3, to_store="S2")
    second = post(call, "transfer", 2, to_store="S2")
    third = post(call, "transfer", 1, to_store="S2")
    assert on_the_way() == [third, second, first]
    call("POST", f"/transfers/{first}/receive", {"lines": [{"line": 1, "quantity": 1}]})
    call("POST", f"/transfers/{second}/close", {"loss_to": "sender"})
    call("POST", f"/documents/{third}/reverse", {"reason": "not sent"})
    assert (on_the_way(), left(call, first), left(call, second)) == ([first], ["2"], ["0"])
    call("POST", f"/transfers/{first}/receive", {"lines": [{"line": 1, "quantity": 2}]})
    assert (on_the_way(), left(call, first)) == ([], ["0"])


def test_transfers_are_found_by_the_store_they_go_to(call: Ask) -> None:
    there = post(call, "transfer", 3, to_store="S2")
    found = call("GET", "/documents?to_store=S2").json()["items"]
    assert [one["number"] for one in found] == [there]
    assert call("GET", "/documents?to_store=S1").json()["items"] == []
    assert call("GET", "/documents?store=S1&to_store=S2").json()["items"] == found
