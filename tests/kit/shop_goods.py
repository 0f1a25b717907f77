"""Goods, stock and requests for tests that reach a shop over HTTP only."""

from __future__ import annotations

from typing import Any

from shop_server import Server

STORE = "S1"


def stock_up(server: Server, token: str, *, units: int) -> None:
    """A scarce product (`units` of it) in every disguise, and one that never runs out.

    `unit` is scarce and comes in a case of two (barcode); `box` is a kit of one `unit` and a
    `ribbon`; `web` is a strict channel.
    """
    post = _poster(server, token)
    post("/channels", {"name": "web", "kind": "webhook", "policy": "strict"})
    case = {"code": "16901234567890", "factor": 2}
    post("/products", {"sku": "unit", "name": "Unit", "unit": "pc", "barcodes": [case]})
    post("/products", {"sku": "ribbon", "name": "Ribbon", "unit": "pc"})
    post("/products", {"sku": "sweet", "name": "Sweet", "unit": "pc"})
    parts = [{"sku": "unit", "quantity": 1}, {"sku": "ribbon", "quantity": 1}]
    box = {"sku": "box", "name": "Box", "unit": "pc", "composition": "kit", "components": parts}
    post("/products", box)
    lines = [
        {"sku": "unit", "quantity": units, "amount": "100.00"},
        {"sku": "ribbon", "quantity": 100_000},
        {"sku": "sweet", "quantity": 1_000_000},
    ]
    post("/documents", {"kind": "receipt", "store": STORE, "lines": lines})


def _poster(server: Server, token: str) -> Any:
    def post(path: str, body: Any) -> Any:
        return server.call("POST", path, token=token, body=body)

    return post


def sale(*lines: dict[str, Any], channel: str = "web") -> dict[str, Any]:
    """The body of an issue."""
    return {"kind": "issue", "store": STORE, "channel": channel, "lines": list(lines)}


def buy(way: str, *, key: str) -> dict[str, Any]:
    """A request that wants `unit` in one of the `WAYS`."""
    one = {"sku": "unit", "quantity": 1}
    documents = "/api/v1/documents"
    if way == "batch":
        entries = [{"key": f"{key}-{i}", **sale(one)} for i in range(2)]
        return {"method": "POST", "path": f"{documents}/batch", "body": {"documents": entries}}
    if way == "reservation":
        commit = {"method": "POST", "path": "/api/v1/reservations/{id}/commit", "key": f"{key}-c"}
        body = {"store": STORE, "channel": "web", "lines": [one], "expires_in": 600}
        path = "/api/v1/reservations"
        return {"method": "POST", "path": path, "key": key, "body": body, "then": commit}
    lines = {
        "single": [one],
        "kit": [{"sku": "box", "quantity": 1}],
        "case": [{"barcode": "16901234567890", "quantity": 1}],
        "twice": [one, one],
    }[way]
    return {"method": "POST", "path": documents, "key": key, "body": sale(*lines)}


WAYS = ("single", "batch", "reservation", "kit", "case", "twice")


def taken(way: str, answer: dict[str, Any], body: dict[str, Any]) -> int:
    """How many units a successful answer to `buy` says are gone."""
    if answer["status"] >= 300:
        return 0
    if way == "batch":
        return sum(result["status"] == "created" for result in body["results"])
    return {"single": 1, "reservation": 1, "kit": 1, "case": 2, "twice": 2}[way]


def on_hand(server: Server, token: str, sku: str) -> tuple[str, str]:
    """What the shop says is on hand and reserved of a product."""
    rows = server.call("GET", f"/stock?sku={sku}&store={STORE}", token=token)["items"]
    [row] = rows
    return row["on_hand"], row["reserved"]
