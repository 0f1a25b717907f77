"""All that commands print: tables, records, JSON, progress. Nothing else formats.

Standard output carries the data alone; progress and remarks go to standard error, so that output
can be piped. Columns are aligned by what a terminal shows, where a Chinese character takes two.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import click

Progress = Callable[[int, int], None]
"""Called with what is done and how much there is."""


class Column(NamedTuple):
    """One column of a table: which member of a row, its heading, numbers to the right."""

    key: str
    title: str
    right: bool = False


def width(text: str) -> int:
    """How many cells a terminal gives a text."""
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def as_plain(value: Any) -> Any:
    """A record as plain dicts and lists, the way the HTTP API shows it."""
    import msgspec

    return msgspec.to_builtins(value, enc_hook=str)


def write_json(value: Any) -> None:
    """Print one JSON document, Chinese kept readable."""
    import json

    click.echo(json.dumps(as_plain(value), ensure_ascii=False, indent=2))


def write_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> None:
    """Print rows under headings; columns as wide as their widest cell."""
    table = [[column.title for column in columns]]
    table += [[cell(row.get(column.key)) for column in columns] for row in rows]
    widths = [max(width(line[i]) for line in table) for i in range(len(columns))]
    for line in table:
        padded = [_pad(text, widths[i], right=columns[i].right) for i, text in enumerate(line)]
        click.echo("  ".join(padded).rstrip())


def write_record(pairs: Sequence[tuple[str, Any]]) -> None:
    """Print titles and values, one a line, the values under each other."""
    widest = max(width(title) for title, _ in pairs)
    for title, value in pairs:
        click.echo(f"{_pad(title, widest)}  {cell(value)}".rstrip())


def cell(value: Any) -> str:
    """One value as text on one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "✓" if value else "-"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(cell(each) for each in value)
    return " ".join(str(value).split())


def remark(text: str) -> None:
    """Say something to the person, on standard error."""
    click.echo(text, err=True)


@contextmanager
def progress(label: str) -> Iterator[Progress]:
    """A bar on standard error while something long runs; nothing when that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    bar = click.progressbar(length=1, label=label, file=sys.stderr)

    def advance(done: int, total: int) -> None:
        bar.length = max(total, 1)
        bar.update(done - bar.pos)

    with bar:
        yield advance
        advance(bar.length or 1, bar.length or 1)


@contextmanager
def waiting(label: str) -> Iterator[None]:
    """A line on standard error while something runs that cannot say how far it is."""
    if not sys.stderr.isatty():
        yield
        return
    click.echo(f"{label}…", err=True, nl=False)
    try:
        yield
    finally:
        click.echo("\r\x1b[K", err=True, nl=False)


def _pad(text: str, cells: int, *, right: bool = False) -> str:
    blank = " " * (cells - width(text))
    return blank + text if right else text + blank
