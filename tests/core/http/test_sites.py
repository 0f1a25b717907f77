"""Sites of plugins: the API's own door, with pages for answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from dianku.access.records import NewToken
from dianku.catalog.requests import NewStore
from dianku.config import HostConfig
from dianku.context import Context
from dianku.host import Host
from dianku.http.app import build_app
from dianku.plugins.states import Status
from dianku.testing.entry_points import shelf

pytestmark = pytest.mark.sqlite_only

SITE = """
import json
from dianku.api import Content, Page, Panel, Replied, Route, Site, Title, hookimpl

def seen(call):
    told = {"who": call.ctx.actor.name, "language": call.ctx.language, "csrf": bool(call.csrf),
            "query": call.query, "path": dict(call.path)}
    return Content(json.dumps(told).encode(), "text/html")

def asking(call):
    query = {name: value for name, value in call.query.items() if name != "of"}
    return Content(json.dumps(call.ask(call.query["of"], **query)).encode(), "text/html")

def broken(call):
    raise RuntimeError("a secret of the house")

def elsewhere(call):
    return Replied(Content(b"", "text/html"), status=303, headers={"Location": "/front/"})

def refused(refusal):
    if refusal.target.endswith("/worse"):
        raise RuntimeError("also broken")
    told = {"code": refusal.problem.code, "detail": refusal.detail, "target": refusal.target,
            "who": refusal.call.ctx.actor.name}
    return Content(json.dumps(told).encode(), "text/html")

@hookimpl
def register_sites(shop, pages, panels):
    return [Site("/front", [
        Route("GET", "/", seen, "signed_in", "Home"),
        Route("GET", "/public", seen, "public", "Open to all"),
        Route("GET", "/costs/{store}", seen, "cost.view", "For who may"),
        Route("GET", "/asking", asking, "signed_in", "Asks the API"),
        Route("GET", "/broken", broken, "public", "Breaks"),
        Route("GET", "/worse", broken, "public", "Breaks"),
        Route("GET", "/elsewhere", elsewhere, "public", "Leads on"),
        Route("GET", "/number", lambda call: 5, "public", "No page"),
    ], refused)]
"""
Front = Callable[..., tuple[TestClient, Host]]


@pytest.fixture
def front(tmp_path: Path, data_folder: Path) -> Iterator[Front]:
    """A shop with the plugin `front` of the code given."""
    opened: list[tuple[TestClient, Host]] = []
    with shelf(tmp_path / "site") as found:

        def start(code: str = SITE, *, more: str = 'sites = ["/front"]') -> tuple[TestClient, Host]:
            found.plugin("front", code, more=more)
            host = Host.build(HostConfig(data_dir=data_folder, strict=False))
            host.start(background=False)
            ctx = Context(host.access.actor("test"))
            for store in ("S1", "S2"):
                new = NewStore(code=store, name=store, timezone="Asia/Shanghai", day_cutoff="04:00")
                host.catalog.create_store(new, ctx=ctx)
            client = TestClient(build_app(host), follow_redirects=False)
            client.__enter__()
            opened.append((client, host))
            return client, host

        yield start
        for client, host in opened:
            client.__exit__(None, None, None)
            host.close()


def token(host: Host, role: str = "owner", stores: list[str] | None = None) -> dict[str, str]:
    made = host.access.create_token(
        NewToken(name=f"{role}{stores}", role=role, stores=stores),
        ctx=Context(host.access.actor("test")),
    )
    return {"Authorization": f"Bearer {made.token}"}


def told(answer: Any) -> Any:
    return json.loads(answer.content)


def test_site_shows_its_pages_to_who_may(front: Front) -> None:
    client, host = front()
    home = client.get("/front/?a=1&a=2&b=3", headers=token(host))
    assert home.status_code == 200
    assert told(home)["query"] == {"a": ["1", "2"], "b": "3"}
    assert told(home)["who"].startswith("owner")
    assert told(client.get("/front/costs/S1", headers=token(host)))["path"] == {"store": "S1"}
    assert client.get("/front/costs/S1", headers=token(host, "clerk")).status_code == 403
    assert told(client.get("/front/public"))["who"] == ""


def test_site_refuses_in_its_own_pages_what_the_api_would_refuse(front: Front) -> None:
    client, host = front()
    for path, headers, status, code in (
        ("/front/", {}, 401, "unauthorized"),
        ("/front/", {"Authorization": "Bearer wrong"}, 401, "unauthorized"),
        ("/front/nowhere", token(host), 404, "not_found"),
        ("/front", {}, 404, "not_found"),
        ("/front/costs/S1", token(host, "readonly"), 403, "forbidden"),
        ("/front/costs/S2", token(host, stores=["S1"]), 403, "forbidden"),
        ("/front/public?x=%00", {}, 422, "invalid"),
        ("/front/public?" + "a" * 20_000, {}, 413, "body_too_large"),
        ("/front/broken", {}, 500, "internal_error"),
        ("/front/number", {}, 500, "internal_error"),
    ):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, told(answer)["code"]) == (status, code), path
        assert answer.headers["content-type"] == "text/html"
        assert "secret" not in answer.text
    assert told(client.get("/front/nowhere?a=1"))["target"] == "/front/nowhere?a=1"
    post = client.post("/front/public", content=b"x" * 100)
    assert (post.status_code, told(post)["code"]) == (405, "method_not_allowed")
    assert client.head("/front/public").status_code == 200


def test_site_whose_refusals_break_is_answered_as_a_problem(front: Front) -> None:
    client, _ = front()
    answer = client.get("/front/worse")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "also broken" not in answer.text


def test_site_is_guarded_whatever_it_forgets(front: Front) -> None:
    client, _ = front()
    for path in ("/front/public", "/front/broken", "/front/worse", "/front/elsewhere"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert headers["x-request-id"]
    assert client.get("/front/elsewhere").headers["location"] == "/front/"


def test_site_speaks_the_language_chosen_on_the_device(front: Front) -> None:
    client, _ = front()
    english = {"Accept-Language": "en"}
    assert told(client.get("/front/public"))["language"] == "zh-CN"
    assert told(client.get("/front/public", headers=english))["language"] == "en"
    chosen = {**english, "Cookie": "dianku_language=zh-CN"}
    assert told(client.get("/front/public", headers=chosen))["language"] == "zh-CN"
    odd = {**english, "Cookie": "dianku_language=xx"}
    assert told(client.get("/front/public", headers=odd))["language"] == "en"


def test_root_leads_to_the_first_site(front: Front) -> None:
    client, _ = front()
    answer = client.get("/")
    assert answer.status_code == 303
    assert answer.headers["location"] in {"/front/", "/console/"}


def test_page_asks_the_api_as_its_reader(front: Front) -> None:
    client, host = front()
    stores = told(client.get("/front/asking?of=/stores", headers=token(host)))
    assert stores == client.get("/api/v1/stores", headers=token(host)).json()
    me = told(client.get("/front/asking?of=/me", headers=token(host, "clerk")))
    assert me["role"] == "clerk"
    for query, status in (
        ("of=/users", 403),
        ("of=/nowhere", 404),
        ("of=/stores&limit=none", 422),
        ("of=/stores&colour=red", 422),
        ("of=/stock&store=S2", 403),
        ("of=/exports/products&format=csv", 403),
    ):
        asker = token(host, "clerk", stores=["S1"])
        assert client.get(f"/front/asking?{query}", headers=asker).status_code == status, query


def test_page_that_asks_for_what_is_no_data_is_broken(front: Front) -> None:
    client, host = front()
    answer = client.get("/front/asking?of=/exports/products&format=csv", headers=token(host))
    assert (answer.status_code, told(answer)["code"]) == (500, "internal_error")


@pytest.mark.parametrize(
    ("code", "more", "said"),
    [
        (SITE, "", "is not in its manifest"),
        (
            SITE.replace('Route("GET", "/public"', 'Route("POST", "/public"'),
            None,
            "a site only shows",
        ),
        (SITE.replace('"/worse"', '"/broken"'), None, "is claimed by"),
        (SITE.replace('seen, "public"', 'seen, ""', 1), None, "permission"),
        ("def register_sites(): raise SystemExit(3)\n", None, "SystemExit"),
    ],
)
def test_site_that_cannot_be_is_its_plugins_fault_and_the_shop_starts(
    front: Front, code: str, more: str | None, said: str
) -> None:
    if code.startswith("def"):
        code = f"from dianku.api import hookimpl\n@hookimpl\n{code}"
    client, host = front(code, **({} if more is None else {"more": more}))
    state = host.plugins.state("front")
    assert state.status is Status.DEGRADED
    assert said in " ".join(fault.what for fault in state.faults)
    assert client.get("/front/public").status_code == 404
    assert client.get("/healthz").status_code == 200


def test_manifest_may_not_claim_the_apis_place(front: Front) -> None:
    _, host = front(more='sites = ["/api"]')
    assert host.plugins.state("front").status is Status.REFUSED
