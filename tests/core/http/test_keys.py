"""Idempotency-Key on every route that takes one: one effect, a replay that says so, a conflict.

The routes are taken from the table of the kernel, so that a new one without a case here fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from photos import png

from dianku.http.routes import KERNEL_ROUTES

PNG, OTHER = png(3, 2), png(4, 2)
Call = Callable[..., Any]
KEYED_BY_ENTRY = {"POST /documents/batch"}
NOT_OF_THE_SHOP = {
    "POST /setup",  # its link is good for once
    "POST /sessions",  # each is another, and holds nobody up
    "POST /sessions/pin",
    "POST /sessions/practice",  # another shop, to be thrown away
    "POST /devices",  # its secret is in a cookie, and shown once
    "POST /documents/check",  # keeps nothing
}
OF_ONE_BODY = {"POST /backups"}
"""No other body is there to conflict; test_administration sends its key again."""
OF_NO_STORE = {
    "POST /stores",
    "POST /categories",
    "POST /products",
    "POST /products/{sku}/archive",
    "POST /products/{sku}/unarchive",
    "POST /channels",
    "POST /attachments",
}
"""What these make is the whole shop's, and shown to everybody in it."""
LINE = {"sku": "cola", "quantity": 1}
SALE = {"kind": "issue", "store": "S1", "lines": [LINE]}
RECEIPT = {"kind": "receipt", "store": "S1", "lines": [{**LINE, "quantity": 50}]}
SEND = {"kind": "transfer", "store": "S1", "to_store": "S2", "lines": [{**LINE, "quantity": 5}]}
HOLD = {"store": "S1", "lines": [LINE], "channel": "counter", "kind": "hold"}


def _number(call: Call, body: Mapping[str, Any]) -> str:
    answer = call("POST", "/documents", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["number"])


def _kept(call: Call, picture: bytes) -> str:
    return str(call("POST", "/attachments", files={"file": ("a.png", picture)}).json()["id"])


def _hold(call: Call) -> str:
    return str(call("POST", "/reservations", HOLD).json()["id"])


def _exception(call: Call) -> str:
    _number(call, {**SALE, "lines": [{"sku": "cake", "quantity": 7}], "channel": "counter"})
    return str(call("GET", "/exceptions?state=open").json()["items"][0]["id"])


def _import(call: Call) -> str:
    return str(call("POST", "/imports", **_sheet(7)).json()["id"])


def _archived(call: Call, sku: str) -> str:
    call("POST", f"/products/{sku}/archive")
    return sku


def _sheet(quantity: int) -> dict[str, Any]:
    content = f"sku,quantity,reference\ncola,{quantity},R{quantity}".encode()
    return {
        "files": {"file": ("slips.csv", content)},
        "data": {"kind": "receipts", "store": "S1"},
    }


def _json(**body: Any) -> dict[str, Any]:
    return {"json": body}


def _new(**body: Any) -> Callable[[Call], tuple[str, dict[str, Any], dict[str, Any]]]:
    """A route whose path is fixed: `name` is what the other body has differently."""
    return lambda _call: ("", _json(**body), _json(**{**body, "name": "other"}))


def _person(_call: Call) -> tuple[str, dict[str, Any], dict[str, Any]]:
    return "", _json(name="ann", role="clerk"), _json(name="bob", role="clerk")


CASES: dict[str, Callable[[Call], tuple[str, dict[str, Any], dict[str, Any]]]] = {
    "POST /stores": _new(code="S9", name="S9"),
    "POST /categories": _new(code="K", name="K"),
    "POST /products": _new(sku="new", name="new", unit="pc"),
    "POST /products/{sku}/archive": lambda _: ("cake", _json(), {"path": "cola", "json": {}}),
    "POST /products/{sku}/unarchive": lambda call: (
        _archived(call, "cake"),
        _json(),
        {"path": _archived(call, "cola"), "json": {}},
    ),
    "POST /channels": _new(name="web", kind="webhook", policy="strict", issue_on="paid"),
    "POST /documents": lambda _: ("", _json(**SALE), _json(**{**SALE, "note": "x"})),
    "POST /closings": lambda _: ("", _json(store="S1"), _json(store="S1", counted="5")),
    "POST /documents/{number}/reverse": lambda call: (
        _number(call, SALE),
        _json(reason="a"),
        _json(reason="b"),
    ),
    "POST /documents/{number}/hand_over": lambda call: (
        _number(call, {**SALE, "lines": [{"sku": "cola", "quantity": 4, "kept": 4}]}),
        _json(lines=[{"line": 1, "quantity": 1}]),
        _json(lines=[{"line": 1, "quantity": 2}]),
    ),
    "POST /documents/{number}/keep": lambda call: (
        _number(call, SALE),
        _json(lines=[{"line": 1}]),
        _json(lines=[{"line": 1}], note="x"),
    ),
    "POST /transfers/{number}/receive": lambda call: (
        _number(call, SEND),
        _json(lines=[{"line": 1, "quantity": 1}]),
        _json(lines=[{"line": 1, "quantity": 2}]),
    ),
    "POST /transfers/{number}/close": lambda call: (
        _number(call, SEND),
        _json(loss_to="sender"),
        _json(loss_to="receiver"),
    ),
    "POST /reservations": lambda _: ("", _json(**HOLD), _json(**{**HOLD, "reference": "x"})),
    "POST /reservations/{id}/commit": lambda call: (
        _hold(call),
        _json(),
        {"path": _hold(call), "json": {}},
    ),
    "POST /reservations/{id}/release": lambda call: (
        _hold(call),
        _json(),
        {"path": _hold(call), "json": {}},
    ),
    "POST /reservations/{id}/extend": lambda call: (
        _hold(call),
        _json(expires_in=1000),
        _json(expires_in=2000),
    ),
    "POST /exceptions/{id}/settle": lambda call: (
        _exception(call),
        _json(note="counted"),
        _json(note="other"),
    ),
    "POST /imports": lambda _: ("", _sheet(1), _sheet(2)),
    "POST /imports/{id}/undo": lambda call: (_import(call), _json(), {"path": "999", "json": {}}),
    "POST /attachments": lambda _: (
        "",
        {"files": {"file": ("a.png", PNG)}},
        {"files": {"file": ("b.png", OTHER)}},
    ),
    "POST /documents/{number}/attachments": lambda call: (
        _number(call, SALE),
        _json(attachment=_kept(call, PNG)),
        _json(attachment=_kept(call, OTHER)),
    ),
    "POST /users": _person,
    "POST /tokens": _person,
}


def test_every_route_that_posts_takes_a_key_and_has_a_case_here() -> None:
    posting = {f"{r.method} {r.path}": r.keyed for r in KERNEL_ROUTES if r.method == "POST"}
    exempt = KEYED_BY_ENTRY | NOT_OF_THE_SHOP
    assert {claim for claim, keyed in posting.items() if not keyed} == exempt
    assert set(CASES) == set(posting) - exempt - OF_ONE_BODY


def _send(call: Call, claim: str, path: str, given: Mapping[str, Any], key: str) -> Any:
    method, _, pattern = claim.partition(" ")
    begin, brace, rest = pattern.partition("{")
    here = begin + str(given.get("path", path)) + rest.partition("}")[2] if brace else begin
    more = {name: value for name, value in given.items() if name != "path"}
    return call(method, here, headers={"idempotency-key": key}, **more)


@pytest.mark.parametrize("claim", sorted(CASES))
def test_key_sent_again_has_no_second_effect_and_another_body_is_a_conflict(
    call: Call, claim: str
) -> None:
    assert call("POST", "/documents", RECEIPT).status_code == 201
    path, body, other = CASES[claim](call)
    first = _send(call, claim, path, body, "K")
    before = _state(call)
    again = _send(call, claim, path, body, "K")
    conflict = _send(call, claim, path, other, "K")

    assert first.status_code in {200, 201}, first.text
    assert "idempotency-replayed" not in first.headers
    assert (again.status_code, again.headers["idempotency-replayed"]) == (first.status_code, "true")
    assert _named(again.json()) == _named(first.json())
    assert (conflict.status_code, conflict.json()["code"]) == (422, "idempotency_conflict")
    assert _state(call) == before


@pytest.mark.parametrize("claim", sorted(set(CASES) - OF_NO_STORE))
def test_key_of_one_store_tells_nothing_to_who_is_of_another(call: Call, claim: str) -> None:
    assert call("POST", "/documents", RECEIPT).status_code == 201
    path, body, _ = CASES[claim](call)
    assert _send(call, claim, path, body, "K").status_code in {200, 201}

    def theirs(method: str, where: str, sent: Any = None, **more: Any) -> Any:
        return call(method, where, sent, stores=["S3"], **more)

    assert call("POST", "/stores", {"code": "S3", "name": "S3"}).status_code == 201
    assert theirs("GET", "/stock").json()["items"] == []
    before = _state(call)
    refused = _send(theirs, claim, path, body, "K")
    assert refused.status_code in {403, 404}, refused.text
    assert "{" not in refused.json()["detail"]
    assert "permission  " not in refused.json()["detail"]
    assert _state(call) == before


def _named(answer: dict[str, Any]) -> Any:
    return next(answer[name] for name in ("id", "number", "sku", "code", "name") if name in answer)


def _state(call: Call) -> list[Any]:
    """What the effects of all these routes show up in."""
    asked = ("stock", "documents", "reservations", "exceptions", "products", "stores", "channels")
    return [call("GET", f"/{what}").json() for what in (*asked, "users", "audit", "events")]


def test_undoing_refused_under_a_key_leaves_the_key_free(call: Call) -> None:
    made = _import(call)
    sold = _number(call, SALE)
    headers = {"idempotency-key": "K"}
    refused = call("POST", f"/imports/{made}/undo", headers=headers)
    assert refused.json()["code"] == "import_not_undoable"
    assert call("POST", f"/documents/{sold}/reverse", {"reason": "x"}, headers=headers).is_success
    assert call("POST", f"/imports/{made}/undo").json()["status"] == "undone"


def test_import_undone_by_several_at_once_is_undone_once(call: Call) -> None:
    made = _import(call)
    headers = {"idempotency-key": "K"}
    with ThreadPoolExecutor(6) as threads:
        answers = list(
            threads.map(lambda _: call("POST", f"/imports/{made}/undo", headers=headers), range(6))
        )
    assert {(a.status_code, a.json().get("status")) for a in answers} == {(200, "undone")}
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 5
    assert call("GET", "/stock?sku=cola&store=S1").json()["items"][0]["on_hand"] == "0"
