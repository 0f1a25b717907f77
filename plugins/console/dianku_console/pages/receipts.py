"""The receipt (小票) of a sale or a refund: on screen, and on rolls of 58 and 80 mm."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from dianku.api import Call, Page, Title, refuse
from dianku_console.barcodes import bars_of
from dianku_console.pages.documents import MONEY_KINDS, product_names

PAPERS = ("58", "80")
"""Widths in millimetres, as printers at a counter take them."""
MONEY = re.compile(r"\d{1,9}(\.\d{1,2})?")
UNIT_DIGITS = Decimal("0.01")


def _receipt(call: Call) -> dict[str, Any]:
    number = call.path["number"]
    document = call.ask(f"/documents/{quote(number, safe='')}")
    if document["kind"] not in MONEY_KINDS or document["action"] not in {"post", "reversal"}:
        raise refuse("not_found", what="receipt", name=number)
    products = product_names(call, [document])
    total = sum((Decimal(line["amount"] or 0) for line in document["lines"]), Decimal(0))
    cash = sum(
        (Decimal(one["amount"]) for one in document["payments"] if one["kind"] == "cash"),
        Decimal(0),
    )
    returned = _returned(call, document)
    received = _money(call, "received")
    let_off = _money(call, "off")
    paper = str(call.query.get("paper") or "")
    return {
        "document": document,
        "when": _when(call, document),
        "lines": [_line(line, products.get(line["sku"], {})) for line in document["lines"]],
        "total": str(total),
        "returned": returned,
        "back": (document["kind"] == "customer_return") != bool(document["reverses"]),
        # What the till knew and no document says: shown on the receipt that it prints at once.
        "received": str(received) if cash and received > cash else "",
        "change": str(received - cash),
        "off": str(let_off) if let_off else "",
        "before": str(total + let_off),
        "bars": bars_of(document["number"]),
        "papers": PAPERS,
        "paper": paper if paper in PAPERS else PAPERS[0],
        "self": f"/console/documents/{quote(number, safe='')}/receipt?received={received}"
        f"&off={let_off}" + (f"&returned={returned['number']}" if returned else ""),
    }


def _returned(call: Call, sale: Mapping[str, Any]) -> dict[str, Any] | None:
    """Of an exchange: what came back for it, which the till that posted both names."""
    number = str(call.query.get("returned") or "")
    if not number or not any(one["kind"] == "exchange" for one in sale["payments"]):
        return None
    found = call.ask(f"/documents/{quote(number, safe='')}")
    if found["kind"] != "customer_return" or found["recorded_at"] != sale["recorded_at"]:
        raise refuse("not_found", what="document", name=number)
    products = product_names(call, [found])
    return {
        "number": found["number"],
        "lines": [_line(line, products.get(line["sku"], {})) for line in found["lines"]],
        "total": str(sum(Decimal(line["amount"] or 0) for line in found["lines"])),
        "payments": [one for one in found["payments"] if one["kind"] != "exchange"],
    }


def _line(line: Mapping[str, Any], product: Mapping[str, Any]) -> dict[str, Any]:
    """A line as it is printed; one unit's price where the amount is so many times that."""
    amount, quantity = Decimal(line["amount"] or 0), Decimal(line["quantity"])
    unit = (amount / quantity).quantize(UNIT_DIGITS) if quantity else Decimal(0)
    return {
        "name": product.get("name", line["sku"]),
        "unit": product.get("unit", ""),
        "quantity": line["quantity"],
        "amount": line["amount"],
        # Told on the receipt: who comes for the goods brings it.
        "waiting": line["waiting"] if Decimal(line["waiting"] or 0) else "",
        "each": str(unit) if unit * quantity == amount else "",
    }


def _when(call: Call, document: Mapping[str, Any]) -> str:
    """The moment by the clock of the document's own store, whole, as it stays on paper."""
    stores = call.ask("/stores", limit=1000)["items"]
    zone = next((one["timezone"] for one in stores if one["code"] == document["store"]), "UTC")
    moment = datetime.fromisoformat(document["occurred_at"]).astimezone(ZoneInfo(zone))
    return f"{moment:%Y-%m-%d %H:%M}"


def _money(call: Call, name: str) -> Decimal:
    text = str(call.query.get(name) or "")
    return Decimal(text) if MONEY.fullmatch(text) else Decimal(0)


PAGES = (
    Page(
        "/console/documents/{number}/receipt",
        Title("小票", "Receipt"),
        "document.view",
        "documents/receipt.html",
        _receipt,
    ),
)
