"""Days that are closed: what the books said then and what was in the drawer, kept as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("stocked")
Ask = Callable[..., Any]


def sell(call: Ask, amount: str, kind: str, **more: Any) -> None:
    body = {
        "kind": "issue",
        "store": "S1",
        "channel": "counter",
        "lines": [{"sku": "cola", "quantity": 1, "amount": amount}],
        "payments": [{"kind": kind, "amount": amount}],
    }
    assert call("POST", "/documents", body, **more).status_code == 201


def close(call: Ask, **body: Any) -> Any:
    answer = call("POST", "/closings", {"store": "S1", **body}, role="clerk")
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_day_is_closed_with_what_the_books_said_and_the_drawer_held(call: Ask) -> None:
    sell(call, "12.00", "cash")
    sell(call, "3.00", "cash", role="clerk")
    sell(call, "5.00", "wechat")
    closed = close(call, counted="115.50", float_start="100", float_left="50", note="one coin")
    assert (closed["cash"], closed["difference"]) == ("15.00", "0.50")
    assert (closed["takings"]["net"], closed["float_left"]) == ("20.00", "50.00")
    by = {(row["name"], row["payment"]): row["net"] for row in closed["takings"]["items"]}
    assert sorted(by.values()) == ["12.00", "3.00", "5.00"]
    assert (closed["actor"], closed["note"], closed["stands"]) == ("clerk token", "one coin", True)
    assert call("GET", f"/closings/{closed['id']}").json() == closed
    assert call("GET", "/closings").json()["items"] == [closed]


def test_closing_stays_as_it_was_and_the_next_one_stands_for_the_day(call: Ask) -> None:
    sell(call, "12.00", "cash")
    first = close(call, counted="12")
    sell(call, "4.00", "cash")
    assert call("GET", f"/closings/{first['id']}").json() == first
    second = close(call, counted="16")
    assert (second["takings"]["net"], second["difference"]) == ("16.00", "0.00")
    listed = call("GET", "/closings?store=S1").json()["items"]
    assert [(one["id"], one["stands"]) for one in listed] == [
        (second["id"], True),
        (first["id"], False),
    ]
    assert {**listed[1], "stands": True} == first
    page = call("GET", "/closings?limit=1").json()
    following = call("GET", f"/closings?limit=1&cursor={page['next_cursor']}").json()
    assert [one["id"] for one in following["items"]] == [first["id"]]


def test_nobody_need_count_and_a_day_without_sales_may_be_closed(call: Ask) -> None:
    closed = close(call)
    assert (closed["cash"], closed["counted"], closed["difference"]) == ("0.00", None, None)


def test_day_is_closed_once_for_its_key_and_told_as_an_event(call: Ask) -> None:
    sell(call, "12.00", "cash")
    body = {"store": "S1", "counted": "12"}
    key = {"idempotency-key": "evening"}
    first, again = (call("POST", "/closings", body, headers=key) for _ in range(2))
    assert (first.status_code, again.json()) == (201, first.json())
    assert len(call("GET", "/closings").json()["items"]) == 1
    events = call("GET", "/events?type=day.closed&limit=1000").json()["items"]
    assert [e["data"]["id"] for e in events] == [first.json()["id"]]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"counted": "-1"}, {"/counted": "negative"}),
        ({"counted": "1.001", "float_start": "NaN"}, {"/counted": "too_many_digits"}),
        ({"counted": "1e30"}, {"/counted": "too_large"}),
        ({"business_date": "2999-01-01"}, {"/business_date": "day_ahead"}),
        ({"business_date": "2001-01-01"}, {"/business_date": "too_old"}),
        ({"counted": "5", "float_left": "6"}, {"/float_left": "more_than_counted"}),
        ({"float_left": "6"}, {"/float_left": "more_than_counted"}),
        ({"drawer": "6"}, {"/drawer": "unknown_field"}),
    ],
)
def test_what_cannot_be_closed_is_refused_and_nothing_is_kept(
    call: Ask, body: dict[str, Any], wrong: dict[str, str]
) -> None:
    answer = call("POST", "/closings", {"store": "S1", **body})
    assert answer.status_code == 422
    found = {e["pointer"]: e["code"] for e in answer.json()["errors"]}
    assert wrong.items() <= found.items()
    assert call("GET", "/closings").json()["items"] == []


def test_who_may_not_see_a_store_neither_closes_it_nor_sees_how_it_was(call: Ask) -> None:
    closed = close(call)
    theirs = {"role": "clerk", "stores": ["S2"]}
    assert call("POST", "/closings", {"store": "S1"}, **theirs).status_code == 403
    assert call("GET", "/closings", **theirs).json()["items"] == []
    assert call("GET", f"/closings/{closed['id']}", **theirs).status_code == 404
    assert call("GET", "/closings/" + "9" * 30).status_code == 404
    assert call("POST", "/closings", {"store": "S1"}, role="readonly").status_code == 403
