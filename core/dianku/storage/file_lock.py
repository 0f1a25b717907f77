"""A lock of the operating system on a file: it dies with its process and leaves nothing behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path


class FileLock:
    """One process at a time holds it; `kill -9` lets it go like any other end.

    The file of a `passing` lock is removed when it is let go: there would be ever more of them.
    """

    def __init__(self, path: Path, *, passing: bool = False) -> None:
        self._path = path
        self._passing = passing
        self._file: int | None = None

    def hold(self) -> bool:
        """Take the lock if it is free; True while it is held, also when asked again.

        Raises:
            OSError: The file cannot be made or opened.
        """
        if self._file is not None:
            return True
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                _lock(file)
            except OSError:
                os.close(file)
                return False
            if not self._passing or self._is_there(file):
                self._file = file
                return True
            # It was let go, and so removed, between the two: what is locked here nobody else finds.
            os.close(file)

    def _is_there(self, file: int) -> bool:
        """Whether what was opened is still what others find under the name."""
        try:
            return os.path.samestat(os.fstat(file), os.stat(self._path))  # noqa: PTH116 - beside fstat
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Let it go."""
        if self._file is not None:
            # Closing lets the lock go; the file stays, so that two cannot lock two files. Who
            # takes a passing lock looks whether the file is still there.
            if self._passing and sys.platform != "win32":
                self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None


def _lock(file: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
