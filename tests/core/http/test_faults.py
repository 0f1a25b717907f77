"""All that is wrong with a body is told in one answer, types and meanings together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def test_refusals_name_the_product_and_the_largest_number(call: Callable[..., Any]) -> None:
    for sku, parts in (("set", "cola"), ("box", "set")):
        new = {"sku": sku, "name": sku, "unit": "pc", "composition": "kit"}
        call("POST", "/products", {**new, "components": [{"sku": parts, "quantity": 1}]})
    change = {"components": [{"sku": "box", "quantity": 1}]}
    circle = call("PATCH", "/products/set", change)
    assert circle.json()["detail"] == "The composition of set goes in a circle"
    sale = {"kind": "issue", "store": "S1", "lines": [{"sku": "cola", "quantity": "1e15"}]}
    (error,) = call("POST", "/documents", sale).json()["errors"]
    assert error["message"] == "too large, at most 1000000000000"


def test_document_of_an_unknown_store_is_told_everything_else_that_is_wrong(
    call: Callable[..., Any],
) -> None:
    lines = [{"sku": "none", "quantity": -1}, {"sku": "cola", "quantity": "NaN"}]
    body = {"kind": "issue", "store": "S9", "channel": "none", "lines": lines}
    errors = call("POST", "/documents", body).json()["errors"]
    assert [(e["pointer"], e["code"]) for e in errors] == [
        ("/store", "unknown_store"),
        ("/channel", "unknown_channel"),
        ("/lines/0/sku", "unknown_product"),
        ("/lines/0/quantity", "not_positive"),
        ("/lines/1/quantity", "not_finite"),
    ]
    hold = {"store": "S9", "channel": "none", "lines": [{"sku": "none", "quantity": -1}]}
    errors = call("POST", "/reservations", hold).json()["errors"]
    assert [e["pointer"] for e in errors] == [
        "/store",
        "/channel",
        "/lines/0/sku",
        "/lines/0/quantity",
    ]


def named(answer: Any) -> list[tuple[str, str]]:
    """What an answer names as wrong."""
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.text
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


def test_document_with_wrong_types_and_unknown_goods_is_told_both(call: Callable[..., Any]) -> None:
    lines = [
        {"sku": "none", "quantity": 1},
        {"sku": "cola", "quantity": True, "kept": 1},
        {"barcode": 5, "quantity": "1.5"},
        {"sku": "cola", "quantity": -1},
        8,
    ]
    body = {"kind": "issue", "store": "S9", "channel": "none", "note": 1, "lines": lines}
    assert named(call("POST", "/documents", body)) == [
        ("/note", "wrong_type"),
        ("/lines/1/quantity", "wrong_type"),
        ("/lines/2/barcode", "wrong_type"),
        ("/lines/4", "wrong_type"),
        ("/store", "unknown_store"),
        ("/channel", "unknown_channel"),
        ("/lines/0/sku", "unknown_product"),
        ("/lines/3/quantity", "not_positive"),
    ]


def test_document_with_wrong_payments_is_told_what_else_is_wrong(call: Callable[..., Any]) -> None:
    sale: dict[str, Any] = {"kind": "issue", "store": "S9"}
    sale["lines"] = [{"sku": "none", "quantity": 1}]
    payments = [{"kind": "shells", "amount": 3}, 4, {"kind": "cash", "amount": -1}]
    assert named(call("POST", "/documents", {**sale, "payments": payments})) == [
        ("/payments/0/kind", "not_one_of"),
        ("/payments/1", "wrong_type"),
        ("/store", "unknown_store"),
        ("/lines/0/sku", "unknown_product"),
        ("/payments/2/amount", "not_positive"),
    ]
    sale |= {"store": "S1", "lines": [{"sku": "cola", "quantity": 1}], "note": 5}
    wrong = named(call("POST", "/documents", {**sale, "payments": [{"kind": "card", "amount": 4}]}))
    assert wrong == [("/note", "wrong_type"), ("/payments", "payments_mismatch")]


def test_document_without_a_kind_is_told_only_what_no_kind_would_take(
    call: Callable[..., Any],
) -> None:
    body = {"kind": "theft", "store": "S1", "to_store": "S2", "lines": [{"sku": "none"}]}
    assert named(call("POST", "/documents", body)) == [
        ("/kind", "not_one_of"),
        ("/lines/0/sku", "unknown_product"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {
            "kind": "adjustment",
            "lines": [{"sku": "cola", "counted": [], "occurred_at": "2026-03-01T00:00:00Z"}],
        },
        {"kind": "issue", "lines": [{"sku": "cola", "quantity": {}, "kept": 1}]},
        {
            "kind": "customer_return",
            "of_document": 1,
            "lines": [{"sku": "cola", "quantity": 1, "of_line": 1, "kept": 1}],
        },
        {
            "kind": "issue",
            "lines": [{"sku": "cola", "quantity": 1, "amount": []}],
            "payments": [{"kind": "cash", "amount": "9"}],
        },
        {"kind": "issue", "sent_at": 1, "occurred_at": "2090-01-01T00:00:00Z"},
        {"kind": "transfer", "to_store": 1},
        {"kind": "issue", "lines": {}},
    ],
)
def test_document_is_not_told_what_follows_from_its_wrong_field_alone(
    call: Callable[..., Any], body: dict[str, Any]
) -> None:
    lines = [{"sku": "cola", "quantity": 1}]
    wrong = named(call("POST", "/documents", {"store": "S1", "lines": lines, **body}))
    assert [code for _, code in wrong] in (["wrong_type"], ["not_a_time"])


def test_reservation_and_batch_with_wrong_types_are_told_the_rest_too(
    call: Callable[..., Any],
) -> None:
    lines = [{"sku": "none", "quantity": 1}, {"sku": 5, "quantity": 0}, {"sku": "cola"}]
    hold = {"store": "S9", "kind": "hold", "due_on": "2026-05-01", "lines": lines}
    assert named(call("POST", "/reservations", hold)) == [
        ("/lines/1/sku", "wrong_type"),
        ("/lines/2/quantity", "missing"),
        ("/store", "unknown_store"),
        ("/due_on", "not_for_kind"),
        ("/lines/0/sku", "unknown_product"),
        ("/lines/1/quantity", "not_positive"),
    ]
    sale = {"kind": "issue", "store": "S1", "lines": [{"sku": "none", "quantity": 1}]}
    batch = {
        "documents": [sale, {**sale, "key": 5}, {**sale, "lines": [{"sku": "cola", "kept": 1}]}]
    }
    assert named(call("POST", "/documents/batch", batch)) == [
        ("/documents/1/key", "wrong_type"),
        ("/documents/0/lines/0/sku", "unknown_product"),
        ("/documents/1/lines/0/sku", "unknown_product"),
        ("/documents/2/lines/0/quantity", "missing"),
        ("/documents/2/lines/0/kept", "more_than_sold"),
    ]


def test_caller_who_may_not_post_is_told_nothing_of_the_shops_goods(
    call: Callable[..., Any],
) -> None:
    body = {"kind": "receipt", "store": "S1", "note": 1, "lines": [{"sku": "none", "quantity": 1}]}
    assert named(call("POST", "/documents", body, role="channel")) == [("/note", "wrong_type")]
    body["kind"] = "issue"
    told = call("POST", "/documents", body, role="channel", stores=["S2"])
    assert named(told) == [("/note", "wrong_type")]


def _faults(answer: Any) -> set[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return {(e["pointer"], e["code"]) for e in answer.json()["errors"]}


def test_product_is_told_wrong_types_and_wrong_values_at_once(call: Callable[..., Any]) -> None:
    body = {"sku": 5, "name": "x", "unit": "pc", "category": "none", "price": "1.234"}
    assert _faults(call("POST", "/products", {**body, "low_stock": -1})) == {
        ("/sku", "wrong_type"),
        ("/category", "unknown_category"),
        ("/price", "too_many_digits"),
        ("/low_stock", "negative"),
    }
    parts = [{"sku": "none", "quantity": 1}]
    kit = {"sku": "k", "name": 1, "unit": "pc", "composition": "kit", "components": parts}
    assert _faults(call("POST", "/products", kit)) == {
        ("/name", "wrong_type"),
        ("/components/0/sku", "unknown_product"),
    }


def test_product_is_not_told_what_only_follows_from_a_wrong_type(call: Callable[..., Any]) -> None:
    body = {"sku": "k", "name": "x", "unit": "pc", "composition": 7, "precision": "x"}
    parts = [{"sku": "cola", "quantity": "0.5"}]
    assert _faults(
        call("POST", "/products", {**body, "components": parts, "low_stock": "0.5"})
    ) == {
        ("/composition", "not_one_of"),
        ("/precision", "wrong_type"),
    }


def test_change_of_a_product_is_told_both_at_once(call: Callable[..., Any]) -> None:
    change = {"name": 5, "category": "none", "cost": -1}
    assert _faults(call("PATCH", "/products/cola", change)) == {
        ("/name", "wrong_type"),
        ("/category", "unknown_category"),
        ("/cost", "negative"),
    }


def test_people_are_told_both_at_once(call: Callable[..., Any]) -> None:
    who = {"name": 5, "role": "boss", "password": "x", "stores": ["S1", 7, "S9"]}
    assert _faults(call("POST", "/users", who)) == {
        ("/name", "wrong_type"),
        ("/role", "not_one_of"),
        ("/password", "too_short"),
        ("/stores/1", "wrong_type"),
        ("/stores/2", "unknown_store"),
    }
    token = {"name": "t", "role": 1, "expires_at": "2020-01-01T00:00:00Z"}
    assert _faults(call("POST", "/tokens", token)) == {
        ("/role", "wrong_type"),
        ("/expires_at", "in_the_past"),
    }
