"""Write tables as CSV or XLSX, row by row, with no cell that a spreadsheet would run.

In CSV a text that begins like a formula gets an apostrophe before it, which an import takes off
again; plain decimal numbers are left as they are. In XLSX text is written as text, whatever it
begins with. Neither format is ever held in memory as a whole.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

BATCH = 500
SHEET_ROWS = 1_048_576
PIECE = 1 << 16
_FORMULA = re.compile(r"^'*[=+\-@\t\r＝＋－＠]")
_DECIMAL = re.compile(r"^-?(?:0|[1-9]\d*)(?:\.\d+)?$")
_INVALID = re.compile("[\ufffe\uffff\ud800-\udfff]")


def guarded(text: str) -> str:
    """A text as a CSV may carry it: with an apostrophe where it begins like a formula."""
    if _FORMULA.match(text) and not _DECIMAL.match(text):
        return f"'{text}"
    return text


def plain(value: Any) -> str:
    """A value as text; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def write_csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """A CSV in pieces: UTF-8 with a mark, so that spreadsheets read Chinese."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([guarded(text) for text in headings])
    yield b"\xef\xbb\xbf"
    for number, row in enumerate(rows, start=1):
        writer.writerow([guarded(plain(value)) for value in row])
        if number % BATCH == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    content = buffer.getvalue().encode("utf-8", "replace")
    buffer.seek(0)
    buffer.truncate()
    return content


def write_xlsx(
    headings: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: Sequence[bool]
) -> Iterator[bytes]:
    """An XLSX in pieces; `numbers` says of each column whether its decimals are numbers."""
    with tempfile.TemporaryDirectory(prefix="dianku-export-") as folder:
        path = Path(folder) / "export.xlsx"
        _fill(path, headings, rows, numbers=numbers)
        with path.open("rb") as stream:
            while piece := stream.read(PIECE):
                yield piece


def _fill(
    path: Path, headings: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: Sequence[bool]
) -> None:
    # Here, because few starts write a workbook and it is slow to import.
    import xlsxwriter  # type: ignore[import-untyped]

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "tmpdir": str(path.parent),
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = None
        at = SHEET_ROWS
        for row in rows:
            if at >= SHEET_ROWS:
                sheet, at = _new_sheet(book, headings), 1
            for column, value in enumerate(row):
                _write_cell(sheet, at, column, value, number=numbers[column])
            at += 1
        if sheet is None:
            _new_sheet(book, headings)


def _new_sheet(book: Any, headings: Sequence[str]) -> Any:
    sheet = book.add_worksheet()
    for column, text in enumerate(headings):
        sheet.write_string(0, column, text)
    return sheet


def _write_cell(sheet: Any, row: int, column: int, value: Any, *, number: bool) -> None:
    text = plain(value)
    if not text:
        return
    figures = text.replace("-", "").replace(".", "")
    if number and _DECIMAL.match(text) and len(figures) <= 15:
        sheet.write_number(row, column, Decimal(text))
    else:
        sheet.write_string(row, column, _INVALID.sub("\ufffd", text)[:32_767])
