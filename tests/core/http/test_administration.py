"""Setting a shop up, sign-ins, settings, jobs and backups: over HTTP, and what is refused."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from starlette.testclient import TestClient

from dianku.access.records import NewUser
from dianku.access.sessions import Sessions
from dianku.config import HostConfig
from dianku.context import Context
from dianku.hooks.records import Title
from dianku.host import Host
from dianku.http.app import build_app
from dianku.settings.schema import Field, Section

PASSWORD = "a long enough password"
Call = Callable[..., Any]


@pytest.fixture
def people(host: Host) -> None:
    ctx = Context(host.access.actor("test"))
    for name, role, stores in (
        ("ann", "owner", None),
        ("bo", "owner", ["S1"]),
        ("cy", "clerk", ["S1"]),
        ("di", "clerk", ["S2"]),
    ):
        new = NewUser(name=name, role=role, stores=stores, password=PASSWORD)
        host.access.create_user(new, ctx=ctx)


def signed_in(host: Host, name: str, device: str | None = None) -> tuple[TestClient, Any]:
    """A browser of somebody, and the answer to its sign-in."""
    client = TestClient(build_app(host))
    client.__enter__()
    body = {"name": name, "password": PASSWORD, "device": device}
    answer = client.post("/api/v1/sessions", json=body)
    assert answer.status_code == 201, answer.text
    client.headers["x-csrf-token"] = answer.json()["csrf"]
    return client, answer.json()


def empty_shop(tmp_path: Any, clock: Any) -> tuple[Host, TestClient, str]:
    """A shop nobody has set up, and its one-time link."""
    host = Host.build(HostConfig(data_dir=tmp_path / "new", clock=clock, strict=True))
    host.start(background=False)
    client = TestClient(build_app(host))
    client.__enter__()
    link = Sessions(host.database, access=host.access, clock=host.clock).new_setup_link()
    assert link
    return host, client, link


def test_set_up_makes_owner_shop_and_first_store_in_one_go(tmp_path: Any, clock: Any) -> None:
    host, client, link = empty_shop(tmp_path, clock)
    try:
        assert client.get("/api/v1/setup").json() == {"open": True, "begun": False}
        shop = {"name": "甜点店", "store": "一号店", "timezone": "Asia/Tokyo", "language": "en"}
        body = {"link": link, "name": "ann", "password": PASSWORD, "shop": shop}
        wrong = client.post(
            "/api/v1/setup", json=body | {"shop": shop | {"timezone": "Mars/Olympus"}}
        )
        assert wrong.json()["errors"][0]["pointer"] == "/shop/timezone"
        guessed = client.post("/api/v1/setup", json=body | {"link": "guess"})
        assert guessed.status_code == 401
        assert client.get("/api/v1/setup").json() == {"open": True, "begun": False}
        done = client.post("/api/v1/setup", json=body | {"with_token": False})
        assert done.status_code == 201
        assert done.json()["token"] is None
        assert client.get("/api/v1/setup").json() == {"open": False, "begun": True}
        assert client.post("/api/v1/setup", json=body).json()["code"] == "already_set_up"
        signed = client.post("/api/v1/sessions", json={"name": "ann", "password": PASSWORD})
        assert signed.json()["shop"]["name"] == "甜点店"
        stores = client.get("/api/v1/stores").json()["items"]
        assert [(s["code"], s["name"], s["timezone"]) for s in stores] == [
            ("main", "一号店", "Asia/Tokyo")
        ]
        assert client.get("/api/v1/tokens").json()["items"] == []
    finally:
        client.__exit__(None, None, None)
        host.close()


def test_set_up_of_a_shop_with_a_store_leaves_it_as_it_is(call: Call, host: Host) -> None:
    sessions = Sessions(host.database, access=host.access, clock=host.clock)
    link = sessions.new_setup_link()
    shop = {"name": "other", "store": "other"}
    body = {"link": link, "name": "ann", "password": PASSWORD, "shop": shop}
    assert call("POST", "/setup", body).status_code == 201
    assert [s["code"] for s in call("GET", "/stores").json()["items"]] == ["S1", "S2"]
    assert call("GET", "/settings/shop").json()["name"] != "other"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.usefixtures("people")
def test_change_asked_for_by_a_page_of_another_site_is_refused(host: Host, site: str) -> None:
    client, _ = signed_in(host, "ann")
    try:
        for path, body in (
            ("/sessions", {"name": "ann", "password": PASSWORD}),
            ("/setup", {"link": "x", "name": "eve", "password": PASSWORD}),
            ("/users", {"name": "eve", "role": "owner"}),
            ("/backups", {}),
        ):
            answer = client.post(f"/api/v1{path}", json=body, headers={"sec-fetch-site": site})
            assert answer.status_code == 403, path
        without = client.post("/api/v1/backups", json={}, headers={"x-csrf-token": "guess"})
        assert without.status_code == 403
    finally:
        client.__exit__(None, None, None)


def test_program_with_a_token_is_not_asked_for_its_site(call: Call) -> None:
    new = {"name": "S3", "code": "S3"}
    answer = call("POST", "/stores", new, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 201


@pytest.mark.usefixtures("people")
def test_waiting_time_is_told_after_guessed_passwords(client: TestClient) -> None:
    guess = {"name": "ann", "password": "a guess of one"}
    for _ in range(5):
        assert client.post("/api/v1/sessions", json=guess).json()["code"] == "wrong_password"
    told = client.post("/api/v1/sessions", json=guess | {"password": PASSWORD})
    assert told.status_code == 429
    assert told.json()["retry_after_seconds"] >= 1


@pytest.mark.usefixtures("people")
def test_sessions_are_listed_and_ended_by_whose_they_are(host: Host) -> None:
    phone, _ = signed_in(host, "cy", "phone")
    till, _ = signed_in(host, "cy", "till")
    other, _ = signed_in(host, "di", "other")
    try:
        listed = phone.get("/api/v1/sessions").json()["items"]
        assert {one["device"]: one["current"] for one in listed} == {"phone": True, "till": False}
        tills = next(one["id"] for one in listed if one["device"] == "till")
        assert other.delete(f"/api/v1/sessions/{tills}").status_code == 404
        assert till.get("/api/v1/me").status_code == 200
        assert phone.delete(f"/api/v1/sessions/{tills}").status_code == 204
        host.access.known.forget()
        assert till.get("/api/v1/me").status_code == 401
        assert phone.get("/api/v1/me").status_code == 200
    finally:
        for one in (phone, till, other):
            one.__exit__(None, None, None)


@pytest.mark.usefixtures("people")
def test_owner_sees_the_sessions_of_their_stores_only(host: Host) -> None:
    opened = [signed_in(host, name)[0] for name in ("ann", "bo", "cy", "di")]
    try:
        seen = [
            {one["user"] for one in who.get("/api/v1/sessions").json()["items"]} for who in opened
        ]
        assert seen == [{"ann", "bo", "cy", "di"}, {"bo", "cy"}, {"cy"}, {"di"}]
    finally:
        for one in opened:
            one.__exit__(None, None, None)


@pytest.mark.usefixtures("people")
def test_session_tells_when_it_was_heard_of_last(host: Host, clock: Any) -> None:
    client, _ = signed_in(host, "cy")
    try:
        first = client.get("/api/v1/sessions").json()["items"][0]["seen_at"]
        clock.advance(seconds=600)
        client.get("/api/v1/me")
        host.access.known.note_heard()
        later = client.get("/api/v1/sessions").json()["items"][0]["seen_at"]
        assert later > first
    finally:
        client.__exit__(None, None, None)


def test_what_can_be_set_is_described_and_a_secret_never_comes_out(call: Call, host: Host) -> None:
    fields = (
        Field(name="key", type="text", title=Title("密钥", "Key"), secret=True),
        Field(name="days", type="integer", title=Title("天", "Days"), default=3, minimum=1),
    )
    host.settings.declare(Section.of("tried", Title("试", "Tried"), *fields))
    listed = {one["name"]: one for one in call("GET", "/settings").json()["items"]}
    assert {"shop", "http", "net", "tried"} <= set(listed)
    assert [(f["name"], f["type"], f["secret"]) for f in listed["tried"]["fields"]] == [
        ("key", "text", True),
        ("days", "integer", False),
    ]
    assert call("PATCH", "/settings/tried", {"key": "hush-hush"}).status_code == 200
    assert "hush-hush" not in call("GET", "/settings/tried").text + call("GET", "/settings").text
    assert call("GET", "/settings", role="clerk").status_code == 403


def test_jobs_are_listed_with_how_they_went(call: Call, host: Host) -> None:
    host.jobs.run_now("core.prune_runs")
    listed = {one["name"]: one for one in call("GET", "/jobs").json()["items"]}
    assert listed["core.prune_runs"]["outcome"] == "done"
    assert listed["core.prune_events"]["outcome"] is None
    assert listed["core.prune_events"]["title"] == "Prune events"
    assert call("GET", "/jobs", role="clerk").status_code == 403


def test_backup_is_made_listed_and_taken_away_by_an_owner(call: Call) -> None:
    key = {"idempotency-key": "b1"}
    made = call("POST", "/backups", {}, headers=key)
    assert made.status_code == 201
    again = call("POST", "/backups", {}, headers=key)
    assert again.json() == made.json()
    assert again.headers["idempotency-replayed"] == "true"
    name = made.json()["name"]
    assert [one["name"] for one in call("GET", "/backups").json()["items"]] == [name]
    taken = call("GET", f"/backups/{name}")
    assert len(taken.content) == made.json()["size"]
    assert "manifest.json" in zipfile.ZipFile(BytesIO(taken.content)).namelist()
    lines = [line["action"] for line in call("GET", "/audit").json()["items"]]
    assert {"backup", "backup.download"} <= set(lines)


def test_backup_holds_the_whole_shop_so_nobody_else_gets_at_it(call: Call, host: Host) -> None:
    name = call("POST", "/backups", {}).json()["name"]
    for who in ({"role": "manager"}, {"role": "clerk"}, {"role": "owner", "stores": ["S1"]}):
        assert call("GET", "/backups", **who).status_code == 403
        assert call("POST", "/backups", {}, **who).status_code == 403
        assert call("GET", f"/backups/{name}", **who).status_code == 403
    (host.config.data_dir / "backups" / "notes.txt").write_text("not a backup")
    for odd in ("..%2Fdianku.sqlite3", "notes.txt", ".backup", "%2e%2e%2fx.backup", name + "%00"):
        assert call("GET", f"/backups/{odd}").status_code == 404
