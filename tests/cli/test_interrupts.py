"""A Ctrl-C that arrives where Python can only ignore it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BEGINS = """
import signal, sys, weakref
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what runs in the background

class Lock:
    pass

class Pressed:
    '''Ctrl-C is pressed as an import lets go of a lock, once.'''

    def find_spec(self, name, path=None, target=None):
        if name == "dianku.operations":
            sys.meta_path.remove(self)
            lock = Lock()
            watched = weakref.ref(lock, lambda _: signal.raise_signal(signal.SIGINT))
            del lock
            print("pressed", file=sys.stderr)

sys.meta_path.insert(0, Pressed())
sys.argv[0] = "dianku"
from dianku_cli.main import main
main()
"""


def test_ctrl_c_that_python_would_ignore_ends_the_command(
    begun: Path, surroundings: dict[str, str], tmp_path: Path
) -> None:
    assert begun.is_dir()
    file = tmp_path / "shop.backup"
    said = subprocess.run(
        [sys.executable, "-c", BEGINS, "backup", str(file)],
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "pressed\n" in said.stderr
    assert "Aborted!" in said.stderr
    assert said.returncode == 1
    assert not file.exists()
    assert "Exception ignored" not in said.stderr
