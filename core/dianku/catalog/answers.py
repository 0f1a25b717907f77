"""Products and scanned codes as they are answered: numbers as strings, costs only to who may."""

from __future__ import annotations

from collections.abc import Mapping

from dianku.catalog.on_shelf import Level
from dianku.catalog.product_rows import ProductRow
from dianku.catalog.records import Store
from dianku.catalog.requests import (
    BarcodeRecord,
    ComponentRecord,
    DisplayRecord,
    OpenPriceRecord,
    ProductRecord,
    ScanMatch,
    ScanStock,
    StoreSettingsRecord,
)
from dianku.catalog.scan import Reading
from dianku.clock import day_of
from dianku.quantity import format_amount, format_cost, format_quantity


def product_record(
    row: ProductRow,
    *,
    precisions: Mapping[str, int],
    with_cost: bool,
    stores: list[StoreSettingsRecord] | None = None,
) -> ProductRecord:
    """A product; `precisions` of its components by sku."""
    shown = None
    if row.display_unit is not None and row.display_factor is not None:
        shown = DisplayRecord(unit=row.display_unit, factor=row.display_factor)
    return ProductRecord(
        sku=row.sku,
        name=row.name,
        spec=row.spec,
        unit=row.unit,
        display=shown,
        category=row.category,
        barcodes=[
            BarcodeRecord(code=pack.code, factor=pack.factor, price=_amount(pack.price))
            for pack in row.packs
        ],
        price=_amount(row.price),
        open_price=_open_price((row.open_price_min, row.open_price_max)),
        cost=format_cost(row.cost) if with_cost and row.cost is not None else None,
        precision=row.precision,
        track_lots=row.track_lots,
        shelf_life_days=row.shelf_life_days,
        low_stock=_quantity(row.low_stock, row.precision),
        overstock_days=row.overstock_days,
        max_stock=_quantity(row.max_stock, row.precision),
        composition=row.composition,
        components=[
            ComponentRecord(
                sku=part.sku, quantity=format_quantity(part.quantity, precisions[part.sku])
            )
            for part in row.parts
        ],
        family=row.family,
        archived=row.archived_at is not None,
        photo=row.photo,
        stores=stores,
    )


def scan_match(reading: Reading, *, store: Store | None, level: Level | None) -> ScanMatch:
    """One product a code may stand for; `price` is that of the whole pack."""
    product = reading.product
    price = reading.price
    if price is None:
        unit_price = product.price_in(store.id) if store is not None else product.price
        price = unit_price * reading.factor if unit_price is not None else None
    return ScanMatch(
        sku=product.sku,
        name=product.name,
        spec=product.spec,
        unit=product.unit,
        factor=reading.factor,
        price=_amount(price),
        open_price=_open_price(product.open_price, factor=reading.factor),
        quantity=_quantity(reading.quantity, product.precision),
        amount=_amount(reading.amount),
        lot=reading.lot,
        made_on=_day(reading.made_on),
        expires_on=_day(reading.expires_on),
        composition=product.composition,
        photo=product.photo,
        stock=_stock(level, store, precision=product.precision),
    )


def _stock(level: Level | None, store: Store | None, *, precision: int) -> ScanStock | None:
    if level is None or store is None:
        return None
    return ScanStock(
        store=store.code,
        on_hand=format_quantity(level.on_hand, precision),
        reserved=format_quantity(level.reserved, precision),
        available=format_quantity(level.available, precision),
    )


def _open_price(
    bounds: tuple[int | None, int | None], *, factor: int = 1
) -> OpenPriceRecord | None:
    """The bounds for so many base units; None where the list price stands."""
    if bounds == (None, None):
        return None
    least, most = (None if bound is None else bound * factor for bound in bounds)
    return OpenPriceRecord(min=_amount(least), max=_amount(most))


def _amount(minor: int | None) -> str | None:
    return format_amount(minor) if minor is not None else None


def _quantity(steps: int | None, precision: int) -> str | None:
    return format_quantity(steps, precision) if steps is not None else None


def _day(number: int | None) -> str | None:
    return day_of(number).isoformat() if number is not None else None
