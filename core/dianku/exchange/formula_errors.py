"""Cells of a workbook whose formula failed (#N/A, #REF!), which its reader gives as empty ones.

The reader of workbooks has no word for them, so the sheets that have any are looked at once more,
for these cells alone.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterator
from xml.etree import ElementTree as ET

SHEETS = "xl/worksheets/"
MARK = b't="e"'
"""What a cell with an error has among its attributes."""
_CHUNK = 1 << 20
_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*[^/>])>(.*?)</(?:\w+:)?c>", re.DOTALL)
_PLACE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]{1,40})</(?:\w+:)?v>")
_ROW_END = b"row>"

Errors = dict[str, list[tuple[int, int, str]]]
"""By sheet: row and column from 0, and what the cell shows."""


def formula_errors(content: bytes, parts: Collection[str]) -> Errors:
    """The failed cells of these parts of a zipped workbook, by the name of their sheet."""
    if not parts:
        return {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = _sheet_names(archive)
        return {names[p]: list(_failed(archive, p)) for p in parts if p in names}


def _sheet_names(archive: zipfile.ZipFile) -> dict[str, str]:
    try:
        book = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - no entities
        links = ET.fromstring(  # noqa: S314 - as above
            archive.read("xl/_rels/workbook.xml.rels")
        )
    except (KeyError, ET.ParseError):
        return {}
    targets = {link.get("Id"): link.get("Target", "").removeprefix("/xl/") for link in links}
    found = {}
    for element in book.iter():
        if element.tag.rpartition("}")[2] == "sheet":
            ids = [value for name, value in element.items() if name.endswith("}id")]
            target = targets.get(ids[0]) if ids else None
            if target:
                found[f"xl/{target}"] = element.get("name", "")
    return found


def _failed(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[int, int, str]]:
    rest = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            rest += chunk
            end = rest.rfind(_ROW_END)
            if end >= 0:
                yield from _cells(rest[:end])
                rest = rest[end:]
    yield from _cells(rest)


def _cells(text: bytes) -> Iterator[tuple[int, int, str]]:
    for attributes, inner in _CELL.findall(text):
        if MARK not in attributes:
            continue
        place, value = _PLACE.search(attributes), _VALUE.search(inner)
        if place and value:
            yield int(place[2]) - 1, column_number(place[1]) - 1, value[1].decode("ascii", "ignore")


def column_number(letters: bytes) -> int:
    """The number, from 1, of the column with these letters."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
