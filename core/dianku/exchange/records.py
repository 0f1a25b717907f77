"""What an import says of itself: its state, its counts, and each cell that is wrong."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from dianku.wire import Answer

ImportKind = Literal["products", "opening-stock", "receipts", "sales-history", "counts"]
IMPORT_KINDS: tuple[ImportKind, ...] = (
    "products",
    "opening-stock",
    "receipts",
    "sales-history",
    "counts",
)
REMARKS_MAX = 5000
"""Wrong cells, and notes, that a run keeps; `errors_total` counts all of them."""


class CellRemark(Answer):
    """Something about one cell (or row, where `column` is None): wrong, mended, or left aside.

    `row` as the spreadsheet numbers it, from 1; `column` the heading (or letter) of the file,
    `field` what it was taken for; `message` is worded where it is shown, from `field.<code>` and
    `params`.
    """

    row: int
    column: str | None
    value: str | None
    code: str
    message: str = ""
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    sheet: str | None = None
    field: str | None = None


class ColumnRecord(Answer):
    """A column of the file and what it was taken for; `field` None: left aside.

    `column` is its heading, or its `letter` where it has none; `samples` are the first values in
    it that differ, shortened.
    """

    column: str
    field: str | None
    sheet: str | None = None
    letter: str = ""
    heading: str = ""
    samples: list[str] = msgspec.field(default_factory=list)


class FieldRecord(Answer):
    """A field that a column of this kind of file may be; `title` is worded where it is shown."""

    name: str
    title: str = ""


class ExcerptRow(Answer):
    """A row of the file at or beside a wrong cell: what its columns say, by field, shortened."""

    row: int
    cells: dict[str, str]
    sheet: str | None = None


class ImportRecord(Answer):
    """An import and how it stands. Every data row is in exactly one of the four counts.

    `failed` counts rows in error; `errors` names their cells (at most 5000, `errors_total` in
    all), and `excerpt` shows the first of them among their neighbours. `notes` are cells that
    were mended or rows that repeat an earlier one. `mapping` is what was said of the columns
    (field to heading or letter, null: in none), None where all was guessed; `heading_row` the row
    its headings stand in, 0: none; `fields` what a column may be.
    """

    id: str
    kind: str
    file_name: str
    status: str
    dry_run: bool
    progress: int
    rows: int
    created: int
    updated: int
    unchanged: int
    failed: int
    errors: list[CellRemark]
    errors_total: int
    notes: list[CellRemark]
    notes_total: int
    columns: list[ColumnRecord]
    problem: str | None
    actor: str
    started_at: str
    ended_at: str | None
    undone_at: str | None
    problem_params: dict[str, Any] = msgspec.field(default_factory=dict)
    mapping: dict[str, str | None] | None = None
    heading_row: int | None = None
    fields: list[FieldRecord] = msgspec.field(default_factory=list)
    excerpt: list[ExcerptRow] = msgspec.field(default_factory=list)


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was said of a file's columns: kept, so that whoever takes the import up knows it."""

    mapping: dict[str, str | None] | None = None
    heading_row: int | None = None


class Remarks(msgspec.Struct, kw_only=True):
    """The part of a run that is kept as one JSON text."""

    errors: list[CellRemark] = msgspec.field(default_factory=list)
    errors_total: int = 0
    notes: list[CellRemark] = msgspec.field(default_factory=list)
    notes_total: int = 0
    columns: list[ColumnRecord] = msgspec.field(default_factory=list)
    excerpt: list[ExcerptRow] = msgspec.field(default_factory=list)
    said: Said = msgspec.field(default=Said())
    heading_row: int | None = None
    problem: str | None = None
    params: dict[str, Any] = msgspec.field(default_factory=dict)

    def add_error(self, remark: CellRemark) -> None:
        """Count a wrong cell, and keep it while there is room."""
        self.errors_total += 1
        if len(self.errors) < REMARKS_MAX:
            self.errors.append(remark)

    def add_note(self, remark: CellRemark) -> None:
        """Count a note, and keep it while there is room."""
        self.notes_total += 1
        if len(self.notes) < REMARKS_MAX:
            self.notes.append(remark)
