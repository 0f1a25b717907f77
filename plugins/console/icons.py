"""Draw the icons a phone shows when the console is installed: `python icons.py`.

The same house as `assets/icon.svg`, on a full square and a little smaller, so that a phone may cut
it to whatever shape it likes.
"""

from __future__ import annotations

import math
import struct
import zlib
from itertools import pairwise
from pathlib import Path

ASSETS = Path(__file__).parent / "dianku_console" / "assets"
SIZES = (192, 512)
GROUND, INK = (0x2F, 0x4B, 0xD0), (0xFF, 0xFF, 0xFF)
SIDE, STROKE, SHRUNK = 64, 4, 0.85
LINES = (
    ((12, 27), (32, 15), (52, 27), (52, 51), (12, 51), (12, 27)),
    ((22, 51), (22, 35), (42, 35), (42, 51)),
    ((22, 43), (42, 43)),
)


def distance(x: float, y: float) -> float:
    """From a point to the nearest line of the house, in its own units."""
    return min(_to_segment(x, y, *a, *b) for line in LINES for a, b in pairwise(line))


def _to_segment(x: float, y: float, ax: float, ay: float, bx: float, by: float) -> float:
    along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)
    at = min(1.0, max(0.0, along))
    return math.hypot(x - ax - at * (bx - ax), y - ay - at * (by - ay))


def drawn(size: int) -> bytes:
    """A PNG of so many pixels a side."""
    unit = size * SHRUNK / SIDE
    rows = bytearray()
    for row in range(size):
        rows.append(0)
        for column in range(size):
            x, y = ((v + 0.5 - size / 2) / unit + SIDE / 2 for v in (column, row))
            cover = min(1.0, max(0.0, (STROKE / 2 - distance(x, y)) * unit + 0.5))
            rows += bytes(round(g + (i - g) * cover) for g, i in zip(GROUND, INK, strict=True))
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


if __name__ == "__main__":
    for size in SIZES:
        (ASSETS / f"icon-{size}.png").write_bytes(drawn(size))
