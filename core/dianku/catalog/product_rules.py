"""Rules of one product: what a patch makes of it, and everything that is wrong with it at once.

Pure: what the database knows (categories, components, whether it has moved) is handed in. Fields
are named by pointers into the body, `/barcodes/0/factor`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from attrs import evolve, frozen
from msgspec import UNSET, UnsetType

from dianku.catalog.fields import Fields
from dianku.catalog.product_rows import Pack, Part, ProductRow
from dianku.catalog.requests import (
    NewBarcode,
    NewComponent,
    NewProduct,
    OpenPrice,
    ProductPatch,
)
from dianku.errors import NumberRefused
from dianku.quantity import format_amount, format_scaled, parse_amount, parse_cost, parse_quantity

PATCH_FIELDS = tuple(ProductPatch.__struct_fields__)
_COPIED = (
    "name",
    "unit",
    "spec",
    "family",
    "track_lots",
    "shelf_life_days",
    "overstock_days",
    "photo",
)


@frozen
class PartFacts:
    """What the rules need to know of a product that is to be a component."""

    precision: int
    archived: bool


@frozen
class Use:
    """Whether a product is in books already.

    Attributes:
        moved: It has stock moves, document lines or reservations.
        recorded: It has sales of the time before, whose quantities are in its steps.
    """

    moved: bool = False
    recorded: bool = False


def patch_of(new: NewProduct) -> ProductPatch:
    """A new product as a patch of nothing."""
    return ProductPatch(**{name: getattr(new, name) for name in PATCH_FIELDS})


def apply_patch(
    row: ProductRow, patch: ProductPatch, fields: Fields, *, categories: Collection[str]
) -> ProductRow:
    """The product as patched, all but its components; what is wrong is noted in `fields`."""
    values: dict[str, Any] = {
        name: given for name in _COPIED if (given := getattr(patch, name)) is not UNSET
    }
    precision = row.precision if isinstance(patch.precision, UnsetType) else patch.precision
    if precision != row.precision and row.id:
        row = _rescaled(row, precision, fields)
    values["precision"] = precision
    quantity = partial(parse_quantity, precision=precision)
    for name, parse in (
        ("price", parse_amount),
        ("cost", parse_cost),
        ("low_stock", quantity),
        ("max_stock", quantity),
    ):
        value: Decimal | UnsetType | None = getattr(patch, name)
        if not isinstance(value, UnsetType):
            values[name] = fields.number(f"/{name}", value, parse)
    if not isinstance(patch.category, UnsetType):
        values["category"] = patch.category
        if patch.category is not None and patch.category not in categories:
            fields.wrong("/category", "unknown_category", name=patch.category)
    if not isinstance(patch.composition, UnsetType):
        values["composition"] = patch.composition
    if not isinstance(patch.display, UnsetType):
        shown = patch.display
        values["display_unit"] = shown.unit if shown is not None else None
        values["display_factor"] = shown.factor if shown is not None else None
    if not isinstance(patch.open_price, UnsetType):
        values |= _bounds(patch.open_price, fields)
    if not isinstance(patch.barcodes, UnsetType):
        values["packs"] = _packs(patch.barcodes, fields)
    after = evolve(row, **values)
    _check_whole(after, fields)
    return after


def _rescaled(row: ProductRow, precision: int, fields: Fields) -> ProductRow:
    """Its alert lines in the new steps; a line that would be cut is an error of the precision."""
    lines: dict[str, int | None] = {}
    for name in ("low_stock", "max_stock"):
        value: int | None = getattr(row, name)
        if value is not None:
            value = rescale(value, old=row.precision, new=precision)
            if value is None:
                fields.wrong("/precision", "breaks_lines", digits=precision)
        lines[name] = value
    return evolve(row, low_stock=lines["low_stock"], max_stock=lines["max_stock"])


def rescale(value: int, *, old: int, new: int) -> int | None:
    """Steps of 10 ** -old as steps of 10 ** -new; None where that would cut something."""
    if new >= old:
        return int(value * 10 ** (new - old))
    whole, rest = divmod(value, 10 ** (old - new))
    return None if rest else whole


def _bounds(given: OpenPrice | None, fields: Fields) -> dict[str, int | None]:
    """The bounds of an open price; one of them at least, and in their order."""
    at = "/open_price"
    if given is None:
        return {"open_price_min": None, "open_price_max": None}
    least = fields.number(f"{at}/min", given.min, parse_amount)
    most = fields.number(f"{at}/max", given.max, parse_amount)
    if given.min is None and given.max is None:
        fields.wrong(f"{at}/min", "required")
    if least is not None and most is not None and most < least:
        fields.wrong(f"{at}/max", "too_small", min=format_amount(least))
    return {"open_price_min": least, "open_price_max": most}


def _packs(barcodes: Sequence[NewBarcode], fields: Fields) -> tuple[Pack, ...]:
    packs: list[Pack] = []
    seen: set[str] = set()
    for i, new in enumerate(barcodes):
        if new.code in seen:
            fields.wrong(f"/barcodes/{i}/code", "duplicate", name=new.code)
        seen.add(new.code)
        if new.factor < 1:
            fields.wrong(f"/barcodes/{i}/factor", "not_positive")
        price = fields.number(f"/barcodes/{i}/price", new.price, parse_amount)
        packs.append(Pack(new.code, new.factor, price))
    return tuple(packs)


def _check_whole(row: ProductRow, fields: Fields) -> None:
    """What only the whole product shows: a patch of one field may make another senseless."""
    if not row.name:
        fields.wrong("/name", "required")
    if not row.unit:
        fields.wrong("/unit", "required")
    if row.display_unit is not None:
        if row.display_unit == row.unit:
            fields.wrong("/display/unit", "same_unit", unit=row.unit)
        if row.display_factor is None or row.display_factor < 2:
            fields.wrong("/display/factor", "too_small", min=2)
    if row.track_lots and not row.stocked:
        fields.wrong("/track_lots", "not_stocked", composition=row.composition)


def apply_parts(
    row: ProductRow,
    components: Sequence[NewComponent],
    fields: Fields,
    *,
    known: Mapping[str, PartFacts],
) -> ProductRow:
    """The product with these components; what is wrong is noted in `fields`."""
    parts: list[Part] = []
    seen: set[str] = set()
    for i, new in enumerate(components):
        at = f"/components/{i}"
        facts = known.get(new.sku)
        if new.sku == row.sku:
            fields.wrong(f"{at}/sku", "self_reference")
        elif facts is None:
            fields.wrong(f"{at}/sku", "unknown_product", name=new.sku)
        elif facts.archived:
            fields.wrong(f"{at}/sku", "archived", name=new.sku)
        if new.sku in seen:
            fields.wrong(f"{at}/sku", "duplicate", name=new.sku)
        seen.add(new.sku)
        steps = _steps(f"{at}/quantity", new.quantity, fields, facts=facts)
        if steps is not None:
            parts.append(Part(new.sku, steps))
    return evolve(row, parts=tuple(parts))


def _steps(
    pointer: str, quantity: Decimal, fields: Fields, *, facts: PartFacts | None
) -> int | None:
    # What it is a quantity of may be unknown; that it is positive can be said all the same.
    precision = facts.precision if facts is not None else 3
    try:
        steps = parse_quantity(quantity, precision)
    except NumberRefused as refused:
        fields.wrong(pointer, refused.code, **refused.params)
        return None
    if steps <= 0:
        fields.wrong(pointer, "not_positive")
        return None
    return steps


def check_parts(row: ProductRow, fields: Fields, *, given: int) -> None:
    """Whether the composition has the components it needs; `given` is how many were named."""
    if row.composition == "none" and given:
        fields.wrong("/components", "not_composed")
    if row.composition in {"kit", "made"} and not given:
        fields.wrong("/components", "components_required", composition=row.composition)


def check_use(before: ProductRow, after: ProductRow, fields: Fields, *, use: Use) -> None:
    """Whether a change would alter what numbers in the books mean."""
    if use.moved and before.stocked != after.stocked:
        fields.wrong("/composition", "has_movements")
    if use.moved and before.track_lots != after.track_lots:
        fields.wrong("/track_lots", "has_movements")
    if (use.moved or use.recorded) and before.precision != after.precision:
        fields.wrong("/precision", "has_movements")


def meaning_changes(before: ProductRow, after: ProductRow) -> bool:
    """Whether `check_use` has anything to look at."""
    return (
        before.stocked != after.stocked
        or before.track_lots != after.track_lots
        or before.precision != after.precision
    )


def patch_back(
    before: ProductRow, after: ProductRow, *, precisions: Mapping[str, int]
) -> ProductPatch:
    """The patch that makes `before` of `after`; `precisions` of the components by sku."""
    values: dict[str, Any] = {}
    for name in (*_COPIED, "category", "composition", "precision"):
        if getattr(before, name) != getattr(after, name):
            values[name] = getattr(before, name)
    for name, digits in (
        ("price", 2),
        ("cost", 4),
        ("low_stock", before.precision),
        ("max_stock", before.precision),
    ):
        if getattr(before, name) != getattr(after, name):
            value = getattr(before, name)
            values[name] = Decimal(format_scaled(value, digits)) if value is not None else None
    if (before.display_unit, before.display_factor) != (after.display_unit, after.display_factor):
        shown = {"unit": before.display_unit, "factor": before.display_factor}
        values["display"] = shown if before.display_unit is not None else None
    bounds = (before.open_price_min, before.open_price_max)
    if bounds != (after.open_price_min, after.open_price_max):
        least, most = (None if b is None else Decimal(format_amount(b)) for b in bounds)
        values["open_price"] = None if bounds == (None, None) else OpenPrice(min=least, max=most)
    if before.packs != after.packs:
        values["barcodes"] = [
            NewBarcode(
                code=pack.code,
                factor=pack.factor,
                price=Decimal(format_scaled(pack.price, 2)) if pack.price is not None else None,
            )
            for pack in before.packs
        ]
    if before.parts != after.parts:
        values["components"] = [
            NewComponent(
                sku=part.sku, quantity=Decimal(format_scaled(part.quantity, precisions[part.sku]))
            )
            for part in before.parts
        ]
    return ProductPatch(**values)
