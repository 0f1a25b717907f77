"""Start the shop once in a process of its own, with wheels on its path that are not installed.

Nothing is changed by it: the wheels are unpacked into a folder, the database is a copy, and
whatever the newcomer does to its process (raise, exit, hang) is told here as an outcome.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dianku_cli.settings import Settings
from dianku_cli.texts import say

RUNNING = frozenset({"loaded", "degraded"})
LINES_SHOWN = 8
ENDED_S = 10
"""How long a process that is told to end may take."""


class Outcome(NamedTuple):
    """What came of a start.

    Attributes:
        states: Every plugin by name: `status` and `faults`, the newest first.
        ready: Whether the shop answered on `/readyz`.
        error: Why it did not start, where it says so.
        ended: How the process ended where it gave no answer; empty where it did.
        doing: The plugin that was being brought up then.
    """

    states: Mapping[str, Mapping[str, Any]]
    ready: bool
    error: str = ""
    ended: str = ""
    doing: str = ""


def start(
    settings: Settings, *, database: str, folder: Path, wheels: Path | None, patience_s: int
) -> Outcome:
    """Start the shop on a database that may be spoilt; `wheels` None: as it is installed.

    `folder` is for notes and the data; a start that takes longer than `patience_s` is ended.
    """
    folder.mkdir()
    order = {
        "wheels": None if wheels is None else str(wheels),
        "data": str(folder / "data"),
        "database": database,
        "edition": settings.value("edition"),
        "language": settings.language,
        "notes": str(folder / "notes"),
        "answer": str(folder / "answer.json"),
    }
    # The address may hold a password: it goes by a file of ours, not by a list of processes.
    paper = folder / "order.json"
    paper.write_text(json.dumps(order), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-m", "dianku_cli.environment.trial_start", str(paper)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        how = _awaited(process, patience_s, settings.language)
    return _outcome(folder, how, settings.language)


def _awaited(process: subprocess.Popen[bytes], patience_s: int, language: str) -> str:
    """How it ended, in words."""
    try:
        code = process.wait(patience_s)
    except subprocess.TimeoutExpired:
        return say("trial_hung", language, seconds=patience_s)
    finally:
        _end(process)
    return say("trial_ended", language, code=code)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all it started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        pass  # it is gone with everything it started
    process.wait(ENDED_S)


def _outcome(folder: Path, how: str, language: str) -> Outcome:
    try:
        answer = json.loads((folder / "answer.json").read_bytes())
    except (OSError, ValueError):
        lines = (folder / "log").read_text(errors="replace").splitlines()
        last = [line for line in lines if line.strip()][-LINES_SHOWN:]
        doing = _doing(folder)
        said = how + (say("trial_doing", language, name=doing) if doing else "")
        return Outcome({}, ready=False, ended="\n  ".join([said, *last]), doing=doing)
    states = {state["name"]: state for state in answer["states"]}
    return Outcome(states, ready=answer["ready"], error=answer["error"])


def _doing(folder: Path) -> str:
    """Which plugin was being brought up when it ended."""
    try:
        return (folder / "notes").read_text(encoding="utf-8").splitlines()[-1]
    except (OSError, IndexError):
        return ""


def told(state: Mapping[str, Any]) -> Sequence[str]:
    """A state's faults for a person, the newest first."""
    return [" ".join(filter(None, fault.values())) for fault in state["faults"]]
