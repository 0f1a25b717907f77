"""How far a backup or a restore is, told to whoever waits for it.

Files are measured in bytes and tables in rows, a row counting as so many bytes; it need not be
exact to be of use. It is told a hundred times at most, so that it costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from dianku.storage.copy import Source
from dianku.storage.shape import TableShape

Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""

ROW_BYTES = 100
TOLD_MAX = 100
Piece = TypeVar("Piece")


class Gauge:
    """Adds up what is done; `tell` hears of it."""

    def __init__(self, tell: Progress | None = None, *, total: int = 0) -> None:
        self._tell = tell
        self._total = total
        self._done = 0
        self._told = 0

    def expect(self, more: int) -> None:
        """Raise what there is to do."""
        self._total += more

    def advance(self, by: int) -> None:
        """Note that so much more is done."""
        self._done = min(self._done + by, self._total)
        enough = self._done - self._told >= max(self._total // TOLD_MAX, 1)
        if self._tell is not None and enough:
            self._told = self._done
            self._tell(self._done, self._total)

    def bytes(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The same chunks, noted as they go by."""
        for chunk in chunks:
            yield chunk
            self.advance(len(chunk))

    def rows(self, rows: Iterator[Piece]) -> Iterator[Piece]:
        """The same rows, noted as they go by."""
        for row in rows:
            yield row
            self.advance(ROW_BYTES)

    def pages(self, size: int) -> Callable[[int, int, int], None]:
        """What SQLite calls while it copies a database of `size`, with pages left and in all."""
        done = 0

        def copied(_status: int, left: int, pages: int) -> None:
            nonlocal done
            now = size * (pages - left) // max(pages, 1)
            self.advance(now - done)
            done = now

        return copied


class Gauged:
    """A source of rows whose rows are noted."""

    def __init__(self, source: Source, gauge: Gauge) -> None:
        self._source = source
        self._gauge = gauge
        self.dialect = source.dialect

    def shapes(self) -> Sequence[TableShape]:
        """The tables of the source."""
        return self._source.shapes()

    def rows(self, shape: TableShape) -> Iterator[tuple[Any, ...]]:
        """The rows of a table."""
        return self._gauge.rows(self._source.rows(shape))
