"""Goods: the list of them, and the page of one with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote, urlencode

from dianku.api import Call, Page, Refused, Title
from dianku_console.charts import bars

ROWS = 50
"""Rows of a list: a page holds as many with a hundred thousand products as with a hundred."""
CARD_ROWS = 20
CHART_DAYS = 30
SHOWN = ("low", "over", "archived")
TAKEN = frozenset({"new", "import", "labels", "categories"})
"""Words that stand where a code does in an address."""


def goods_href(sku: str, then: str = "") -> str:
    """The address of a product's page, whatever signs its code has."""
    path = f"/console/goods/{quote(sku, safe='')}"
    return f"{path}/{then}" if then else f"{path}/card" if sku in TAKEN else path


def text_of(call: Call, name: str) -> str:
    """What an address says, the last where it says it twice; empty for nothing."""
    found = call.query.get(name) or ""
    return str(found[-1] if isinstance(found, list) else found)


def texts_of(call: Call, name: str) -> list[str]:
    """All that an address says of one name."""
    found = call.query.get(name) or []
    return [str(one) for one in (found if isinstance(found, list) else [found]) if one]


def every(call: Call, path: str, **query: Any) -> Iterator[Mapping[str, Any]]:
    """The items of a list that is known to be short, page after page."""
    cursor = None
    while True:
        page = call.ask(path, limit=1000, cursor=cursor, **query)
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def split_display(quantity: object, product: Mapping[str, Any]) -> tuple[str, str] | None:
    """Whole larger units and what is left of the base unit; None where it is not shown so."""
    display = product.get("display")
    if display is None:
        return None
    try:
        steps = Decimal(str(quantity))
    except InvalidOperation:
        return None
    factor = Decimal(str(display["factor"]))
    if factor <= 1 or abs(steps) < factor:
        return None
    whole = int(steps / factor)
    return str(whole), str(abs(steps - whole * factor))


def _list(call: Call) -> dict[str, Any]:
    show = text_of(call, "show")
    show = show if show in SHOWN else ""
    asked = {"q": text_of(call, "q").strip(), "category": text_of(call, "category"), "show": show}
    narrowed = {
        "q": asked["q"][:200] or None,
        "category": asked["category"] or None,
        "limit": ROWS,
        "cursor": text_of(call, "cursor") or None,
    }
    if show in {"low", "over"}:
        page = call.ask("/stock", store=call.query["store"] or None, **{show: True}, **narrowed)
        rows = _with_products(call, page["items"])
    else:
        page = call.ask("/products", archived=show == "archived", **narrowed)
        rows = _with_stock(call, page["items"])
    kept = {name: value for name, value in asked.items() if value}
    cursor = page["next_cursor"]
    return {
        "rows": rows,
        "photos": any(row["photo"] for row in rows),
        "asked": asked,
        "filtered": bool(kept),
        "later": bool(narrowed["cursor"]),
        "first": f"/console/goods?{urlencode(kept)}",
        "next": f"/console/goods?{urlencode({**kept, 'cursor': cursor})}" if cursor else "",
        "labels": f"/console/goods/labels?{urlencode(kept)}",
        "categories": categories_of(call),
    }


def categories_of(call: Call) -> list[dict[str, Any]]:
    """Categories as a tree in one list, each with its depth."""
    found = list(every(call, "/categories"))
    below: dict[str | None, list[Mapping[str, Any]]] = {}
    for one in found:
        below.setdefault(one["parent"], []).append(one)

    def walk(parent: str | None, depth: int) -> Iterator[dict[str, Any]]:
        for one in sorted(below.get(parent, ()), key=lambda c: (c["name"], c["code"])):
            yield {**one, "depth": depth, "label": "\N{IDEOGRAPHIC SPACE}" * depth + one["name"]}
            yield from walk(one["code"], depth + 1)

    return list(walk(None, 0))


def _with_stock(call: Call, products: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Products with how they stand in the chosen store, or summed over all."""
    skus = [one["sku"] for one in products]
    stock: dict[str, dict[str, Any]] = {}
    if skus and call.ctx.may("stock.view"):
        for row in every(call, "/stock", sku=skus, store=call.query["store"] or None):
            stock[row["sku"]] = _added(stock.get(row["sku"]), row)
    return [_row(one, stock.get(one["sku"], {})) for one in products]


def _with_products(call: Call, stock: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of stock with the prices of their products; over all stores each says its own."""
    skus = sorted({row["sku"] for row in stock})
    known = {one["sku"]: one for one in every(call, "/products", sku=skus)} if skus else {}
    return [
        {
            **_row(known.get(row["sku"], row), row),
            "store": "" if call.query["store"] else row["store"],
        }
        for row in stock
    ]


def _added(sum_: dict[str, Any] | None, row: Mapping[str, Any]) -> dict[str, Any]:
    if sum_ is None:
        return dict(row)
    for name in ("on_hand", "available", "sold_7d"):
        sum_[name] = str(Decimal(sum_[name]) + Decimal(row[name]))
    return sum_ | {"low": sum_["low"] or row["low"], "over": sum_["over"] or row["over"]}


def _row(product: Mapping[str, Any], stock: Mapping[str, Any]) -> dict[str, Any]:
    composed = product.get("composition") in {"kit", "service"}
    on_hand = stock.get("available") if composed else stock.get("on_hand")
    return {
        "sku": product["sku"],
        "name": product["name"],
        "spec": product["spec"],
        "open_price": product.get("open_price"),
        "unit": product["unit"],
        "price": product.get("price"),
        "photo": product.get("photo"),
        "archived": product.get("archived", False),
        "on_hand": on_hand,
        "sold_7d": stock.get("sold_7d"),
        "low_stock": stock.get("low_stock"),
        "low": stock.get("low", False),
        "over": stock.get("over", False),
        "short": on_hand is not None and Decimal(on_hand) <= 0,
        "composed": composed,
        "store": "",
        "href": goods_href(product["sku"]),
    }


def _product(call: Call) -> dict[str, Any]:
    sku = call.path["sku"]
    address = quote(sku, safe="")
    product = call.ask(f"/products/{address}")
    store = call.query["store"]
    stock = list(every(call, "/stock", sku=sku)) if call.ctx.may("stock.view") else []
    here = next((row for row in stock if row["store"] == store), None)
    names = {row["sku"]: row for row in _components(call, product)}
    settings = {one["store"]: one for one in product["stores"] or ()}
    return {
        "product": product,
        "address": address,
        "store": store,
        "here": here,
        "totals": _totals(stock),
        "worth": _rounded(here["value"] if here else None),
        "stock": [
            {
                **row,
                "set": settings.get(row["store"]),
                "larger": split_display(row["on_hand"], product),
            }
            for row in stock
        ],
        "larger": split_display((here or _totals(stock))["on_hand"], product) if stock else None,
        "lots": [{**lot, "store": row["store"]} for row in stock for lot in row["lots"]],
        "components": [{**c, **_named(names.get(c["sku"]))} for c in product["components"]],
        "category": _category(call, product["category"]),
        "price_here": (settings.get(store) or {}).get("price") or product["price"],
        "set_here": settings.get(store),
        "chart": _chart(call, sku),
        "edit": goods_href(sku, "edit"),
        "right": goods_href(sku, "stock"),
        "labels": f"/console/goods/labels?{urlencode({'sku': sku})}",
        **_card(call, sku),
    }


def _totals(stock: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    names = ("on_hand", "available", "reserved", "sold_7d", "sold_30d", "in_transit", "incoming")
    return {name: str(sum((Decimal(row[name]) for row in stock), Decimal(0))) for name in names}


def _rounded(value: str | None) -> str | None:
    """A value for a reader: the books' four decimals are for adding up."""
    return None if value is None else str(Decimal(value).quantize(Decimal("0.01")))


def _components(call: Call, product: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    skus = [one["sku"] for one in product["components"]]
    return every(call, "/products", sku=skus) if skus else iter(())


def _named(product: Mapping[str, Any] | None) -> dict[str, Any]:
    if product is None:  # archived since: the composition still names it
        return {"name": "", "unit": "", "href": ""}
    return {
        "name": product["name"],
        "unit": product["unit"],
        "href": goods_href(product["sku"]),
    }


def _category(call: Call, code: str | None) -> str:
    if code is None:
        return ""
    return next((c["name"] for c in every(call, "/categories") if c["code"] == code), code)


def _chart(call: Call, sku: str) -> dict[str, Any] | None:
    """Sales by day; None where nothing reports them, or not to this reader."""
    try:
        report = call.ask(
            "/reports/sales",
            by="day",
            sku=sku,
            days=CHART_DAYS,
            store=call.query["store"] or None,
            limit=1000,
        )
    except Refused:
        return None
    rows = {row["day"]: row for row in report["items"]}
    return bars(rows, last=report["to"], days=CHART_DAYS)


def _card(call: Call, sku: str) -> dict[str, Any]:
    """One page of the stock card, the newest first."""
    if not call.ctx.may("stock.view"):
        return {"moves": [], "moves_next": "", "moves_later": False}
    cursor = text_of(call, "cursor") or None
    store = call.query["store"]
    page = call.ask(
        "/moves",
        sku=sku,
        store=store or None,
        sort="-occurred_at",
        limit=CARD_ROWS,
        cursor=cursor,
    )
    more = page["next_cursor"]
    return {
        "moves": page["items"],
        "moves_next": f"{goods_href(sku)}?{urlencode({'cursor': more})}" if more else "",
        "moves_later": cursor is not None,
    }


PAGES = (
    Page(
        "/console/goods",
        Title("商品", "Goods"),
        "catalog.view",
        "goods/list.html",
        _list,
        place="stock",
        icon="package",
        order=30,
    ),
    Page(
        "/console/goods/{sku}",
        Title("商品", "Product"),
        "catalog.view",
        "goods/product.html",
        _product,
    ),
    Page(
        "/console/goods/{sku}/card",
        Title("商品", "Product"),
        "catalog.view",
        "goods/product.html",
        _product,
    ),
)
