"""The folder that the workers of a test run share, and the end of runs that were killed.

A run holds a lock of the operating system on its folder for as long as it lives. Whoever gets the
lock of another's folder so knows that run to be dead, however it died: the processes it noted and
its PostgreSQL server are then stopped, each by its own number, and the folder is removed. Every
run does so when it begins; `python -m dianku.testing.runs` does it by itself.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

from dianku.storage.file_lock import FileLock
from dianku.testing.postgres import PostgresAbsent, reachable_folder, stop_if_started

PREFIX = "dianku-tests-"
VARIABLE = "DIANKU_TEST_RUN"
"""Where the workers of a run, and what they start, find its folder."""

_LOCK = "alive.lock"
_PROCESSES = "processes"


class Run:
    """A run of this process, from now until `close`."""

    def __init__(self) -> None:
        reap()
        while True:
            self.folder = reachable_folder(PREFIX)
            self._lock = FileLock(self.folder / _LOCK)
            # Between making and locking it another run may have taken it for a dead one's.
            with suppress(FileNotFoundError):
                if self._lock.hold():
                    break
        os.environ[VARIABLE] = str(self.folder)

    def close(self) -> None:
        """Stop what the run started and remove its folder."""
        _end(self.folder)
        self._lock.release()


def folder_of_run() -> Path:
    """The folder of the run that this process is part of."""
    return Path(os.environ[VARIABLE])


def note_process(pid: int) -> None:
    """Note a process that leads a session of its own, to be ended should this run be killed."""
    folder = folder_of_run() / _PROCESSES
    folder.mkdir(exist_ok=True)
    (folder / str(pid)).write_text(_started(pid))


def forget_process(pid: int) -> None:
    """Take a process that has ended off the notes: its number may be given to another."""
    (folder_of_run() / _PROCESSES / str(pid)).unlink(missing_ok=True)


def reap() -> list[Path]:
    """Stop what dead runs left behind and remove their folders; returns those folders."""
    bases = {Path(tempfile.gettempdir()), Path("/tmp")}  # noqa: S108 - see reachable_folder
    return [
        folder
        for base in sorted(bases)
        for folder in sorted(base.glob(f"{PREFIX}*"))
        if (folder / _LOCK).exists() and _reaped(folder)
    ]


def _reaped(folder: Path) -> bool:
    lock = FileLock(folder / _LOCK)
    try:
        if not lock.hold():
            return False
    except OSError:  # another user's, or removed just now
        return False
    try:
        _end(folder)
    finally:
        lock.release()
    return True


def _end(folder: Path) -> None:
    notes = folder / _PROCESSES
    for note in sorted(notes.iterdir()) if notes.is_dir() else ():
        if note.read_text() == _started(int(note.name)):
            with suppress(ProcessLookupError):
                os.killpg(int(note.name), signal.SIGKILL)
    with suppress(PostgresAbsent):  # what does not start does not run either
        stop_if_started(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _started(pid: int) -> str:
    """When a process began, which with its number names it for ever; "" if there is none."""
    import psutil  # type: ignore[import-untyped]

    try:
        return str(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return ""


if __name__ == "__main__":
    for reaped in reap():
        print(f"stopped and removed what was left in {reaped}")  # noqa: T201
