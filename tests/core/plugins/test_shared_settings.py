"""What a process has once for everybody is the shop's, whatever a plugin's module does to it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dianku.plugins.set import PluginSet
from dianku.plugins.states import Status
from dianku.testing.entry_points import Shelf

pytestmark = pytest.mark.sqlite_only
CODE = """
import os, socket, sys
sys.setrecursionlimit(90)
os.chdir("/")
os.umask(0)
socket.setdefaulttimeout(0.001)
"""


def seen() -> tuple[object, ...]:
    mask = os.umask(0o077)
    os.umask(mask)
    return sys.getrecursionlimit(), Path.cwd(), mask, socket.getdefaulttimeout()


@pytest.mark.parametrize("end", ["", "raise RuntimeError('half way')"])
def test_settings_of_the_process_are_as_before_a_plugins_import(
    plugin_shelf: Shelf, load: Callable[..., PluginSet], end: str
) -> None:
    plugin_shelf.plugin("bad", CODE + end)
    before = seen()
    status = load().state("bad").status
    assert seen() == before
    assert status is (Status.REFUSED if end else Status.LOADED)
