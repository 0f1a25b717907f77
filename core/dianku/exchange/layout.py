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
from dianku.exchange.cells import (
    CellRefused,
    code_of,
    date_of,
    days_of,
    fold,
    is_decimal_comma,
    is_decimal_point,
    number_of,
    point_for_comma,
    shown,
)
from dianku.exchange.fields import ESSENTIAL, FIELDS
from dianku.exchange.headings import (
    BLOCK_ROWS,
    Column,
    Headings,
    headings_of,
    is_figures,
    lacks_nothing,
    letter_of,
    mapped,
    rank_of,
    unknown_headings,
)
from dianku.exchange.reading import Raw, Sheet, Workbook, is_empty
from dianku.exchange.records import ImportKind

SAMPLE_ROWS = 400
SHEETS_SHOWN = 5
"""Sheets whose columns are told where none could be read."""
SHORTENED_MIN = 3
"""Codes without their zeros that prove a column: by chance one in ten of other codes checks."""
_NEVER_DROPPED = frozenset({"price", "cost", "stock"}) | {
    name for groups in ESSENTIAL.values() for group in groups for name in group
}
"""Fields a shop would miss: of these wrong cells are told, whatever there is of them."""
_SPREADING = frozenset(
    {"category", "category_code", "store", "supplier", "reference", "time", "unit", "family"}
)
"""Fields of which one merged cell speaks for several rows: what groups goods, no figures."""
_NOTE_ROW = re.compile(
    r"必填|选填|请填写|请输入|不能为空|不可为空|不能重复|不可重复|最多\d|不超过|填写说明|格式[:：为]|单选|下拉|示例[:：]|例如|如[:：]"
    r"|required|optional|must be|maximum \d|up to \d"
)
_EXAMPLE = re.compile(
    r"^[(\[【]?(示例|样例|举例|范例|例|example|sample|e\.g\.?)[)\]】]?(行|数据)?[:：]?$"
)
_TOTAL = re.compile(
    r"^(本页|本单|本表|本月|本日|全部)?(合\s*计|总\s*计|小\s*计|共\s*计|累\s*计|总\s*和)"
    r"(金额|数量|件数|库存)?\s*([:：].*|[(（].*)?$"
    r"|^(grand |sub-?)?totals?( \w+)?\s*(:.*)?$|^sum:?$"
)
_FOOTER = re.compile(
    r"^(制单|制表|填表|审核|复核|经办|经手|负责|盘点|验收|保管|库管|打印|导出|签字|签名|备注|说明|注)"
    r"(人|员|时间|日期|签字)*\s*[:：]"
    r"|^[共计]+\s*\d+\s*(条|行|种|项|件|个|款)|^第\s*\d+\s*页|^(printed|exported|prepared|signed|page)\b"
)
"""What stands under a table; only where the row names no product."""


@frozen
class Table:
    """A sheet understood: which columns are which, and where its data begins.

    `skipped`: rows (numbered from 1) that are notes, examples or totals, so no data. `unfit`:
    columns that are called like a field and hold nothing of the kind. `spread`: by row and
    column, what a merged cell says of rows below its first. `decimal_comma`: 3,50 is 3.50 here.
    """

    sheet: Sheet
    columns: tuple[Column, ...]
    first_row: int
    skipped: tuple[int, ...] = ()
    by_field: Mapping[str, Column] = field(factory=dict)
    unfit: tuple[Column, ...] = ()
    spread: Mapping[int, Mapping[int, Raw]] = field(factory=dict)
    decimal_comma: bool = False

    def rows(self) -> Iterator[tuple[int, Sequence[Raw]]]:
        """Data rows and their numbers; rows without anything in a known column are none."""
        known = [column.index for column in self.by_field.values()]
        passed = set(self.skipped)
        for number, row in enumerate(self.sheet.rows[self.first_row :], start=self.first_row + 1):
            if number in passed:
                continue
            if any(i < len(row) and not is_empty(row[i]) for i in known):
                yield number, self._whole(number, row)

    def _whole(self, number: int, row: Sequence[Raw]) -> Sequence[Raw]:
        above = self.spread.get(number)
        if not above:
            return row
        whole = [*row, *[None] * (max(above) + 1 - len(row))]
        for index, raw in above.items():
            if is_empty(whole[index]):
                whole[index] = raw
        return whole

    def cell(self, name: str, row: Sequence[Raw]) -> Raw:
        """The cell of a field in a row, its decimal comma made a point."""
        column = self.by_field.get(name)
        if column is None or column.index >= len(row):
            return None
        raw = row[column.index]
        if self.decimal_comma and isinstance(raw, str) and _is_of_numbers(column):
            return point_for_comma(raw)
        return raw

    def has(self, name: str) -> bool:
        """Whether the file has a column for a field."""
        return name in self.by_field


def _is_of_numbers(column: Column) -> bool:
    return column.field is not None and column.field.shape in {"number", "whole"}


def find_tables(
    workbook: Workbook,
    *,
    kind: ImportKind,
    mapping: Mapping[str, str | None] | None = None,
    heading_row: int | None = None,
    optional: Collection[str] = (),
) -> list[Table]:
    """The tables to import: the best one, and those of other sheets with the same columns.

    A hidden sheet is taken only where no other has the columns. `mapping` says which heading (or
    column letter) is which field, or None: that field is in no column; `heading_row` (from 1, 0:
    none) where headings stand. `optional` names fields that may be absent though the kind needs
    them.

    Raises:
        Refused: `invalid` where a mapping names what is in no sheet, `columns_not_found` where no
            sheet has the columns the kind needs.
    """
    said = mapping or {}
    _check_mapping(said, kind=kind)
    found: list[Table] = []
    errors: list[Sequence[FieldError]] = []
    for sheet in workbook.sheets:
        headings = headings_of(sheet, kind=kind, mapping=said, row=heading_row, optional=optional)
        if headings is None:
            continue
        table = _read_sheet(sheet, headings, kind=kind, given=frozenset(said))
        if headings.errors:
            errors.append(headings.errors)
        elif lacks_nothing(table.by_field, kind=kind, optional=optional):
            found.append(table)
    if not found and errors:
        raise invalid(*min(errors, key=len))
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


def tables_as_they_stand(
    workbook: Workbook, *, kind: ImportKind, heading_row: int | None = None
) -> list[Table]:
    """What there is to choose columns from where the needed ones were not found."""
    shown_ = [sheet for sheet in workbook.sheets if not sheet.hidden] or list(workbook.sheets)
    tables = []
    for sheet in shown_:
        if not any(not is_empty(cell) for row in sheet.rows for cell in row):
            continue
        row = heading_row
        headings = headings_of(sheet, kind=kind, mapping={}, row=row)
        if headings is None:
            start, height = unknown_headings(sheet)
            row = start + height if height else 0
            headings = headings_of(sheet, kind=kind, mapping={}, row=row)
        assert headings is not None  # its row is given
        tables.append(_read_sheet(sheet, headings, kind=kind, given=frozenset()))
    return tables[:SHEETS_SHOWN]


def sheets_not_read(workbook: Workbook, tables: Sequence[Table]) -> list[Sheet]:
    """Sheets that hold something and are none of the tables, so that somebody may be told."""
    read = [table.sheet for table in tables]
    return [
        sheet
        for sheet in workbook.sheets
        if not any(sheet is one for one in read)
        and any(not is_empty(cell) for row in sheet.rows for cell in row)
    ]


def _check_mapping(mapping: Mapping[str, str | None], *, kind: ImportKind) -> None:
    known = {f.name for f in FIELDS[kind]}
    wrong = [FieldError(mapped(name), "unknown_field") for name in mapping if name not in known]
    if wrong:
        raise invalid(*wrong)


def _read_sheet(
    sheet: Sheet, headings: Headings, *, kind: ImportKind, given: frozenset[str]
) -> Table:
    table = _table(sheet, headings.columns, headings.first + headings.height)
    table = evolve(table, skipped=tuple(_no_data(table)))
    return _by_evidence(table, kind=kind, given=given)


def _table(sheet: Sheet, columns: Sequence[Column], first_row: int) -> Table:
    by_field = {c.field.name: c for c in columns if c.field is not None}
    table = Table(sheet, tuple(columns), first_row, by_field=by_field)
    return evolve(table, spread=_spread(table), decimal_comma=_has_decimal_comma(table))


def _spread(table: Table) -> dict[int, dict[int, Raw]]:
    """What merged cells say of the rows they cover, where that is a word and no figure."""
    named = {
        c.index
        for c in table.by_field.values()
        if c.field is not None and c.field.name in _SPREADING
    }
    spread: dict[int, dict[int, Raw]] = {}
    for first, column, last in table.sheet.merged:
        if column not in named or first < table.first_row:
            continue
        row = table.sheet.rows[first] if first < len(table.sheet.rows) else ()
        if column < len(row) and not is_empty(row[column]):
            for below in range(first + 1, min(last + 1, len(table.sheet.rows))):
                spread.setdefault(below + 1, {})[column] = row[column]
    return spread


def _has_decimal_comma(table: Table) -> bool:
    """Whether figures have a decimal comma, as where columns are parted by something else."""
    if table.sheet.delimiter in {None, ","}:
        return False
    cells = [
        cell
        for c in table.by_field.values()
        if _is_of_numbers(c)
        for cell in _sample(table, c)
        if isinstance(cell, str)
    ]
    return any(map(is_decimal_comma, cells)) and not any(map(is_decimal_point, cells))


def _no_data(table: Table) -> Iterator[int]:
    """Rows that explain, exemplify or add up."""
    for position, (number, row) in enumerate(table.rows()):
        said = table.sheet.rows[number - 1]
        texts = [fold(shown(cell)) for cell in said if not is_empty(cell)]
        if not texts:
            continue
        if (
            (_EXAMPLE.match(texts[0]) and len(texts) > 1)
            or (_is_under(texts[0]) and not _has_key(table, row, total=texts[0]))
            or (position < BLOCK_ROWS and _is_note(texts))
        ):
            yield number


def _is_under(text: str) -> bool:
    return _TOTAL.match(text) is not None or _FOOTER.match(text) is not None


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
    return notes * 2 > len(texts) or (notes >= 2 and not any(is_figures(t) for t in texts))


def _sample(table: Table, column: Column) -> list[Raw]:
    index = column.index
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
    """Let columns be what their cells are, where another fits better; find barcodes by figures.

    A column that nearly is what it is called stays: its wrong cells are errors to be told.
    """
    columns = list(table.columns)
    unfit: list[Column] = []
    for c in table.columns:
        if c.field is None or c.field.name in given:
            continue
        cells = [table.cell(c.field.name, [None] * c.index + [cell]) for cell in _sample(table, c)]
        fitting = sum(1 for cell in cells if _fits(cell, c.field.shape))
        if len(cells) < 3 or fitting * 2 >= len(cells):
            continue
        if _reassign(table, columns, c):
            columns[c.index] = Column(c.index, c.heading)
        elif not fitting and c.field.name not in _NEVER_DROPPED:
            columns[c.index] = Column(c.index, c.heading)
            unfit.append(c)
    known = {c.field.name for c in columns if c.field is not None}
    if "barcode" not in known | given:
        _find_barcodes(table, columns, kind=kind)
    if kind == "products" and "name" not in known and "name" not in given:
        _find_name(table, columns)
    found = _table(table.sheet, columns, table.first_row)
    return evolve(found, skipped=table.skipped, unfit=tuple(unfit))


def _reassign(table: Table, columns: list[Column], unfit: Column) -> bool:
    """Give a field to the next best column of its names whose cells do fit."""
    f = unfit.field
    if f is None:
        return False
    ranked = [
        (rank, c.index)
        for c in columns
        if c.field is None and (rank := rank_of(f, c.heading)) is not None
    ]
    for _, index in sorted(ranked):
        cells = _sample(table, columns[index])
        if cells and sum(_fits(cell, f.shape) for cell in cells) * 2 >= len(cells):
            columns[index] = Column(index, columns[index].heading, f)
            return True
    return False


def _find_name(table: Table, columns: list[Column]) -> None:
    """A list of "Item, Price" has names where others have codes: words, mostly."""
    f = next(f for f in FIELDS["products"] if f.name == "name")
    for c in columns:
        if c.field is None or c.field.name != "sku" or rank_of(f, c.heading) is None:
            continue
        texts = [shown(cell).strip() for cell in _sample(table, c)]
        words = sum(1 for text in texts if " " in text or not text.isascii())
        if words * 2 >= len(texts) > 0:
            columns[c.index] = Column(c.index, c.heading, f)


GTIN_CELL_MAX = 40
"""Signs of a cell that may be a barcode: its figures, an exponent, blanks about them."""


def _find_barcodes(table: Table, columns: list[Column], *, kind: ImportKind) -> None:
    f = next(f for f in FIELDS[kind] if f.name == "barcode")
    for c in columns:
        if c.field is not None:
            continue
        cells = _sample(table, c)
        codes = sum(1 for cell in cells if _is_gtin_cell(cell))
        if codes >= 3 and codes * 10 >= len(cells) * 7:
            columns[c.index] = Column(c.index, c.heading or letter_of(c.index), f)
            return


def _is_gtin_cell(cell: Raw) -> bool:
    if isinstance(cell, str) and len(cell) > GTIN_CELL_MAX:
        return False
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
    cells = _sample(table, column)
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
