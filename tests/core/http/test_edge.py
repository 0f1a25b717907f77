"""The edge itself: paths, methods, languages, limits, bodies, the document that describes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import openapi_spec_validator
import pytest
from photos import png
from starlette.testclient import TestClient

from dianku.access.records import NewUser
from dianku.context import Context
from dianku.errors import ConfigurationError
from dianku.host import Host
from dianku.http.app import build_app
from dianku.http.limits import RateLimit
from dianku.http.route import PUBLIC, Route, RouteTable
from dianku.http.routes import KERNEL_ROUTES


def _handler(_call: Any) -> None:
    return None


def test_route_without_permission_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no permission"):
        RouteTable([Route("GET", "/x", _handler, "", "X")])


def test_route_claimed_twice_is_refused_naming_both() -> None:
    with pytest.raises(ConfigurationError, match="toys: route GET /x is claimed by dianku"):
        RouteTable(
            [
                Route("GET", "/x", _handler, PUBLIC, "X"),
                Route("GET", "/x", _handler, PUBLIC, "X", plugin="toys"),
            ]
        )


def test_route_with_a_fixed_word_comes_before_a_parameter() -> None:
    table = RouteTable(
        [
            Route("GET", "/a/{id}", _handler, PUBLIC, "one"),
            Route("GET", "/a/special", _handler, PUBLIC, "special"),
        ]
    )
    special, one = table.find("/a/special"), table.find("/a/else")
    assert special is not None
    assert one is not None
    assert special.methods["GET"].summary == "special"
    assert one.params == {"id": "else"}
    assert table.find("/a/") is None


def test_unknown_path_is_a_problem(client: TestClient) -> None:
    answer = client.get("/api/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["content-type"] == "application/problem+json"


def test_wrong_method_names_those_allowed(client: TestClient) -> None:
    answer = client.delete("/api/v1/products/x")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PATCH")


@pytest.mark.parametrize(
    ("asked", "title"),
    [("en-GB,zh;q=0.5", "Not found"), (None, "找不到"), ("fr", "找不到"), ("zh", "找不到")],
)
def test_problem_is_in_the_language_asked_for(
    client: TestClient, asked: str | None, title: str
) -> None:
    headers = {"accept-language": asked} if asked else {"accept-language": ""}
    assert client.get("/api/v1/nothing", headers=headers).json()["title"] == title


def test_request_without_token_is_401_and_wrong_token_too(client: TestClient) -> None:
    assert client.get("/api/v1/stock").status_code == 401
    answer = client.get("/api/v1/stock", headers={"authorization": "Bearer dk_wrong"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_unreadable_body_is_400(call: Callable[..., Any]) -> None:
    for body in (b"{", b"", b"[" * 100_000, b'{"kind":"\xff"}', b'{"a":NaN}'):
        answer = call(
            "POST", "/documents", content=body, headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "unreadable_body"), body[:9]


def test_body_of_another_type_is_415(call: Callable[..., Any]) -> None:
    answer = call("POST", "/documents", content=b"a=1", headers={"content-type": "text/plain"})
    assert answer.status_code == 415


def test_body_over_the_limit_is_refused_while_it_arrives(call: Callable[..., Any]) -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(400):
            sent += 65_536
            yield b" " * 65_536

    headers = {"content-type": "application/json"}
    answer = call("POST", "/documents", content=chunks(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_unknown_and_wrong_parameters_are_named_together(call: Callable[..., Any]) -> None:
    errors = call("GET", "/stock?limit=0&storee=S1").json()["errors"]
    assert {(e["pointer"], e["code"]) for e in errors} == {
        ("/storee", "unknown_parameter"),
        ("/limit", "too_small"),
    }


def test_rate_limit_empties_and_fills(host: Host, call: Callable[..., Any]) -> None:
    call("PATCH", "/settings/http", {"rate_limit": 3})
    answers = [call("GET", "/me", role="clerk") for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert host.settings.last.get("http", "rate_limit") == 3


def test_server_watches_settings_and_rights_while_it_answers(host: Host, client: Any) -> None:
    assert host.settings.watched is True
    client.__exit__(None, None, None)
    assert host.settings.watched is False


def test_bucket_fills_evenly() -> None:
    now = 0.0
    limit = RateLimit(lambda: 60, now=lambda: now)
    assert [limit.wait_seconds("a") for _ in range(61)] == [0] * 60 + [1]
    assert limit.wait_seconds("b") == 0
    now = 1.0
    assert [limit.wait_seconds("a"), limit.wait_seconds("a")] == [0, 1]


def test_events_are_paged_by_their_cursor(call: Callable[..., Any]) -> None:
    whole = call("GET", "/events").json()["items"]
    first = call("GET", "/events?after=1&limit=1").json()
    assert [e["id"] for e in first["items"]] == [2]
    rest = call("GET", f"/events?after=1&limit=100&cursor={first['next_cursor']}").json()
    assert rest["items"] == whole[2:]
    assert rest["next_cursor"] is None
    (error,) = call("GET", "/events?cursor=next").json()["errors"]
    assert (error["pointer"], error["code"]) == ("/cursor", "unknown_cursor")


@pytest.mark.parametrize(
    ("address", "said", "secure"),
    [
        ("http://shop", {}, False),
        ("https://shop", {}, True),
        ("http://shop", {"x-forwarded-proto": "https"}, True),
        ("http://shop", {"x-forwarded-proto": "http, HTTPS"}, True),
        ("http://shop", {"x-forwarded-proto": "https, http"}, False),
    ],
)
def test_session_cookie_is_secure_where_the_caller_came_over_https(
    host: Host, address: str, said: dict[str, str], *, secure: bool
) -> None:
    owner = NewUser(name="ann", role="owner", password="correct horse")
    host.access.create_user(owner, ctx=Context(host.access.actor("test")))
    with TestClient(build_app(host), address, client=("127.0.0.1", 5)) as client:
        who = {"name": "ann", "password": "correct horse"}
        begun = client.post("/api/v1/sessions", json=who, headers=said)
        cookie = begun.headers["set-cookie"]
        token = {"cookie": cookie.partition(";")[0], "x-csrf-token": begun.json()["csrf"]}
        ended = client.delete("/api/v1/sessions", headers={**said, **token})
    for sent in (cookie, ended.headers["set-cookie"]):
        words = set(sent.split("; "))
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= words
        assert ("Secure" in words) is secure


def test_proxy_that_is_not_trusted_is_not_believed(host: Host) -> None:
    owner = NewUser(name="ann", role="owner", password="correct horse")
    ctx = Context(host.access.actor("test"))
    host.access.create_user(owner, ctx=ctx)
    cookies = []
    for trusted in (["127.0.0.1"], ["127.0.0.1", "10.0.0.0/8"]):
        host.settings.patch_section("http", {"trusted_proxies": trusted}, ctx=ctx)
        with TestClient(build_app(host), client=("10.1.2.3", 5)) as client:
            answer = client.post(
                "/api/v1/sessions",
                json={"name": "ann", "password": "correct horse"},
                headers={"x-forwarded-proto": "https"},
            )
            cookies.append(answer.headers["set-cookie"])
    assert ["Secure" in cookie for cookie in cookies] == [False, True]


def test_openapi_describes_every_route_and_names_existing_schemas(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    described = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    assert described >= {(r.method, f"/api/v1{r.path}") for r in KERNEL_ROUTES}
    text = msgspec.json.encode(document).decode()
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= document["components"]["schemas"].keys()
    assert document["components"]["schemas"]["NewDocument"]["additionalProperties"] is False


def test_openapi_is_valid(client: TestClient) -> None:
    openapi_spec_validator.validate(client.get("/api/v1/openapi.json").json())


def test_openapi_calls_no_file_json() -> None:
    files = [
        r for r in KERNEL_ROUTES if r.handler.__annotations__["return"] in {"Content", "Stream"}
    ]
    assert len(files) > 3
    assert [f"{r.method} {r.path}" for r in files if r.media_type == "application/json"] == []


def test_openapi_calls_an_event_stream_no_text_whose_schema_readers_would_ask_of_each_event(
    client: TestClient,
) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    stream = paths["/api/v1/events/stream"]["get"]["responses"]["200"]
    assert stream["content"] == {"text/event-stream": {}}


def test_openapi_tells_what_exports_take_and_give(client: TestClient) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    export = paths["/api/v1/exports/{kind}"]["get"]
    taken = {p["name"]: p["schema"] for p in export["parameters"] if p["in"] == "query"}
    assert taken["format"] == {"enum": ["csv", "xlsx"], "default": "csv"}
    assert {"q", "category", "sku", "store", "as_of", "from", "to", "channel"} <= taken.keys()
    assert not {"limit", "cursor", "sort"} & taken.keys()
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert export["responses"]["200"]["content"].keys() == {"text/csv", sheet}


def test_export_names_every_parameter_that_is_wrong(call: Callable[..., Any]) -> None:
    answer = call("GET", "/exports/stock?low=perhaps&from=2026-01-01&category=")
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [
        ("/low", "not_allowed"),
        ("/from", "unknown_parameter"),
        ("/category", "not_allowed"),
    ]


def test_docs_page_asks_no_other_machine(client: TestClient) -> None:
    answer = client.get("/api/docs")
    assert answer.status_code == 200
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_probes_answer_without_token(client: TestClient) -> None:
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert "dianku_http_answers_total" in client.get("/metrics").text


def test_broken_handler_answers_500_without_leaking(host: Host, call: Callable[..., Any]) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the secret plan")

    host.catalog.list_stores = broken  # type: ignore[assignment,method-assign]
    answer = call("GET", "/stores")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret plan" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_broken_form_is_400_and_one_without_file_names_it(call: Callable[..., Any]) -> None:
    media = {"content-type": "multipart/form-data; boundary=b"}
    broken = call("POST", "/attachments", content=b"--b\r\nx--b--\r\n", headers=media)
    assert (broken.status_code, broken.json()["code"]) == (400, "unreadable_body")
    empty = call("POST", "/imports", data={"kind": "products"}, files={"other": b"x"})
    assert empty.status_code == 422
    assert call("POST", "/imports", {}).status_code == 415


def test_kept_picture_comes_back_as_itself_and_cannot_act(call: Callable[..., Any]) -> None:
    picture = png(3, 2)
    kept = call("POST", "/attachments", files={"file": ("a.html", picture, "text/html")})
    assert kept.status_code == 201
    found = call("GET", f"/attachments/{kept.json()['id']}")
    assert (found.headers["content-type"], found.content) == ("image/png", picture)
    assert found.headers["x-content-type-options"] == "nosniff"
    page = call("POST", "/attachments", files={"file": ("a.png", b"<html>", "image/png")})
    assert page.status_code == 422


@pytest.mark.parametrize("sku", ["茶/2号", "a b+c", "50%", "what?#1"])
def test_sku_of_any_signs_is_found_by_its_encoded_path(call: Callable[..., Any], sku: str) -> None:
    made = call("POST", "/products", {"sku": sku, "name": "Tea", "unit": "box"})
    assert made.status_code == 201, made.text
    path = f"/products/{quote(sku, safe='')}"
    assert call("GET", path).json()["sku"] == sku
    assert call("PATCH", path, {"name": "Green tea"}).json()["name"] == "Green tea"
    assert call("PUT", f"{path}/stores/S1", {"shelf": "A1"}).json()["shelf"] == "A1"
    scanned = call("GET", f"/scan/{quote(sku, safe='')}").json()
    assert [match["sku"] for match in scanned["matches"]] == [sku]
    assert call("POST", f"{path}/archive").json()["archived"] is True
    back = call("POST", f"{path}/unarchive")
    assert (back.status_code, back.json()["archived"]) == (200, False)


def test_component_that_is_archived_is_named_in_the_refusal(call: Callable[..., Any]) -> None:
    kit = {"sku": "pair", "name": "Pair", "unit": "pc", "composition": "kit"}
    call("POST", "/products", {**kit, "components": [{"sku": "cola", "quantity": 2}]})
    refused = call("POST", "/products/cola/archive")
    assert refused.status_code == 409
    assert refused.json()["detail"] == "The product cola is a component of others."


@pytest.mark.parametrize(
    ("path", "change", "name"),
    [
        ("/stores/S1", {"name": "One"}, "name"),
        ("/channels/counter", {"policy": "strict"}, "policy"),
    ],
)
def test_trail_tells_what_a_store_or_channel_was_before(
    call: Callable[..., Any], path: str, change: dict[str, Any], name: str
) -> None:
    subject = path.rpartition("/")[2]
    old = {"S1": "S1", "counter": "permissive"}[subject]
    call("PATCH", path, change)
    (line,) = call("GET", f"/audit?subject={subject}").json()["items"]
    assert (line["before"][name], line["after"][name]) == (old, change[name])
    missing = call("PATCH", f"{path}9", change)
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_policy_is_loosened_by_nobody_where_the_counter_is_strict(call: Callable[..., Any]) -> None:
    sale = {"kind": "issue", "store": "S1", "lines": [{"sku": "cola", "quantity": 1}]}
    loose = {**sale, "policy": "permissive"}
    assert call("POST", "/documents", loose, role="clerk").status_code == 201
    call("PATCH", "/channels/counter", {"policy": "strict"})
    assert call("POST", "/documents", sale, role="clerk").status_code == 409
    assert call("POST", "/documents", loose, role="clerk").status_code == 403
    assert call("POST", "/documents", loose, role="manager").status_code == 201


@pytest.mark.parametrize("cursor", ["9" * 23, "%C2%B2", "-1", "x"])
def test_cursor_of_the_trail_that_is_none_is_refused(call: Callable[..., Any], cursor: str) -> None:
    answer = call("GET", f"/audit?cursor={cursor}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/cursor")


def test_sign_no_text_can_have_is_refused_before_any_database_sees_it(
    call: Callable[..., Any],
) -> None:
    answer = call("GET", "/documents?actor=%00&reference=a%00b&store=S1")
    assert answer.status_code == 422
    assert {e["pointer"] for e in answer.json()["errors"]} == {"/actor", "/reference"}
    path = call("GET", "/products/%00")
    assert path.status_code == 404
    assert "/products/" in path.json()["detail"]


def test_readiness_says_whose_tables_are_behind(host: Host, client: TestClient) -> None:
    assert client.get("/readyz").json()["migrations_pending"] == []
    with host.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version_core SET version_num = '0001'")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["migrations_pending"]) == (503, ["core"])
