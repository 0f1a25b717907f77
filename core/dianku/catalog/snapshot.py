"""The catalog in memory: what a process knows of it, checked against its version in the database.

Every change to the catalog raises the counter `catalog` (at the start of its transaction, under
the exclusive catalog lock) and stamps the product's row with the new value. A `CatalogState` is
the catalog as of one such version, loaded product by product when it is first asked for;
`CatalogCache` holds the newest and drops exactly what changed, whoever changed it. A poster
reads under the shared lock, so what it posts by is the catalog as it stands.

Two things never happen: a reader whose transaction began before a change puts what it sees
there into the shared state (it gets a state of its own), and a product vanishes from under
somebody who has asked for it (a change makes a new state, the old one stays as it was).
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dianku.catalog.records import Barcode, Channel, Product, Store
from dianku.storage.bulk import select_set
from dianku.storage.events import current

CATALOG_VERSION = "catalog"
"""The counter that every change to the catalog raises."""
CATALOG_FLOOR = "catalog.floor"
"""The version at which products were last removed: a state from before starts afresh."""
HELD_MAX = 2_000_000
"""Products and names held (names asked for in vain too) before a state starts afresh."""

_PRODUCTS = """
SELECT p.id, p.sku, p.name, p.unit, p.precision, p.price, p.cost, p.track_lots, p.shelf_life_days,
       p.composition, p.archived_at, p.spec, p.display_unit, p.display_factor,
       p.open_price_min, p.open_price_max, p.photo
FROM {rows} AS w JOIN product AS p ON p.id = w.id
"""
_BARCODES = """
SELECT b.code, b.product_id, b.factor, b.price FROM {rows} AS w
JOIN barcode AS b ON b.product_id = w.id ORDER BY b.product_id, b.position, b.code
"""
_COMPONENTS = """
SELECT c.product_id, c.component_id, c.quantity FROM {rows} AS w
JOIN component AS c ON c.product_id = w.id ORDER BY c.product_id, c.position
"""
_PRICES = """
SELECT s.product_id, s.store_id, s.price FROM {rows} AS w
JOIN product_in_store AS s ON s.product_id = w.id WHERE s.price IS NOT NULL
"""


class CatalogState:
    """The catalog as of one version, as far as it was asked for."""

    def __init__(self, version: int) -> None:
        self.version = version
        self._products: dict[int, Product] = {}
        self._by_sku: dict[str, int | None] = {}
        self._by_code: dict[str, tuple[int, ...]] = {}
        self.stores: Mapping[str, Store] = {}
        self.stores_by_id: Mapping[int, Store] = {}
        self.channels: Mapping[str, Channel] = {}
        self.channels_by_id: Mapping[int, Channel] = {}

    def product(self, product_id: int) -> Product:
        """A product that is loaded. Raises `KeyError` if it was never asked for."""
        return self._products[product_id]

    def by_sku(self, sku: str) -> Product | None:
        """The product of a sku; None when there is none, or when it is not loaded yet."""
        product_id = self._by_sku.get(sku)
        return self._products.get(product_id) if product_id is not None else None

    def by_barcode(self, code: str) -> Sequence[tuple[Product, Barcode]]:
        """The products that bear a barcode, those not archived first."""
        found: list[tuple[Product, Barcode]] = []
        for product_id in self._by_code.get(code, ()):
            product = self._products.get(product_id)
            if product is not None:
                found += [(product, b) for b in product.barcodes if b.code == code]
        found.sort(key=lambda pair: pair[0].archived)
        return found

    def holds(
        self, *, skus: Iterable[str] = (), codes: Iterable[str] = (), ids: Iterable[int] = ()
    ) -> bool:
        """Whether everything named was looked up before, found or not."""
        return (
            all(s in self._by_sku for s in skus)
            and all(c in self._by_code for c in codes)
            and all(i in self._products for i in ids)
        )

    def load(
        self,
        connection: Connection,
        *,
        skus: Iterable[str] = (),
        codes: Iterable[str] = (),
        ids: Iterable[int] = (),
    ) -> None:
        """Load what is not held yet, with all that it is composed of.

        The connection must see this state's version, no more and no less. Other threads read
        meanwhile: products are put in whole, and names after the products they stand for.
        """
        wanted = {i for i in ids if i not in self._products}
        by_sku = self._find_skus(connection, {s for s in skus if s not in self._by_sku})
        by_code = self._find_codes(connection, {c for c in codes if c not in self._by_code})
        wanted |= {i for i in by_sku.values() if i is not None}
        wanted |= {i for found in by_code.values() for i in found}
        products: dict[int, Product] = {}
        while missing := wanted - products.keys() - self._products.keys():
            products |= _load_products(connection, missing)
            wanted = {i for p in products.values() for i, _ in p.components}
        self._products.update(products)
        self._by_sku.update({p.sku: i for i, p in products.items()})
        self._by_sku.update(by_sku)
        self._by_code.update(by_code)

    def without(self, gone: Collection[int], *, version: int) -> CatalogState:
        """The state of a later version: the same but for products that changed meanwhile."""
        gone = self._with_composed(gone)
        later = CatalogState(version)
        later._products = {i: p for i, p in self._products.items() if i not in gone}
        # New rows may answer names that were asked for in vain, so those are forgotten too.
        later._by_sku = {s: i for s, i in self._by_sku.items() if i is not None and i not in gone}
        return later

    def _with_composed(self, gone: Collection[int]) -> set[int]:
        """These and whatever is composed of them: who holds a product holds its components."""
        all_gone, more = set(gone), set(gone)
        while more:
            more = {
                i
                for i, product in self._products.items()
                if i not in all_gone and any(part in all_gone for part, _ in product.components)
            }
            all_gone |= more
        return all_gone

    @property
    def size(self) -> int:
        """How many products and names are held."""
        return len(self._products) + len(self._by_sku) + len(self._by_code)

    @staticmethod
    def _find_skus(connection: Connection, skus: set[str]) -> dict[str, int | None]:
        if not skus:
            return {}
        rows = select_set(
            connection,
            "SELECT p.sku, p.id FROM {rows} AS w JOIN product AS p ON p.sku = w.sku",
            columns=(("sku", "text"),),
            rows=[(s,) for s in sorted(skus)],
        )
        found = {row.sku: row.id for row in rows}
        return {sku: found.get(sku) for sku in skus}

    @staticmethod
    def _find_codes(connection: Connection, codes: set[str]) -> dict[str, tuple[int, ...]]:
        if not codes:
            return {}
        rows = select_set(
            connection,
            "SELECT b.code, b.product_id FROM {rows} AS w JOIN barcode AS b ON b.code = w.code",
            columns=(("code", "text"),),
            rows=[(c,) for c in sorted(codes)],
        )
        found: dict[str, list[int]] = {}
        for row in rows:
            found.setdefault(row.code, []).append(row.product_id)
        return {code: tuple(sorted(found.get(code, ()))) for code in codes}


class CatalogCache:
    """The newest `CatalogState` that this process has seen, shared by its threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._state = CatalogState(-1)

    @property
    def state(self) -> CatalogState:
        """The state held now. Keep it for the length of a request, and it stays consistent."""
        return self._state

    @property
    def version(self) -> int:
        """The version held; -1 before the first `refresh`."""
        return self._state.version

    @property
    def stores(self) -> Mapping[str, Store]:
        """Stores by code."""
        return self._state.stores

    @property
    def stores_by_id(self) -> Mapping[int, Store]:
        """Stores by id."""
        return self._state.stores_by_id

    @property
    def channels(self) -> Mapping[str, Channel]:
        """Channels by name."""
        return self._state.channels

    @property
    def channels_by_id(self) -> Mapping[int, Channel]:
        """Channels by id."""
        return self._state.channels_by_id

    def product(self, product_id: int) -> Product:
        """A product that is loaded. Raises `KeyError` if it was never asked for."""
        return self._state.product(product_id)

    def by_sku(self, sku: str) -> Product | None:
        """The product of a sku; None when there is none, or when it is not loaded yet."""
        return self._state.by_sku(sku)

    def by_barcode(self, code: str) -> Sequence[tuple[Product, Barcode]]:
        """The products that bear a barcode, those not archived first."""
        return self._state.by_barcode(code)

    def holds(self, *, skus: Iterable[str] = (), codes: Iterable[str] = ()) -> bool:
        """Whether everything named was looked up before (found or not), so `ensure` is idle."""
        return self._state.holds(skus=skus, codes=codes)

    def refresh(self, connection: Connection) -> bool:
        """Drop what changed since the version held; True if anything had.

        Not to be called in a transaction that itself changes the catalog: what it has not
        committed nobody else may see. A connection that sees an older version changes nothing.
        """
        version = current(connection, CATALOG_VERSION)
        if version <= self._state.version:
            return False
        with self._lock:
            if version <= self._state.version:
                return False
            self._state = self._later(connection, version=version)
        return True

    def ensure(
        self,
        connection: Connection,
        *,
        skus: Iterable[str] = (),
        codes: Iterable[str] = (),
        ids: Iterable[int] = (),
    ) -> CatalogState:
        """Load what is not held yet, with all that it is composed of, and return the state.

        The state is the shared one, or, where the connection's transaction began before a
        change that this process has seen already, one of its own as of then.
        """
        skus, codes, ids = tuple(skus), tuple(codes), tuple(ids)
        state = self._state
        if state.version >= 0 and state.holds(skus=skus, codes=codes, ids=ids):
            return state
        version = current(connection, CATALOG_VERSION)
        with self._lock:
            if version > self._state.version or self._state.size > HELD_MAX:
                self._state = self._later(connection, version=version)
            if version == self._state.version:
                state = self._state
            else:
                state = _empty_state(connection, version=version)
            state.load(connection, skus=skus, codes=codes, ids=ids)
        return state

    def _later(self, connection: Connection, *, version: int) -> CatalogState:
        held = self._state
        if held.version < current(connection, CATALOG_FLOOR) or held.size > HELD_MAX:
            return _empty_state(connection, version=version)
        changed = connection.execute(
            sa.text("SELECT id FROM product WHERE version > :held"), {"held": held.version}
        ).scalars()
        state = held.without(set(changed), version=version)
        _load_places(connection, state)
        return state


def _empty_state(connection: Connection, *, version: int) -> CatalogState:
    state = CatalogState(version)
    _load_places(connection, state)
    return state


def _load_places(connection: Connection, state: CatalogState) -> None:
    stores = [
        Store(
            id=row.id,
            code=row.code,
            name=row.name,
            kind=row.kind,
            timezone=row.timezone,
            day_cutoff_minutes=row.day_cutoff_minutes,
            scale_templates=tuple(
                (t["prefix"], t["template"]) for t in msgspec.json.decode(row.scale_templates)
            ),
        )
        for row in connection.execute(sa.text("SELECT * FROM store ORDER BY id"))
    ]
    channels = [
        Channel(
            id=row.id,
            name=row.name,
            kind=row.kind,
            policy=row.policy,
            issue_on=row.issue_on,
            stores=tuple(msgspec.json.decode(row.stores)),
        )
        for row in connection.execute(sa.text("SELECT * FROM channel ORDER BY id"))
    ]
    state.stores = {s.code: s for s in stores}
    state.stores_by_id = {s.id: s for s in stores}
    state.channels = {c.name: c for c in channels}
    state.channels_by_id = {c.id: c for c in channels}


def _load_products(connection: Connection, ids: set[int]) -> dict[int, Product]:
    """Products by id, as far as there are such."""
    rows = [(i,) for i in sorted(ids)]
    barcodes = _grouped(_select(connection, _BARCODES, rows), key="product_id")
    components = _grouped(_select(connection, _COMPONENTS, rows), key="product_id")
    prices = _grouped(_select(connection, _PRICES, rows), key="product_id")
    return {
        row.id: Product(
            id=row.id,
            sku=row.sku,
            name=row.name,
            unit=row.unit,
            precision=row.precision,
            price=row.price,
            cost=row.cost,
            track_lots=bool(row.track_lots),
            shelf_life_days=row.shelf_life_days,
            composition=row.composition,
            components=tuple((c.component_id, c.quantity) for c in components.get(row.id, ())),
            barcodes=tuple(
                Barcode(b.code, b.product_id, b.factor, b.price) for b in barcodes.get(row.id, ())
            ),
            archived=row.archived_at is not None,
            store_prices=tuple((p.store_id, p.price) for p in prices.get(row.id, ())),
            spec=row.spec,
            open_price=(row.open_price_min, row.open_price_max),
            photo=row.photo,
            display=(row.display_unit, row.display_factor) if row.display_unit else None,
        )
        for row in _select(connection, _PRODUCTS, rows)
    }


def _select(connection: Connection, sql: str, rows: Sequence[tuple[int]]) -> Sequence[Any]:
    return select_set(connection, sql, columns=(("id", "int"),), rows=rows)


def _grouped(rows: Sequence[Any], *, key: str) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = {}
    for row in rows:
        groups.setdefault(getattr(row, key), []).append(row)
    return groups
