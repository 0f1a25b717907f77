"""Pictures for tests, made by hand, with what a phone writes beside them."""

from __future__ import annotations

import struct
import zlib

PLACE = b"N 31 13.8 E 121 28.4"
"""What stands in these pictures for where they were taken."""


def png_part(name: bytes, body: bytes) -> bytes:
    """One chunk of a PNG."""
    check = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + check


def png(width: int, height: int, *more: bytes, said: tuple[int, int] | None = None) -> bytes:
    """A grey picture; `more` chunks stand before its pixels, `said` is the size it tells."""
    rows = (b"\x00" + b"\x80" * width) * height
    head = struct.pack(">IIBBBBB", *(said or (width, height)), 8, 0, 0, 0, 0)
    parts = (
        png_part(b"IHDR", head),
        *more,
        png_part(b"IDAT", zlib.compress(rows)),
        png_part(b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg_part(marker: int, body: bytes) -> bytes:
    """One segment of a JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def exif(*, up: int = 1) -> bytes:
    """What a phone notes: which way is up, and a place."""
    entries = struct.pack("<HHIHH", 0x0112, 3, 1, up, 0) + struct.pack("<HHII", 0x8825, 4, 1, 40)
    return b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x02\x00" + entries + b"\x00" * 4 + PLACE


def with_exif(jpeg: bytes, *, up: int) -> bytes:
    """A JPEG as a phone would have sent it."""
    return jpeg[:2] + jpeg_part(0xE1, exif(up=up)) + jpeg[2:]


def jpeg(width: int, height: int, *, up: int = 1, behind: bytes = b"") -> bytes:
    """The bones of a JPEG: every segment a phone writes, pixels that mean nothing."""
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    return b"".join(
        (
            b"\xff\xd8",
            jpeg_part(0xE1, exif(up=up)),
            jpeg_part(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + PLACE),
            jpeg_part(0xE2, b"ICC_PROFILE\x00\x01\x01"),
            jpeg_part(0xE2, b"MPF\x00" + PLACE),
            jpeg_part(0xED, b"Photoshop 3.0\x00" + PLACE),
            jpeg_part(0xFE, PLACE),
            jpeg_part(0xDB, bytes(65)),
            jpeg_part(0xC2, frame),
            jpeg_part(0xDA, b"\x01\x01\x00\x00\x3f\x00"),
            b"\x12\xff\x00\x34\xff\xd0\x56",
            jpeg_part(0xFE, PLACE),
            jpeg_part(0xDA, b"\x01\x01\x00\x00\x3f\x00"),
            b"\x78\xff\xd9",
            behind,
        )
    )


def webp(width: int, height: int, *more: tuple[bytes, bytes]) -> bytes:
    """The bones of a lossless WebP in its extended form, with a place beside its pixels."""

    def part(name: bytes, body: bytes) -> bytes:
        return name + struct.pack("<I", len(body)) + body + b"\x00" * (len(body) % 2)

    sides = b"".join((side - 1).to_bytes(3, "little") for side in (width, height))
    pixels = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + b"\x07"
    parts = (part(b"VP8X", b"\x0c\x00\x00\x00" + sides), part(b"VP8L", pixels))
    beside = (part(b"EXIF", PLACE), part(b"XMP ", PLACE + b"!"))
    inside = b"WEBP" + b"".join((*parts, *beside, *(part(*one) for one in more)))
    return b"RIFF" + struct.pack("<I", len(inside)) + inside
