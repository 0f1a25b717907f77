"""When each long environment was last run: written by the environments, shown by every run.

`tests/long_runs.toml` is tracked, so whoever reads a green run sees how old the long ones are.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("long_runs.toml")
ENVIRONMENTS = ("full", "browser-full", "mutants", "faults", "fuzz", "replay", "soak", "bench")
HEAD = "# When each long environment last passed, and how many tests live in it. Written by them.\n"


def read() -> dict[str, dict[str, Any]]:
    """What is known of each environment."""
    return tomllib.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def record(name: str, tests: int) -> None:
    """Note that an environment has just passed with so many tests."""
    runs = read()
    today = datetime.now(tz=UTC).date()
    runs[name] = {"commit": _commit(), "on": today.isoformat(), "tests": tests}
    sections = [
        f'\n[{one}]\ncommit = "{run["commit"]}"\non = "{run["on"]}"\ntests = {run["tests"]}\n'
        for one, run in sorted(runs.items())
    ]
    FILE.write_text(HEAD + "".join(sections), encoding="utf-8")


def lines() -> list[str]:
    """One line for each environment."""
    runs = read()
    return [
        f"{name}: {run['tests']} tests, last passed at {run['commit']} on {run['on']}"
        if (run := runs.get(name))
        else f"{name}: never run"
        for name in ENVIRONMENTS
    ]


def _commit() -> str:
    def git(*words: str) -> str:
        command = ["git", "-C", str(FILE.parent), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


if __name__ == "__main__":
    record(sys.argv[1], int(sys.argv[2]))
