"""The environment's own pip, run as a program: it is no part of Dianku and may be absent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dianku_cli.failures import Failed
from dianku_cli.texts import say

LINES_SHOWN = 12
_IDLE = ("WARNING: ", "[notice]", "ERROR: ResolutionImpossible")


class PipRefused(Exception):
    """pip ended with an error; its own words."""


class Pip:
    """pip, getting distributions from where the person said.

    `wheels` is a folder that stands for every index; None: as pip is configured.
    """

    def __init__(self, *, language: str, folder: Path, wheels: Path | None = None) -> None:
        if find_spec("pip") is None:
            raise Failed(say("pip_absent", language, python=sys.executable))
        self._folder = folder
        self._from: Sequence[str] = ()
        if wheels is not None:
            self._from = ("--no-index", "--find-links", str(wheels.resolve()))

    def plan(self, wish: str, *, constraints: Sequence[str]) -> list[tuple[str, str]]:
        """Names and versions that installing a wish would add, all else staying as it is.

        Raises:
            PipRefused: it cannot be had, or not without moving what is installed.
        """
        bounds, report = self._folder / "constraints.txt", self._folder / "report.json"
        bounds.write_text("".join(f"{line}\n" for line in constraints), encoding="utf-8")
        words = ("install", "--dry-run", "--report", str(report), "--upgrade")
        self._run(*words, *self._from, "-c", str(bounds), wish)
        told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return [(o["metadata"]["name"], o["metadata"]["version"]) for o in told["install"]]

    def build(self, folder: Path, into: Path) -> None:
        """Build the wheel of a folder by its own build backend. Raises `PipRefused`."""
        words = ("wheel", "--no-deps", "--wheel-dir", str(into))
        self._run(*words, *self._from, folder.resolve().as_uri())

    def fetch(self, wishes: Sequence[str], into: Path) -> None:
        """Bring these, without what they require, as wheels. Raises `PipRefused`."""
        self._run("wheel", "--no-deps", "--wheel-dir", str(into), *self._from, *wishes)

    def install(self, wheels: Sequence[Path]) -> None:
        """Install wheels as they are. Raises `PipRefused`."""
        self._run("install", "--no-deps", "--no-index", *map(str, wheels))

    def uninstall(self, names: Sequence[str]) -> None:
        """Uninstall distributions. Raises `PipRefused`."""
        self._run("uninstall", "--yes", *names)

    def _run(self, *words: str) -> None:
        usual = ("--disable-pip-version-check", "--no-input", "--no-color", "--retries", "2")
        done = subprocess.run(  # noqa: S603 - pip, with names that were looked at
            [sys.executable, "-P", "-m", "pip", *usual, *words],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            raise PipRefused(_words(done))


def _words(done: subprocess.CompletedProcess[str]) -> str:
    """What pip says of its failure: what stands in each other's way, then its errors."""
    _, _, conflict = done.stdout.partition("The conflict is caused by:\n")
    lines = conflict.partition("\n\n")[0].splitlines()
    lines += [line for line in done.stderr.splitlines() if not line.startswith(_IDLE)]
    kept = [line.strip() for line in lines if line.strip()]
    return "\n  ".join(kept[-LINES_SHOWN:] or [f"pip ended with {done.returncode}"])
