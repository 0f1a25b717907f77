"""Find the table in a sheet: its headings, what each column is, and which rows are data.

Headings are known by their names and may stand in any of the first rows, in up to three rows
(group, field, note). What the cells hold is evidence too: a column that is called a price and
holds words is none, and one without a known name that holds GTINs is the barcode.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from attrs import evolve, field, frozen

from dianku.errors import FieldError, invalid, refuse
from dianku.exchange.barcodes import is_gtin, zeros_restored
from dianku.exchange.cells import CellRefused, code_of, date_of, days_of, fold, number_of, shown
from dianku.exchange.fields import ESSENTIAL, FIELDS, Field, heading_key
from dianku.exchange.reading import Raw, Sheet, Workbook, is_empty
from dianku.exchange.records import ImportKind

HEADING_ROWS = 30
"""How far down headings are looked for."""
BLOCK_ROWS = 3
SAMPLE_ROWS = 400
SHORTENED_MIN = 3
"""Codes without their zeros that prove a column: by chance one in ten of other codes checks."""
_NOTE_ROW = re.compile(
    r"必填|选填|请填写|请输入|不能为空|不可为空|不能重复|不可重复|最多\d|不超过|填写说明|格式[:：为]|单选|下拉|示例[:：]|例如|如[:：]"
    r"|required|optional|must be|maximum \d|up to \d"
)
_EXAMPLE = re.compile(
    r"^[(\[【]?(示例|样例|举例|范例|例|example|sample|e\.g\.?)[)\]】]?(行|数据)?[:：]?$"
)
_TOTAL = re.compile(r"^(合\s*计|总\s*计|小\s*计|本页合计|total|grand total|subtotal|sum)[:：]?$")


@frozen
class Column:
    """A column: where it is, its heading as written, and the field it was taken for."""

    index: int
    heading: str
    field: Field | None = None


@frozen
class Table:
    """A sheet understood: which columns are which, and where its data begins.

    `skipped`: rows (numbered from 1) that are notes, examples or totals, so no data.
    """

    sheet: Sheet
    columns: tuple[Column, ...]
    first_row: int
    skipped: tuple[int, ...] = ()
    by_field: Mapping[str, Column] = field(factory=dict)

    def rows(self) -> Iterator[tuple[int, Sequence[Raw]]]:
        """Data rows and their numbers; rows without anything in a known column are none."""
        known = [column.index for column in self.by_field.values()]
        passed = set(self.skipped)
        for number, row in enumerate(self.sheet.rows[self.first_row :], start=self.first_row + 1):
            if number in passed:
                continue
            if any(i < len(row) and not is_empty(row[i]) for i in known):
                yield number, row

    def has(self, name: str) -> bool:
        """Whether the file has a column for a field."""
        return name in self.by_field


def find_tables(
    workbook: Workbook,
    *,
    kind: ImportKind,
    mapping: Mapping[str, str] | None = None,
    optional: Collection[str] = (),
) -> list[Table]:
    """The tables to import: the best one, and those of other sheets with the same columns.

    A hidden sheet is taken only where no other has the columns. `optional` names fields that may
    be absent though the kind needs them.

    Raises:
        Refused: `columns_not_found` where no sheet has the columns the kind needs.
    """
    _check_mapping(mapping or {}, kind=kind)
    found = []
    for sheet in workbook.sheets:
        table = _read_sheet(sheet, kind=kind, mapping=mapping or {})
        if table is not None and _is_complete(table, kind=kind, optional=optional):
            found.append(table)
    if not found:
        raise refuse(
            "columns_not_found",
            kind=kind,
            needed=["/".join(group) for group in ESSENTIAL[kind]],
            sheets=[sheet.name for sheet in workbook.sheets],
        )
    found = [table for table in found if not table.sheet.hidden] or found
    best = max(found, key=lambda table: len(table.by_field))
    return [table for table in found if set(table.by_field) == set(best.by_field)]


def sheets_not_read(workbook: Workbook, tables: Sequence[Table]) -> list[Sheet]:
    """Sheets that hold something and are none of the tables, so that somebody may be told."""
    read = [table.sheet for table in tables]
    return [
        sheet
        for sheet in workbook.sheets
        if not any(sheet is one for one in read)
        and any(not is_empty(cell) for row in sheet.rows for cell in row)
    ]


def _check_mapping(mapping: Mapping[str, str], *, kind: ImportKind) -> None:
    known = {f.name for f in FIELDS[kind]}
    wrong = [
        FieldError(f"/mapping/{name}", "unknown_field") for name in mapping if name not in known
    ]
    if wrong:
        raise invalid(*wrong)


def _read_sheet(sheet: Sheet, *, kind: ImportKind, mapping: Mapping[str, str]) -> Table | None:
    start, height, columns = _headings(sheet, kind=kind, mapping=mapping)
    if height == 0:
        return None
    first = start + height
    table = _table(sheet, columns, first)
    table = evolve(table, skipped=tuple(_no_data(table)))
    return _by_evidence(table, kind=kind, given=frozenset(mapping))


def _is_complete(table: Table, *, kind: ImportKind, optional: Collection[str]) -> bool:
    return all(
        any(table.has(name) or name in optional for name in group) for group in ESSENTIAL[kind]
    )


def _table(sheet: Sheet, columns: Sequence[Column], first_row: int) -> Table:
    by_field = {c.field.name: c for c in columns if c.field is not None}
    return Table(sheet, tuple(columns), first_row, by_field=by_field)


def _headings(
    sheet: Sheet, *, kind: ImportKind, mapping: Mapping[str, str]
) -> tuple[int, int, list[Column]]:
    """The block of heading rows that is understood best: (first row, height, columns)."""
    best: tuple[float, int, int, list[Column]] = (0.0, 0, 0, [])
    for start in range(min(HEADING_ROWS, len(sheet.rows))):
        for height in range(1, BLOCK_ROWS + 1):
            block = sheet.rows[start : start + height]
            if len(block) < height or any(_looks_like_data(row) for row in block):
                break
            columns = _assign(_texts(block), kind=kind, mapping=mapping)
            matched = [c for c in columns if c.field is not None]
            filled = sum(1 for c in columns if c.heading)
            if len(matched) < min(2, filled) or not matched:
                continue
            score = len(matched) + len(matched) / (filled or 1) - 0.2 * (height - 1) - 0.001 * start
            if score > best[0]:
                best = (score, start, height, columns)
    return best[1], best[2], best[3]


def _looks_like_data(row: Sequence[Raw]) -> bool:
    filled = [cell for cell in row if not is_empty(cell)]
    if not filled:
        return False
    figures = sum(1 for cell in filled if not isinstance(cell, str) or _is_figures(cell))
    return figures * 3 > len(filled)


def _is_figures(text: str) -> bool:
    try:
        return number_of(text) is not None
    except CellRefused:
        return False


def _texts(block: Sequence[Sequence[Raw]]) -> list[list[str]]:
    """The texts above each column, lowest first."""
    width = max((len(row) for row in block), default=0)
    return [
        [shown(row[i]).strip() for row in reversed(block) if i < len(row) and not is_empty(row[i])]
        for i in range(width)
    ]


def _assign(
    texts: Sequence[Sequence[str]], *, kind: ImportKind, mapping: Mapping[str, str]
) -> list[Column]:
    """Give each field the column that names it best; a column serves one field."""
    ranks: list[tuple[int, int, int, Field, str]] = []
    fields = FIELDS[kind]
    wanted = {fold(column): name for name, column in mapping.items()}
    taken: dict[int, tuple[Field, str]] = {}
    for i, headings in enumerate(texts):
        for heading in (*headings, _letter(i)):
            name = wanted.get(fold(heading))
            if name is not None and i not in taken:
                taken[i] = (next(f for f in fields if f.name == name), heading)
        for heading in headings:
            for order, f in enumerate(fields):
                rank = _rank(f, heading_key(heading))
                if rank is not None and f.name not in mapping:
                    ranks.append((rank, order, i, f, heading))
    used = {f.name for f, _ in taken.values()}
    for _, _, i, f, heading in sorted(ranks, key=lambda r: (r[0], r[1], r[2])):
        if i not in taken and f.name not in used:
            taken[i] = (f, heading)
            used.add(f.name)
    return [
        Column(i, taken[i][1], taken[i][0])
        if i in taken
        else Column(i, " ".join(reversed(headings)))
        for i, headings in enumerate(texts)
    ]


def _rank(f: Field, key: str) -> int | None:
    if not key:
        return None
    if key in f.names:
        return f.names.index(key)
    if any(key.endswith(ending) and len(key) <= len(ending) + 6 for ending in f.endings):
        return len(f.names)
    return None


def _letter(index: int) -> str:
    letters = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _no_data(table: Table) -> Iterator[int]:
    """Rows that explain, exemplify or add up."""
    for position, (number, row) in enumerate(table.rows()):
        texts = [fold(shown(cell)) for cell in row if not is_empty(cell)]
        if not texts:
            continue
        if (
            (_EXAMPLE.match(texts[0]) and len(texts) > 1)
            or (_TOTAL.match(texts[0]) and not _has_key(table, row, total=texts[0]))
            or (position < BLOCK_ROWS and _is_note(texts))
        ):
            yield number


def _has_key(table: Table, row: Sequence[Raw], *, total: str) -> bool:
    """Whether a row that begins like a total names a product after all."""
    for name in ("sku", "barcode", "platform_id"):
        column = table.by_field.get(name)
        if column is not None and column.index < len(row):
            text = fold(shown(row[column.index]))
            if text and text != total:
                return True
    return False


def _is_note(texts: Sequence[str]) -> bool:
    notes = sum(1 for text in texts if _NOTE_ROW.search(text))
    return notes * 2 > len(texts) or (notes >= 2 and not any(_is_figures(t) for t in texts))


def _sample(table: Table, index: int) -> list[Raw]:
    cells: list[Raw] = []
    for number, (_, row) in enumerate(table.rows()):
        if number >= SAMPLE_ROWS:
            break
        if index < len(row) and not is_empty(row[index]):
            cells.append(row[index])
    return cells


def _fits(cell: Raw, shape: str) -> bool:
    try:
        if shape in {"number", "whole"}:
            number_of(cell)
        elif shape == "date":
            date_of(cell)
        elif shape == "days":
            days_of(cell)
    except CellRefused:
        return False
    return True


def _by_evidence(table: Table, *, kind: ImportKind, given: frozenset[str]) -> Table:
    """Drop columns whose cells are not what they are called; find barcodes by their figures."""
    columns = list(table.columns)
    refused: set[tuple[str, int]] = set()
    for c in table.columns:
        if c.field is None or c.field.name in given:
            continue
        cells = _sample(table, c.index)
        fitting = sum(1 for cell in cells if _fits(cell, c.field.shape))
        if len(cells) >= 3 and fitting * 2 < len(cells):
            refused.add((c.field.name, c.index))
            columns[c.index] = Column(c.index, c.heading)
    for name, _index in refused:
        _reassign(columns, name=name, refused=refused, kind=kind)
    known = {c.field.name for c in columns if c.field is not None}
    if "barcode" not in known:
        _find_barcodes(table, columns, kind=kind)
    return evolve(_table(table.sheet, columns, table.first_row), skipped=table.skipped)


def _reassign(
    columns: list[Column], *, name: str, refused: set[tuple[str, int]], kind: ImportKind
) -> None:
    f = next(f for f in FIELDS[kind] if f.name == name)
    ranked = [
        (rank, c.index)
        for c in columns
        if c.field is None
        and (name, c.index) not in refused
        and (rank := _rank(f, heading_key(c.heading))) is not None
    ]
    if ranked:
        index = min(ranked)[1]
        columns[index] = Column(index, columns[index].heading, f)


def _find_barcodes(table: Table, columns: list[Column], *, kind: ImportKind) -> None:
    f = next(f for f in FIELDS[kind] if f.name == "barcode")
    for c in columns:
        if c.field is not None:
            continue
        cells = _sample(table, c.index)
        codes = sum(1 for cell in cells if _is_gtin_cell(cell))
        if codes >= 3 and codes * 10 >= len(cells) * 7:
            columns[c.index] = Column(c.index, c.heading or _letter(c.index), f)
            return


def _is_gtin_cell(cell: Raw) -> bool:
    try:
        code = code_of(cell)
    except CellRefused:
        return False
    return code is not None and is_gtin(code)


def gtin_share(table: Table, name: str) -> float:
    """How much of a column, from 0 to 1, is sound GTINs: whether lost zeros may be put back.

    Codes that are sound once their zeros are back count too, where there are enough of them that
    it is no chance: a list of UPCs that went through a spreadsheet has lost every zero.
    """
    column = table.by_field.get(name)
    if column is None:
        return 0.0
    cells = _sample(table, column.index)
    sound = sum(map(_is_gtin_cell, cells))
    shortened = sum(map(_is_shortened_cell, cells))
    if shortened >= SHORTENED_MIN:
        sound += shortened
    return sound / len(cells) if cells else 0.0


def _is_shortened_cell(cell: Raw) -> bool:
    try:
        code = code_of(cell)
    except CellRefused:
        return False
    return code is not None and not is_gtin(code) and is_gtin(zeros_restored(code))
