"""Backups of the shop: into a file somebody names, or into the data folder, listed there.

The folder `backups` also holds what upgrades and changes of plugins saved before they began. One
backup is made at a time in a process; each appears under its name only when it is whole.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from dianku.access.trail import BACKED_UP, record_change
from dianku.clock import Clock, format_ms
from dianku.context import Context
from dianku.errors import refuse
from dianku.storage import backup as archives
from dianku.storage.engine import Database
from dianku.storage.gauge import Progress

FOLDER = "backups"
ATTACHMENTS = "attachments"
MAKE_PERMISSION = "backup.make"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.backup")
"""What is a backup in the folder; whatever else lies there is nobody's business."""


@frozen
class KeptBackup:
    """A backup in the data folder: its name, its bytes, when it was made."""

    name: str
    size: int
    made_at_ms: int


class Backups:
    """The backups of one shop."""

    def __init__(self, database: Database, *, data_dir: Path, clock: Clock) -> None:
        self._database = database
        self._folder = data_dir / FOLDER
        self._attachments = data_dir / ATTACHMENTS
        self._clock = clock
        self._making = threading.Lock()

    def write(
        self, file: Path, *, ctx: Context, progress: Progress | None = None
    ) -> archives.Manifest:
        """Write the whole shop into one new file, and into the trail that it was done.

        Raises:
            BackupRefused: says what, and what to do.
        """
        now_ms = self._clock.now_ms()
        made = archives.backup(
            self._database,
            file,
            now_ms=now_ms,
            attachments=self._attachments,
            progress=progress,
        )
        with self._database.writing() as connection:
            # Once the file is whole: what the doctor counts the days from.
            record_change(connection, ctx=ctx, at_ms=now_ms, action=BACKED_UP, subject=file.name)
        return made

    def make(self, *, ctx: Context) -> KeptBackup:
        """Write one into the data folder, named after the moment.

        Raises:
            Refused: `forbidden` (also for who is limited to stores: it holds the whole shop),
                `conflict` where one is being made, or where it could not be written.
        """
        _require(ctx)
        if not self._making.acquire(blocking=False):
            raise refuse("backup_running")
        try:
            self._folder.mkdir(mode=0o750, exist_ok=True)
            moment = re.sub(r"[^0-9]", "", format_ms(self._clock.now_ms())[:19])
            file = self._folder / f"shop-{moment}.backup"
            try:
                self.write(file, ctx=ctx)
            except archives.BackupRefused as error:
                raise refuse("conflict", reason=error.worded(ctx.language)) from error
        finally:
            self._making.release()
        return _kept(file)

    def list_all(self, *, ctx: Context) -> list[KeptBackup]:
        """Those in the data folder, the newest first. Raises `Refused` as `make`."""
        _require(ctx)
        if not self._folder.is_dir():
            return []
        found = [
            _kept(path)
            for path in self._folder.iterdir()
            if _NAME.fullmatch(path.name) and path.is_file() and not path.is_symlink()
        ]
        return sorted(found, key=lambda one: (one.made_at_ms, one.name), reverse=True)

    def open(self, name: str, *, ctx: Context) -> BinaryIO:
        """One of them, to be read; that it was taken away is written into the trail.

        Raises:
            Refused: `not_found`, or as `make`.
        """
        if name not in {one.name for one in self.list_all(ctx=ctx)}:
            raise refuse("not_found", what="backup", name=name[:120])
        with self._database.writing() as connection:
            now_ms = self._clock.now_ms()
            record_change(connection, ctx=ctx, at_ms=now_ms, action="backup.download", subject=name)
        return (self._folder / name).open("rb")


def _kept(file: Path) -> KeptBackup:
    found = file.stat()
    return KeptBackup(file.name, found.st_size, found.st_mtime_ns // 1_000_000)


def _require(ctx: Context) -> None:
    ctx.require(MAKE_PERMISSION)
    ctx.require_all_stores()
