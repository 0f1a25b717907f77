"""A price below the list: posted from whomever, and told of who had no right to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from dianku.access.records import NewUser
from dianku.context import Context
from dianku.host import Host

pytestmark = pytest.mark.usefixtures("stocked")
PASSWORD = "correct horse"


@pytest.fixture
def sell(host: Host, client: TestClient) -> Callable[..., Any]:
    """Sell as a person who is signed in; lines are (sku, quantity, amount)."""

    def request(role: str, *lines: tuple[str, int, str], **more: Any) -> str:
        ctx = Context(host.access.actor("test"))
        if role not in {user.name for user in host.access.list_users(ctx=ctx)}:
            host.access.create_user(NewUser(name=role, role=role, password=PASSWORD), ctx=ctx)
        begun = client.post("/api/v1/sessions", json={"name": role, "password": PASSWORD})
        rows = [{"sku": s, "quantity": q, "amount": a} for s, q, a in lines]
        sale = {"kind": "issue", "store": "S1", "lines": rows, **more}
        headers = {"x-csrf-token": begun.json()["csrf"]}
        answer = client.post("/api/v1/documents", json=sale, headers=headers)
        assert answer.status_code == 201, answer.text
        client.cookies.clear()
        return str(answer.json()["number"])

    return request


def told(call: Callable[..., Any]) -> list[tuple[str, str, Any]]:
    """The prices that are told to be changed: document, product, what is said."""
    found = call("GET", "/exceptions?type=price_changed&sort=raised_at").json()["items"]
    return [(one["document"], one["sku"], one["data"]) for one in found]


def test_price_below_the_list_by_who_may_not_change_it_is_told(
    sell: Callable[..., Any], call: Callable[..., Any]
) -> None:
    number = sell("clerk", ("cola", 2, "5.50"), ("cake", 1, "2.40"))
    said = {"sku": "cola", "person": "clerk", "list": "9.00", "taken": "7.90"}
    (found,) = told(call)
    assert found[:2] == (number, "cake")
    assert found[2] == said | {"sku": "cake"}
    exception = call("GET", "/exceptions?type=price_changed").json()["items"][0]
    settled = call("POST", f"/exceptions/{exception['id']}/settle", {"note": "a regular"})
    assert settled.json()["state"] == "settled"


def test_what_is_let_off_by_rounding_and_what_was_sold_dearer_is_not_told(
    sell: Callable[..., Any], call: Callable[..., Any]
) -> None:
    sell("clerk", ("cola", 1, "2.01"))
    sell("clerk", ("cola", 1, "3.00"), ("cake", 1, "9.00"))
    assert told(call) == []
    dear = sell("clerk", ("cola", 1, "2.00"), ("cake", 1, "9.00"))
    assert [number for number, _, _ in told(call)] == [dear]


def test_price_changed_by_who_may_or_by_a_token_is_not_told(
    sell: Callable[..., Any], call: Callable[..., Any]
) -> None:
    sell("manager", ("cola", 1, "0.50"))
    line = {"sku": "cola", "quantity": 1, "amount": "0.50"}
    sale = {"kind": "issue", "store": "S1", "lines": [line]}
    assert call("POST", "/documents", sale, role="clerk").status_code == 201
    assert told(call) == []


def test_goods_without_a_list_price_have_none_to_be_held_against(
    sell: Callable[..., Any], call: Callable[..., Any]
) -> None:
    call("POST", "/products", {"sku": "loose", "name": "Loose", "unit": "pc"})
    sell("clerk", ("loose", 10**9, "0.01"))
    sell("clerk", ("cola", 10**12, "1"))  # so much that the list's amount fits nothing
    assert told(call) == []


@pytest.mark.parametrize("price", [None, "3.00"])
@pytest.mark.parametrize(
    ("amount", "fair"),
    [("6.00", "7.50"), ("6.51", None), ("9.30", None), ("21.00", None), ("22.50", "21.00")],
)
def test_price_within_its_bounds_is_anybodys_to_say(
    sell: Callable[..., Any],
    call: Callable[..., Any],
    price: str | None,
    amount: str,
    fair: str | None,
) -> None:
    bounds = {"min": "2.50", "max": "7.00"}
    call("PATCH", "/products/cola", {"price": price, "open_price": bounds})
    sell("clerk", ("cola", 3, amount))
    assert [data["list"] for _, _, data in told(call)] == [fair] * (fair is not None)
    assert call("GET", "/scan/cola?store=S1").json()["matches"][0]["open_price"] == bounds


def test_list_price_and_that_of_a_pack_are_right_whatever_the_bounds(
    sell: Callable[..., Any], call: Callable[..., Any]
) -> None:
    call("PATCH", "/products/cola", {"price": "3.00", "open_price": {"min": "4.00"}})
    sell("clerk", ("cola", 2, "6.00"))
    call("PATCH", "/products/cola", {"open_price": {"max": "1.00"}})
    sell("clerk", ("cola", 2, "6.00"))
    assert told(call) == []
