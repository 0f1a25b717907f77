"""What a scanned code stands for: a pure reading of the catalog, the same for every entry.

Order: the labels of the store's own scales, then exactly this barcode, then the same GTIN in
another form, then a GS1 string, then a sku; last, all of it again without what a keyboard added.
The first of them that finds anything decides, so a code with a meaning of its own is never
overruled by a cleverer reading.

A caller first asks `candidates` and has the catalog load them, then calls `read_code`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Protocol

from attrs import frozen

from dianku.catalog.codes import Gs1Data, gtin_forms, parse_gs1, strip_symbology
from dianku.catalog.records import Barcode, Product, Store
from dianku.catalog.scales import ScaleLabel, read_label, weight_in_steps
from dianku.quantity import divide_half_up


class Catalog(Protocol):
    """What of the catalog a code is looked up in."""

    def by_sku(self, sku: str) -> Product | None:
        """The product of a sku."""
        ...

    def by_barcode(self, code: str) -> Sequence[tuple[Product, Barcode]]:
        """The products that bear a barcode."""
        ...


@frozen
class Reading:
    """One product a code may stand for, and what the code itself says.

    Attributes:
        factor: Base units of one pack of the code (1 for a sku).
        price: The pack's own price in minor units; None: `factor` times the list price.
        quantity: Steps, where the label says how much; it then stands for all that was scanned,
            so it is not multiplied by `factor` again.
        amount: Minor units, where the label says for how much.
        lot, expires_on, made_on: Of a GS1 string; dates are day numbers.
    """

    product: Product
    factor: int = 1
    price: int | None = None
    quantity: int | None = None
    amount: int | None = None
    lot: str | None = None
    expires_on: int | None = None
    made_on: int | None = None


def candidates(code: str, store: Store | None) -> frozenset[str]:
    """Every barcode or sku that a code may be found under; load them before `read_code`."""
    typed = as_typed(code)
    found = _candidates(code, store)
    return found if typed == code else found | _candidates(typed, store)


def as_typed(code: str) -> str:
    """A code as it was meant where it came through a keyboard.

    A scanner gun types: with a Chinese input method on its figures come full-width, and some guns
    put a blank or a line's end behind them.
    """
    return unicodedata.normalize("NFKC", code).strip()


def _candidates(code: str, store: Store | None) -> frozenset[str]:
    plain = strip_symbology(code)
    found = {code, plain, *gtin_forms(plain)}
    for label in _labels(plain, store):
        found.update(label.items)
    data = parse_gs1(code)
    if data is not None:
        found.update(gtin_forms(data.gtin))
    return frozenset(found)


def read_code(catalog: Catalog, code: str, store: Store | None) -> list[Reading]:
    """The products a code may stand for, in the order to offer; empty if it is unknown.

    Archived products are given only where nothing else is found. Without a store no label of a
    scale can be read: its layout is a store's.
    """
    found: list[Reading] = []
    for spelling in dict.fromkeys((code, as_typed(code))):
        found = found or _read(catalog, spelling, store)
    live = [reading for reading in found if not reading.product.archived]
    return live or found


def _read(catalog: Catalog, code: str, store: Store | None) -> list[Reading]:
    plain = strip_symbology(code)
    found = _weighed(catalog, plain, store)
    if not found:
        found = _spelt(catalog, (code, plain, *gtin_forms(plain)))
    if not found:
        found = _gs1(catalog, parse_gs1(code))
    if not found:
        found = [Reading(p) for p in (catalog.by_sku(code), catalog.by_sku(plain)) if p][:1]
    return found


def _labels(code: str, store: Store | None) -> Sequence[ScaleLabel]:
    return read_label(code, store.scale_templates) if store is not None else ()


def _packs(catalog: Catalog, codes: Iterable[str]) -> list[Reading]:
    """The readings of the first of several spellings that is on any product."""
    for code in codes:
        found = catalog.by_barcode(code)
        if found:
            return [Reading(p, factor=b.factor, price=b.price) for p, b in found]
    return []


def _spelt(catalog: Catalog, codes: Iterable[str]) -> list[Reading]:
    """The readings of all spellings of one code, each product once, as spelt first.

    A GTIN with and without its zeros is one number: on two goods it is one barcode on both.
    """
    found: dict[str, Reading] = {}
    for code in dict.fromkeys(codes):
        for reading in _packs(catalog, (code,)):
            found.setdefault(reading.product.sku, reading)
    return list(found.values())


def _items(catalog: Catalog, label: ScaleLabel) -> list[Reading]:
    found = _packs(catalog, label.items)
    if found:
        return found
    for item in label.items:
        product = catalog.by_sku(item)
        if product is not None:
            return [Reading(product)]
    return []


def _weighed(catalog: Catalog, code: str, store: Store | None) -> list[Reading]:
    for label in _labels(code, store):
        found = _items(catalog, label)
        if found and store is not None:
            return [_measured(reading, label, store=store) for reading in found]
    return []


def _measured(reading: Reading, label: ScaleLabel, *, store: Store) -> Reading:
    product = reading.product
    quantity = None
    if label.measure is not None:
        weight = weight_in_steps(
            label.measure * 1000, unit=product.unit, precision=product.precision
        )
        if weight is None:
            weight = label.measure * reading.factor * 10**product.precision
        quantity = weight or None
    elif label.amount is not None:
        quantity = _bought_for(label.amount, reading, store=store)
    return Reading(
        product,
        factor=reading.factor,
        price=reading.price,
        quantity=quantity,
        amount=label.amount,
    )


def _bought_for(amount: int, reading: Reading, *, store: Store) -> int | None:
    """The steps an amount buys at the unit price, half up; None where there is no price."""
    price = reading.price
    if price is None:
        unit_price = reading.product.price_in(store.id)
        price = unit_price * reading.factor if unit_price is not None else None
    if not price:
        return None
    return divide_half_up(amount * reading.factor * 10**reading.product.precision, price) or None


def _gs1(catalog: Catalog, data: Gs1Data | None) -> list[Reading]:
    if data is None:
        return []
    return [
        Reading(
            reading.product,
            factor=reading.factor,
            price=reading.price,
            quantity=_said(reading, data),
            amount=data.amount,
            lot=data.lot,
            expires_on=data.expires_on,
            made_on=data.made_on,
        )
        for reading in _spelt(catalog, gtin_forms(data.gtin))
    ]


def _said(reading: Reading, data: Gs1Data) -> int | None:
    product = reading.product
    if data.weight_mg is not None:
        weight = weight_in_steps(data.weight_mg, unit=product.unit, precision=product.precision)
        if weight is not None:
            return weight or None
    scale: int = 10**product.precision
    if data.item_count:
        return data.item_count * scale
    if data.pack_count:
        return data.pack_count * reading.factor * scale
    return None
