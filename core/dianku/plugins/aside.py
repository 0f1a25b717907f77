"""Where a plugin's words go while it is brought up: not among what a command or a server prints.

`dianku plugin list --json` is read by programs, and so is the line that says where a server
listens. What an author left in a module to be printed is for people, who read it beside; one who
closes what there is to print to closes nothing of the shop's.
"""

from __future__ import annotations

import io
import sys


class Aside(io.TextIOBase):
    """A place to print to that is the standard error, and stays open."""

    def write(self, text: str) -> int:
        """Pass the text on; gives its length."""
        if sys.stderr is not None and not sys.stderr.closed:
            sys.stderr.write(text)
        return len(text)

    def writable(self) -> bool:
        """It is."""
        return True
