"""Break one promise at a time and demand that the tests named for it fail.

A mutant is a patch in this folder with two kinds of lines above its diff:

    # breaks: the promise it takes away, in words
    # kills: tests/core/ledger/test_x.py::test_that_must_fail   (one or more)

and, where these run in a long environment only, its name: `# long: full`.

Each is applied to a scratch copy of the tracked files, where the named tests must pass before and
fail after. A patch that no longer applies counts as alive: the code moved, so must the mutant. So
does one after which a test cannot even begin; one that makes its tests hang is noticed, by their
time limit.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import frozen

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGES = ("core", "cli", "plugins/console", "plugins/reports")
_LIMIT_SECONDS = 300


@frozen
class Mutant:
    """One broken promise and the tests that must notice."""

    name: str
    breaks: str
    kills: Sequence[str]
    patch: Path
    long: str | None = None


class MutantError(Exception):
    """A mutant's file is not what it has to be."""


def read(path: Path) -> Mutant:
    """Read a mutant's header.

    Raises:
        MutantError: It does not say what it breaks or which tests must fail.
    """
    head = path.read_text(encoding="utf-8").split("\ndiff --git", maxsplit=1)[0]
    breaks = re.findall(r"^# breaks: (.+)$", head, flags=re.MULTILINE)
    kills = re.findall(r"^# kills: (\S+)$", head, flags=re.MULTILINE)
    if len(breaks) != 1 or not kills:
        raise MutantError(f"{path.name}: needs one line '# breaks: ' and some '# kills: '")
    long = re.search(r"^# long: (\S+)$", head, flags=re.MULTILINE)
    return Mutant(path.stem, breaks[0], kills, path, long[1] if long else None)


def copy_tree(to: Path) -> None:
    """Copy the tracked files as they stand, changes included."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, to / name)


def failing(tree: Path, tests: Iterable[str], *, long: str | None) -> tuple[int, set[str], str]:
    """Run tests in a tree: pytest's exit status, what failed, and what was printed."""
    before = os.pathsep.join(str(tree / package) for package in PACKAGES)
    environment = {
        **os.environ,
        "PYTHONPATH": before,
        "PYTHONDONTWRITEBYTECODE": "1",
        # A mutant may hang; the tests' own limits are for slow machines.
        "PYTEST_ADDOPTS": "",
    }
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider"]
    command += ["--long", long] if long else []
    try:
        done = subprocess.run(
            [*command, *tests],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, set(tests), "stopped: it hangs"
    # A fixture that breaks, or a module that cannot be imported, notices nothing.
    failed = set(re.findall(r"^FAILED (\S+)", done.stdout, flags=re.MULTILINE))
    return done.returncode, failed, done.stdout + done.stderr


def survives(mutant: Mutant, tree: Path) -> str | None:
    """Why a mutant is alive, or None if every test named for it failed."""
    apply = ["git", "apply", "--whitespace=nowarn"]
    applied = subprocess.run(
        [*apply, str(mutant.patch)], cwd=tree, capture_output=True, text=True, check=False
    )
    if applied.returncode:
        return f"its patch does not apply: {applied.stderr.strip()}"
    try:
        status, failed, printed = failing(tree, mutant.kills, long=mutant.long)
    finally:
        subprocess.run([*apply, "-R", str(mutant.patch)], cwd=tree, check=True)
    if status not in (0, 1):
        return f"its tests could not be run:\n{printed}"
    unmoved = [t for t in mutant.kills if not any(f == t or f.startswith(f"{t}[") for f in failed)]
    return f"these do not notice: {', '.join(unmoved)}" if unmoved else None


def main() -> int:
    """Run all mutants, or those whose names hold one of the words given."""
    parser = argparse.ArgumentParser(description="Break promises one at a time.")
    parser.add_argument("words", nargs="*", help="only mutants whose name holds one of these")
    words = parser.parse_args().words
    mutants = [read(path) for path in sorted(HERE.glob("*.patch"))]
    chosen = [m for m in mutants if not words or any(word in m.name for word in words)]
    with tempfile.TemporaryDirectory(prefix="dianku-mutants-") as folder:
        tree = Path(folder)
        tree.chmod(0o755)
        copy_tree(tree)
        for long in sorted({mutant.long for mutant in chosen}, key=str):
            tests = sorted({test for m in chosen if m.long == long for test in m.kills})
            status, _, printed = failing(tree, tests, long=long)
            if status:
                print(f"before any change these tests must pass, and do not:\n{printed}")
                return 1
        alive = 0
        for mutant in chosen:
            why = survives(mutant, tree)
            alive += why is not None
            print(f"{'alive ' if why else 'killed'} {mutant.name}: {mutant.breaks}", flush=True)
            if why:
                print(f"       {why}", flush=True)
    print(f"killed {len(chosen) - alive} of {len(chosen)}")
    if not alive and len(chosen) == len(mutants) > 0:
        record = ["tests/long_runs.py", "mutants", str(len(mutants))]
        subprocess.run([sys.executable, *record], cwd=ROOT, check=True)
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
