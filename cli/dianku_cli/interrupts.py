"""A Ctrl-C that Python loses is heard all the same.

Python raises `KeyboardInterrupt` wherever the main thread is. Where that is a callback that nobody
waits for, it is reported as ignored and gone, and the command runs on to its end as if nobody had
pressed anything. Every import ends in such a callback (it lets go of the module's lock), and a
command imports most where it begins its work.
"""

from __future__ import annotations

import _thread
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

AGAIN_S = 0.01
"""After this the callback is over, and the main thread where an interruption is heard."""


def hear_all() -> None:
    """Raise once more, in the main thread, every Ctrl-C that was raised where it is ignored."""
    reported = sys.unraisablehook

    def report(lost: UnraisableHookArgs) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            reported(lost)
        elif threading.current_thread() is threading.main_thread():
            again = threading.Timer(AGAIN_S, _thread.interrupt_main)
            again.daemon = True
            again.start()

    sys.unraisablehook = report
