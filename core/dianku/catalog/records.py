"""The catalog as the ledger reads it: frozen records with integers, no strings to parse."""

from __future__ import annotations

from attrs import frozen


@frozen
class Store:
    """A store. `day_cutoff_minutes` after midnight a new business date begins."""

    id: int
    code: str
    name: str
    kind: str
    timezone: str
    day_cutoff_minutes: int
    scale_templates: tuple[tuple[str, str], ...] = ()
    """(prefix, template) pairs."""


@frozen
class Channel:
    """A channel and its policy; `stores` empty means all."""

    id: int
    name: str
    kind: str
    policy: str
    issue_on: str
    stores: tuple[str, ...] = ()


@frozen
class Barcode:
    """One code of one product: base units per pack, and the pack's own price in minor units."""

    code: str
    product_id: int
    factor: int
    price: int | None


@frozen
class Product:
    """A product with all that posting needs.

    `components`: (product id, steps per base unit) in order. `store_prices`: price by store id
    where a store has its own. Quantities in steps, price in minor units, cost in 1/10000.
    """

    id: int
    sku: str
    name: str
    unit: str
    precision: int
    price: int | None
    cost: int | None
    track_lots: bool
    shelf_life_days: int | None
    composition: str
    components: tuple[tuple[int, int], ...]
    barcodes: tuple[Barcode, ...]
    archived: bool
    store_prices: tuple[tuple[int, int], ...] = ()
    spec: str | None = None
    open_price: tuple[int | None, int | None] = (None, None)
    """The bounds of what may be taken for one base unit, in minor units."""
    photo: str | None = None
    """The kept file it is shown with."""
    display: tuple[str, int] | None = None
    """The larger unit stock is shown in, and how many base units it is."""

    @property
    def stocked(self) -> bool:
        """Whether it has stock of its own; kits and services live on their components'."""
        return self.composition in {"none", "made"}

    def price_in(self, store_id: int) -> int | None:
        """The list price in a store."""
        for store, price in self.store_prices:
            if store == store_id:
                return price
        return self.price
