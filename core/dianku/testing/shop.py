"""Stores and products in one line each, for tests whose subject is something else.

They are written as the catalog writes them: with a catalog version, which stamps every changed
row, so that caches in this and other processes notice. Quantities are in steps, prices in minor
units and costs in ten-thousandths, as in the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from dianku.catalog.tables import barcode, channel, component, product, store
from dianku.storage import events
from dianku.storage.engine import LOCK_CATALOG, Database


class Shop:
    """Makes catalog rows in a database and remembers their ids by code.

    Attributes:
        stores: Row number of each store by code.
        products: Row number of each product by SKU.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.stores: dict[str, int] = {}
        self.products: dict[str, int] = {}
        self._ensure_counter()

    def store(
        self, code: str = "S1", *, timezone: str = "Asia/Shanghai", cutoff_minutes: int = 0
    ) -> int:
        """A shop; returns its id."""
        with self.database.writing() as connection:
            version = self._version(connection)
            row = {
                "code": code,
                "name": f"Store {code}",
                "kind": "shop",
                "timezone": timezone,
                "day_cutoff_minutes": cutoff_minutes,
                "version": version,
            }
            self.stores[code] = _insert(connection, store, row)
        return self.stores[code]

    def product(
        self,
        sku: str,
        *,
        precision: int = 0,
        price: int | None = None,
        cost: int | None = None,
        track_lots: bool = False,
        shelf_life_days: int | None = None,
        barcodes: Mapping[str, int] | Sequence[str] = (),
        composition: str = "none",
        components: Mapping[str, int] | None = None,
    ) -> int:
        """A product; returns its id.

        `barcodes` map a code to its pack factor, `components` a SKU to its steps.
        """
        packs = barcodes if isinstance(barcodes, Mapping) else dict.fromkeys(barcodes, 1)
        with self.database.writing() as connection:
            version = self._version(connection)
            row = {
                "sku": sku,
                "name": sku.title(),
                "unit": "kg" if precision else "pc",
                "precision": precision,
                "price": price,
                "cost": cost,
                "track_lots": track_lots,
                "shelf_life_days": shelf_life_days,
                "composition": composition,
                "search": sku.lower(),
                "created_at": 0,
                "version": version,
            }
            made = self.products[sku] = _insert(connection, product, row)
            for position, (code, factor) in enumerate(packs.items()):
                row = {"code": code, "product_id": made, "factor": factor, "position": position}
                connection.execute(sa.insert(barcode).values(row))
            for position, (part, quantity) in enumerate((components or {}).items()):
                row = {
                    "product_id": made,
                    "component_id": self.products[part],
                    "quantity": quantity,
                    "position": position,
                }
                connection.execute(sa.insert(component).values(row))
        return made

    def _ensure_counter(self) -> None:
        with self.database.reading() as connection:
            there = connection.execute(sa.select(channel.c.id).where(channel.c.name == "counter"))
            found = there.one_or_none()
        if found is None:
            self.channel("counter", kind="counter", policy="permissive")

    def channel(
        self, name: str, *, kind: str = "online", policy: str = "strict", issue_on: str = "paid"
    ) -> int:
        """A sales channel of every store; returns its id."""
        with self.database.writing() as connection:
            version = self._version(connection)
            row = {
                "name": name,
                "kind": kind,
                "policy": policy,
                "issue_on": issue_on,
                "version": version,
            }
            return _insert(connection, channel, row)

    def _version(self, connection: sa.Connection) -> int:
        self.database.lock(connection, LOCK_CATALOG)
        return events.bump(connection, "catalog")


def _insert(connection: sa.Connection, table: sa.Table, row: Mapping[str, object]) -> int:
    made = connection.execute(sa.insert(table).values(row).returning(table.c.id))
    return int(made.scalar_one())
