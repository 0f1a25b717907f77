"""The versions of an installation: made beside the one in use, switched to at one stroke.

A version is whole once `SHA256SUMS` lies in it: that goes in last, when it has been seen to start.
A folder without it is what an upgrade left that was cut off. A server holds the version it runs
from, so that nobody removes the files under it.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from dianku_cli.environment.layout import VERSIONS, Installation

MARK = "SHA256SUMS"
ORIGIN = "upgrade.toml"
_HELD = "pyvenv.cfg"
_LINK = ".current-"
_GOING = ".going-"


class Origin(NamedTuple):
    """Where a version came from: the one before it, and the backup made on the way."""

    previous: str
    backup: str


def free_folder(installation: Installation, name: str) -> Path:
    """A folder for a new version that nothing has yet: `basic-0.2.0`, then `basic-0.2.0-2`."""
    folder, count = installation.versions / name, 1
    while folder.exists():
        count += 1
        folder = installation.versions / f"{name}-{count}"
    return folder


def seal(folder: Path, origin: Origin, *, sums: bytes) -> None:
    """Say that a version is whole, and where it came from."""
    lines = [f'previous = "{origin.previous}"', f'backup = "{_quoted(origin.backup)}"', ""]
    (folder / ORIGIN).write_text("\n".join(lines), encoding="utf-8")
    beside = folder / f"{MARK}.part"
    beside.write_bytes(sums)
    os.sync()  # a power cut after the switch must find the files that it leads to
    beside.replace(folder / MARK)


def origin_of(folder: Path) -> Origin | None:
    """Where a version came from; None for the first, which the installer made."""
    try:
        found = tomllib.loads((folder / ORIGIN).read_text(encoding="utf-8"))
        return Origin(found["previous"], found["backup"])
    except (OSError, ValueError, KeyError):
        return None


def switch(installation: Installation, to: Path) -> None:
    """Let `current` lead to another version: at every moment it leads to one of the two.

    Raises:
        OSError: it leads where it did.
    """
    link = installation.prefix / f"{_LINK}{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(VERSIONS) / to.name)
    try:
        link.replace(installation.current)
    except BaseException:
        link.unlink(missing_ok=True)
        raise
    _sync(installation.prefix)


def left_over(installation: Installation) -> Sequence[Path]:
    """What upgrades left that were cut off, but for those that something runs from."""
    folders = [
        path
        for path in sorted(_folders(installation))
        if not (path / MARK).is_file() and path != installation.current.resolve()
    ]
    links = sorted(installation.prefix.glob(f"{_LINK}*"))
    return [*(path for path in folders if not is_held(path)), *links]


def older(installation: Installation, *, but: Sequence[Path]) -> Sequence[Path]:
    """Whole versions that are neither in use nor among those to be kept, nor run from."""
    kept = {installation.current.resolve(), installation.version, *but}
    whole = (path for path in sorted(_folders(installation)) if (path / MARK).is_file())
    return [path for path in whole if path not in kept and not is_held(path)]


def remove(path: Path) -> None:
    """Remove a version, or a link that was left; cut off, it is left over and no version."""
    if path.is_symlink():
        path.unlink(missing_ok=True)
    elif path.exists():
        going = path if path.name.startswith(_GOING) else path.with_name(_GOING + path.name)
        path.rename(going)
        (going / MARK).unlink(missing_ok=True)
        shutil.rmtree(going, ignore_errors=True)


@contextmanager
def held_version() -> Iterator[None]:
    """Hold the version this process runs from, where it is one of an installation."""
    installation = Installation.here()
    if installation is None:
        yield
        return
    import fcntl

    with (installation.version / _HELD).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def is_held(version: Path) -> bool:
    """Whether a server runs from a version."""
    import fcntl

    try:
        with (version / _HELD).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _folders(installation: Installation) -> Iterator[Path]:
    if installation.versions.is_dir():
        yield from (path for path in installation.versions.iterdir() if path.is_dir())


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
