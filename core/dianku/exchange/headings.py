"""Which of a sheet's first rows are its headings, and which field each column is called.

Headings stand in any of the first rows, in up to three of them (group, field, note). Of several
blocks that could be meant, one that has all the columns its kind needs wins.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from attrs import frozen

from dianku.errors import FieldError
from dianku.exchange.cells import CellRefused, fold, number_of, shown
from dianku.exchange.fields import ESSENTIAL, FIELDS, Field, heading_key
from dianku.exchange.reading import Raw, Sheet, is_empty
from dianku.exchange.records import ImportKind

HEADING_ROWS = 30
"""How far down headings are looked for."""
BLOCK_ROWS = 3
WIDTH_ROWS = 200
"""Rows that are looked at for columns without a heading."""
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


@frozen
class Headings:
    """Where a sheet's headings stand, its columns, and what of a mapping is wrong.

    `first` and `height` are rows; `height` 0: there are none, and data begins at `first`.
    """

    first: int
    height: int
    columns: list[Column]
    errors: list[FieldError]


def headings_of(
    sheet: Sheet,
    *,
    kind: ImportKind,
    mapping: Mapping[str, str | None],
    row: int | None = None,
    optional: Collection[str] = (),
) -> Headings | None:
    """The headings that are understood best, or those of a `row` (from 1; 0: the sheet has none).

    None where nothing is understood and no mapping says what is what.
    """
    if row is None:
        start, height = _block_of(sheet, kind=kind, mapping=mapping, optional=optional)
        if height == 0 and not mapping:
            return None
        if height == 0:
            start, height = unknown_headings(sheet)
    else:
        start, height = max(row - 1, 0), min(row, 1)
    texts = _texts(sheet.rows[start : start + height], width=_width(sheet, start))
    given, errors = resolve(mapping, texts)
    return Headings(start, height, _assign(texts, kind=kind, given=given, mapping=mapping), errors)


def unknown_headings(sheet: Sheet) -> tuple[int, int]:
    """The first filled row of a sheet is its headings, or where data begins: (first, height)."""
    for start, row in enumerate(sheet.rows[:HEADING_ROWS]):
        if any(not is_empty(cell) for cell in row):
            return start, 0 if _looks_like_data(row) else 1
    return 0, 0


def _block_of(
    sheet: Sheet, *, kind: ImportKind, mapping: Mapping[str, str | None], optional: Collection[str]
) -> tuple[int, int]:
    """The block of heading rows that says most: (first row, height); height 0 where none does.

    A mapping to a column's letter says nothing of where headings stand; all else does.
    """
    best: tuple[float, int, int] = (0.0, 0, 0)
    for start in range(min(HEADING_ROWS, len(sheet.rows))):
        for height in range(1, BLOCK_ROWS + 1):
            block = sheet.rows[start : start + height]
            if len(block) < height or any(_looks_like_data(row) or _is_form(row) for row in block):
                break
            texts = _texts(block, width=max((len(row) for row in block), default=0))
            named, _ = resolve(mapping, texts, letters=False)
            told = {name: mapping[name] for name in named}
            columns = _assign(texts, kind=kind, given=named, mapping=told)
            matched = [c for c in columns if c.field is not None]
            filled = sum(1 for c in columns if c.heading)
            if not matched or (len(matched) < min(2, filled) and not named):
                continue
            score = len(matched) + len(matched) / (filled or 1) - 0.2 * (height - 1) - 0.001 * start
            names = {c.field.name for c in matched if c.field is not None}
            if lacks_nothing(names, kind=kind, optional=optional):
                score += COMPLETE
            if score > best[0]:
                best = (score, start, height)
    return best[1], best[2]


def _width(sheet: Sheet, start: int) -> int:
    """How many columns the headings and the rows below them have."""
    return max((len(row) for row in sheet.rows[start : start + WIDTH_ROWS]), default=0)


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


def _texts(block: Sequence[Sequence[Raw]], *, width: int) -> list[list[str]]:
    """The texts above each column, lowest first."""
    return [
        [shown(row[i]).strip() for row in reversed(block) if i < len(row) and not is_empty(row[i])]
        for i in range(width)
    ]


def resolve(
    mapping: Mapping[str, str | None], texts: Sequence[Sequence[str]], *, letters: bool = True
) -> tuple[dict[str, int], list[FieldError]]:
    """Which column each field of a mapping is in, and what is wrong with it.

    A heading goes before a letter: where a column is headed "B", that one is meant.
    """
    named: dict[str, set[int]] = {}
    for i, headings in enumerate(texts):
        for heading in {*headings, " ".join(reversed(headings))} - {""}:
            named.setdefault(fold(heading), set()).add(i)
    by_letter = {letter_of(i): i for i in range(len(texts))} if letters else {}
    given: dict[str, int] = {}
    errors = []
    for name, said in mapping.items():
        if said is None:
            continue
        at = sorted(named.get(fold(said), ()))
        if not at and said.strip().upper() in by_letter:
            at = [by_letter[said.strip().upper()]]
        other = next((n for n, i in given.items() if at == [i]), None)
        if not at:
            errors.append(FieldError(mapped(name), "unknown_column", {"name": said}))
        elif len(at) > 1:
            columns = ", ".join(map(letter_of, at))
            params = {"name": said, "columns": columns}
            errors.append(FieldError(mapped(name), "ambiguous_column", params))
        elif other is not None:
            params = {"name": said, "field": other}
            errors.append(FieldError(mapped(name), "column_taken", params))
        else:
            given[name] = at[0]
    return given, errors


def mapped(name: str) -> str:
    """The pointer to a field of a mapping."""
    return f"/mapping/{name.replace('~', '~0').replace('/', '~1')}"


def _assign(
    texts: Sequence[Sequence[str]],
    *,
    kind: ImportKind,
    given: Mapping[str, int],
    mapping: Mapping[str, str | None],
) -> list[Column]:
    """Give each field the column it is said to be, or that names it best; a column serves one."""
    ranks: list[tuple[int, int, int, Field, str]] = []
    fields = FIELDS[kind]
    taken: dict[int, tuple[Field, str]] = {}
    for f in fields:
        if f.name in given:
            i = given[f.name]
            taken[i] = (f, _heading(texts[i], said=mapping[f.name]) or letter_of(i))
    for i, headings in enumerate(texts):
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


def _heading(headings: Sequence[str], *, said: str | None) -> str:
    """The heading of a column that was said by its heading, or by its letter."""
    named = [text for text in headings if said is not None and fold(text) == fold(said)]
    return named[0] if named else " ".join(reversed(headings))


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
