"""Open a spreadsheet, whatever its name says it is, and give its cells as they stand.

The format is told by content: CSV (UTF-8, UTF-16 with a mark, GB18030; any usual delimiter),
XLSX and its kin, old XLS, and the web page that many back offices call .xls. Nothing is read that
could not be held: sizes are checked before a library that keeps whole sheets sees the file.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import python_calamine
from attrs import frozen

from dianku.errors import refuse
from dianku.exchange.formula_errors import MARK, SHEETS, column_number, formula_errors
from dianku.exchange.html_tables import TooMany, is_page, tables_of

Raw = str | float | int | bool | datetime | date | time | timedelta | None
"""A cell as the file has it. Text of a CSV is always `str`; an empty cell is None or ""."""


@frozen
class Limits:
    """How large a file may be. `unpacked_bytes`: of all parts of a zipped workbook."""

    file_bytes: int = 50_000_000
    unpacked_bytes: int = 600_000_000
    parts: int = 5_000
    rows: int = 500_000
    cells: int = 8_000_000
    columns: int = 1_000


@frozen
class Sheet:
    """One table of a file: rows from the very first, so that row i is the spreadsheet's i + 1.

    `hidden`: whoever opens the file does not see it. `merged`: (first row, column, last row),
    from 0, of cells that reach over several rows. `delimiter`: of a text file.
    """

    name: str
    rows: Sequence[Sequence[Raw]]
    hidden: bool = False
    merged: Sequence[tuple[int, int, int]] = ()
    delimiter: str | None = None


@frozen
class Workbook:
    """A file that was read. `escaped`: text may carry the apostrophe that exports put in CSV."""

    format: str
    sheets: tuple[Sheet, ...]
    escaped: bool = False


_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*[^/]>')
_TAIL = 512
_CHUNK = 1 << 20
_DELIMITERS = (",", "\t", ";", "|")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BINARY = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def read_workbook(content: bytes, *, limits: Limits | None = None) -> Workbook:
    """Read a file.

    Raises:
        Refused: `file_too_large` (with what, and the largest), `file_unreadable` (with why:
            empty, format, encoding, broken, encrypted, or a quote that is never closed, with
            the `row` it stands in).
    """
    limits = limits or Limits()
    if len(content) > limits.file_bytes:
        raise _too_large("bytes", limits.file_bytes)
    if not content.strip(b"\x00 \t\r\n"):
        raise _unreadable("empty")
    if content.startswith(b"PK"):
        failed = _check_zip(content, limits=limits)
        return _read_calamine(content, format_="xlsx", limits=limits, failed=failed)
    if content.startswith(_OLE):
        return _read_calamine(content, format_="xls", limits=limits)
    return _read_text(content, limits=limits)


def _too_large(what: str, largest: int) -> Exception:
    return refuse("file_too_large", what=what, max=largest)


def _unreadable(why: str, **figures: Any) -> Exception:
    return refuse("file_unreadable", reason=why, extra=figures, **figures)


def _check_zip(content: bytes, *, limits: Limits) -> set[str]:
    """Unpack every part once, counting: declared sizes may lie, and sheets may be sparse.

    Returns the sheets that have cells whose formula failed.
    """
    failed: set[str] = set()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > limits.parts:
                raise _too_large("parts", limits.parts)
            if sum(part.file_size for part in parts) > limits.unpacked_bytes:
                raise _too_large("unpacked_bytes", limits.unpacked_bytes)
            if any(part.flag_bits & 1 for part in parts):
                raise _unreadable("encrypted")
            left = limits.unpacked_bytes
            for part in parts:
                left -= _check_part(archive, part, left=left, failed=failed, limits=limits)
    except (zipfile.BadZipFile, RuntimeError, EOFError, OSError, ValueError) as error:
        raise _unreadable("broken") from error
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise _unreadable("broken") from error
        raise
    return failed


def _check_part(
    archive: zipfile.ZipFile,
    part: zipfile.ZipInfo,
    *,
    left: int,
    failed: set[str],
    limits: Limits,
) -> int:
    """Bytes of one part; of a sheet also how far its filled cells reach, and if any failed."""
    sheet = part.filename.startswith(SHEETS)
    total = last_row = last_column = 0
    tail = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            total += len(chunk)
            if total > left:
                raise _too_large("unpacked_bytes", limits.unpacked_bytes)
            if not sheet:
                continue
            if MARK in tail + chunk:
                failed.add(part.filename)
            for column, row in _CELL.findall(tail + chunk):
                last_row = max(last_row, int(row))
                last_column = max(last_column, column_number(column))
            tail = (tail + chunk)[-_TAIL:]
            _check_extent(last_row, last_column, limits=limits)
    return total


def _check_extent(rows: int, columns: int, *, limits: Limits) -> None:
    if rows > limits.rows:
        raise _too_large("rows", limits.rows)
    if columns > limits.columns:
        raise _too_large("columns", limits.columns)
    if rows * columns > limits.cells:
        raise _too_large("cells", limits.cells)


def _read_calamine(
    content: bytes, *, format_: str, limits: Limits, failed: Collection[str] = ()
) -> Workbook:
    try:
        errors = formula_errors(content, failed)
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = []
        cells = 0
        for known in book.sheets_metadata:
            if known.typ != python_calamine.SheetTypeEnum.WorkSheet:
                continue
            sheet = book.get_sheet_by_name(known.name)
            end = sheet.end or (-1, -1)
            _check_extent(end[0] + 1, end[1] + 1, limits=limits)
            cells += (end[0] + 1) * (end[1] + 1)
            if cells > limits.cells:
                raise _too_large("cells", limits.cells)
            hidden = known.visible != python_calamine.SheetVisibleEnum.Visible
            rows = sheet.to_python(skip_empty_area=False)
            for row, column, shown in errors.get(known.name, ()):
                if row < len(rows) and column < len(rows[row]):
                    rows[row][column] = shown
            sheets.append(Sheet(known.name, rows, hidden, _merged(sheet)))
        return Workbook(format_, tuple(sheets))
    except python_calamine.PasswordError as error:
        raise _unreadable("encrypted") from error
    except (python_calamine.CalamineError, OSError, ValueError, OverflowError) as error:
        raise _unreadable("broken") from error
    except BaseException as error:
        # A panic of the reader's Rust code is no Exception; it means a file it cannot make out.
        if type(error).__name__ == "PanicException":
            raise _unreadable("broken") from error
        raise


def _merged(sheet: python_calamine.CalamineSheet) -> list[tuple[int, int, int]]:
    return [
        (top, left, bottom)
        for (top, left), (bottom, _) in sheet.merged_cell_ranges or ()
        if bottom > top
    ]


def _read_text(content: bytes, *, limits: Limits) -> Workbook:
    text = _decode(content)
    if is_page(text):
        return _read_page(text, limits=limits)
    if text.lstrip().startswith("<?xml"):
        raise _unreadable("format")
    delimiter, text = _delimiter(text)
    rows: list[list[str]] = []
    cells = 0
    try:
        for row in _whole_records(text, delimiter):
            rows.append(row)
            cells += len(row)
            _check_extent(len(rows), len(row), limits=limits)
            if cells > limits.cells:
                raise _too_large("cells", limits.cells)
    except csv.Error as error:
        raise _unreadable("broken") from error
    return Workbook("csv", (Sheet("", rows, delimiter=delimiter),), escaped=True)


def _read_page(text: str, *, limits: Limits) -> Workbook:
    try:
        tables = tables_of(text, most=limits.cells)
    except TooMany:
        raise _too_large("cells", limits.cells) from None
    for rows in tables:
        _check_extent(len(rows), max(map(len, rows), default=0), limits=limits)
    names = [""] if len(tables) == 1 else [str(i) for i in range(1, len(tables) + 1)]
    return Workbook("html", tuple(map(Sheet, names, tables)))


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _whole_records(text: str, delimiter: str) -> Iterator[list[str]]:
    """Records, none of them made of several by a quote that is not closed.

    A stray quote would swallow the lines after it in silence. So a record of several lines must
    be sound by the letter of CSV, while one of a single line may have quotes anywhere.
    """
    lines = list(io.StringIO(text, newline=""))
    records = csv.reader(lines, delimiter=delimiter)
    at = 0
    for number, record in enumerate(records, start=1):
        if records.line_num - at > 1:
            _check_quotes(lines[at : records.line_num], delimiter, row=number)
        at = records.line_num
        yield record


def _check_quotes(lines: Sequence[str], delimiter: str, *, row: int) -> None:
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise _unreadable("quote", row=row) from error


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: Sequence[str] = ("utf-16",)
    elif (wide := _wide(content)) is not None:
        encodings = (wide,)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _BINARY.search(text):
            raise _unreadable("format")
        return text.removeprefix("\ufeff")
    raise _unreadable("encoding")


def _wide(content: bytes) -> str | None:
    """UTF-16 that lacks its mark: line ends and figures leave a zero byte on one side only."""
    sample = content[:20_000]
    low, high = sample[1::2].count(0), sample[0::2].count(0)
    if max(low, high) < 2 or min(low, high) or len(content) % 2:
        return None
    return "utf-16-le" if low else "utf-16-be"


def _delimiter(text: str) -> tuple[str, str]:
    """The delimiter whose first records agree best on a number of columns above one."""
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        return first.strip()[4], rest
    best: tuple[float, str] = (0.0, ",")
    for delimiter in _DELIMITERS:
        score = _agreement(text, delimiter)
        if score > best[0]:
            best = (score, delimiter)
    return best[1], text


def _agreement(text: str, delimiter: str) -> float:
    widths: list[int] = []
    try:
        for row in _records(text[:200_000], delimiter):
            if any(cell.strip() for cell in row):
                widths.append(len(row))
            if len(widths) >= 60:
                break
    except csv.Error:
        return 0.0
    wide = [width for width in widths if width > 1]
    if not wide:
        return 0.0
    width, count = Counter(wide).most_common(1)[0]
    return count / len(widths) + min(width, 20) / 1000


def is_empty(raw: Any) -> bool:
    """Whether a cell holds nothing but blanks."""
    return raw is None or (isinstance(raw, str) and not raw.strip(BLANKS))


BLANKS = " \t\r\n\f\v\u00a0\u3000\u200b\u200c\u200d\u2060\ufeff"
"""What is stripped from both ends of a text cell: blanks, also full-width and zero-width ones."""
