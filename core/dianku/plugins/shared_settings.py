"""What a process has once for everybody stays as it was, whatever a plugin does while imported.

A recursion limit that suits one module ends the shop's own start; another working folder, mask of
new files or patience of sockets changes what is found, who may read a backup and who is waited
for. This guards against what authors leave in a module, not against malice: code in one process
can do whatever the process can.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_CLOSED = 0o077
"""The mask while it is read, which can be done by setting it only: nothing is open meanwhile."""


@contextmanager
def kept_settings() -> Iterator[None]:
    """Put back, at the end, what is the whole process's."""
    limit, patience, mask = sys.getrecursionlimit(), socket.getdefaulttimeout(), _mask()
    folder = None
    with suppress(OSError):  # the folder a command was called from may be gone
        folder = Path.cwd()
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        socket.setdefaulttimeout(patience)
        os.umask(mask)
        if folder is not None:
            with suppress(OSError):
                os.chdir(folder)


def _mask() -> int:
    mask = os.umask(_CLOSED)
    os.umask(mask)
    return mask
