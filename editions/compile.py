"""Make everything an edition consists of out of its manifest, `edition.toml`.

Made are the distribution `dianku-<name>` (its pins and its package with the entry point) and the
one-line install `editions/<name>.txt` with the closure of local folders; a third party's manifest,
named by its path, gets the same beside it. `--check` says what is stale instead, `--constraints`
notes the versions installed in the environment it runs in (see the environment `lock` in tox.ini).
Nothing here is part of a running shop.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from dianku_cli.assembly.distribution import made_files
from dianku_cli.assembly.errors import AssemblyError
from dianku_cli.assembly.manifests import manifests, plan_edition

ROOT = Path(__file__).resolve().parent.parent


def wanted_files(editions: Iterable[str] = ()) -> dict[Path, str]:
    """The text of each file that manifests make; of our own where none are named."""
    named = list(editions) or list(manifests(ROOT))
    plans = [plan_edition(name, ROOT) for name in named]
    return {path: text for plan in plans for path, text in made_files(plan).items()}


def stale(files: dict[Path, str]) -> list[Path]:
    """The files that are not what their manifests make."""
    return [
        path
        for path, text in files.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def write(files: dict[Path, str]) -> None:
    """Write what is made."""
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def write_constraints() -> None:
    """Note the versions in this environment: run by `tox -r -e lock`, which makes a fresh one."""
    command = [sys.executable, "-m", "pip", "freeze", "--exclude-editable"]
    frozen = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    head = "# All versions that were tested together. Made by: tox -r -e lock\n"
    (ROOT / "editions" / "constraints.txt").write_text(head + frozen, encoding="utf-8")


def main() -> int:
    """Do what the options say; 1 if something is stale or a manifest is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("edition", nargs="*", help="name, or path of a third party's manifest")
    parser.add_argument("--check", action="store_true", help="say what is stale, write nothing")
    parser.add_argument("--constraints", action="store_true", help="note the installed versions")
    options = parser.parse_args()
    if options.constraints:
        write_constraints()
        return 0
    try:
        files = wanted_files(options.edition)
    except AssemblyError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    if not options.check:
        write(files)
        return 0
    found = stale(files)
    for path in found:
        print(f"{path} is stale: run python editions/compile.py")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
