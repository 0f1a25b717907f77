"""The test kit's shop: the host and its HTTP client on one database."""

from __future__ import annotations

from starlette.testclient import TestClient

from dianku.catalog.requests import NewStore
from dianku.context import Context
from dianku.host import Host


def test_host_and_client_are_the_same_shop(host: Host, owner: Context, client: TestClient) -> None:
    host.catalog.create_store(NewStore(code="S9", name="Nine"), ctx=owner)
    answer = client.get("/api/v1/stores")
    assert answer.status_code == 200
    assert [store["code"] for store in answer.json()["items"]] == ["S9"]
    assert client.get("/api/v1/stores", headers={"Authorization": ""}).status_code == 401
