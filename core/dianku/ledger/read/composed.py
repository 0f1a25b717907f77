"""Levels of all kinds of product: kits and services have what their components allow.

A kit has no stock of its own, so everything but `available` is zero; what is available follows
from the scarcest component, nested compositions walked down to what is stocked.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs
from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.catalog.records import Product
from dianku.catalog.snapshot import CatalogCache
from dianku.ledger.composition import recipe_of
from dianku.ledger.read.levels import Level, levels
from dianku.ledger.read.past import Past, levels_at
from dianku.ledger.read.sold import Pair


@frozen
class ComposedLevel(Level):
    """A kit or service in one store; `possible` is how many its components make, in steps."""

    possible: int = 0

    @property
    def available(self) -> int:
        """As many as the scarcest component allows; never below zero."""
        return self.possible


def all_levels(
    connection: Connection,
    pairs: Iterable[Pair],
    *,
    cache: CatalogCache,
    now_ms: int,
    past: Past | None = None,
) -> dict[Pair, Level]:
    """Levels of every pair asked for, zero where nothing ever moved.

    `cache` must be fresh (`refresh`); products are loaded as needed.
    """
    wanted = set(pairs)
    cache.ensure(connection, ids={p for _, p in wanted})
    recipes = {
        product_id: recipe_of(product, cache)
        for product_id in {p for _, p in wanted}
        if not (product := cache.product(product_id)).stocked
    }
    parts = {(s, i) for s, p in wanted if p in recipes for i, _ in recipes[p]}
    stocked = {pair for pair in wanted if pair[1] not in recipes} | parts
    found = levels(connection, stocked, now_ms=now_ms)
    if past is not None:
        found = levels_at(connection, found, past=past)
    whole: dict[Pair, Level] = {}
    for store_id, product_id in wanted:
        pair = (store_id, product_id)
        if product_id in recipes:
            product = cache.product(product_id)
            counts = [
                max(found[store_id, i].available, 0) * 10**product.precision // steps
                if (store_id, i) in found
                else 0
                for i, steps in recipes[product_id]
                if steps
            ]
            blank = _blank(pair, product, cache=cache)
            fields = {f.name: getattr(blank, f.name) for f in attrs.fields(Level)}
            whole[pair] = ComposedLevel(**fields, possible=min(counts, default=0))
        else:
            whole[pair] = found.get(pair) or _blank(pair, cache.product(product_id), cache=cache)
    return whole


def _blank(pair: Pair, product: Product, *, cache: CatalogCache) -> Level:
    return Level(
        store_id=pair[0],
        product_id=pair[1],
        store=cache.stores_by_id[pair[0]].code,
        sku=product.sku,
        precision=product.precision,
    )
