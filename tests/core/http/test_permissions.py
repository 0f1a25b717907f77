"""Every route for every role: what the table of roles says, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from dianku.access.permissions import KERNEL, ROLES
from dianku.http.route import PUBLIC, SIGNED_IN
from dianku.http.routes import KERNEL_ROUTES

EXPECTED_FORBIDDEN = {
    "owner": set(),
    "manager": {
        "PATCH /settings/{section}",
        "GET /users",
        "POST /users",
        "GET /users/{id}",
        "PATCH /users/{id}",
        "DELETE /users/{id}",
        "GET /tokens",
        "POST /tokens",
        "DELETE /tokens/{id}",
        "GET /audit",
        "GET /backups",
        "POST /backups",
        "GET /backups/{name}",
    },
    "counter": {
        f"{r.method} {r.path}"
        for r in KERNEL_ROUTES
        if r.path != "/scan/{code}" and r.permission not in {PUBLIC, SIGNED_IN}
    },
}
MAY_NOT_POST = {"counter", "readonly"}


@pytest.mark.parametrize("role", ROLES)
def test_role_is_let_through_exactly_where_it_holds_the_permission(
    call: Callable[..., Any], role: str
) -> None:
    forbidden = set()
    for route in KERNEL_ROUTES:
        held = route.permission in KERNEL[role]
        if route.permission == PUBLIC or (held and route.media_type == "text/event-stream"):
            continue
        path = route.path
        for name in ("number", "sku", "store", "code", "name", "id", "section", "kind"):
            path = path.replace(f"{{{name}}}", "unknown")
        body: dict[str, str] | None = {} if route.request is not None else None
        answer = call(route.method, path, body, role=role)
        assert answer.status_code < 500, (route.method, path, answer.text)
        if answer.status_code == 403 and answer.json()["detail"].startswith("You lack"):
            forbidden.add(f"{route.method} {route.path}")
    by_table = {
        f"{r.method} {r.path}"
        for r in KERNEL_ROUTES
        if r.permission not in {PUBLIC, SIGNED_IN, *KERNEL[role]}
    }
    assert forbidden == by_table
    if role in EXPECTED_FORBIDDEN:
        assert forbidden == EXPECTED_FORBIDDEN[role]


@pytest.mark.parametrize("role", sorted(MAY_NOT_POST))
def test_role_that_only_looks_may_not_post(call: Callable[..., Any], role: str) -> None:
    sale = {"kind": "issue", "store": "S1", "lines": [{"sku": "cola", "quantity": 1}]}
    assert call("POST", "/documents", sale, role=role).status_code == 403


def test_clerk_may_sell_but_not_set_stock_right(call: Callable[..., Any]) -> None:
    sale = {"kind": "issue", "store": "S1", "lines": [{"sku": "cola", "quantity": 1}]}
    count = {"kind": "adjustment", "store": "S1", "lines": [{"sku": "cola", "counted": 5}]}
    assert call("POST", "/documents", sale, role="clerk").status_code == 201
    assert call("POST", "/documents", count, role="clerk").status_code == 403
    assert call("POST", "/documents", count, role="manager").status_code == 201


def test_caller_of_one_store_sees_and_changes_no_other(call: Callable[..., Any]) -> None:
    mine = {"role": "clerk", "stores": ["S1"]}
    sale = {"kind": "issue", "store": "S2", "lines": [{"sku": "cola", "quantity": 1}]}
    assert call("POST", "/documents", sale, **mine).status_code == 403
    assert call("GET", "/stock?store=S2", **mine).status_code == 403
    assert call("GET", "/moves?sku=cola&store=S2", **mine).status_code == 403
    assert call("GET", "/scan/cola?store=S2", **mine).status_code == 403
    codes = [s["code"] for s in call("GET", "/stores", **mine).json()["items"]]
    assert codes == ["S1"]
    there = call("GET", "/transfers/destinations", **mine).json()["items"]
    assert there == [{"code": "S1", "name": "S1"}, {"code": "S2", "name": "S2"}]
    call("POST", "/documents", sale)
    stores = {e["store"] for e in call("GET", "/events", **mine).json()["items"]}
    assert "S2" not in stores


def test_batch_refuses_only_what_the_caller_may_not(call: Callable[..., Any]) -> None:
    line = {"lines": [{"sku": "cola", "quantity": 1}]}
    documents = [{"kind": "issue", "store": s, **line} for s in ("S1", "S2", "S1")]
    body = call("POST", "/documents/batch", {"documents": documents}, role="clerk", stores=["S1"])
    assert [r["status"] for r in body.json()["results"]] == ["created", "refused", "created"]
    assert body.json()["results"][1]["problem"]["code"] == "forbidden"


@pytest.mark.usefixtures("stocked")
def test_caller_without_cost_view_gets_no_cost_or_value(call: Callable[..., Any]) -> None:
    sale = {"kind": "issue", "store": "S1", "lines": [{"sku": "cola", "quantity": 1}]}
    posted = call("POST", "/documents", sale, role="clerk").json()
    assert posted["lines"][0]["cost"] is None
    assert posted["balances"][0]["value"] is None
    assert posted["lines"][0]["amount"] == "3.00"
    assert call("GET", "/products/cola", role="clerk").json()["cost"] is None
    assert call("GET", "/stock", role="clerk").json()["items"][0]["value"] is None
    assert call("GET", "/moves?sku=cola", role="clerk").json()["items"][0]["value"] is None
    for wish in ("value", "-value", "sku,-value"):
        assert call("GET", f"/stock?sort={wish}", role="clerk").status_code == 403
        assert call("GET", f"/stock?sort={wish}").status_code == 200
    assert call("GET", "/products/cola").json()["cost"] == "2.00"
    assert call("GET", "/stock?store=S1&sku=cola").json()["items"][0]["value"] == "198.00"


@pytest.mark.usefixtures("stocked")
def test_caller_of_another_store_takes_nothing_back_and_moves_nothing_on(
    call: Callable[..., Any],
) -> None:
    theirs = {"role": "manager", "stores": ["S2"]}
    cola = {"sku": "cola", "quantity": 4}
    sale = {"kind": "issue", "store": "S1", "lines": [{**cola, "kept": 2}]}
    sold = call("POST", "/documents", sale).json()["number"]
    back = {"kind": "transfer", "store": "S2", "to_store": "S1", "lines": [cola]}
    call("POST", "/documents", {"kind": "receipt", "store": "S2", "lines": [cola]})
    sent = call("POST", "/documents", back, **theirs)
    assert [b["store"] for b in sent.json()["balances"]] == ["S2"]
    number = sent.json()["number"]
    one = {"lines": [{"line": 1, "quantity": 1}]}
    for path, body in (
        (f"/documents/{sold}/reverse", {"reason": "mistake"}),
        (f"/documents/{sold}/hand_over", one),
        (f"/documents/{sold}/keep", one),
        (f"/transfers/{number}/receive", one),
        (f"/transfers/{number}/close", {"loss_to": "receiver"}),
    ):
        answer = call("POST", path, body, **theirs)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    assert call("GET", f"/documents/{sold}").json()["status"] == "posted"
    assert call("GET", f"/documents/{number}").json()["status"] == "sent"


def test_role_reverses_only_kinds_it_may_post(call: Callable[..., Any]) -> None:
    count = {"kind": "adjustment", "store": "S1", "lines": [{"sku": "cola", "counted": 5}]}
    number = call("POST", "/documents", count).json()["number"]
    path = f"/documents/{number}/reverse"
    assert call("POST", path, {"reason": "mistake"}, role="clerk").status_code == 403
    assert call("POST", path, {"reason": "mistake"}, role="manager").status_code == 201


def test_fact_is_posted_only_by_who_may_state_facts(call: Callable[..., Any]) -> None:
    sale = {"kind": "issue", "store": "S1", "lines": [{"sku": "cola", "quantity": 1}]}
    fact = {**sale, "fact": True}
    assert call("POST", "/documents", fact, role="clerk").status_code == 403
    assert call("POST", "/documents", fact, role="manager").status_code == 403
    posted = call("POST", "/documents", fact, role="channel")
    assert [w["code"] for w in posted.json()["warnings"]] == ["paid_no_stock"]


def test_owner_of_one_store_gives_nobody_more_than_they_have(call: Callable[..., Any]) -> None:
    mine = {"role": "owner", "stores": ["S1"]}
    other = {"name": "eve", "role": "clerk", "stores": ["S2"], "password": "long enough"}
    eve = call("POST", "/users", other).json()["id"]
    till = call("POST", "/tokens", {"name": "till", "role": "clerk", "stores": ["S2"]}).json()["id"]

    for path in ("/users", "/tokens"):
        wish = {"name": "ann", "role": "owner"}
        refused = call("POST", path, wish, **mine)
        assert refused.status_code == 422
        assert [e["pointer"] for e in refused.json()["errors"]] == ["/stores"]
        assert call("POST", path, {**wish, "stores": ["S1"]}, **mine).status_code == 201
    for change in ({"stores": None}, {"stores": ["S1"]}, {"password": "taken over"}):
        assert call("PATCH", f"/users/{eve}", change, **mine).status_code == 403
    assert call("DELETE", f"/users/{eve}", **mine).status_code == 403
    assert call("DELETE", f"/tokens/{till}", **mine).status_code == 403
    ann = call("POST", "/users", {"name": "bob", "role": "clerk", "stores": ["S1"]}, **mine).json()
    assert call("PATCH", f"/users/{ann['id']}", {"stores": None}, **mine).status_code == 422


def test_manager_of_one_store_neither_sees_nor_changes_channels_of_another(
    call: Callable[..., Any],
) -> None:
    mine = {"role": "manager", "stores": ["S1"]}
    for name, stores in (("here", ["S1"]), ("there", ["S2"]), ("both", ["S1", "S2"])):
        new = {"name": name, "kind": "webhook", "policy": "strict", "issue_on": "paid"}
        assert call("POST", "/channels", {**new, "stores": stores}).status_code == 201

    seen = {c["name"]: c["stores"] for c in call("GET", "/channels", **mine).json()["items"]}
    assert seen == {"counter": [], "here": ["S1"], "both": ["S1"]}
    for name in ("there", "both"):
        assert (
            call("PATCH", f"/channels/{name}", {"policy": "permissive"}, **mine).status_code == 403
        )
    assert call("PATCH", "/channels/here", {"stores": ["S2"]}, **mine).status_code == 403
    # Without stores a channel is every store's.
    assert call("PATCH", "/channels/here", {"stores": []}, **mine).status_code == 403
    assert call("PATCH", "/channels/counter", {"policy": "strict"}, **mine).status_code == 403
    assert call("POST", "/channels", {**new, "name": "wide"}, **mine).status_code == 403
    assert call("PATCH", "/channels/here", {"policy": "permissive"}, **mine).status_code == 200


def test_owner_of_one_store_changes_no_setting_of_the_whole_shop(call: Callable[..., Any]) -> None:
    mine = {"role": "owner", "stores": ["S1"]}
    assert call("PATCH", "/settings/shop", {"name": "mine"}, **mine).status_code == 403
    assert call("GET", "/settings/shop", **mine).json()["name"] == ""
    assert call("PATCH", "/settings/shop", {"name": "ours"}).status_code == 200


def test_caller_of_one_store_sees_and_undoes_no_import_of_another_token_of_their_name(
    call: Callable[..., Any],
) -> None:
    mine = {"role": "owner", "stores": ["S1"]}  # both are called "owner token"
    bring = {"files": {"file": ("a.csv", b"sku,quantity\ncola,2")}}
    theirs = call("POST", "/imports", data={"kind": "receipts", "store": "S2"}, **bring)
    own = call("POST", "/imports", data={"kind": "counts", "store": "S1"}, **bring, **mine)
    assert (theirs.status_code, own.status_code) == (201, 201)
    assert theirs.json()["actor"] == own.json()["actor"]

    path = f"/imports/{theirs.json()['id']}"
    assert call("GET", path, **mine).status_code == 404
    assert call("POST", f"{path}/undo", **mine).status_code == 404
    listed = [one["id"] for one in call("GET", "/imports", **mine).json()["items"]]
    assert listed == [own.json()["id"]]
    assert len(call("GET", "/imports").json()["items"]) == 2


def test_secret_of_a_session_is_no_token(client: TestClient, call: Callable[..., Any]) -> None:
    call("POST", "/users", {"name": "anna", "role": "owner", "password": "long enough"})
    wish = {"name": "anna", "password": "long enough"}
    assert client.post("/api/v1/sessions", json=wish).status_code == 201
    assert client.get("/api/v1/me").status_code == 200
    secret = client.cookies["dianku_session"]
    client.cookies.clear()
    bearer = {"authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/me", headers=bearer).status_code == 401


def test_owner_of_one_store_sees_no_user_token_or_trail_of_others(call: Callable[..., Any]) -> None:
    mine = {"role": "owner", "stores": ["S1"]}
    ids = {}
    for name, stores in (
        ("all", None),
        ("here", ["S1"]),
        ("there", ["S2"]),
        ("both", ["S1", "S2"]),
    ):
        body = {"name": name, "role": "clerk", "stores": stores}
        ids[name] = [
            f"/{what}/{call('POST', f'/{what}', body).json()['id']}" for what in ("users", "tokens")
        ]

    assert [u["name"] for u in call("GET", "/users", **mine).json()["items"]] == ["here"]
    tokens = {t["name"] for t in call("GET", "/tokens", **mine).json()["items"]}
    assert tokens == {"here", "owner token"}
    assert call("GET", ids["here"][0], **mine).status_code == 200
    for name in ("all", "there", "both"):
        assert call("GET", ids[name][0], **mine).status_code == 404
    assert call("GET", "/audit", **mine).status_code == 403
    assert len(call("GET", "/users").json()["items"]) == 4
