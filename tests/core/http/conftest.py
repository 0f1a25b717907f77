"""A whole shop behind its ASGI application, and callers of each role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from dianku.access.permissions import ROLES
from dianku.access.records import NewToken
from dianku.catalog.requests import NewProduct, NewStore
from dianku.config import HostConfig
from dianku.context import Context
from dianku.host import Host
from dianku.http.app import build_app


@pytest.fixture
def host(data_folder: Path, clock: Any) -> Iterator[Host]:
    host = Host.build(HostConfig(data_dir=data_folder, clock=clock, strict=True))
    try:
        host.start(background=False)  # jobs would write beside a test that nothing changes
        ctx = Context(host.access.actor("test"))
        for code in ("S1", "S2"):
            host.catalog.create_store(NewStore(code=code, name=code), ctx=ctx)
        for sku in ("cola", "cake"):
            new = NewProduct(sku=sku, name=sku, unit="pc", price=Decimal(3), cost=Decimal(2))
            host.catalog.create_product(new, ctx=ctx)
        yield host
    finally:
        host.close()


@pytest.fixture
def client(host: Host) -> Iterator[TestClient]:
    with TestClient(build_app(host), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def token(host: Host) -> Callable[..., str]:
    def make(role: str = "owner", stores: list[str] | None = None) -> str:
        ctx = Context(host.access.actor("test"))
        new = NewToken(name=f"{role} token", role=role, stores=stores)
        return host.access.create_token(new, ctx=ctx).token or ""

    return make


@pytest.fixture
def call(client: TestClient, token: Callable[..., str]) -> Callable[..., Any]:
    """Call as a role, in English; `stores` narrows the caller's scope."""
    tokens: dict[Any, str] = {}

    def request(
        method: str,
        path: str,
        body: Any = None,
        *,
        role: str = "owner",
        stores: list[str] | None = None,
        **more: Any,
    ) -> Any:
        who = (role, tuple(stores or ()))
        if who not in tokens:
            assert role in ROLES
            tokens[who] = token(role, stores)
        headers = {
            "authorization": f"Bearer {tokens[who]}",
            "accept-language": "en",
            **more.pop("headers", {}),
        }
        if body is not None:
            more["json"] = body
        return client.request(method, f"/api/v1{path}", headers=headers, **more)

    return request


@pytest.fixture
def stocked(call: Callable[..., Any]) -> None:
    """A hundred colas in S1 at 2.00."""
    lines = [{"sku": "cola", "quantity": 100, "unit_cost": "2"}]
    answer = call("POST", "/documents", {"kind": "receipt", "store": "S1", "lines": lines})
    assert answer.status_code == 201
