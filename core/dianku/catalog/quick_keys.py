"""Quick keys (快捷键): the goods a shop keeps one tap away at its counter, in its own order.

A store has its own or shows those of the whole shop; where nobody chose any there are none, and a
till offers what it thinks best. They are read and written as one list, as a person arranges them.
"""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from msgspec import Meta
from sqlalchemy.engine import Connection

from dianku.catalog.fields import Fields
from dianku.catalog.tables import product, product_in_store, quick_key, store
from dianku.errors import refuse
from dianku.quantity import format_amount
from dianku.storage.bulk import insert_rows
from dianku.wire import Answer, Code, Numeral, Request

KEYS_MAX = 60
"""Keys of one list: more are slower to find than a name is to type."""
COLOURS = 6
EVERY_STORE = 0
"""Stands for the store of what is the whole shop's."""


class QuickKey(Request, frozen=True):
    """A key: goods, and the number of a colour; 0 is none."""

    sku: Code
    colour: Annotated[int, Meta(ge=0, le=COLOURS)] = 0


class QuickKeys(Request, frozen=True):
    """All keys of a store, or with `store` null of the whole shop. None of them: nothing chosen."""

    keys: Annotated[list[QuickKey], Meta(max_length=KEYS_MAX)]
    store: Code | None = None


class QuickKeyRecord(Answer):
    """A key as it is shown; `price` the store's, null where there is none. `photo`: a kept file."""

    sku: str
    name: str
    spec: str | None
    price: Numeral | None
    colour: int
    archived: bool
    photo: str | None


class QuickKeysRecord(Answer):
    """The keys that a store shows. `chosen`: by the `store`, for the whole `shop`, or null."""

    store: str | None
    chosen: str | None
    items: list[QuickKeyRecord]


def shown(connection: Connection, code: str | None) -> QuickKeysRecord:
    """The keys of a store, or else of the whole shop. Raises `Refused`: `not_found`."""
    store_id = _store_id(connection, code)
    for chosen, of in (("store", store_id), ("shop", EVERY_STORE)):
        items = _items(connection, of, priced_in=store_id)
        if items:
            return QuickKeysRecord(store=code, chosen=chosen if of else "shop", items=items)
    return QuickKeysRecord(store=code, chosen=None, items=[])


def own(connection: Connection, code: str | None) -> list[QuickKeyRecord]:
    """The keys that a store, or the whole shop, chose for itself. Raises `Refused`: `not_found`."""
    store_id = _store_id(connection, code)
    return _items(connection, store_id, priced_in=store_id)


def put(connection: Connection, new: QuickKeys) -> None:
    """Set all keys of a store or of the whole shop. Raises `Refused`: `not_found`, `invalid`."""
    store_id = _store_id(connection, new.store)
    wanted = [key.sku for key in new.keys]
    found = connection.execute(
        sa.select(product.c.sku, product.c.id).where(product.c.sku.in_(wanted))
    )
    ids = {row.sku: row.id for row in found}
    fields = Fields()
    for at, sku in enumerate(wanted):
        if sku not in ids:
            fields.wrong(f"/keys/{at}/sku", "unknown_product", name=sku)
        elif sku in wanted[:at]:
            fields.wrong(f"/keys/{at}/sku", "key_twice", name=sku)
    fields.check()
    connection.execute(sa.delete(quick_key).where(quick_key.c.store_id == store_id))
    insert_rows(
        connection,
        quick_key,
        ("store_id", "position", "product_id", "colour"),
        [(store_id, at, ids[key.sku], key.colour) for at, key in enumerate(new.keys, start=1)],
    )


def _store_id(connection: Connection, code: str | None) -> int:
    if code is None:
        return EVERY_STORE
    found = connection.execute(sa.select(store.c.id).where(store.c.code == code)).scalar()
    if found is None:
        raise refuse("not_found", what="store", name=code)
    return int(found)


def _items(connection: Connection, of: int, *, priced_in: int) -> list[QuickKeyRecord]:
    here = sa.and_(
        product_in_store.c.product_id == product.c.id, product_in_store.c.store_id == priced_in
    )
    query = (
        sa.select(
            product.c.sku,
            product.c.name,
            product.c.spec,
            product.c.archived_at,
            product.c.photo,
            sa.func.coalesce(product_in_store.c.price, product.c.price).label("price"),
            quick_key.c.colour,
        )
        .select_from(quick_key.join(product).outerjoin(product_in_store, here))
        .where(quick_key.c.store_id == of)
        .order_by(quick_key.c.position)
    )
    return [
        QuickKeyRecord(
            sku=row.sku,
            name=row.name,
            spec=row.spec,
            price=None if row.price is None else format_amount(row.price),
            colour=row.colour,
            archived=row.archived_at is not None,
            photo=row.photo,
        )
        for row in connection.execute(query)
    ]
