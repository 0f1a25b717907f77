"""Many products at once: what an import creates and changes, planned first, written as a set.

`plan` reads and decides and writes nothing, so a dry run is a plan that is not written. All
wrong fields of all rows are named together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from sqlalchemy.engine import Connection

from dianku.catalog.requests import ProductPatch
from dianku.errors import FieldError


@frozen
class ProductChange:
    """A product as an import wants it: what the patch leaves out stays, or takes its default.

    A sku that is not there yet is created; then `name` and `unit` must be given.
    """

    sku: str
    patch: ProductPatch


@frozen
class UpsertPlan:
    """What a set of changes comes to.

    Attributes:
        created, updated, unchanged: skus, in the order of the changes.
        errors: Wrong fields by index of the change; nothing can be written while there are any.
        undo: Changes that put the updated ones back as they were.
    """

    created: Sequence[str]
    updated: Sequence[str]
    unchanged: Sequence[str]
    errors: Mapping[int, Sequence[FieldError]]
    undo: Sequence[ProductChange]
    _writes: object = field(repr=False)


def plan_products(connection: Connection, changes: Sequence[ProductChange]) -> UpsertPlan:
    """Decide what a set of changes does. Components may name products of the same set."""
    raise NotImplementedError


def write_products(connection: Connection, plan: UpsertPlan, *, version: int, now_ms: int) -> None:
    """Write a plan made in the same transaction, under the catalog lock, without errors."""
    raise NotImplementedError
