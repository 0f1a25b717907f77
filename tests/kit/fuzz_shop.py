"""A shop with some of everything in it, for requests made by chance.

Chance alone finds neither the number of a document nor the body of a sale. So the shop says what
is there (`known`: values for parameters) and what is right (`examples`: whole requests that are
accepted). What a request uses up is there several times.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

SPARE = 12
"""How many there are of what can be ended only once: transfers, tokens, reservations."""
SPENT = SPARE // 2
"""How many of them the examples end; the others are left to chance."""

Json = Any
PAPER = b"%PDF-1.4\n%%EOF\n"
LINE = {"sku": "cola", "quantity": 1}
OFFER = {
    "kind": "receipt",
    "store": "S1",
    "supplier": "Coop",
    "lines": [{"sku": "cola", "quantity": "10000", "amount": "30000.00"}],
}
DOCUMENTS: tuple[dict[str, Json], ...] = (
    OFFER,
    {"kind": "issue", "store": "S1", "lines": [{**LINE, "amount": "3.50"}]},
    {"kind": "issue", "store": "S1", "channel": "web", "lines": [{"sku": "box", "quantity": 1}]},
    {"kind": "issue", "store": "S1", "lines": [{"sku": "tea", "quantity": "0.125"}]},
    {"kind": "issue", "store": "S1", "lines": [{"barcode": "6901234567892", "quantity": 1}]},
    {"kind": "customer_return", "store": "S1", "lines": [{**LINE, "disposition": "shelf"}]},
    {"kind": "supplier_return", "store": "S1", "supplier": "Coop", "lines": [LINE]},
    {"kind": "write_off", "store": "S1", "lines": [{**LINE, "reason": "damaged"}]},
    {"kind": "transfer", "store": "S1", "to_store": "S2", "lines": [LINE]},
    {"kind": "adjustment", "store": "S1", "lines": [{"sku": "cola", "counted": "9000"}]},
    {"kind": "adjustment", "store": "S1", "lines": [{"sku": "cola", "delta": "5"}]},
    {"kind": "production", "store": "S1", "lines": [{"sku": "bun", "quantity": 2}]},
    {"kind": "cost_adjustment", "store": "S1", "lines": [{"sku": "cola", "amount": "1.00"}]},
    {
        "kind": "receipt",
        "store": "S1",
        "lines": [
            {"sku": "milk", "quantity": 9, "unit_cost": "4", "lot": "L1", "made_on": "2026-01-02"}
        ],
    },
)
HOLD = {"store": "S1", "lines": [LINE], "channel": "web", "expires_in": 86_400}
KEPT = {"kind": "issue", "store": "S1", "lines": [{"sku": "cola", "quantity": 3, "kept": 2}]}
CLOSING = {"counted": "120.50", "float_start": "100", "float_left": 100, "note": "all well"}
SETTINGS = {
    "shop": {"name": "Corner", "low_stock": "3", "hold_minutes": 20, "language": "en"},
    "http": {"body_bytes_max": 8_000_000, "upload_bytes_max": 64_000_000},
    "net": {"allow_private": False},
}
SHEETS: dict[str, list[list[str]]] = {
    "products": [["sku", "name", "unit"], ["new-{n}", "New {n}", "pc"]],
    "opening-stock": [["sku", "quantity"], ["late-{n}", "5"]],
    "receipts": [["sku", "quantity", "cost"], ["cola", "{n}", "2"]],
    "counts": [["sku", "quantity"], ["tea", "{n}"]],
    "sales-history": [["sku", "quantity", "time"], ["cola", "{n}", "2025-03-04"]],
}


@dataclass(frozen=True)
class Example:
    """A request that is accepted. `upload` is a file that goes with it."""

    path: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    query: Mapping[str, Json] = field(default_factory=dict)
    upload: bytes | None = None


class FuzzShop:
    """Fills the shop behind an address over HTTP, with an owner's token.

    Attributes:
        known: What exists, by the path and name of a parameter (`/users/{id} id`) or, in queries,
            by its name alone.
    """

    def __init__(self, url: str, token: str) -> None:
        self._root = f"{url}/api/v1"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._numbers = itertools.count(1)
        self.known: dict[str, list[str]] = {}
        self._fill_catalog()
        self._fill_people()
        self._trade()
        self._take_in()
        self._know_queries()

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _call(self, method: str, path: str, body: Json = None, **more: Any) -> Any:
        answer = self._session.request(method, self._root + path, json=body, timeout=60, **more)
        assert answer.ok, f"{method} {path} {body}: {answer.status_code} {answer.text}"
        return answer.json()

    def _make(self, path: str, **body: Json) -> Any:
        return self._call("POST", path, body)

    def _know(self, values: list[str], *names: str) -> None:
        for name in names:
            self.known.setdefault(name, []).extend(values)

    def _fill_catalog(self) -> None:
        self._make("/stores", code="S2", name="Second")
        template = {"prefix": "21", "template": "FFWWWWWEEEEEC"}
        self._make("/stores", code="W1", name="House", kind="warehouse", scale_templates=[template])
        for code, parent in (("food", None), ("drinks", "food")):
            self._make("/categories", code=code, name=code.title(), parent=parent)
        self._make("/channels", name="web", kind="webhook", policy="strict")
        self._make("/channels", name="market", kind="webhook", policy="permissive")
        self._make("/channels", name="spare", kind="webhook")
        pack = [{"code": "6901234567892", "factor": 6, "price": "18.00"}]
        self._product("cola", category="drinks", barcodes=pack, price="3.50", cost="2.00")
        self._product("milk", category="drinks", track_lots=True, shelf_life_days=30)
        self._product("tea", precision=3, unit="kg", price="120.00", low_stock="1")
        parts = [{"sku": "cola", "quantity": 2}, {"sku": "tea", "quantity": "0.250"}]
        self._product("box", composition="kit", components=parts, price="9.90")
        self._product("bun", composition="made", components=parts[1:], price="2")
        bounds = {"min": "0.50", "max": "20"}
        self._product("wrapping", composition="service", price="1", open_price=bounds)
        for number in range(SPARE):
            self._product(f"spare-{number}")
        spare = [f"spare-{number}" for number in range(SPARE)]
        goods = ["cola", "milk", "tea", "box", "bun", "wrapping"]
        changed = ["milk", "bun", "wrapping"]  # no example needs them as they are
        self._know(["S1", "S2", "W1"], "/stores/{store} store", "store")
        self._know(["S1", "S2", "W1"], "/products/{sku}/stores/{store} store")
        self._know(["food", "drinks"], "/categories/{code} code", "category")
        self._know(["market", "spare"], "/channels/{name} name")
        self._know(["counter", "web", "market"], "channel")
        self._know(spare, "/products/{sku}/archive sku", "/products/{sku}/unarchive sku")
        self._know([*changed, *spare[:4]], "/products/{sku} sku")
        self._know(goods, "sku")
        self._know(changed, "/products/{sku}/stores/{store} sku")
        self._know(["6901234567892", "cola", "tea"], "/scan/{code} code", "barcode")
        self._know(["products", "stock", "documents", "moves"], "/exports/{kind} kind")
        self._know([*SETTINGS], "/settings/{section} section")

    def _product(self, sku: str, **more: Json) -> None:
        self._make("/products", **{"sku": sku, "name": sku.title(), "unit": "pc", **more})

    def _fill_people(self) -> None:
        self._make("/users", name="owner", role="owner", password="long enough")
        for number in range(SPARE):
            user = self._make("/users", name=f"clerk-{number}", role="clerk", stores=["S1"])
            self._know([user["id"]], "/users/{id} id")
            token = self._make("/tokens", name=f"till-{number}", role="counter")
            self._know([token["id"]], "/tokens/{id} id")
            self._know([self._make("/devices", name=f"Till {number}")["id"]], "/devices/{id} id")
            self._make("/sessions", name="owner", password="long enough")
            # Whoever is signed in asks as that person: the token is to ask.
            self._session.cookies.clear()
        sign_ins = self._call("GET", "/sessions")["items"]
        self._know([one["id"] for one in sign_ins], "/sessions/{id} id")

    def _trade(self) -> None:
        stock = [
            {"sku": "cola", "quantity": 10_000, "unit_cost": "2"},
            {"sku": "tea", "quantity": "900.5", "unit_cost": "60"},
        ]
        self._make("/documents", kind="receipt", store="S1", lines=stock)
        self._make("/documents", kind="receipt", store="S2", lines=stock)
        for document in DOCUMENTS:
            number = self._post(document)
            self._know([number], "/documents/{number} number")
            self._know([number], "/documents/{number}/attachments number")
        for _ in range(SPARE):
            many = {"sku": "cola", "quantity": 4}
            sale = self._make("/documents", kind="issue", store="S1", lines=[many])
            self._know([sale["number"]], "/documents/{number}/reverse number")
            self._know([self._post(KEPT)], "/documents/{number}/hand_over number")
            left = self._make("/documents", kind="issue", store="S1", lines=[many])
            self._know([left["number"]], "/documents/{number}/keep number")
            for path in ("close", "receive"):
                sent = self._make(
                    "/documents", kind="transfer", store="S1", to_store="S2", lines=[many]
                )
                self._know([sent["number"]], f"/transfers/{{number}}/{path} number")
            for path in ("", "/commit", "/extend", "/release"):
                hold = self._make("/reservations", **HOLD)
                self._know([hold["id"]], f"/reservations/{{id}}{path} id")
            short = [{"sku": "milk", "quantity": 50}]
            self._make("/documents", kind="issue", store="S2", channel="market", lines=short)
        for store in ("S1", "S2"):
            closing = self._make("/closings", **CLOSING, store=store)
            self._know([closing["id"]], "/closings/{id} id")
        found = self._call("GET", "/exceptions?limit=1000")["items"]
        self._know([one["id"] for one in found], "/exceptions/{id}/settle id")

    def _post(self, document: Mapping[str, Json]) -> str:
        number: str = self._make("/documents", **document)["number"]
        return number

    def _take_in(self) -> None:
        for _ in range(SPARE):
            answer = self._call(
                "POST",
                "/imports",
                data={"kind": "products"},
                files={"file": ("new.csv", self._sheet("products"))},
            )
            self._know([answer["id"]], "/imports/{id} id", "/imports/{id}/undo id")
        self._know([self._make("/backups")["name"]], "/backups/{name} name")
        kept = self._call("POST", "/attachments", files={"file": ("a.pdf", PAPER)})
        self._know([kept["id"]], "/attachments/{id} id", "attachment")

    def _sheet(self, kind: str) -> bytes:
        number = next(self._numbers)
        if kind == "opening-stock":
            self._product(f"late-{number}")
        out = io.StringIO()
        rows = SHEETS[kind]
        csv.writer(out).writerows([[cell.format(n=number) for cell in row] for row in rows])
        return out.getvalue().encode()

    def _know_queries(self) -> None:
        self._know(["receipt", "issue", "hold", "preorder"], "kind")
        self._know(["sku", "-name", "recorded_at", "-occurred_at", "on_hand", "id"], "sort")
        self._know(["2026-01-01", "2026-11-01T00:00:00+08:00"], "from", "to", "as_of")
        self._know(["cola", "可乐", "te", "%_\\"], "q", "kept_for")
        self._know(["product.changed", "document.posted"], "type")

    def path_values(self, path: str, name: str) -> list[str]:
        """What exists for a parameter of a path."""
        return self.known.get(f"{path} {name}", [])

    def examples(self, operation: str) -> Iterator[Example]:
        """Requests that are accepted, of an operation by its method and path; to be sent once."""
        make = _EXAMPLES.get(operation)
        if make is not None:
            yield from make(self)

    def each(self, path: str, body: Json = None) -> Iterator[Example]:
        """The same body for some of what the one parameter of a path is known to name."""
        name = path.partition("{")[2].partition("}")[0]
        for value in self.known[f"{path} {name}"][:SPENT]:
            yield Example(path={name: value}, body=body)

    def named(self, field_name: str, **more: Json) -> Iterator[Example]:
        """A body with a name nothing has yet."""
        for _ in range(SPENT):
            yield Example(body={field_name: f"fresh-{next(self._numbers)}", **more})

    def uploads(self) -> Iterator[Example]:
        """One spreadsheet of each kind."""
        for kind in SHEETS:
            yield Example(body={"kind": kind, "store": "S1"}, upload=self._sheet(kind))


def _bodies(*bodies: Json) -> Callable[[FuzzShop], Iterator[Example]]:
    return lambda _: (Example(body=body) for body in bodies)


def _each(path: str, body: Json = None) -> Callable[[FuzzShop], Iterator[Example]]:
    return lambda shop: shop.each(path, body)


def _named(field_name: str, **more: Json) -> Callable[[FuzzShop], Iterator[Example]]:
    return lambda shop: shop.named(field_name, **more)


def _settings(_: FuzzShop) -> Iterator[Example]:
    return (Example(path={"section": name}, body=body) for name, body in SETTINGS.items())


_ONE_LINE = {"lines": [{"line": 1, "quantity": 1}]}
_KEYED = [{**document, "key": f"k-{number}"} for number, document in enumerate(DOCUMENTS)]
_EXAMPLES: Mapping[str, Callable[[FuzzShop], Iterator[Example]]] = {
    "POST /attachments": lambda _: iter([Example(body={}, upload=PAPER + b"2")]),
    "POST /categories": _named("code", name="Some", parent="food", low_stock="2"),
    "PATCH /categories/{code}": _each("/categories/{code}", {"name": "Other", "low_stock": None}),
    "POST /channels": _named("name", kind="webhook", policy="strict", stores=["S1"]),
    "PATCH /channels/{name}": _each("/channels/{name}", {"issue_on": "paid", "stores": []}),
    "POST /closings": _bodies({**CLOSING, "store": "S1"}, {"store": "S2"}),
    "PUT /quick-keys": _bodies(
        {"store": "S1", "keys": [{"sku": "cola", "colour": 2}, {"sku": "tea"}]}, {"keys": []}
    ),
    "DELETE /devices/{id}": _each("/devices/{id}"),
    "POST /documents": _bodies(*DOCUMENTS),
    "POST /documents/check": _bodies(*DOCUMENTS),
    "POST /documents/batch": _bodies(
        {"documents": _KEYED},
        {"documents": list(DOCUMENTS)},
        {"documents": list(DOCUMENTS[:3]), "together": True},
    ),
    "POST /documents/{number}/attachments": lambda shop: shop.each(
        "/documents/{number}/attachments", {"attachment": shop.known["attachment"][0]}
    ),
    "POST /documents/{number}/hand_over": _each("/documents/{number}/hand_over", _ONE_LINE),
    "POST /documents/{number}/keep": _each("/documents/{number}/keep", _ONE_LINE),
    "POST /documents/{number}/reverse": _each("/documents/{number}/reverse", {"reason": "typo"}),
    "POST /exceptions/{id}/settle": _each("/exceptions/{id}/settle", {"note": "counted"}),
    "POST /imports": FuzzShop.uploads,
    "POST /imports/{id}/undo": _each("/imports/{id}/undo"),
    "GET /moves": lambda _: iter([Example(query={"sku": "cola", "from": "2026-01-01"})]),
    "POST /products": _named("sku", name="Some", unit="pc", price="2", barcodes=[{"code": "69"}]),
    "PATCH /products/{sku}": _each(
        "/products/{sku}", {"name": "Other", "low_stock": "2", "display": None}
    ),
    "POST /products/{sku}/archive": _each("/products/{sku}/archive"),
    "POST /products/{sku}/unarchive": _each("/products/{sku}/unarchive"),
    "PUT /products/{sku}/stores/{store}": lambda _: iter(
        [Example(path={"sku": "milk", "store": "S1"}, body={"price": "4", "shelf": "A-1"})]
    ),
    "POST /reservations": _bodies(
        HOLD, {"store": "S1", "lines": [LINE], "kind": "preorder", "due_on": "2030-01-01"}
    ),
    "POST /reservations/{id}/commit": _each("/reservations/{id}/commit", _ONE_LINE),
    "POST /reservations/{id}/extend": _each("/reservations/{id}/extend", {"expires_in": 90_000}),
    "POST /reservations/{id}/release": _each("/reservations/{id}/release"),
    "DELETE /sessions/{id}": _each("/sessions/{id}"),
    "POST /sessions": _bodies({"name": "owner", "password": "long enough"}),
    "PATCH /settings/{section}": _settings,
    "POST /stores": _named("code", name="Some", timezone="Europe/Berlin", day_cutoff="04:00"),
    "PATCH /stores/{store}": _each("/stores/{store}", {"name": "Other", "day_cutoff": "03:30"}),
    "POST /tokens": _named("name", role="counter", stores=["S1"]),
    "DELETE /tokens/{id}": _each("/tokens/{id}"),
    "POST /transfers/{number}/close": _each("/transfers/{number}/close", {"loss_to": "sender"}),
    "POST /transfers/{number}/receive": _each("/transfers/{number}/receive", _ONE_LINE),
    "POST /users": _named("name", role="clerk", password="long enough", stores=["S1"]),
    "DELETE /users/{id}": _each("/users/{id}"),
    "PATCH /users/{id}": _each("/users/{id}", {"role": "manager", "stores": None}),
}
"""Of each operation whose right requests chance does not find."""
