"""What is particular to a product in one store: whether it is carried, price, lines, shelf."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from functools import partial
from typing import Any

import sqlalchemy as sa
from msgspec import UnsetType
from sqlalchemy.engine import Connection

from dianku.catalog.fields import Fields
from dianku.catalog.product_rows import ProductRow
from dianku.catalog.requests import StoreSettings, StoreSettingsRecord
from dianku.catalog.tables import product, product_in_store
from dianku.quantity import format_amount, format_quantity, parse_amount, parse_quantity
from dianku.storage.bulk import insert_rows

_SETTINGS = ("carried", "price", "low_stock", "overstock_days", "max_stock", "shelf")
_IN_STORES = sa.text(
    """
    SELECT s.code, i.carried, i.price, i.low_stock, i.overstock_days, i.max_stock, i.shelf, b.moved
    FROM store AS s
    LEFT JOIN product_in_store AS i ON i.store_id = s.id AND i.product_id = :product_id
    LEFT JOIN stock_balance AS b ON b.store_id = s.id AND b.product_id = :product_id
    ORDER BY s.code
    """
)


def put(
    connection: Connection,
    row: ProductRow,
    store_id: int,
    settings: StoreSettings,
    *,
    version: int,
) -> None:
    """Change what is set, clear what is null, leave the rest. Raises `Refused`: `invalid`."""
    fields = Fields()
    quantity = partial(parse_quantity, precision=row.precision)
    given: dict[str, Any] = {}
    for name in _SETTINGS:
        value = getattr(settings, name)
        if isinstance(value, UnsetType):
            continue
        if isinstance(value, Decimal):
            parse = parse_amount if name == "price" else quantity
            value = fields.number(f"/{name}", value, parse)
        given[name] = value
    fields.check()
    assign = ", ".join(f"{name} = excluded.{name}" for name in given)
    insert_rows(
        connection,
        product_in_store,
        ("store_id", "product_id", *given),
        [(store_id, row.id, *given.values())],
        conflict="ON CONFLICT (store_id, product_id) DO "
        + (f"UPDATE SET {assign}" if given else "NOTHING"),
    )
    connection.execute(sa.update(product).where(product.c.id == row.id).values(version=version))


def list_of(
    connection: Connection, row: ProductRow, *, stores: Collection[str] | None
) -> list[StoreSettingsRecord]:
    """A product's settings in these stores, None for all; lines left to the product are null."""
    rows = connection.execute(_IN_STORES, {"product_id": row.id})
    return [_record(row, s) for s in rows if stores is None or s.code in stores]


def _record(row: ProductRow, s: Any) -> StoreSettingsRecord:
    def line(steps: int | None) -> str | None:
        return format_quantity(steps, row.precision) if steps is not None else None

    return StoreSettingsRecord(
        store=s.code,
        carried=bool(s.carried if s.carried is not None else s.moved),
        price=format_amount(s.price) if s.price is not None else None,
        low_stock=line(s.low_stock),
        overstock_days=s.overstock_days,
        max_stock=line(s.max_stock),
        shelf=s.shelf,
    )
