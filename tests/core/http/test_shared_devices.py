"""PINs: good on a device that was enrolled, for who may, and slow to guess."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from dianku.access.records import NewUser
from dianku.context import Context
from dianku.host import Host
from dianku.http.app import build_app

PIN = "482915"


@pytest.fixture
def phone(host: Host, token: Callable[..., str]) -> Iterator[TestClient]:
    """The shop's phone, enrolled by a manager of S1; people with PINs."""
    ctx = Context(host.access.actor("test"))
    for name, role, stores in (
        ("ann", "owner", None),
        ("bo", "manager", None),
        ("cy", "clerk", ["S1"]),
        ("di", "clerk", ["S2"]),
    ):
        new = NewUser(name=name, role=role, stores=stores, pin=PIN)
        host.access.create_user(new, ctx=ctx)
    with TestClient(build_app(host)) as client:
        headers = {"authorization": f"Bearer {token('manager', ['S1'])}"}
        made = client.post("/api/v1/devices", json={"name": "counter phone"}, headers=headers)
        assert made.status_code == 201
        assert "dianku_device" not in made.text
        yield client


def sign_in(client: TestClient, name: str, pin: str = PIN) -> Any:
    return client.post("/api/v1/sessions/pin", json={"name": name, "pin": pin})


def test_pin_opens_an_enrolled_device_for_its_stores_people_but_no_owner(
    phone: TestClient,
) -> None:
    assert phone.get("/api/v1/device").json() == {"name": "counter phone", "people": ["bo", "cy"]}
    for name in ("ann", "di", "nobody"):
        assert sign_in(phone, name).json()["code"] == "wrong_password"
    assert sign_in(phone, "cy").json()["role"] == "clerk"
    assert phone.get("/api/v1/me").json()["name"] == "cy"


def test_pin_is_good_nowhere_else(host: Host, phone: TestClient) -> None:
    assert sign_in(phone, "cy").status_code == 201
    with TestClient(build_app(host)) as elsewhere:
        assert elsewhere.get("/api/v1/device").json() == {"name": None, "people": []}
        assert sign_in(elsewhere, "cy").status_code == 401
        elsewhere.cookies.set("dianku_device", "guess")
        assert sign_in(elsewhere, "cy").status_code == 401
        as_password = {"name": "cy", "password": PIN}
        assert elsewhere.post("/api/v1/sessions", json=as_password).status_code == 401


def test_guessed_pins_have_to_wait_also_over_many_people(phone: TestClient) -> None:
    for _ in range(2):
        assert sign_in(phone, "cy", "0000").json()["code"] == "wrong_password"
    for name in ("bo", "x", "y"):
        assert sign_in(phone, name, "0000").json()["code"] == "wrong_password"
    told = sign_in(phone, "bo")
    assert told.status_code == 429
    assert told.json()["retry_after_seconds"] >= 1


def test_device_that_is_shared_no_longer_ends_its_sessions(
    host: Host, phone: TestClient, call: Callable[..., Any]
) -> None:
    assert sign_in(phone, "cy").status_code == 201
    device = call("GET", "/devices").json()["items"][0]["id"]
    assert call("DELETE", f"/devices/{device}", role="manager", stores=["S2"]).status_code == 404
    assert call("DELETE", f"/devices/{device}", role="clerk").status_code == 403
    assert phone.get("/api/v1/me").status_code == 200
    assert call("DELETE", f"/devices/{device}", role="manager", stores=["S1"]).status_code == 204
    host.access.known.forget()
    assert phone.get("/api/v1/me").status_code == 401
    assert sign_in(phone, "cy").status_code == 401


def test_session_of_a_pin_ends_with_the_day(phone: TestClient, clock: Any) -> None:
    assert sign_in(phone, "cy").status_code == 201
    clock.advance(seconds=13 * 3600)
    assert phone.get("/api/v1/me").status_code == 401


def test_new_pin_ends_what_the_old_one_opened(
    host: Host, phone: TestClient, call: Callable[..., Any]
) -> None:
    assert sign_in(phone, "cy").status_code == 201
    person = next(one for one in call("GET", "/users").json()["items"] if one["name"] == "cy")
    assert person["has_pin"] is True
    assert "pin" not in person
    assert call("PATCH", f"/users/{person['id']}", {"pin": "12a4"}).status_code == 422
    assert call("PATCH", f"/users/{person['id']}", {"pin": None}).json()["has_pin"] is False
    host.access.known.forget()
    assert phone.get("/api/v1/me").status_code == 401
    assert sign_in(phone, "cy").json()["code"] == "wrong_password"
