"""Files kept beside the books: a photo of what was written off, of a delivery note.

A file is named by its SHA-256, so the same one is kept once and can never change. What kind it
is, is read from its first bytes and not from what the sender says; only kinds that cannot act in
a browser are kept, and of pictures nothing that tells where they were taken (`pictures`).
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

from dianku import pictures
from dianku.errors import FieldError, invalid, refuse

BYTES_MAX = 10_000_000
_ID = re.compile(r"[0-9a-f]{64}")
_KINDS = (
    (re.compile(rb"\xff\xd8\xff"), pictures.JPEG),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), pictures.PNG),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), pictures.WEBP),
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
        """Keep a file, a picture without what tells of its place; whole on disk on return.

        Raises:
            Refused: `file_too_large`; `invalid` for a kind that is not kept, a picture that is
                broken or has too many pixels.
        """
        content = self._bounded(source)
        media_type = sniffed(content[:64])
        if media_type is None:
            raise invalid(FieldError("/file", "unknown_kind_of_file"))
        if media_type in pictures.KINDS:
            content = pictures.cleaned(content, media_type).content
        self._folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(content).hexdigest()
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=".new-")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as target:
                target.write(content)
                target.flush()
                os.fsync(target.fileno())
            place = self._place(digest)
            fresh = not place.exists()
            place.parent.mkdir(exist_ok=True)
            temporary.replace(place)
            # The name, too, must outlast a cut of power: it stands in the folder, and that in its.
            sync_folder(place.parent)
            sync_folder(self._folder)
        finally:
            temporary.unlink(missing_ok=True)
        return Kept(digest, media_type, len(content), new=fresh)

    def read(self, attachment_id: str) -> tuple[Kept, bytes]:
        """A kept file and its content. Raises `Refused` (`not_found`)."""
        if not self.has(attachment_id):
            raise refuse("not_found", what="attachment", name=attachment_id[:64])
        place = self._place(attachment_id)
        content = place.read_bytes()
        media_type = sniffed(content[:64]) or "application/octet-stream"
        return Kept(attachment_id, media_type, len(content)), content

    def has(self, attachment_id: str) -> bool:
        """Whether the file is there."""
        return bool(_ID.fullmatch(attachment_id)) and self._place(attachment_id).is_file()

    def find(self, attachment_id: str) -> Kept | None:
        """A kept file without its content; None where there is none of that id."""
        if not self.has(attachment_id):
            return None
        place = self._place(attachment_id)
        with place.open("rb") as file:
            media_type = sniffed(file.read(64)) or "application/octet-stream"
        return Kept(attachment_id, media_type, place.stat().st_size)

    def _place(self, attachment_id: str) -> Path:
        return self._folder / attachment_id[:2] / attachment_id

    def _bounded(self, source: BinaryIO) -> bytes:
        content = source.read(self._bytes_max + 1)
        if len(content) > self._bytes_max:
            raise refuse("file_too_large", what="bytes", max=self._bytes_max)
        return content


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
