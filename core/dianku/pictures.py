"""Photos made safe to keep, without being decoded: bounded in pixels, and telling no place.

A picture is taken apart by the rules of its format and put together from the parts that are
needed to show it. What a phone writes beside them (where and when it was taken, by which device, a
second picture behind the first) is left behind; of it only which way is up stays. The pixels are
not touched, so nothing is lost, nothing has to be inflated, and a bomb has nothing to go off in.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

from attrs import frozen

from dianku.errors import FieldError, invalid

PIXELS_MAX = 25_000_000
"""Pixels of a kept picture: decoded, a phone spends a hundred megabytes on so many."""

SIDE_MAX = 16_000
JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
KINDS = frozenset({JPEG, PNG, WEBP})

_NEXT_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD})
_NEEDED = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB"})
_EXIF = b"Exif\x00\x00"
_UP = 0x0112
_UP_ALONE = (
    _EXIF + b"MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00%c\x00\x00"
    b"\x00\x00\x00\x00"
)


@frozen
class Picture:
    """A picture without what it does not need, and its size in pixels."""

    content: bytes
    width: int
    height: int


class _Broken(Exception):
    """The bytes are no whole picture of the kind they begin as."""


def cleaned(content: bytes, media_type: str, *, pixels_max: int = PIXELS_MAX) -> Picture:
    """The picture alone.

    Raises:
        Refused: `invalid` at `/file`: `broken_picture`, or `too_many_pixels`.
        KeyError: a kind that is not in `KINDS`.
    """
    reader = {JPEG: _jpeg, PNG: _png, WEBP: _webp}[media_type]
    try:
        picture = reader(content)
    except (_Broken, struct.error, IndexError) as error:
        raise invalid(FieldError("/file", "broken_picture")) from error
    if not picture.width or not picture.height:
        raise invalid(FieldError("/file", "broken_picture"))
    refuse_large(picture.width, picture.height, pixels_max=pixels_max)
    return picture


def refuse_large(width: int, height: int, *, pixels_max: int, pointer: str = "/file") -> None:
    """Refuse more pixels than are kept. Raises `Refused` (`invalid`)."""
    if max(width, height) > SIDE_MAX or width * height > pixels_max:
        params = {"pixels": f"{width} × {height}", "max": pixels_max}
        raise invalid(FieldError(pointer, "too_many_pixels", params))


def _jpeg(content: bytes) -> Picture:
    kept, sizes, shown = [b"\xff\xd8"], set(), False
    for marker, part in _jpeg_parts(content):
        body = part[4:]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", body, 1)
            sizes.add((width, height))
            kept.append(part)
        elif marker == 0xDA:
            shown = True
            kept.append(part)
        elif marker in _TABLES or _is_of_colour(marker, body):
            kept.append(part)
        elif marker == 0xE1 and len(kept) < 3 and (up := _way_up(body)) > 1:
            turned = _UP_ALONE % up
            kept.append(b"\xff\xe1" + struct.pack(">H", len(turned) + 2) + turned)
    if len(sizes) != 1 or not shown:
        raise _Broken
    return Picture(b"".join([*kept, b"\xff\xd9"]), *sizes.pop())


def _jpeg_parts(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Each part with its marker, a scan with what it draws; what follows the end is not told."""
    at = 2
    while True:
        found = _NEXT_MARKER.match(content, at)
        if found is None:
            raise _Broken
        marker, start = content[found.end() - 1], found.end() - 2
        if marker == 0xD9:
            return
        (length,) = struct.unpack_from(">H", content, start + 2)
        at = start + 2 + length
        if length < 2 or at > len(content):
            raise _Broken
        if marker == 0xDA:
            drawn = _NEXT_MARKER.search(content, at)
            if drawn is None:
                raise _Broken
            at = drawn.start()
        yield marker, content[start:at]


def _is_of_colour(marker: int, body: bytes) -> bool:
    return (
        (marker == 0xE0 and body.startswith(b"JFIF\x00"))
        or (marker == 0xE2 and body.startswith(b"ICC_PROFILE\x00"))
        or (marker == 0xEE and body.startswith(b"Adobe"))
    )


def _way_up(body: bytes) -> int:
    """Which way is up, 1 to 8; 1 where it is not said or not to be read."""
    if not body.startswith(_EXIF):
        return 1
    tiff = body[len(_EXIF) :]
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, at)
        for entry in range(min(count, 64)):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, at + 2 + 12 * entry)
            if tag == _UP and kind == 3:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1


def _png(content: bytes) -> Picture:
    kept, at = [content[:8]], 8
    names: list[bytes] = []
    while not names or names[-1] != b"IEND":
        (length,) = struct.unpack_from(">I", content, at)
        name, end = content[at + 4 : at + 8], at + 12 + length
        if end > len(content):
            raise _Broken
        (told,) = struct.unpack_from(">I", content, end - 4)
        if zlib.crc32(content[at + 4 : end - 4]) != told:
            raise _Broken
        names.append(name)
        if name in _NEEDED:
            kept.append(content[at:end])
        at = end
    if names[0] != b"IHDR" or names.count(b"IHDR") != 1 or b"IDAT" not in names:
        raise _Broken
    width, height = struct.unpack_from(">II", content, 16)
    return Picture(b"".join(kept), width, height)


def _webp(content: bytes) -> Picture:
    parts: list[bytes] = []
    sizes: list[tuple[int, int]] = []
    (length,) = struct.unpack_from("<I", content, 4)
    at, end = 12, 8 + length
    if end > len(content):
        raise _Broken
    while at < end:
        name, (size,) = content[at : at + 4], struct.unpack_from("<I", content, at + 4)
        body = content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
        if len(body) != size or name in {b"ANIM", b"ANMF"}:
            raise _Broken
        if name == b"VP8X":
            body = bytes([body[0] & ~0x0C]) + body[1:]
            sizes.append(_webp_canvas(body))
        elif name in {b"VP8 ", b"VP8L"}:
            sizes.append(_webp_size(name, body))
        elif name not in {b"ALPH", b"ICCP"}:
            continue
        parts.append(name + struct.pack("<I", size) + body + b"\x00" * (size % 2))
    if not sizes or not any(part.startswith((b"VP8 ", b"VP8L")) for part in parts):
        raise _Broken
    inside = b"WEBP" + b"".join(parts)
    width, height = (max(side) for side in zip(*sizes, strict=True))
    return Picture(b"RIFF" + struct.pack("<I", len(inside)) + inside, width, height)


def _webp_canvas(body: bytes) -> tuple[int, int]:
    width, height = body[4:7], body[7:10]
    if len(body) < 10:
        raise _Broken
    return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1


def _webp_size(name: bytes, body: bytes) -> tuple[int, int]:
    if name == b"VP8 ":
        if body[3:6] != b"\x9d\x01\x2a":
            raise _Broken
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if body[:1] != b"\x2f":
        raise _Broken
    (bits,) = struct.unpack_from("<I", body, 1)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
