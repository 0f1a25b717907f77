"""A till whose clock is wrong says when it sends; what it says is shifted by its clock's error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dianku.host import Host
from dianku.testing.digest import database_digest

SALE = {"kind": "issue", "store": "S1", "lines": [{"sku": "cola", "quantity": 1}]}


@pytest.mark.usefixtures("stocked")
@pytest.mark.parametrize(
    ("sent_at", "occurred_at"),
    [
        ("2026-03-02T01:00:00Z", "2026-03-02T00:55:00Z"),  # an hour slow
        ("2026-03-03T02:00:00Z", "2026-03-03T01:55:00Z"),  # a day fast
        ("2026-03-02T10:00:00+08:00", "2026-03-02T01:55:00Z"),  # right, in another zone
        ("1970-01-01T08:05:00+08:00", "1970-01-01T00:00:00Z"),  # its battery is empty
    ],
)
def test_document_of_a_wrong_clock_happened_when_it_did(
    call: Callable[..., Any], sent_at: str, occurred_at: str
) -> None:
    body = {**SALE, "sent_at": sent_at, "occurred_at": occurred_at}
    answer = call("POST", "/documents", body, role="clerk")
    assert answer.status_code == 201, answer.text
    assert answer.json()["occurred_at"] == "2026-03-02T01:55:00.000Z"
    assert answer.json()["business_date"] == "2026-03-02"


@pytest.mark.parametrize(
    ("times", "wrong"),
    [
        ({"occurred_at": "2026-03-03T01:55:00Z"}, ("/occurred_at", "in_future")),
        ({"occurred_at": "2026-03-02T01:55:00"}, ("/occurred_at", "no_zone")),
        ({"sent_at": "2026-03-02T01:55:00"}, ("/sent_at", "no_zone")),
        (
            {"sent_at": "1971-01-01T00:00:00Z", "occurred_at": "1972-01-01T00:00:00Z"},
            ("/occurred_at", "in_future"),
        ),
        (
            {"sent_at": "9999-12-31T23:59:59Z", "occurred_at": "0001-01-01T00:00:00Z"},
            ("/occurred_at", "too_old"),
        ),
        (
            {"sent_at": "0001-01-01T00:00:00Z", "occurred_at": "9999-12-31T23:59:59Z"},
            ("/occurred_at", "in_future"),
        ),
    ],
)
def test_time_that_cannot_be_is_refused_and_changes_nothing(
    host: Host, call: Callable[..., Any], times: dict[str, str], wrong: tuple[str, str]
) -> None:
    call("GET", "/me")
    before = database_digest(host.database)
    answer = call("POST", "/documents", {**SALE, **times})
    assert answer.status_code == 422
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [wrong]
    assert database_digest(host.database) == before


def test_clock_that_is_said_to_be_wrong_gives_nobody_the_right_to_the_past(
    call: Callable[..., Any],
) -> None:
    past = {"sent_at": "2027-03-02T02:00:00Z", "occurred_at": "2026-03-02T02:00:00Z"}
    assert call("POST", "/documents", {**SALE, **past}, role="clerk").status_code == 403
    assert call("POST", "/documents", {**SALE, **past}, role="manager").status_code == 201


@pytest.mark.usefixtures("stocked")
def test_key_sent_again_at_another_moment_is_the_same_request(call: Callable[..., Any]) -> None:
    def sold(sent_at: str) -> Any:
        body = {**SALE, "sent_at": sent_at, "occurred_at": "2026-03-02T01:50:00Z"}
        return call("POST", "/documents", body, headers={"idempotency-key": "till-1"})

    first, again = sold("2026-03-02T01:55:00Z"), sold("2026-03-02T02:25:00Z")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert first.json()["number"] == again.json()["number"]
    assert again.json()["occurred_at"] == first.json()["occurred_at"]
