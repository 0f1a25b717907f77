"""Editions installed as a shop has them: from built wheels, in environments without an editable.

What the tests break or add to must be an installation and not the checkout. Wheels of our
distributions are built once a run by the build backend itself. An environment gets what others
wrote by copying it out of the environment the tests run in (links where the disk allows, the same
versions, no network) and what is ours by pip from the wheels. A copy of an environment takes a
fraction of a second, so that each test may have one to spoil.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from shop_server import ShopFolder

from dianku.testing.runs import folder_of_run

ROOT = Path(__file__).parents[2]
_BACKEND = (
    "import sys, uv_build; from pathlib import Path; "
    "print(Path(sys.argv[1], uv_build.build_wheel(sys.argv[1])))"
)


def build_wheel(source: Path, into: Path) -> Path:
    """Build the wheel of a folder with a `pyproject.toml` of ours or of a made-up outsider."""
    into.mkdir(parents=True, exist_ok=True)
    # The backend is a program that it looks for on PATH, where a frontend puts it.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-c", _BACKEND, str(into)],
        cwd=source,
        env={**os.environ, "PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise AssertionError(f"no wheel of {source}:\n{done.stderr}")
    return Path(done.stdout.strip().splitlines()[-1])


def own_wheels() -> list[Path]:
    """The wheels of every distribution of this repository, built once a run."""
    folder = folder_of_run() / "wheels"
    with alone(folder):
        if not folder.exists():
            beside = folder.with_suffix(".part")
            sources = sorted(path.parent for path in ROOT.glob("*/*/pyproject.toml"))
            for source in (ROOT / "core", ROOT / "cli", *sources):
                build_wheel(source, beside)
            beside.rename(folder)
    return sorted(folder.glob("*.whl"))


class Environment:
    """A virtual environment on its own: nothing of the checkout is on its path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        """Its `site-packages`."""
        [found] = self.folder.glob("lib/python*/site-packages")
        return found

    @property
    def command(self) -> tuple[str, ...]:
        """The command `dianku` of this environment, wherever it was copied to."""
        return (str(self.python), "-c", "from dianku_cli.main import main; main()")

    @property
    def environ(self) -> dict[str, str]:
        """The surroundings of a person's shell: nothing that leads back to the checkout."""
        led = ("PYTHON", "DIANKU", "PIP_", "VIRTUAL_ENV")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(led)}
        return {**kept, "PYTHONUTF8": "1"}

    def shop(self, folder: Path, *, environ: Mapping[str, str] | None = None) -> ShopFolder:
        """A shop that is run by this environment's `dianku`."""
        found = ShopFolder(folder, command=self.command)
        found.environ = {**self.environ, "DIANKU_DATA": str(folder), **(environ or {})}
        return found

    def pip(self, *words: str) -> None:
        """Run its pip without an index: what is named must be there."""
        subprocess.run(
            [str(self.python), "-m", "pip", "--disable-pip-version-check", "--quiet", *words],
            env=self.environ,
            check=True,
        )

    def install(self, wheels: Iterable[Path]) -> None:
        """Install wheels as they are, without what they require."""
        self.pip("install", "--no-deps", "--no-index", *map(str, wheels))

    def copied(self, to: Path) -> Environment:
        """A copy to spoil; files that are replaced there stay as they are here."""
        shutil.copytree(self.folder, to, symlinks=True, copy_function=_linked)
        return Environment(to)


def edition_environment(name: str, *, extras: Iterable[str] = ()) -> Environment:
    """An environment with exactly one edition, made once a run: copy it before changing it.

    `extras` are third parties' distributions to have besides, `psycopg` for PostgreSQL say.
    """
    wanted = sorted(extras)
    folder = folder_of_run() / "environments" / "-".join([name, *wanted])
    with alone(folder):
        if not folder.exists():
            # Not renamed when it is whole: its scripts bear the path they were made at.
            try:
                _make(folder, name, wanted)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
    return Environment(folder)


def _make(folder: Path, name: str, extras: Iterable[str]) -> None:
    venv.create(folder, with_pip=True)
    made = Environment(folder)
    ours = {_name_of(wheel): wheel for wheel in own_wheels()}
    needed = _closure([f"dianku-{name}", *extras], ours)
    for distribution in needed - ours.keys():
        _copy(distribution, made.packages)
    made.install(ours[one] for one in sorted(needed & ours.keys()))


def lend(environment: Environment, names: Iterable[str]) -> None:
    """Put third parties' distributions, with what they require, into an environment."""
    path = [str(environment.packages)]
    for distribution in _closure(names, {}):
        if not list(metadata.distributions(name=distribution, path=path)):
            _copy(distribution, environment.packages)


def _name_of(wheel: Path) -> str:
    return canonicalize_name(wheel.name.partition("-")[0])


def _closure(names: Iterable[str], ours: Mapping[str, Path]) -> set[str]:
    """Distributions and all they require, without extras nobody asked for."""
    found: set[str] = set()
    waiting = [canonicalize_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        required = required_by(ours[name]) if name in ours else metadata.requires(name) or ()
        for requirement in map(Requirement, required):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting += [canonicalize_name(requirement.name)]
    return found


def required_by(wheel: Path) -> list[str]:
    """What the metadata of a wheel says it requires."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
        headers = HeaderParser().parsestr(archive.read(name).decode())
    return [str(value) for value in headers.get_all("Requires-Dist", [])]


def _copy(distribution: str, packages: Path) -> None:
    found = metadata.distribution(distribution)
    for file in found.files or ():
        source = Path(str(found.locate_file(file)))
        if ".." in file.parts or file.suffix == ".pyc" or not source.is_file():
            continue  # scripts of the environment the tests run in, and what Python makes itself
        target = packages / file
        target.parent.mkdir(parents=True, exist_ok=True)
        _linked(str(source), str(target))


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One worker makes what is missing in a run's folder while the others wait for it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
