"""A change of the environment that can be gone back on, also after its process was killed.

Before pip touches anything, the wheels that come, copies of the files that go, and a note of it
all lie in a folder beside `site-packages`. The note is the mark: while it is there and nobody
holds the lock, a change was cut off, `dianku plugin list` and `dianku doctor` say so, and the next
install or removal first puts everything back. Going back needs no pip: files of the wheels are
removed, the copies are put in their places.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, Self

from dianku_cli.environment.packages import files_of, places, read_wheel, site_packages

FOLDER = "dianku-change"
LOCK = "dianku-change.lock"
NOTE = "note.json"


class Busy(Exception):
    """Somebody else is changing this environment or trying a plugin in this shop now."""


class Change:
    """One change that was begun: what it is about, and the way back.

    Attributes:
        action: `install` or `remove`.
        names: The plugins it is about.
    """

    def __init__(self, folder: Path, note: dict[str, Any]) -> None:
        self._folder = folder
        self._before: Sequence[str] = note["before"]
        self._saved: Sequence[str] = note["saved"]
        self.action: str = note["action"]
        self.names: Sequence[str] = note["names"]

    @classmethod
    def begin(
        cls,
        action: str,
        names: Sequence[str],
        *,
        wheels: Sequence[Path],
        leaving: Sequence[metadata.Distribution],
    ) -> Self:
        """Write down the way back; nothing that Python looks at is changed yet.

        Raises:
            OSError: the environment cannot be written to, or its disk is full.
        """
        prefix = Path(sys.prefix).resolve()
        part = Path(sys.prefix, f"{FOLDER}.part")
        shutil.rmtree(part, ignore_errors=True)
        try:
            (part / "wheels").mkdir(parents=True)
            for wheel in wheels:
                shutil.copy2(wheel, part / "wheels")
            saved = [path for one in leaving for path in files_of(one)]
            inside = [path.relative_to(prefix) for path in saved if path.is_relative_to(prefix)]
            for path in inside:
                copy = part / "saved" / path
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(prefix / path, copy)
            note = {
                "action": action,
                "names": list(names),
                "before": sorted(_listed()),
                "saved": [str(path) for path in inside],
            }
            (part / NOTE).write_text(json.dumps(note), encoding="utf-8")
            folder = Path(sys.prefix, FOLDER)
            part.rename(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        return cls(folder, note)

    @classmethod
    def cut_off(cls) -> Self | None:
        """The change somebody began and that neither ended nor was undone; None: there is none.

        Whoever makes it at this moment holds the lock, and then it is not cut off.
        """
        folder = Path(sys.prefix, FOLDER)
        if not (folder / NOTE).is_file():
            return None
        try:
            with alone(Path(sys.prefix, LOCK)):
                return cls._left(folder)
        except Busy:
            return None
        except OSError:
            return cls._left(folder)  # we may not write here: nor may we lock

    @classmethod
    def left(cls) -> Self | None:
        """The same for who holds the lock."""
        return cls._left(Path(sys.prefix, FOLDER))

    @classmethod
    def _left(cls, folder: Path) -> Self | None:
        try:
            return cls(folder, json.loads((folder / NOTE).read_bytes()))
        except (OSError, ValueError):
            return None

    @property
    def wheels(self) -> Sequence[Path]:
        """Copies of the wheels that come."""
        return sorted((self._folder / "wheels").glob("*.whl"))

    def undo(self) -> None:
        """Make the environment what it was. May be called again where it was cut off itself."""
        for wheel in self.wheels:
            _erase(wheel)
        for name in _listed() - set(self._before):
            if name.startswith("~"):  # so pip calls what it is about to remove
                _remove(site_packages() / name)
        for path in self._saved:
            target = Path(sys.prefix, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self._folder / "saved" / path, target)
        self.done()

    def done(self) -> None:
        """There is no way back any more."""
        (self._folder / NOTE).unlink()
        shutil.rmtree(self._folder, ignore_errors=True)


def _listed() -> set[str]:
    return {path.name for path in site_packages().iterdir()}


def _erase(wheel: Path) -> None:
    """Remove what installing a wheel may have put into the environment."""
    found = read_wheel(wheel)
    folders = set()
    for _member, path in places(found):
        path.unlink(missing_ok=True)
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()
        folders.add(path.parent)
        if path.parent.suffix == ".dist-info":
            shutil.rmtree(path.parent, ignore_errors=True)  # pip adds files of its own
    for folder in sorted(folders, key=lambda one: len(one.parts), reverse=True):
        _prune(folder)


def _prune(folder: Path) -> None:
    """Remove folders that are empty now, up to where distributions lie."""
    while folder != site_packages() and folder.is_relative_to(site_packages()):
        if (folder / "__pycache__").is_dir() and not any((folder / "__pycache__").iterdir()):
            (folder / "__pycache__").rmdir()
        if folder.is_dir():
            if any(folder.iterdir()):
                return
            folder.rmdir()
        folder = folder.parent


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Hold a lock that dies with this process.

    Raises:
        Busy: another process holds it.
        OSError: the file cannot be made.
    """
    from dianku.operations import FileLock

    lock = FileLock(file)
    if not lock.hold():
        raise Busy
    try:
        yield
    finally:
        lock.release()
