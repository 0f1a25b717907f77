"""The command as a process of its own, in folders of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

LISTENING = re.compile(r"listening on (http://\S+)\n")

Run = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """Variables of a process that sees this test's folders and speaks English."""
    return _surroundings(tmp_path)


def _surroundings(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIANKU_")}
    return kept | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONUNBUFFERED": "1",
        "XDG_CACHE_HOME": str(folder / "cache"),
        "DIANKU_DATA": str(folder / "shop"),
        "DIANKU_LANGUAGE": "en",
    }


@pytest.fixture(scope="session")
def _begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a shop just begun, with a store called main."""
    folder = tmp_path_factory.mktemp("begun")
    words = [sys.executable, "-m", "dianku_cli", "init", "--store", "main"]
    subprocess.run(words, env=_surroundings(folder), check=True, capture_output=True, timeout=110)
    return folder / "shop"


@pytest.fixture
def begun(_begun: Path, tmp_path: Path) -> Path:
    """What `dianku init --store main` makes, where `run` and `serving` look for it."""
    return Path(shutil.copytree(_begun, tmp_path / "shop"))


@pytest.fixture
def run(surroundings: dict[str, str], tmp_path: Path) -> Run:
    """Run `dianku` to its end; the words after the command's own are its arguments."""

    def _run(*words: str, typed: str = "", **more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dianku_cli", *words],
            input=typed,
            env=surroundings | more,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    return _run


@pytest.fixture
def serving(surroundings: dict[str, str], tmp_path: Path) -> Serve:
    """Run a command that serves; gives its address, and stops it as Ctrl-C does."""

    @contextmanager
    def _serving(*words: str) -> Iterator[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dianku_cli", *(words or ("serve", "--port", "0"))],
            env=surroundings,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield _address(process)
        finally:
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=30)
        assert process.returncode == 0, rest

    return _serving


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := LISTENING.fullmatch(line):
            return found[1]
    raise AssertionError(f"it never listened; it ended with {process.wait()}")
