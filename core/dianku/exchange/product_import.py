"""Import products: planned in chunks, each written in one transaction with its undo beside it.

A row that the catalog refuses is taken out of its chunk and the rest is planned again, so one bad
row never holds up its neighbours. A dry run plans everything at once and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import UNSET, structs
from sqlalchemy.engine import Connection

from dianku.catalog.categories import create_missing
from dianku.catalog.product_rows import load_rows
from dianku.catalog.service import CatalogChange, CatalogService
from dianku.catalog.upsert import ProductChange, UpsertPlan, plan_products
from dianku.errors import FieldError
from dianku.exchange.cells import fold
from dianku.exchange.layout import Table
from dianku.exchange.naming import name_without_codes, named_products
from dianku.exchange.product_changes import (
    Categories,
    Writing,
    bearers_of,
    change_for,
    encode_patch,
    new_categories,
    skus_among,
)
from dianku.exchange.product_sheet import (
    Known,
    ProductRow,
    all_codes,
    forms,
    has_codes,
    name_products,
    read_products,
)
from dianku.exchange.reading import Raw
from dianku.exchange.runs import Run, RunBook, keep_remarks
from dianku.storage.engine import Database

CHUNK = 500
Progress = Callable[[int, int], None]


class ProductImport:
    """One run of a product file."""

    def __init__(
        self, database: Database, catalog: CatalogService, book: RunBook, run: Run
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._book = book
        self._run = run

    def read(self, tables: Sequence[Table], *, escaped: bool) -> list[ProductRow]:
        """Every data row, cleaned, and settled whom it is about."""
        with self._database.reading() as connection:
            texts = texts_of(tables, "sku")
            known = Known(skus_among(connection, texts), frozenset(Categories(connection).codes))
            rows = read_products(tables, escaped=escaped, known=known)
            if not has_codes(rows):
                name_without_codes(rows, named_products(connection))
            codes = {f for r in rows if not r.given for code in all_codes(r) for f in forms(code)}
            name_products(rows, found=bearers_of(connection, codes))
        self._run.rows = len(rows)
        return rows

    def write(self, rows: Sequence[ProductRow], *, progress: Progress) -> None:
        """Bring the rows into the catalog, or, in a dry run, say what that would do."""
        open_rows = []
        for one in rows:
            if one.failed:
                self._close(one, "failed")
            elif one.first is None:
                open_rows.append(one)
        plain = [one for one in open_rows if "components" not in one.values]
        composed = [one for one in open_rows if "components" in one.values]
        if self._run.options.dry_run:
            with self._database.reading() as connection:
                self._plan(connection, [*plain, *composed])
        else:
            chunks = [plain[i : i + CHUNK] for i in range(0, len(plain), CHUNK)]
            # What is composed may be made of anything in the file, so it comes last and together.
            for chunk in [*chunks, *([composed] if composed else [])]:
                self._write_chunk(chunk)
                progress(self._run.progress, self._run.rows)
        for one in rows:
            if one.first is not None and not one.failed:
                self._close_repeat(one)

    def _close_repeat(self, one: ProductRow) -> None:
        if one.first is not None and one.first.failed:
            one.row.wrong(None, "first_row_failed", row=one.first.row.number)
        self._close(one, "failed" if one.failed else "unchanged")

    def _close(self, one: ProductRow, verdict: str) -> None:
        self._run.count(verdict)
        keep_remarks(self._run, one.row.errors, one.row.notes)

    def _write_chunk(self, rows: Sequence[ProductRow]) -> None:
        with self._catalog.changing() as change:
            self._plan(change.connection, rows, change=change)
            self._book.save(change.connection, self._run)

    def _plan(
        self,
        connection: Connection,
        rows: Sequence[ProductRow],
        *,
        change: CatalogChange | None = None,
    ) -> None:
        """Plan rows (and, within a change of the catalog, write them); each gets its verdict."""
        writings = self._writings(connection, rows)
        made = new_categories(writings, self._categories)
        if change is not None:
            create_missing(connection, made, version=change.version)
        absent = frozenset(made if change is None else ())
        plan, writings = self._sound(connection, writings, absent=absent)
        if change is not None:
            self._keep(change, plan, writings, made=made)
        created, updated = set(plan.created), set(plan.updated)
        for one in rows:
            if one.failed:
                self._close(one, "failed")
            elif one.sku in created:
                self._close(one, "created")
            else:
                self._close(one, "updated" if one.sku in updated | self._moved else "unchanged")

    def _writings(self, connection: Connection, rows: Sequence[ProductRow]) -> list[Writing]:
        present = load_rows(connection, (one.sku or "" for one in rows))
        self._categories = Categories(connection)
        self._moved: set[str] = set()
        for one in rows:
            there = present.get(one.sku or "") if one.minted else None
            if there is not None and fold(there.name) != fold(one.values["name"]):
                one.row.wrong("name", "taken", name=one.sku)
        writings = [
            change_for(one, present=present.get(one.sku or ""), categories=self._categories)
            for one in rows
        ]
        return [writing for writing in writings if not writing.source.failed]

    def _sound(
        self, connection: Connection, writings: list[Writing], *, absent: frozenset[str]
    ) -> tuple[UpsertPlan, list[Writing]]:
        """Plan without the rows that are refused. A refused row may be part of others: again."""
        while True:
            changes = [self._without(w.change, absent=absent) for w in writings]
            plan = plan_products(connection, changes)
            if not plan.errors:
                return plan, writings
            for i, errors in plan.errors.items():
                _explain(writings[i].source, errors)
            writings = [w for i, w in enumerate(writings) if i not in plan.errors]

    def _without(self, change: ProductChange, *, absent: frozenset[str]) -> ProductChange:
        """A change as a dry run can plan it: a category that would be made is not there yet."""
        if change.patch.category not in absent:
            return change
        self._moved.add(change.sku)
        return ProductChange(change.sku, structs.replace(change.patch, category=UNSET))

    def _keep(
        self,
        change: CatalogChange,
        plan: UpsertPlan,
        writings: Sequence[Writing],
        *,
        made: Sequence[str],
    ) -> None:
        """Write the plan, and what undoes it."""
        self._catalog.write_plan(change, plan)
        before = {one.sku: encode_patch(one.patch) for one in plan.undo}
        after = {w.change.sku: encode_patch(w.change.patch) for w in writings}
        self._book.add_changes(
            change.connection,
            self._run,
            [("category", code, None, "{}") for code in made]
            + [("product", sku, before.get(sku), after[sku]) for sku in plan.created]
            + [("product", sku, before.get(sku), after[sku]) for sku in plan.updated],
        )


def _explain(one: ProductRow, errors: Sequence[FieldError]) -> None:
    """Say what the catalog refused in terms of the file's columns."""
    columns: Mapping[str, str] = {
        "display": "display_unit",
        "/open_price/min": "open_price_min",
        "/open_price/max": "open_price_max",
    }
    for error in errors:
        name = error.pointer.split("/")[1] if "/" in error.pointer else "sku"
        name = columns.get(error.pointer, columns.get(name, name))
        if name == "barcodes" and not one.row.table.has("barcodes"):
            name = "barcode"
        if name == "category" and not one.row.table.has("category"):
            name = "category_code"
        one.row.wrong(name, error.code, **dict(error.params))


def texts_of(tables: Sequence[Table], name: str) -> set[str]:
    """The cells of a column as they stand, for codes that are known just so."""
    texts: set[str] = set()
    for table in tables:
        column = table.by_field.get(name)
        if column is None:
            continue
        for _, row in table.rows():
            cell: Raw = row[column.index] if column.index < len(row) else None
            if isinstance(cell, str) and cell:
                texts.add(cell)
                texts.add(cell[1:])
    return texts
