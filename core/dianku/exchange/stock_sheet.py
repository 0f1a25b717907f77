"""Rows of stock files: opening stock, receipts, counts and sales, each with its goods and store.

Goods are found by sku, else by barcode (a carton's counts in base units), else by a platform's
number. A store is named by code or name; a row that names none belongs to the store asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from attrs import define, field, frozen

from dianku.catalog.records import Product, Store
from dianku.catalog.scan import Catalog, read_code
from dianku.clock import business_day, day_number, to_ms
from dianku.errors import NumberRefused
from dianku.exchange.barcodes import codes_of
from dianku.exchange.cells import (
    code_of,
    date_of,
    figure_and_unit,
    fold,
    has_time,
    moment_of,
    number_of,
)
from dianku.exchange.layout import Table, gtin_share
from dianku.exchange.product_changes import UNIT
from dianku.exchange.product_sheet import PLACEHOLDER_STOCK, forms
from dianku.exchange.reading import Raw
from dianku.exchange.records import ImportKind
from dianku.exchange.rows import Row
from dianku.quantity import parse_quantity

_CENT = Decimal("0.01")
_COST = Decimal("0.0001")


@define
class StockRow:
    """A row as it moves (or fixes) one product's stock in one store.

    `sku` as in the file, `codes` its barcodes; `product`, `store` and `quantity` (base units)
    once they are known. `second`: it repeats an earlier row and does nothing. `measured`: the
    quantity came with its unit in the same cell.
    """

    row: Row
    given: str | None
    codes: tuple[str, ...]
    quantity: Decimal | None
    values: dict[str, object] = field(factory=dict)
    product: Product | None = None
    store: Store | None = None
    second: bool = False
    kind: ImportKind = "opening-stock"
    measured: bool = False

    @property
    def failed(self) -> bool:
        """Whether any of its cells is wrong."""
        return bool(self.row.errors)

    @property
    def names(self) -> tuple[str, ...]:
        """Every code it may be known by, in the order to try."""
        given = (self.given,) if self.given is not None else ()
        return given or self.codes


def read_stock(
    tables: Sequence[Table], *, kind: ImportKind, escaped: bool, known: frozenset[str]
) -> list[StockRow]:
    """Clean every row of a stock file; goods and stores are found later."""
    found = []
    for table in tables:
        mend_text = gtin_share(table, "barcode") >= 0.5
        for number, cells in table.rows():
            row = Row(table, number, cells, escaped)
            found.append(_read(row, kind=kind, mend_text=mend_text, known=known))
    coded = has_codes(found)
    for one in found:
        if not one.failed and not one.names and (coded or "name" not in one.values):
            one.row.wrong("sku" if one.row.table.has("sku") else "barcode", "missing_key")
    return found


def has_codes(rows: Sequence[StockRow]) -> bool:
    """Whether any row says a code; a file of names alone is read by its names."""
    return any(one.names or one.row.has_code for one in rows)


def _read(row: Row, *, kind: ImportKind, mend_text: bool, known: frozenset[str]) -> StockRow:
    def codes(raw: Raw) -> tuple[str, ...]:
        text = raw if isinstance(raw, str) else None
        if text is not None and text in known:
            return (text,)
        return codes_of(raw, mend_text=mend_text).codes

    given = row.sku("sku", known=known)
    barcodes = row.read("barcode", codes) or ()
    platform_id = row.read("platform_id", code_of)
    if platform_id is not None:
        barcodes = (*barcodes, platform_id)
    unit = row.text("unit", longest=20)
    measured = figure_and_unit(row.raw("quantity"))
    quantity = Decimal(0) if measured else row.read("quantity", number_of)
    if measured:
        quantity, unit = number_of(measured[0]), measured[1]
    found = StockRow(row, given, barcodes, quantity, kind=kind, measured=measured is not None)
    if not row.errors:
        if found.quantity is None:
            row.wrong("quantity", "missing")
        elif kind == "opening-stock" and found.quantity in PLACEHOLDER_STOCK:
            row.wrong("quantity", "placeholder_stock")
        elif found.quantity < 0 and kind != "sales-history":
            row.wrong("quantity", "too_small", min=0)
        elif found.quantity.adjusted() > 11:
            row.wrong("quantity", "too_large", max="10^12")
    _read_values(row, found, kind=kind)
    if unit is not None:
        found.values["unit"] = unit
    return found


def _read_values(row: Row, found: StockRow, *, kind: ImportKind) -> None:
    values = {
        "name": row.text("name", longest=200),
        "spec": row.text("spec", longest=200),
        "store": row.read("store", code_of),
        "lot": row.text("lot", longest=64),
        "made_on": row.read("made_on", date_of),
        "expires_on": row.read("expires_on", date_of),
        "reference": row.read("reference", code_of),
        "supplier": row.text("supplier", longest=200),
        "channel": row.text("channel", longest=64),
        "promotion": row.text("promotion", longest=200),
        "stock_at_close": row.read("stock_at_close", number_of),
        "cost": row.amount("cost", digits=4),
    }
    signed = kind == "sales-history"
    values["amount"] = row.read("amount", number_of) if signed else row.amount("amount", digits=2)
    values["price"] = row.amount("price", digits=4)
    found.values = {name: value for name, value in values.items() if value is not None}


class Places:
    """The stores a caller may import into, by code and by name."""

    def __init__(self, stores: Mapping[str, Store], *, default: str | None) -> None:
        self._by_name: dict[str, Store] = {}
        for store in stores.values():
            self._by_name.setdefault(fold(store.name), store)
        for store in stores.values():
            self._by_name[fold(store.code)] = store
        only = next(iter(stores.values())) if len(stores) == 1 else None
        self._default = stores.get(default) if default is not None else only

    def settle(self, one: StockRow) -> None:
        """Give a row its store, or say that there is none."""
        name = one.values.get("store")
        if name is None:
            one.store = self._default
            if one.store is None:
                one.row.wrong("store", "missing")
            return
        one.store = self._by_name.get(fold(str(name)))
        if one.store is None:
            one.row.wrong("store", "unknown_store", name=str(name))


def settle_product(one: StockRow, cache: Catalog, *, missing_allowed: bool) -> None:
    """Give a row its product, and its quantity in base units; the cache must hold its codes."""
    factor = 1
    for name in one.names:
        product = cache.by_sku(name) if one.given is not None else None
        if product is not None:
            one.product = product
            break
        readings = [r for form in forms(name)[:1] for r in read_code(cache, form, one.store)]
        if len({r.product.sku for r in readings}) > 1:
            skus = ", ".join(r.product.sku for r in readings[:5])
            one.row.wrong(_key(one), "ambiguous_barcode", name=name, skus=skus)
            return
        if readings:
            one.product = readings[0].product
            factor = readings[0].factor
            _in_base_units(one, factor)
            break
    if one.product is None:
        if not one.failed and not missing_allowed:
            one.row.wrong(_key(one), "unknown_product", name=one.names[0])
        return
    if factor == 1:
        _settle_unit(one, one.product)
    _check_quantity(one, one.product)


def _settle_unit(one: StockRow, product: Product) -> None:
    """A quantity in the product's larger unit becomes base units; one in another is not known."""
    unit = one.values.get("unit")
    if unit is None or fold(str(unit)) == fold(product.unit):
        return
    if product.display is not None and fold(str(unit)) == fold(product.display[0]):
        _in_base_units(one, product.display[1])
    elif one.measured:
        one.row.wrong("quantity", "unit_differs", name=product.sku, unit=product.unit)
    elif one.kind != "sales-history" and product.unit != UNIT:
        one.row.note("unit", "unit_differs", name=product.sku, unit=product.unit)


def _in_base_units(one: StockRow, factor: int) -> None:
    """A quantity of packs as base units, and what was said of one pack as said of a base unit."""
    if factor == 1 or one.quantity is None:
        return
    packs, one.quantity = one.quantity, one.quantity * factor
    cost, price = one.values.get("cost"), one.values.pop("price", None)
    if isinstance(price, Decimal):
        one.values.setdefault("amount", price * packs)
    if isinstance(cost, Decimal):
        if one.kind == "receipts" and "amount" not in one.values:
            one.values["amount"] = (cost * packs).quantize(_CENT, rounding=ROUND_HALF_UP)
        one.values["cost"] = (cost / factor).quantize(_COST, rounding=ROUND_HALF_UP)


def _key(one: StockRow) -> str:
    for name in ("sku", "barcode", "platform_id"):
        if one.row.raw(name) not in (None, ""):
            return name
    return "sku"


def _check_quantity(one: StockRow, product: Product) -> None:
    if one.quantity is not None:
        try:
            parse_quantity(one.quantity, product.precision)
        except NumberRefused as refused:
            one.row.wrong("quantity", refused.code, digits=product.precision)
    if not product.track_lots:
        for name in ("lot", "made_on", "expires_on"):
            if one.values.pop(name, None) is not None:
                one.row.note(name, "lots_not_tracked", name=product.sku)


@frozen
class Dated:
    """When a row happened: its business date as a day number, and the moment where it says one."""

    day: int
    moment: datetime | None


def dated(one: StockRow) -> Dated | None:
    """The business date of a row: a date is one itself, a time belongs to the store's day."""
    store = one.store
    if store is None:
        return None

    def read(raw: Raw) -> Dated | None:
        if not has_time(raw):
            day = date_of(raw)
            return Dated(day_number(day), None) if isinstance(day, date) else None
        moment = moment_of(raw, zone=store.timezone)
        if moment is None:
            return None
        day_of_sale = business_day(
            to_ms(moment), zone=store.timezone, cutoff_minutes=store.day_cutoff_minutes
        )
        return Dated(day_of_sale, moment)

    return one.row.read("time", read)


def mark_repeats(rows: Sequence[StockRow]) -> None:
    """A level may be set once per product, store and lot: a repeat is idle or, differing, wrong."""
    first: dict[tuple[object, ...], StockRow] = {}
    for one in rows:
        if one.failed or one.product is None or one.store is None:
            continue
        key = (one.product.id, one.store.id, one.values.get("lot"))
        earlier = first.setdefault(key, one)
        if earlier is one:
            continue
        if earlier.quantity == one.quantity:
            one.second = True
            one.row.note(None, "duplicate_row", row=earlier.row.number)
        else:
            one.row.wrong("quantity", "duplicate_differs", row=earlier.row.number)
