"""What an import tells of the file itself: its columns with samples, and rows around wrong cells.

Both are bounded and shortened: they are for somebody who chooses what a column is, or looks for
the cell to mend, and are kept with the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dianku.exchange.cells import shown
from dianku.exchange.fields import FIELDS
from dianku.exchange.headings import Column, letter_of
from dianku.exchange.layout import Table
from dianku.exchange.reading import Raw, is_empty
from dianku.exchange.records import (
    CellRemark,
    ColumnRecord,
    ExcerptRow,
    FieldRecord,
    ImportKind,
)

SAMPLES = 3
SAMPLE_ROWS = 100
SAMPLE_LONGEST = 40
EXCERPT_ROWS = 100
"""Wrong rows that are shown among their neighbours."""
EXCERPT_LONGEST = 60


def columns_of(tables: Iterable[Table]) -> list[ColumnRecord]:
    """Every column that has a heading or holds anything, in the order of the file."""
    return [
        ColumnRecord(
            column=column.heading or letter_of(column.index),
            field=column.field.name if column.field is not None else None,
            sheet=table.sheet.name or None,
            letter=letter_of(column.index),
            heading=_heading_in_file(column),
            samples=samples,
        )
        for table in tables
        for column in table.columns
        if (samples := _samples(table, column.index)) or column.heading
    ]


def _heading_in_file(column: Column) -> str:
    return "" if column.heading == letter_of(column.index) else column.heading


def _samples(table: Table, index: int) -> list[str]:
    found: list[str] = []
    passed = set(table.skipped)
    first = table.first_row
    for number, row in enumerate(table.sheet.rows[first : first + SAMPLE_ROWS], start=first + 1):
        if number in passed or index >= len(row) or is_empty(row[index]):
            continue
        text = shown(row[index]).strip()[:SAMPLE_LONGEST]
        if text and text not in found:
            found.append(text)
        if len(found) == SAMPLES:
            break
    return found


def fields_of(kind: ImportKind) -> list[FieldRecord]:
    """What a column may be; its title is worded where it is shown."""
    return [FieldRecord(name=f.name) for f in FIELDS[kind]]


def excerpt_of(tables: Sequence[Table], errors: Iterable[CellRemark]) -> list[ExcerptRow]:
    """The rows of the first wrong cells, each with the one before and the one after."""
    wrong: dict[tuple[str | None, int], None] = {}
    for remark in errors:
        wrong[remark.sheet, remark.row] = None
        if len(wrong) == EXCERPT_ROWS:
            break
    return [
        ExcerptRow(row=number, cells=_cells(table, row), sheet=table.sheet.name or None)
        for table in tables
        for number, row in _around(table, {r for s, r in wrong if s == (table.sheet.name or None)})
    ]


def _around(table: Table, numbers: set[int]) -> Iterator[tuple[int, Sequence[Raw]]]:
    wanted = {number + step for number in numbers for step in (-1, 0, 1)}
    for number in sorted(wanted):
        if table.first_row < number <= len(table.sheet.rows):
            yield number, table.sheet.rows[number - 1]


def _cells(table: Table, row: Sequence[Raw]) -> dict[str, str]:
    return {
        name: shown(row[column.index]).strip()[:EXCERPT_LONGEST]
        for name, column in table.by_field.items()
        if column.index < len(row) and not is_empty(row[column.index])
    }
