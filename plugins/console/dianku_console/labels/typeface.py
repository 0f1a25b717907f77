"""The typeface of labels: how wide its signs are, and a font of the few that a document uses.

A reader of TrueType as far as these two need it (OpenType 1.9, tables cmap, glyf, head, hhea, hmtx,
loca, maxp), so that a PDF carries its signs and no reader of it needs a Chinese font. The file is
mapped, not read: a shop that prints no labels pays nothing for it.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from attrs import frozen

FILE = Path(__file__).parents[1] / "assets" / "vendor" / "noto_sans_sc.ttf"
KEPT = ("glyf", "head", "hhea", "hmtx", "loca", "maxp")
"""Tables of a font inside a PDF; which sign a glyph is, the document says itself."""


@frozen
class Typeface:
    """One TrueType file.

    Attributes:
        units: Units per em, in which all that follows is.
        ascent: From the baseline to the top of a line.
        descent: From the baseline to its bottom, below zero.
        bounds: The box that holds every glyph: left, bottom, right, top.
        glyphs: The glyph of each sign it has; 0 stands for all others, an empty box.
        advances: How far each glyph moves the pen.
        name: Its PostScript name.
    """

    data: bytes | mmap.mmap
    tables: Mapping[str, tuple[int, int]]
    units: int
    ascent: int
    descent: int
    bounds: tuple[int, int, int, int]
    glyphs: Mapping[int, int]
    advances: Sequence[int]
    places: Sequence[int]
    name: str = "NotoSansSC-Medium"

    def has(self, sign: str) -> bool:
        """Whether it can show a sign."""
        return ord(sign) in self.glyphs

    def width(self, sign: str) -> float:
        """How wide a sign is, in em; one it has not is as wide as the box in its place."""
        return self.advances[self.glyphs.get(ord(sign), 0)] / self.units

    def outline(self, glyph: int) -> bytes:
        """How a glyph is drawn; nothing for a space."""
        start, end = self.places[glyph], self.places[glyph + 1]
        at = self.tables["glyf"][0]
        return bytes(self.data[at + start : at + end])

    def cut(self, wanted: Iterable[int]) -> tuple[bytes, Mapping[int, int]]:
        """A font of the empty box and some glyphs: its file, and their new numbers.

        None of the glyphs is made of others (a test holds the file to it), so each stands alone.
        """
        numbers = {glyph: n for n, glyph in enumerate(dict.fromkeys((0, *wanted)))}
        drawn, places = bytearray(), [0]
        for glyph in numbers:
            drawn += self.outline(glyph)
            drawn += b"\0" * (-len(drawn) % 4)
            places.append(len(drawn))
        tables = {name: bytearray(self._table(name)) for name in KEPT}
        tables["glyf"] = drawn
        tables["loca"] = bytearray(struct.pack(f">{len(places)}I", *places))
        tables["hmtx"] = bytearray(b"".join(self._metrics(glyph) for glyph in numbers))
        struct.pack_into(">H", tables["maxp"], 4, len(numbers))
        struct.pack_into(">H", tables["hhea"], 34, len(numbers))
        struct.pack_into(">H", tables["head"], 50, 1)  # places as four bytes
        return _file(tables), numbers

    def _table(self, name: str) -> bytes:
        at, length = self.tables[name]
        return bytes(self.data[at : at + length])

    def _metrics(self, glyph: int) -> bytes:
        """Its advance and how far from the pen it begins, which is where its box does."""
        outline = self.outline(glyph)
        left = struct.unpack_from(">h", outline, 2)[0] if outline else 0
        return struct.pack(">Hh", self.advances[glyph], left)


@cache
def typeface() -> Typeface:
    """The typeface that comes with the console."""
    with FILE.open("rb") as file:
        return read_typeface(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def read_typeface(data: bytes | mmap.mmap) -> Typeface:
    """Make a typeface of a TrueType file's content."""
    (count,) = struct.unpack_from(">H", data, 4)
    entries = struct.iter_unpack(">4sIII", bytes(data[12 : 12 + 16 * count]))
    tables = {tag.decode(): (at, length) for tag, _, at, length in entries}
    head, hhea = tables["head"][0], tables["hhea"][0]
    (units,) = struct.unpack_from(">H", data, head + 18)
    bounds = struct.unpack_from(">4h", data, head + 36)
    (wide,) = struct.unpack_from(">h", data, head + 50)
    ascent, descent = struct.unpack_from(">2h", data, hhea + 4)
    (glyphs,) = struct.unpack_from(">H", data, tables["maxp"][0] + 4)
    (measured,) = struct.unpack_from(">H", data, hhea + 34)
    advances = [a for a, _ in struct.iter_unpack(">Hh", _at(data, tables["hmtx"][0], 4 * measured))]
    advances += [advances[-1]] * (glyphs - measured)
    loca = tables["loca"][0]
    places = (
        [at for (at,) in struct.iter_unpack(">I", _at(data, loca, 4 * (glyphs + 1)))]
        if wide
        else [2 * at for (at,) in struct.iter_unpack(">H", _at(data, loca, 2 * (glyphs + 1)))]
    )
    return Typeface(
        data,
        tables,
        units,
        ascent,
        descent,
        bounds,
        dict(_signs(data, tables["cmap"][0])),
        advances,
        places,
    )


def _at(data: bytes | mmap.mmap, start: int, length: int) -> bytes:
    return bytes(data[start : start + length])


def _signs(data: bytes | mmap.mmap, cmap: int) -> Iterator[tuple[int, int]]:
    """Each sign with its glyph, of the table in format 4: signs of the first 65,536.

    Raises:
        ValueError: the file has no such table.
    """
    (count,) = struct.unpack_from(">H", data, cmap + 2)
    for entry in range(count):
        _, _, offset = struct.unpack_from(">HHI", data, cmap + 4 + 8 * entry)
        form, length = struct.unpack_from(">HH", data, cmap + offset)
        if form == 4:
            table = struct.unpack(f">{length // 2}H", _at(data, cmap + offset, length))
            yield from _runs(table)
            return
    raise ValueError("the typeface has no table of signs in format 4")


def _runs(table: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Format 4: ends, starts, differences and offsets of runs, then glyphs that some point to."""
    runs = table[3] // 2
    ends, starts, differences, offsets = (7, 8 + runs, 8 + 2 * runs, 8 + 3 * runs)
    for run in range(runs):
        offset = table[offsets + run]
        for sign in range(table[starts + run], min(table[ends + run], 0xFFFE) + 1):
            glyph = sign
            if offset:
                glyph = table[offsets + run + offset // 2 + sign - table[starts + run]]
            if not offset or glyph:
                glyph = (glyph + table[differences + run]) & 0xFFFF
            if glyph:
                yield sign, glyph


def _file(tables: Mapping[str, bytes | bytearray]) -> bytes:
    """A TrueType file of some tables, checksums and all."""
    count = len(tables)
    power = count.bit_length() - 1
    header = struct.pack(
        ">IHHHH", 0x00010000, count, 16 << power, power, 16 * count - (16 << power)
    )
    at = 12 + 16 * count
    entries, bodies = bytearray(), bytearray()
    for name, table in sorted(tables.items()):
        padded = bytes(table) + b"\0" * (-len(table) % 4)
        check = sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF
        entries += struct.pack(">4sIII", name.encode(), check, at + len(bodies), len(table))
        bodies += padded
    return header + bytes(entries) + bytes(bodies)
