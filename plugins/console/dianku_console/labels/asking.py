"""What is asked for in labels, and what stands on them: only what the caller may see anyway.

Everything comes of `Call.ask`, product by product, for only so a product says what a store asks for
it. Of more than there are bounds for nothing is made: who asks is told, never left with a part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import quote

from attrs import frozen
from msgspec import Meta, field

from dianku.api import Call, Code, Content, FieldError, Refused, Request, Route, invalid
from dianku_console import formats
from dianku_console.labels.drawing import Tag, drawn
from dianku_console.labels.papers import PAPERS
from dianku_console.labels.pdf import pdf_of

GOODS_MAX = 200
LABELS_MAX = 1000
COPIES_MAX = 100
WHOLE = Decimal(1)
"""A price below this is of a measure (a gram, a millilitre) where there is a larger unit."""

Size = Literal[
    "40x30",
    "50x30",
    "60x40",
    "70x38",
    "a4-21",
    "a4-24",
    "a4-40",
    "a4-65",
    "cut-40x30",
    "cut-50x30",
    "cut-60x40",
    "cut-70x38",
]
Copies = Annotated[int, Meta(ge=1, le=COPIES_MAX)]


class LabelsQuestion(Request, frozen=True, kw_only=True):
    """Which products, how many labels of each, and on what.

    `copies` once is for all, or it is given for each `sku` in turn; without it one of each.
    `store` is whose prices are printed, `plain` leaves prices out. `code=qr` prints QR codes, which
    is also done where bars have no room. `first` is the place on the first sheet to begin at,
    from 1: of a sheet of stickers of which some are used.
    """

    sku: Annotated[list[Code], Meta(min_length=1, max_length=GOODS_MAX)]
    copies: list[Copies] = field(default_factory=lambda: [1])
    size: Size = "50x30"
    code: Literal["bars", "qr"] = "bars"
    plain: bool = False
    first: Annotated[int, Meta(ge=1)] = 1
    store: Code | None = None


@frozen
class Ware:
    """A product as the API has it, with its tag."""

    product: Mapping[str, Any]
    tag: Tag


def wares(
    call: Call, skus: Sequence[str], *, store: str, priced: bool
) -> Iterator[tuple[str, Ware | None]]:
    """Each code with its product and tag; None for a code that nobody has."""
    currency = str(call.ask("/me")["shop"]["currency"])
    for sku in skus:
        try:
            product = call.ask(f"/products/{quote(sku, safe='')}")
        except Refused as refused:
            if refused.problem.code != "not_found":
                raise
            yield sku, None
            continue
        yield sku, Ware(product, tag_of(product, store=store, currency=currency, priced=priced))


def tag_of(product: Mapping[str, Any], *, store: str, currency: str, priced: bool) -> Tag:
    """What stands on a product's label; `store` has prices of its own, or is empty."""
    name = " ".join(filter(None, (product["name"], product["spec"])))
    single = _single(product)
    price, per, also = "", "", []
    if priced and (asked := _asked(product, store)) is not None:
        prices = [
            (formats.money(amount, currency), unit) for amount, unit in _prices(product, asked)
        ]
        (price, per), *others = prices
        also = [f"{amount}/{unit}" for amount, unit in others]
    return Tag(name, single["code"], price, per, also)


def _single(product: Mapping[str, Any]) -> Mapping[str, Any]:
    """The barcode of one base unit; the SKU where there is none, which has no price of its own."""
    packs = (one for one in product["barcodes"] if one["factor"] == 1)
    return next(packs, {"code": product["sku"], "price": None})


def _asked(product: Mapping[str, Any], store: str) -> Decimal | None:
    """What a scan of the label is sold for in a store: its barcode's price before all others."""
    stores = {one["store"]: one for one in product["stores"] or ()}
    own = _single(product)["price"]
    price = own or stores.get(store, {}).get("price") or product["price"]
    return None if price is None else Decimal(price)


def _prices(product: Mapping[str, Any], each: Decimal) -> list[tuple[Decimal, str]]:
    """The price that is meant first, then the others, each with what it is for."""
    unit, display = product["unit"], product["display"]
    of_packs = {
        pack["factor"]: Decimal(pack["price"])
        for pack in product["barcodes"]
        if pack["factor"] > 1 and pack["price"] is not None
    }
    found = [(each, unit)]
    if display is not None and (factor := display["factor"]) > 1:
        larger = of_packs.pop(factor, each * factor), f"{display['unit']} ({factor} {unit})"
        # Nobody reads the price of a gram: what is sold by the kilogram is priced by it.
        found = [larger, *found] if each < WHOLE else [*found, larger]
    return found + [(price, f"{factor} {unit}") for factor, price in sorted(of_packs.items())]


def _labels(call: Call) -> Content:
    """The PDF of `GET /labels`."""
    asked: LabelsQuestion = call.query
    copies = asked.copies * len(asked.sku) if len(asked.copies) == 1 else asked.copies
    if len(copies) != len(asked.sku):
        code, bound = ("too_few", "min") if len(copies) < len(asked.sku) else ("too_many", "max")
        raise invalid(FieldError("/copies", code, {bound: len(asked.sku)}))
    if sum(copies) > LABELS_MAX:
        raise invalid(FieldError("/copies", "too_many", {"max": LABELS_MAX}))
    paper = PAPERS[asked.size]
    if asked.first > paper.per_page:
        raise invalid(FieldError("/first", "too_large", {"max": paper.per_page}))
    _check_store(call, asked.store)
    found = list(wares(call, asked.sku, store=asked.store or "", priced=not asked.plain))
    wrong = [
        FieldError(f"/sku/{at}", "unknown_product", {"name": sku})
        for at, (sku, ware) in enumerate(found)
        if ware is None
    ]
    if wrong:
        raise invalid(*wrong)
    labels = [
        (drawn(ware.tag, paper, wanted=asked.code), count)
        for (_, ware), count in zip(found, copies, strict=True)
        if ware is not None
    ]
    name = f"labels-{paper.name}.pdf"
    return Content(pdf_of(labels, paper, first=asked.first), "application/pdf", filename=name)


def _check_store(call: Call, store: str | None) -> None:
    if store is None:
        return
    if store not in {one["code"] for one in call.ask("/stores", limit=1000)["items"]}:
        raise invalid(FieldError("/store", "unknown_store", {"name": store}))


ROUTES = (
    Route(
        "GET",
        "/labels",
        _labels,
        "catalog.view",
        "Labels to print, as a PDF",
        query=LabelsQuestion,
        media_type="application/pdf",
    ),
)
