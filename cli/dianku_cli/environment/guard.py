"""Run a program that ends when whoever started it ends, however that ends.

Run as a file: `python -I guard.py PROGRAM WORDS...`. Its standard input is the leash: a pipe whose
other end only the starter holds. When that closes, by a timeout, by Ctrl-C or by kill -9, the
program goes with all it started. It stands alone, so it needs nothing that is being changed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress


def main() -> None:
    """Run the program to its end, or to that of the leash; pass its status on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the starter to decide on
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the starter's is held while it begins us
    process = subprocess.Popen(  # noqa: S603 - what our own program asks for
        sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True
    )
    threading.Thread(target=_follow, args=(process.pid,), daemon=True).start()
    code = process.wait()
    _end(process.pid)
    sys.exit(code if code >= 0 else 128 - code)


def _follow(group: int) -> None:
    while os.read(0, 1):
        pass
    _end(group)


def _end(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # it is gone with all it started
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
