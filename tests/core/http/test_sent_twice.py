"""What is said twice, packed or in unreadable signs is refused: two readers would differ on it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from dianku.host import Host
from dianku.testing.digest import database_digest

JSON = {"content-type": "application/json"}
SALE = b'{"kind":"issue","store":"S1","lines":[{"sku":"cola","quantity":1%s}]%s}'


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/documents", SALE % (b"", b',"store":"S2"'), "store"),
        ("/documents", SALE % (b',"quantity":9', b""), "quantity"),
        ("/documents", SALE % (b',"quant\\u0069ty":9', b""), "quantity"),
        ("/documents", SALE % (b',"quantity":9', b',"unknown":1'), "quantity"),
        ("/products", b'{"sku":"a","sku":"b","name":"n","unit":"pc"}', "sku"),
    ],
)
def test_name_that_stands_twice_in_one_object_is_refused_and_changes_nothing(
    host: Host, call: Callable[..., Any], path: str, body: bytes, name: str
) -> None:
    call("GET", "/me")
    before = database_digest(host.database)
    answer = call("POST", path, content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable_body")
    assert f"the name {name!r} stands twice" in answer.json()["detail"]
    assert database_digest(host.database) == before


def test_setting_that_stands_twice_is_refused(call: Callable[..., Any]) -> None:
    body = b'{"rate_limit":1,"rate_limit":0}'
    assert call("PATCH", "/settings/http", content=body, headers=JSON).status_code == 400


@pytest.mark.parametrize("name", ["Authorization", "Idempotency-Key", "Content-Type", "Cookie"])
def test_header_that_comes_twice_is_refused(
    client: Any, token: Callable[..., str], name: str
) -> None:
    sent = {"Authorization": f"Bearer {token()}", "Content-Type": "application/json"}
    other = sent.get(name, "a")
    answer = client.post(
        "/api/v1/products",
        content=b'{"sku":"a","name":"n","unit":"pc"}',
        headers=[*sent.items(), (name, other), *([] if name in sent else [(name, "b")])],
    )
    assert answer.status_code == 422
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [
        (f"/{name}", "repeated")
    ]


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/jsonx"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_body_in_a_form_nobody_reads_is_415(
    call: Callable[..., Any], headers: dict[str, str]
) -> None:
    body = b'{"sku":"a","name":"n","unit":"pc"}'
    packed = gzip.compress(body) if "content-encoding" in headers else body
    assert call("POST", "/products", content=packed, headers=headers).status_code == 415
    plain = {"content-type": "Application/JSON; charset=utf-8", "content-encoding": "identity"}
    assert call("POST", "/products", content=body, headers=plain).status_code == 201


@pytest.mark.parametrize("key", [b"\xe9", b"a\xff"])
def test_key_in_signs_that_are_none_is_refused(
    client: Any, token: Callable[..., str], key: bytes
) -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"sku":"a","name":"n","unit":"pc"}'}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/products",
        "query_string": b"",
        # As they come over the wire: clients in Python would write them anew.
        "headers": [
            (b"authorization", b"Bearer " + token().encode()),
            (b"idempotency-key", key),
        ],
    }
    client.portal.call(client.app, scope, receive, send)

    assert sent[0]["status"] == 422
    (error,) = msgspec.json.decode(sent[1]["body"])["errors"]
    assert (error["pointer"], error["code"]) == ("/Idempotency-Key", "bad_characters")
