"""Goods, stock and requests for tests that reach a shop over HTTP only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shop_server import Server

STORE = "S1"
DOCUMENTS = "/api/v1/documents"
SWEET: dict[str, Any] = {"sku": "sweet", "quantity": 1}
WAYS = ("single", "batch", "reservation", "kit", "case", "twice", "together")


def open_for_sale(server: Server, token: str) -> None:
    """Make the strict channel `web`, and a `sweet` that never runs out."""
    server.call(
        "POST",
        "/channels",
        token=token,
        body={"name": "web", "kind": "webhook", "policy": "strict"},
    )
    _make(server, token, sku="sweet")
    _receive(server, token, {"sku": "sweet", "quantity": 1_000_000})


@dataclass(frozen=True)
class Scarce:
    """A product of which there are few, in every disguise: bare, by the case of two, in a kit.

    Attributes:
        sku: The product's; its kit is `<sku>-box`, one of it and one ribbon.
        case: The barcode of two of it.
    """

    sku: str = "unit"
    case: str = "16901234567890"

    def stock_up(self, server: Server, token: str, *, units: int) -> None:
        """Make the goods and take so many in; of the ribbon there is enough."""
        ribbon = f"{self.sku}-ribbon"
        _make(server, token, sku=self.sku, barcodes=[{"code": self.case, "factor": 2}])
        _make(server, token, sku=ribbon)
        parts = [{"sku": self.sku, "quantity": 1}, {"sku": ribbon, "quantity": 1}]
        _make(server, token, sku=f"{self.sku}-box", composition="kit", components=parts)
        stock = {"sku": self.sku, "quantity": units, "amount": "100.00"}
        _receive(server, token, stock, {"sku": ribbon, "quantity": 100_000})

    def buy(self, way: str, *, key: str) -> dict[str, Any]:
        """A request that wants it in one of the `WAYS`."""
        one = {"sku": self.sku, "quantity": 1}
        if way == "batch":
            body: dict[str, Any] = {
                "documents": [{"key": f"{key}-{i}", **sale(one)} for i in range(2)]
            }
            return {"method": "POST", "path": f"{DOCUMENTS}/batch", "body": body}
        if way == "together":
            ribbon = sale({"sku": f"{self.sku}-ribbon", "quantity": 1})
            pair = [{"key": f"{key}-r", **ribbon}, {"key": f"{key}-u", **sale(one)}]
            body = {"documents": pair, "together": True}
            return {"method": "POST", "path": f"{DOCUMENTS}/batch", "body": body}
        if way == "reservation":
            path = "/api/v1/reservations"
            commit = {"method": "POST", "path": f"{path}/{{id}}/commit", "key": f"{key}-c"}
            held = {"store": STORE, "channel": "web", "lines": [one], "expires_in": 600}
            return {"method": "POST", "path": path, "key": key, "body": held, "then": commit}
        lines = {
            "single": [one],
            "kit": [{"sku": f"{self.sku}-box", "quantity": 1}],
            "case": [{"barcode": self.case, "quantity": 1}],
            "twice": [one, one],
        }[way]
        return post_sale(key, *lines)


def taken(way: str, answer: dict[str, Any], body: dict[str, Any]) -> int:
    """How many units a successful answer to `Scarce.buy` says are gone."""
    if answer["status"] >= 300:
        return 0
    if way == "batch":
        return sum(result["status"] == "created" for result in body["results"])
    if way == "together":
        statuses = {result["status"] for result in body["results"]}
        assert statuses in ({"created"}, {"refused"}), body
        return int(statuses == {"created"})
    return {"single": 1, "reservation": 1, "kit": 1, "case": 2, "twice": 2}[way]


def sale(*lines: dict[str, Any], channel: str = "web") -> dict[str, Any]:
    """The body of an issue."""
    return {"kind": "issue", "store": STORE, "channel": channel, "lines": list(lines)}


def post_sale(key: str, *lines: dict[str, Any]) -> dict[str, Any]:
    """The request that posts an issue."""
    return {"method": "POST", "path": DOCUMENTS, "key": key, "body": sale(*lines)}


def on_hand(server: Server, token: str, sku: str) -> tuple[str, str]:
    """What the shop says is on hand and reserved of a product."""
    rows = server.call("GET", f"/stock?sku={sku}&store={STORE}", token=token)["items"]
    [row] = rows
    return row["on_hand"], row["reserved"]


def _make(server: Server, token: str, **product: Any) -> None:
    body = {"name": product["sku"], "unit": "pc", **product}
    server.call("POST", "/products", token=token, body=body)


def _receive(server: Server, token: str, *lines: dict[str, Any]) -> None:
    body = {"kind": "receipt", "store": STORE, "lines": list(lines)}
    server.call("POST", "/documents", token=token, body=body)
