"""Which of a sheet's first rows are its headings, and which field each column is called.

Headings stand in any of the first rows, in up to three of them (group, field, note). Of several
blocks that could be meant, one that has all the columns its kind needs wins.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from attrs import frozen

from dianku.exchange.cells import CellRefused, fold, number_of, shown
from dianku.exchange.fields import ESSENTIAL, FIELDS, Field, heading_key
from dianku.exchange.reading import Raw, Sheet, is_empty
from dianku.exchange.records import ImportKind

HEADING_ROWS = 30
"""How far down headings are looked for."""
BLOCK_ROWS = 3
COMPLETE = 100
"""What having every needed column weighs: more than any number of others."""


@frozen
class Column:
    """A column: where it is, its heading as written, and the field it was taken for."""

    index: int
    heading: str
    field: Field | None = None


def lacks_nothing(names: Collection[str], *, kind: ImportKind, optional: Collection[str]) -> bool:
    """Whether fields include one of each group that a kind cannot do without."""
    return all(any(name in names or name in optional for name in g) for g in ESSENTIAL[kind])


def headings_of(
    sheet: Sheet,
    *,
    kind: ImportKind,
    mapping: Mapping[str, str],
    optional: Collection[str] = (),
) -> tuple[int, int, list[Column]]:
    """The block of heading rows that is understood best: (first row, height, columns)."""
    best: tuple[float, int, int, list[Column]] = (0.0, 0, 0, [])
    for start in range(min(HEADING_ROWS, len(sheet.rows))):
        for height in range(1, BLOCK_ROWS + 1):
            block = sheet.rows[start : start + height]
            if len(block) < height or any(_looks_like_data(row) or _is_form(row) for row in block):
                break
            columns = _assign(_texts(block), kind=kind, mapping=mapping)
            matched = [c for c in columns if c.field is not None]
            filled = sum(1 for c in columns if c.heading)
            if len(matched) < min(2, filled) or not matched:
                continue
            score = len(matched) + len(matched) / (filled or 1) - 0.2 * (height - 1) - 0.001 * start
            names = {c.field.name for c in matched if c.field is not None}
            if lacks_nothing(names, kind=kind, optional=optional):
                score += COMPLETE
            if score > best[0]:
                best = (score, start, height, columns)
    return best[1], best[2], best[3]


def _looks_like_data(row: Sequence[Raw]) -> bool:
    filled = [cell for cell in row if not is_empty(cell)]
    if not filled:
        return False
    figures = sum(1 for cell in filled if not isinstance(cell, str) or is_figures(cell))
    return figures * 3 > len(filled)


def _is_form(row: Sequence[Raw]) -> bool:
    """Whether a row is of labels and what they say, as in "Supplier: | A | Date: | 1 May"."""
    filled = [shown(cell).strip() for cell in row if not is_empty(cell)]
    labels = sum(text.endswith((":", "：")) for text in filled)
    return 0 < labels < len(filled)


def is_figures(text: str) -> bool:
    """Whether a text is a number as people write one."""
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
        for heading in (*headings, letter_of(i)):
            name = wanted.get(fold(heading))
            if name is not None and i not in taken:
                taken[i] = (next(f for f in fields if f.name == name), heading)
        for heading in headings:
            named = [
                (rank, order, i, f, heading)
                for order, f in enumerate(fields)
                if f.name not in mapping and (rank := rank_of(f, heading)) is not None
            ]
            ranks += named
            if named:  # what stands above a heading is a group's name, or a form's
                break
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


def rank_of(f: Field, heading: str) -> int | None:
    """How well a heading names a field: 0 is best, None not at all."""
    key = heading_key(heading)
    if not key:
        return None
    if key in f.names:
        return f.names.index(key)
    if any(key.endswith(ending) and len(key) <= len(ending) + 6 for ending in f.endings):
        return len(f.names)
    return None


def letter_of(index: int) -> str:
    """The letter (A, B, ... AA) that a spreadsheet gives a column."""
    letters = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
