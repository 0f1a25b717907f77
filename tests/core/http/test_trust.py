"""What a phone is told before it trusts the shop, and that the plain door lets nothing else by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from dianku.access.records import NewToken
from dianku.config import HostConfig, Https
from dianku.context import Context
from dianku.host import Host
from dianku.http.app import Application, build_app
from dianku.http.plain import PlainDoor
from dianku.http.routes import KERNEL_ROUTES
from dianku.testing.entry_points import shelf

pytestmark = pytest.mark.sqlite_only

SITE = """
import json
from dianku.api import Content, Route, Site, hookimpl

def seen(call):
    told = {"who": call.ctx.actor.name, "language": call.ctx.language,
            "headers": sorted(call.headers)}
    return Content(json.dumps(told).encode(), "text/html")

@hookimpl
def register_sites(shop, pages, panels):
    return [Site("/front", [
        Route("GET", "/walk", seen, "public", "How to trust"),
        Route("GET", "/walk/{step}", seen, "public", "How to trust"),
        Route("GET", "/walker", seen, "public", "Another page"),
        Route("GET", "/home", seen, "public", "Home"),
    ], lambda refusal: Content(b"no", "text/html"), plain=("/walk",))]
"""


@pytest.fixture
def app(tmp_path: Path, data_folder: Path) -> Iterator[Application]:
    """A shop served over HTTPS on all addresses, with a site."""
    with shelf(tmp_path / "site") as found:
        found.plugin("front", SITE, more='sites = ["/front"]')
        https = Https(host="0.0.0.0", port=8443, plain_port=8080, names=("till.local",))
        host = Host.build(HostConfig(data_dir=data_folder, https=https))
        host.start(background=False)
        host.trust.renew()
        try:
            yield build_app(host)
        finally:
            host.close()


def test_trust_without_https_says_so_and_has_no_authority(client: TestClient) -> None:
    said = client.get("/api/v1/trust").json()
    assert said == {
        "https": False,
        "addresses": [],
        "plain": [],
        "authority": None,
        "certificate": None,
    }
    assert client.get("/api/v1/trust/authority.crt").status_code == 404


def test_trust_names_addresses_phones_reach_first_and_gives_the_authority(
    app: Application,
) -> None:
    with TestClient(app) as client:
        said = client.get("/api/v1/trust").json()
        given = client.get("/api/v1/trust/authority.crt")
    assert said["https"] is True
    assert "https://till.local:8443" in said["addresses"]
    assert said["plain"][-1] in {"http://127.0.0.1:8080/", "http://localhost:8080/"}
    # Nothing listens on version 6 there.
    assert not any("[" in one for one in (*said["addresses"], *said["plain"]))
    held = app.api.host.trust.authority()
    assert held is not None
    assert given.content == held.der
    assert given.headers["content-type"] == "application/x-x509-ca-cert"
    assert said["authority"]["fingerprint"] == held.fingerprint
    assert b"PRIVATE" not in given.content


def test_plain_door_leads_to_the_walk_and_lets_nothing_else_by(app: Application) -> None:
    host = app.api.host
    ctx = Context(host.access.actor("test"))
    token = host.access.create_token(NewToken(name="t", role="owner"), ctx=ctx).token
    headers = {"authorization": f"Bearer {token}"}
    with TestClient(PlainDoor(app), follow_redirects=False) as door:
        # The first site's: the console's, where that is installed.
        assert door.get("/").headers["location"] in {"/console/trust", "/front/walk"}
        assert door.get("/front/walk").status_code == 200
        assert door.get("/front/walk/2").status_code == 200
        passed = set()
        for route in KERNEL_ROUTES:
            answer = door.request(route.method, f"/api/v1{route.path}", headers=headers)
            if answer.status_code != 403 or "HTTPS only" not in answer.text:
                passed.add(f"{route.method} {route.path}")
        others = ("/front/home", "/front/walker", "/front", "/healthz", "/metrics", "/api/docs")
        told = [door.get(path, headers=headers).status_code for path in others]
        posted = door.post("/front/walk").status_code
    assert passed == {"GET /trust", "GET /trust/authority.crt"}
    assert told == [403] * len(others)
    assert posted == 403


def test_plain_door_answers_as_to_nobody_in_the_language_chosen(app: Application) -> None:
    host = app.api.host
    ctx = Context(host.access.actor("test"))
    token = host.access.create_token(NewToken(name="t", role="owner"), ctx=ctx).token
    headers = {
        "authorization": f"Bearer {token}",
        "cookie": "dianku_session=stolen; dianku_language=en; dianku_device=x",
        "x-forwarded-proto": "https",
    }
    with TestClient(PlainDoor(app)) as door:
        told = json.loads(door.get("/front/walk", headers=headers).content)
    assert told["who"] == ""
    assert told["language"] == "en"
    assert {"authorization", "x-forwarded-proto"}.isdisjoint(told["headers"])
