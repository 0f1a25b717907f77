"""A folder for a passing copy of a shop, which no killed process leaves lying for ever."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def working_folder(beside: Path, name: str) -> Iterator[Path]:
    """A new folder in `beside`, gone after the block.

    It bears its process's number: what a process left that was killed, the next one with a folder
    of that `name` removes. Such a copy may be as large as the shop.
    """
    prefix = f"dianku-{name}-"
    for left in beside.glob(f"{prefix}*-*"):
        pid = left.name.removeprefix(prefix).partition("-")[0]
        if pid.isdecimal() and not _lives(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{prefix}{os.getpid()}-", dir=beside) as folder:
        yield Path(folder)


def _lives(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # signal 0 is no question there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another's process, and alive
    return True
