"""What a process has once for everybody stays as it was, whatever a plugin does while imported.

A recursion limit that suits one module ends the shop's own start; another working folder, mask of
new files or patience of sockets changes what is found, who may read a backup and who is waited
for; fewer digits of decimals change sums; a closed or replaced output makes commands mute. This
guards against what authors leave in a module, not against malice: code in one process can do
whatever the process can.
"""

from __future__ import annotations

import decimal
import locale
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_CLOSED = 0o077
"""The mask while it is read, which can be done by setting it only: nothing is open meanwhile."""
_STREAMS = ("stdin", "stdout", "stderr")


@contextmanager
def kept_settings() -> Iterator[None]:
    """Put back, at the end, what is the whole process's."""
    with ExitStack() as kept:
        for settings in (_interpreter, _decimals, _logging, _streams):
            kept.enter_context(settings())
        yield


@contextmanager
def _interpreter() -> Iterator[None]:
    limit, patience, mask = sys.getrecursionlimit(), socket.getdefaulttimeout(), _mask()
    language = locale.setlocale(locale.LC_ALL)
    folder = None
    with suppress(OSError):  # the folder a command was called from may be gone
        folder = Path.cwd()
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        socket.setdefaulttimeout(patience)
        os.umask(mask)
        with suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, language)
        if folder is not None:
            with suppress(OSError):
                os.chdir(folder)


@contextmanager
def _decimals() -> Iterator[None]:
    """Of this thread, and what each new thread begins with."""
    first = decimal.DefaultContext.copy()
    with decimal.localcontext():
        try:
            yield
        finally:
            for name in ("prec", "rounding", "Emin", "Emax", "capitals", "clamp", "traps"):
                setattr(decimal.DefaultContext, name, getattr(first, name))


@contextmanager
def _logging() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers, off = root.level, list(root.handlers), logging.root.manager.disable
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
        logging.disable(off)


@contextmanager
def _streams() -> Iterator[None]:
    streams = {name: getattr(sys, name) for name in _STREAMS}
    files: dict[int, int] = {}
    for number in range(len(_STREAMS)):
        with suppress(OSError):  # a service may be started without them
            files[number] = os.dup(number)
    try:
        yield
    finally:
        for name, stream in streams.items():
            setattr(sys, name, stream)
        for number, copy in files.items():
            os.dup2(copy, number)
            os.close(copy)


def _mask() -> int:
    mask = os.umask(_CLOSED)
    os.umask(mask)
    return mask
