"""Practice: a throw-away shop for one browser, from which nothing reaches the real one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from dianku.access.records import NewUser
from dianku.context import Context
from dianku.host import Host
from dianku.http.practice import AT_ONCE_MAX, COOKIE, IDLE_MS, Practices
from dianku.testing.digest import table_digests

pytestmark = pytest.mark.sqlite_only
PASSWORD = "a long enough password"


class Browser:
    """A browser signed in to the shop: its cookies, and the secret its pages bear."""

    def __init__(self, client: TestClient, name: str) -> None:
        self._client = client
        self.cookies: dict[str, str] = {}
        said = self.ask("POST", "/sessions", {"name": name, "password": PASSWORD})
        assert said.status_code == 201, said.text
        self.csrf = said.json()["csrf"]

    def ask(self, method: str, path: str, body: Any = None, *, csrf: str | None = None) -> Any:
        """One request as its pages make it."""
        self._client.cookies.clear()
        headers = {"x-csrf-token": csrf if csrf is not None else getattr(self, "csrf", "")}
        headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers["accept-language"] = "en"
        path = path if path.startswith("//") else f"/api/v1{path}"
        said = self._client.request(
            method, path.replace("//", "/", 1), json=body, headers=headers, follow_redirects=False
        )
        for line in said.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in line:
                del self.cookies[name]
        return said

    def practise(self) -> None:
        """Begin, and take up the secret of the new pages."""
        said = self.ask("POST", "/sessions/practice")
        assert said.status_code == 201, said.text
        self.csrf = csrf_inside(self._client, self.cookies[COOKIE])


def csrf_inside(client: TestClient, key: str) -> str:
    """What a page of a throw-away shop bears; its script alone knows it."""
    from dianku.access.secrets import csrf_of

    shop = client.app.api.practices.find(key)  # type: ignore[attr-defined]
    return csrf_of(shop.secret)


@pytest.fixture
def people(host: Host) -> None:
    """A clerk and an owner who can sign in."""
    ctx = Context(host.access.actor("test"))
    for name, role in (("anna", "owner"), ("ben", "clerk")):
        host.access.create_user(NewUser(name=name, role=role, password=PASSWORD), ctx=ctx)


@pytest.fixture
def owner(client: TestClient, people: None) -> Browser:
    del people
    return Browser(client, "anna")


def a_sale(browser: Browser) -> Any:
    """A sale of something that is there."""
    stock = browser.ask("GET", "/stock?limit=50").json()["items"]
    row = next(one for one in stock if float(one["available"]) > 5)
    lines = [{"sku": row["sku"], "quantity": "1"}]
    return browser.ask(
        "POST", "/documents", {"kind": "issue", "store": row["store"], "lines": lines}
    )


def test_nothing_done_in_practice_is_done_in_the_shop(owner: Browser, host: Host) -> None:
    owner.practise()
    before = table_digests(host.database)
    assert owner.ask("GET", "/me").json()["name"] == "anna · practice"
    assert owner.ask("GET", "/products?limit=5").json()["items"][0]["sku"] not in {"cola", "cake"}
    assert a_sale(owner).status_code == 201
    new = {"name": "eve", "role": "owner", "password": PASSWORD}
    assert owner.ask("POST", "/users", new).status_code == 201
    assert owner.ask("PATCH", "/settings/shop", {"name": "Taken over"}).status_code == 200
    assert owner.ask("POST", "/tokens", {"name": "t", "role": "owner"}).status_code == 201
    assert owner.ask("POST", "/backups", {}).status_code == 201
    assert table_digests(host.database) == before
    assert not (host.config.data_dir / "backups").exists()
    assert list(host.config.data_dir.glob("dianku-practice-*/*/dianku.sqlite3"))
    owner.ask("DELETE", "/sessions/practice")
    assert gone(host, but=0)


def test_request_from_practice_never_reaches_the_shop_when_practice_is_gone(
    owner: Browser, host: Host, client: TestClient
) -> None:
    real = owner.csrf
    owner.practise()
    inside, key = owner.csrf, owner.cookies[COOKIE]
    assert owner.ask("DELETE", "/sessions/practice").status_code == 204
    assert COOKIE not in owner.cookies
    assert owner.ask("GET", "/me", csrf=real).json()["name"] == "anna"
    before = table_digests(host.database)
    owner.cookies[COOKIE] = key
    sale = {"kind": "issue", "store": "S1", "lines": [{"sku": "cola", "quantity": 1}]}
    for csrf in (inside, real):
        said = owner.ask("POST", "/documents", sale, csrf=csrf)
        assert (said.status_code, said.json()["code"]) == (409, "practice_ended")
    assert owner.ask("GET", "/stock").status_code == 409
    owner.cookies[COOKIE] = ""
    assert owner.ask("POST", "/documents", sale, csrf=real).status_code == 409
    owner.cookies[COOKIE] = "guessed"
    page = owner.ask("GET", "//console/sell")
    assert (page.status_code, page.headers["location"]) == (303, "/")
    assert COOKIE not in owner.cookies
    assert table_digests(host.database) == before
    assert client.get("/healthz").status_code == 200


@pytest.mark.long("full")
def test_page_left_open_changes_nothing_in_the_other_shop(owner: Browser, host: Host) -> None:
    real = owner.csrf
    owner.practise()
    sale = {"kind": "issue", "store": "S1", "lines": [{"sku": "cola", "quantity": 1}]}
    assert owner.ask("POST", "/documents", sale, csrf=real).status_code == 403
    inside = owner.csrf
    owner.ask("DELETE", "/sessions/practice")
    before = table_digests(host.database)
    assert owner.ask("POST", "/documents", sale, csrf=inside).status_code == 403
    assert table_digests(host.database) == before


@pytest.mark.long("full")
def test_signing_out_in_practice_leaves_the_real_session(owner: Browser) -> None:
    real, session = owner.csrf, owner.cookies["dianku_session"]
    owner.practise()
    assert owner.ask("DELETE", "/sessions").status_code == 204
    assert owner.ask("GET", "/me").status_code == 401
    assert owner.cookies["dianku_session"] == session
    del owner.cookies[COOKIE]
    assert owner.ask("GET", "/me", csrf=real).json()["name"] == "anna"


@pytest.mark.long("full")
def test_everybody_is_in_practice_what_they_are_in_the_shop(
    client: TestClient, people: None
) -> None:
    del people
    clerk = Browser(client, "ben")
    clerk.practise()
    assert clerk.ask("GET", "/me").json()["role"] == "clerk"
    assert clerk.ask("GET", "/stock").json()["items"][0]["value"] is None
    assert clerk.ask("GET", "/users").status_code == 403
    assert a_sale(clerk).status_code == 201


@pytest.mark.long("full")
def test_practice_is_not_begun_by_a_token_nor_from_within(
    owner: Browser, call: Callable[..., Any]
) -> None:
    assert call("POST", "/sessions/practice").json()["code"] == "practice_not_here"
    assert call("DELETE", "/sessions/practice").json()["code"] == "practice_ended"
    owner.practise()
    assert owner.ask("POST", "/sessions/practice").json()["code"] == "practice_not_here"


@pytest.mark.long("full")
def test_as_many_practise_as_there_may_be_and_who_is_forgotten_makes_room(
    client: TestClient, people: None, host: Host, clock: Any
) -> None:
    del people
    first = Browser(client, "ben")
    first.practise()
    old = first.cookies.pop(COOKIE)
    # Who begins anew has one, not two.
    first.csrf = Browser(client, "ben").csrf
    others = [Browser(client, "ben") for _ in range(AT_ONCE_MAX)]
    for one in others[:-1]:
        one.practise()
    assert others[-1].ask("POST", "/sessions/practice").status_code == 503
    clock.advance(seconds=IDLE_MS / 1000 + 1)
    again = Browser(client, "ben")
    assert again.ask("POST", "/sessions/practice").status_code == 201
    again.cookies[COOKIE] = old
    assert again.ask("GET", "/me").status_code == 409
    assert gone(host, but=1)


def gone(host: Host, *, but: int) -> bool:
    """Whether so many folders of throw-away shops are left once those on their way out are gone."""
    for thread in threading.enumerate():
        if (
            isinstance(thread, threading.Timer)
            and thread.function.__module__ == Practices.__module__
        ):
            thread.join(30)
    return len(list(host.config.data_dir.glob("dianku-practice-*/*"))) == but
