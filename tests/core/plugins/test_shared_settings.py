"""What a process has once for everybody is the shop's, whatever a plugin's module does to it."""

from __future__ import annotations

import decimal
import locale
import logging
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from dianku.plugins.set import PluginSet
from dianku.plugins.states import Status
from dianku.testing.entry_points import Shelf

pytestmark = pytest.mark.sqlite_only
CODE = """
import decimal, io, locale, logging, os, socket, sys
sys.setrecursionlimit(90)
os.chdir("/")
os.umask(0)
socket.setdefaulttimeout(0.001)
decimal.getcontext().prec = 3
decimal.DefaultContext.prec = 3
locale.setlocale(locale.LC_ALL, "C" if locale.setlocale(locale.LC_ALL) != "C" else "C.UTF-8")
logging.basicConfig(level=logging.DEBUG, force=True)
logging.disable(logging.CRITICAL)
sys.stdout = io.StringIO()
os.close(1)
"""


def seen() -> tuple[object, ...]:
    mask = os.umask(0o077)
    os.umask(mask)
    root = logging.getLogger()
    return (
        sys.getrecursionlimit(),
        Path.cwd(),
        mask,
        socket.getdefaulttimeout(),
        decimal.getcontext().prec,
        decimal.DefaultContext.prec,
        locale.setlocale(locale.LC_ALL),
        (root.level, root.manager.disable, *root.handlers),
        sys.stdout,
        os.fstat(1).st_ino,
    )


@pytest.mark.parametrize("end", ["", "raise RuntimeError('half way')"])
def test_settings_of_the_process_are_as_before_a_plugins_import(
    plugin_shelf: Shelf, load: Callable[..., PluginSet], end: str
) -> None:
    plugin_shelf.plugin("bad", CODE + end)
    before = seen()
    status = load().state("bad").status
    assert seen() == before
    assert status is (Status.REFUSED if end else Status.LOADED)


HOOK = """
import decimal
from dianku.api import Objection, Title, hookimpl

@hookimpl
def check_document(document):
    decimal.getcontext().prec = 2
    return Objection("odd", Title("奇怪", "odd")) if document.note == "odd" else None
"""


def test_digits_a_hook_calculates_with_are_its_own(
    plugin_shelf: Shelf, load: Callable[..., PluginSet]
) -> None:
    plugin_shelf.plugin("rounds", HOOK)
    plugins = load()
    before = decimal.getcontext().prec
    asked = SimpleNamespace(note="odd")
    said = plugins.calls.call("rounds", "check_document", {"document": asked})
    assert said.code == "odd"
    assert decimal.getcontext().prec == before
