"""Starting: `dianku --help` beside an empty click program, `dianku serve` beside an empty app.

And what the basic edition weighs when it is installed in a fresh environment.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path

from bench_figures import Figure, middle, ratio
from bench_shop import Measured, make_shop, script, serve_words
from shop_server import DIANKU

ROOT = Path(__file__).parents[2]
EMPTY_CLICK = (sys.executable, "-c", "import click; click.command()(lambda: None)()", "--help")
HEAVY = ("sqlalchemy", "starlette", "alembic", "uvicorn", "dianku_reports")
_IMPORTED = (
    "import sys; sys.argv = ['dianku', '--help']\n"
    "from dianku_cli.main import main\n"
    "try: main()\n"
    "except SystemExit: pass\n"
    "print(*sorted(sys.modules), file=sys.stderr)"
)


def measure(folder: Path, *, rounds: int) -> list[dict[str, float]]:
    """Rounds of: help, empty click; ready and memory of a served shop and of an empty app."""
    shop, _ = make_shop(folder / "start", products=10)
    found = []
    for _ in range(rounds):
        figures = {"help": _run((*DIANKU, "--help")), "click": _run(EMPTY_CLICK)}
        for name, words in (("dianku", serve_words()), ("hello", script("hello_app.py"))):
            with Measured(words, environ=shop.environ) as server:
                figures[f"{name} ready"] = server.ready_seconds
                figures[f"{name} memory"] = server.memory_mb()
        found.append(figures)
    return found


def _run(words: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True)
    return time.perf_counter() - began


def imported_by_help() -> list[str]:
    """Which of the heavy packages `dianku --help` imports."""
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTED], check=True, capture_output=True, text=True
    )
    modules = set(done.stderr.split())
    return [name for name in HEAVY if name in modules]


def installed(folder: Path) -> tuple[int, float]:
    """Distributions and megabytes of the basic edition in a fresh environment.

    Installed from an export of what git knows, with pip, as the README says.
    """
    export = folder / "export"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).exists():
                tar.add(ROOT / name, name)
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as tar:
        tar.extractall(export, filter="data")
    environment = folder / "fresh"
    venv.create(environment, with_pip=True)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DIANKU", "PIP_"))}
    python = str(environment / "bin" / "python")
    subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet",
         "-r", "editions/basic.txt"],
        cwd=export, env=clean, check=True,
    )  # fmt: skip
    [packages] = environment.glob("lib/python*/site-packages")
    ours = ("pip", "setuptools")
    names = [p for p in packages.glob("*.dist-info") if not p.name.startswith(ours)]
    weighed = [packages, *(export / part for part in ("core", "cli", "plugins/reports"))]
    size = sum(
        file.stat().st_size
        for root in weighed
        for file in root.rglob("*")
        if file.is_file()
        and not (file.is_relative_to(packages) and _part(file, packages).startswith(ours))
    )
    return len(names), size / 1e6


def _part(file: Path, packages: Path) -> str:
    return file.relative_to(packages).parts[0]


def figures_of(
    rounds: Sequence[dict[str, float]], *, heavy: Sequence[str], weight: tuple[int, float] | None
) -> list[Figure]:
    """The rounds as figures beside their bars."""
    found = [
        Figure("dianku --help", 1000 * middle(rounds, "help"), "ms",
               note=f"an empty click program {1000 * middle(rounds, 'click'):.0f} ms"),
        Figure("help / empty click program", ratio(rounds, "help", "click"), at_most=2.5),
        Figure("heavy packages help imports", len(heavy), at_most=0, note=" ".join(heavy)),
        Figure("dianku serve is ready after", 1000 * middle(rounds, "dianku ready"), "ms",
               note=f"an empty Starlette app {1000 * middle(rounds, 'hello ready'):.0f} ms"),
        Figure("ready / empty Starlette app", ratio(rounds, "dianku ready", "hello ready")),
        Figure("memory when ready", middle(rounds, "dianku memory"), "MB",
               note=f"an empty Starlette app {middle(rounds, 'hello memory'):.0f} MB"),
    ]  # fmt: skip
    if weight is not None:
        count, size = weight
        found += [
            Figure("distributions in the basic edition", count, at_most=39),
            Figure("the basic edition installed", size, "MB", at_most=150,
                   note="compiled files included, pip itself not"),
        ]  # fmt: skip
    return found
