"""Products created and changed, one or twenty thousand: planned first, then written as a set.

`plan_products` reads and decides and writes nothing, so a dry run is a plan that is not written.
All wrong fields of all changes are named together. Whoever calls it holds the exclusive catalog
lock: what was read then still holds when it is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve, field, frozen
from sqlalchemy.engine import Connection

from dianku.catalog.compositions import edges_below, in_circles, way_to
from dianku.catalog.fields import Fields
from dianku.catalog.product_rows import Part, ProductRow, load_rows, write_rows
from dianku.catalog.product_rules import (
    PartFacts,
    Use,
    apply_parts,
    apply_patch,
    check_parts,
    check_use,
    meaning_changes,
    patch_back,
    rescale,
)
from dianku.catalog.requests import ProductPatch
from dianku.catalog.rescale import Rescale, cut_by, write_rescales
from dianku.errors import FieldError
from dianku.storage.bulk import select_set

_PARTS_KNOWN = """
SELECT p.sku, p.precision, p.archived_at FROM {rows} AS w JOIN product AS p ON p.sku = w.sku
"""
_IN_USE = """
SELECT w.id,
    EXISTS (SELECT 1 FROM stock_balance AS b WHERE b.product_id = w.id AND b.moved)
    OR EXISTS (SELECT 1 FROM document_line AS l WHERE l.product_id = w.id)
    OR w.id IN (SELECT r.product_id FROM reservation_line AS r) AS moved,
    w.id IN (SELECT h.product_id FROM sales_history AS h) AS recorded
FROM {rows} AS w
"""


@frozen
class ProductChange:
    """A product as somebody wants it: what the patch leaves out stays, or takes its default.

    A sku that is not there yet is created; then `name` and `unit` must be given.
    """

    sku: str
    patch: ProductPatch


@frozen
class UpsertPlan:
    """What a set of changes comes to.

    Attributes:
        created, updated, unchanged: Skus, in the order of the changes; a change with errors is
            in none of them.
        errors: Wrong fields by index of the change; nothing can be written while there are any.
        undo: Changes that put the updated ones back as they were.
    """

    created: Sequence[str]
    updated: Sequence[str]
    unchanged: Sequence[str]
    errors: Mapping[int, Sequence[FieldError]]
    undo: Sequence[ProductChange]
    _writes: Sequence[tuple[ProductRow | None, ProductRow]] = field(repr=False)
    _categories: Mapping[str, int] = field(repr=False)
    _rescales: Sequence[Rescale] = field(repr=False)


def plan_products(connection: Connection, changes: Sequence[ProductChange]) -> UpsertPlan:
    """Decide what a set of changes does.

    Components may name products of the same set. A sku that is named twice is wrong at its
    second place.
    """
    return _Planner(connection, changes).plan()


def write_products(connection: Connection, plan: UpsertPlan, *, version: int, now_ms: int) -> None:
    """Write a plan made in the same transaction; `version` is the catalog's, raised for it.

    Raises:
        ValueError: if the plan has errors.
    """
    if plan.errors:
        raise ValueError("a plan with errors cannot be written")
    write_rescales(connection, plan._rescales, version=version)  # noqa: SLF001
    write_rows(
        connection,
        plan._writes,  # noqa: SLF001
        categories=plan._categories,  # noqa: SLF001
        version=version,
        now_ms=now_ms,
    )


class _Planner:
    """One planning: each step works on all changes and notes what is wrong with each."""

    def __init__(self, connection: Connection, changes: Sequence[ProductChange]) -> None:
        self.connection = connection
        self.changes = changes
        self.fields = [Fields() for _ in changes]
        self.before = load_rows(connection, (c.sku for c in changes))
        self.categories = _category_ids(connection)
        self.after: dict[str, ProductRow] = {}
        self.places: dict[str, int] = {}

    def plan(self) -> UpsertPlan:
        self._apply_patches()
        rescales = self._rescales()
        self._apply_components()
        self._check_circles()
        self._check_use()
        errors = {i: f.errors for i, f in enumerate(self.fields) if f.errors}
        sound = [sku for sku, i in self.places.items() if i not in errors]
        created = [sku for sku in sound if sku not in self.before]
        updated = [s for s in sound if s in self.before and self.before[s] != self.after[s]]
        kept = set(created) | set(updated)
        return UpsertPlan(
            created=created,
            updated=updated,
            unchanged=[sku for sku in sound if sku not in kept],
            errors=errors,
            undo=self._undo(updated),
            writes=[(self.before.get(sku), self.after[sku]) for sku in sound if sku in kept],
            categories=self.categories,
            rescales=rescales,
        )

    def _apply_patches(self) -> None:
        for i, change in enumerate(self.changes):
            if change.sku in self.places:
                self.fields[i].wrong("/sku", "duplicate", name=change.sku)
                continue
            self.places[change.sku] = i
            row = self.before.get(change.sku) or ProductRow(change.sku)
            self.after[change.sku] = apply_patch(
                row, change.patch, self.fields[i], categories=self.categories
            )

    def _rescales(self) -> list[Rescale]:
        """Changes of precision, carried into what is kept in the product's steps elsewhere."""
        found = [
            Rescale(before.id, old=before.precision, new=self.after[sku].precision)
            for sku, before in self.before.items()
            if before.precision != self.after[sku].precision
        ]
        if not found:
            return found
        cut = cut_by(self.connection, found)
        scales = {r.product_id: r for r in found}
        by_sku = {s: scales[b.id] for s, b in self.before.items() if b.id in scales}
        for sku, row in self.before.items():
            if row.id in cut:
                self.fields[self.places[sku]].wrong(
                    "/precision", "breaks_lines", digits=self.after[sku].precision
                )
            parts = tuple(_rescaled_part(part, by_sku.get(part.sku)) for part in row.parts)
            self.before[sku] = evolve(row, parts=parts)
            self.after[sku] = evolve(self.after[sku], parts=parts)
        return found

    def _apply_components(self) -> None:
        self.known = self._known_parts()
        for sku, i in self.places.items():
            row, components = self.after[sku], self.changes[i].patch.components
            given = len(row.parts)
            if isinstance(components, list):
                row = apply_parts(row, components, self.fields[i], known=self.known)
                given = len(components)
            check_parts(row, self.fields[i], given=given)
            self.after[sku] = row

    def _known_parts(self) -> dict[str, PartFacts]:
        wanted = {
            part.sku
            for change in self.changes
            if isinstance(change.patch.components, list)
            for part in change.patch.components
        }
        wanted |= {part.sku for row in self.before.values() for part in row.parts}
        rows = select_set(
            self.connection,
            _PARTS_KNOWN,
            columns=(("sku", "text"),),
            rows=[(sku,) for sku in sorted(wanted)],
        )
        known = {r.sku: PartFacts(r.precision, r.archived_at is not None) for r in rows}
        for sku in wanted & self.after.keys():
            row = self.after[sku]
            known[sku] = PartFacts(row.precision, row.archived_at is not None)
        return known

    def _check_circles(self) -> None:
        composed = [s for s, row in self.after.items() if row.parts and self._parts_change(s)]
        if not composed:
            return
        below = (part.sku for sku in composed for part in self.after[sku].parts)
        edges = edges_below(self.connection, below)
        edges |= {sku: [part.sku for part in row.parts] for sku, row in self.after.items()}
        for sku in in_circles(edges, composed):
            at = self.places[sku]
            components = self.changes[at].patch.components
            for i, part in enumerate(components if isinstance(components, list) else ()):
                way = way_to(edges, part.sku, sku) if part.sku != sku else []
                if way:
                    self.fields[at].wrong(
                        f"/components/{i}/sku", "composition_cycle", path=" → ".join([sku, *way])
                    )

    def _parts_change(self, sku: str) -> bool:
        before = self.before.get(sku)
        return before is None or before.parts != self.after[sku].parts

    def _check_use(self) -> None:
        at_stake = {
            before.id: sku
            for sku, before in self.before.items()
            if meaning_changes(before, self.after[sku])
        }
        if not at_stake:
            return
        rows = select_set(
            self.connection,
            _IN_USE,
            columns=(("id", "int"),),
            rows=[(product_id,) for product_id in at_stake],
        )
        for row in rows:
            sku = at_stake[row.id]
            check_use(
                self.before[sku],
                self.after[sku],
                self.fields[self.places[sku]],
                use=Use(moved=bool(row.moved), recorded=bool(row.recorded)),
            )

    def _undo(self, updated: Sequence[str]) -> list[ProductChange]:
        precisions = {sku: facts.precision for sku, facts in self.known.items()}
        return [
            ProductChange(sku, patch_back(self.before[sku], self.after[sku], precisions=precisions))
            for sku in updated
        ]


def _rescaled_part(part: Part, scale: Rescale | None) -> Part:
    if scale is None:
        return part
    steps = rescale(part.quantity, old=scale.old, new=scale.new)
    return part if steps is None else evolve(part, quantity=steps)


def _category_ids(connection: Connection) -> dict[str, int]:
    rows = connection.exec_driver_sql("SELECT code, id FROM category")
    return {row.code: row.id for row in rows}
