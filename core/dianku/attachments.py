"""Files kept beside the books: a photo of what was written off, of a delivery note.

A file is named by its SHA-256, so the same one is kept once and can never change. What kind it
is, is read from its first bytes and not from what the sender says; only kinds that cannot act in
a browser are kept.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from dianku.errors import FieldError, invalid, refuse

BYTES_MAX = 10_000_000
_CHUNK = 1 << 16
_ID = re.compile(r"[0-9a-f]{64}")
_KINDS = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"....ftyp(?:heic|heix|mif1|avif)", re.DOTALL), "image/heic"),
    (re.compile(rb"%PDF-"), "application/pdf"),
)


@frozen
class Kept:
    """A file that is kept; `new` unless the same one was there before."""

    id: str
    media_type: str
    size: int
    new: bool = False


class Attachments:
    """The files of a shop, in one folder of its data."""

    def __init__(self, folder: Path, *, bytes_max: int = BYTES_MAX) -> None:
        self._folder = folder
        self._bytes_max = bytes_max

    def keep(self, source: BinaryIO) -> Kept:
        """Keep a file; it is whole on disk before this returns.

        Raises:
            Refused: `file_too_large`; `invalid` for a kind that is not kept.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=".new-")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as target:
                digest, size, head = self._copy(source, target)
            media_type = sniffed(head)
            if media_type is None:
                raise invalid(FieldError("/file", "unknown_kind_of_file"))
            place = self._place(digest)
            fresh = not place.exists()
            place.parent.mkdir(exist_ok=True)
            temporary.replace(place)
            # The name, too, must outlast a cut of power: it stands in the folder, and that in its.
            sync_folder(place.parent)
            sync_folder(self._folder)
        finally:
            temporary.unlink(missing_ok=True)
        return Kept(digest, media_type, size, new=fresh)

    def read(self, attachment_id: str) -> tuple[Kept, bytes]:
        """A kept file and its content. Raises `Refused` (`not_found`)."""
        place = self._place(attachment_id) if _ID.fullmatch(attachment_id) else None
        if place is None or not place.is_file():
            raise refuse("not_found", what="attachment", name=attachment_id[:64])
        content = place.read_bytes()
        media_type = sniffed(content[:64]) or "application/octet-stream"
        return Kept(attachment_id, media_type, len(content)), content

    def _place(self, attachment_id: str) -> Path:
        return self._folder / attachment_id[:2] / attachment_id

    def _copy(self, source: BinaryIO, target: BinaryIO) -> tuple[str, int, bytes]:
        digest, size, head = hashlib.sha256(), 0, b""
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > self._bytes_max:
                raise refuse("file_too_large", what="bytes", max=self._bytes_max)
            head = head or chunk[:64]
            digest.update(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
        return digest.hexdigest(), size, head


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk; Windows keeps them by itself."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sniffed(head: bytes) -> str | None:
    """The kind of a file by its first bytes; None for one that is not kept."""
    return next((kind for pattern, kind in _KINDS if pattern.match(head)), None)
