"""Wheels of an edition: ours built by the backend each folder names, those of others fetched.

The sources are copied first, with the same modes and for the backend the same clock and umask, so
that a wheel depends on the commit alone. Those of others come at the versions that were tested
together, from the index that pip is set up for, or from a folder.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from email.message import Message
from email.parser import HeaderParser
from functools import cached_property
from importlib import metadata
from pathlib import Path

from attrs import define

from dianku_cli.assembly.bundle import sha256_of
from dianku_cli.assembly.errors import AssemblyError
from dianku_cli.assembly.sources import Folder, copy_sources

# What a frontend does by PEP 517: the backend is imported where its folder is the current one, and
# what comes before the colon is the module. The last line is the name of the wheel.
_FRONTEND = """
import importlib, os, sys
os.umask(0o022)
module, _, inner = sys.argv[1].partition(":")
sys.path[:0] = sys.argv[3:]
backend = importlib.import_module(module)
for part in filter(None, inner.split(".")):
    backend = getattr(backend, part)
print()
print(backend.build_wheel(sys.argv[2]))
"""
BILL_TOOLS = ("cyclonedx-python-lib", "packaging")
"""Distributions that write the bill of materials."""
_SAID = 12
"""Lines of what a tool said that are shown; the reason stands at the end."""


@define(slots=False, eq=False)
class Wheel:
    """A wheel and what its metadata says."""

    path: Path

    @cached_property
    def metadata(self) -> Message:
        """Its METADATA.

        Raises:
            AssemblyError: it is no wheel.
        """
        try:
            with zipfile.ZipFile(self.path) as archive:
                names = archive.namelist()
                [name] = [one for one in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", one)]
                return HeaderParser().parsestr(archive.read(name).decode("utf-8"))
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise AssemblyError("wheel_unreadable", path=self.path, reason=error) from error

    @property
    def name(self) -> str:
        """The distribution's name as written."""
        return str(self.metadata["Name"])

    @property
    def key(self) -> str:
        """The distribution's name as it is compared."""
        return normalized(self.name)

    @property
    def version(self) -> str:
        """The distribution's version."""
        return str(self.metadata["Version"])

    @cached_property
    def sha256(self) -> str:
        """The hash of its bytes."""
        return sha256_of(self.path)


def normalized(name: str) -> str:
    """A distribution's name as names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def build_wheel(folder: Folder, into: Path, *, work: Path, time: int) -> Wheel:
    """Build the wheel of a folder out of a copy of its sources in `work`, a new folder.

    `time` is the commit's, for backends that stamp what they write.

    Raises:
        AssemblyError: the backend is not installed, or refuses.
    """
    copy_sources(folder.path, work)
    return build_copied(folder, into, work=work, time=time)


def build_copied(folder: Folder, into: Path, *, work: Path, time: int) -> Wheel:
    """Build the wheel of sources that were copied or made; see `build_wheel`."""
    system = folder.written.build_system
    inside = [str(work / part) for part in system.backend_path]
    # The backend may be a program that it looks for on PATH, where a frontend puts it.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    stamps = {"SOURCE_DATE_EPOCH": str(max(time, 315_532_800)), "TZ": "UTC", "PATH": path}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _FRONTEND, system.build_backend, str(into), *inside],
        cwd=work,
        env={**os.environ, **stamps},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        requires = " ".join(f'"{one}"' for one in system.requires)
        raise AssemblyError(
            "wheel_not_built", file=folder.file, requires=requires, said=_last_lines(done.stderr)
        )
    return Wheel(into / done.stdout.strip().splitlines()[-1])


def fetch_wheels(
    own: Iterable[str], into: Path, *, constraints: Sequence[Path], source: Path | None
) -> list[Wheel]:
    """Fetch the wheels that ours require, at constrained versions, with ours beside them.

    `own` are our wheels by path, with `[extra]` behind those of which an extra is wanted;
    `source` is a folder to take the others from instead of the index.

    Raises:
        AssemblyError: one is not to be had, or is not among the constraints.
    """
    where = ["--no-index", "--find-links", str(source)] if source is not None else []
    limits = [word for path in constraints for word in ("--constraint", str(path))]
    words = ["--only-binary", ":all:", "--dest", str(into), *where, *limits]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download"]
    done = subprocess.run(  # noqa: S603
        [*command, "--quiet", *words, *own],
        env={**os.environ, "TMPDIR": str(into.parent)},  # what it leaves when it is killed too
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise AssemblyError("wheels_not_fetched", said=_last_lines(done.stderr))
    return sorted((Wheel(path) for path in into.glob("*.whl")), key=lambda one: one.key)


def check_pinned(wheels: Iterable[Wheel], constraints: Sequence[Path]) -> None:
    """See that each version is one that was written down, so that the next build is the same.

    Raises:
        AssemblyError: with the lines that are missing, and the file they belong into.
    """
    pinned = _pinned(constraints)
    loose = [
        f"{one.name}=={one.version}" for one in wheels if one.version not in pinned.get(one.key, ())
    ]
    if loose:
        raise AssemblyError("wheels_loose", lines="\n".join(loose), file=constraints[-1])


def check_tools(folders: Iterable[Folder], constraints: Sequence[Path]) -> None:
    """See that what builds has the version that was written down, where one was.

    A backend writes its own version into each wheel: another makes another bundle of one commit.

    Raises:
        AssemblyError: with the versions that are wanted.
    """
    wanted = {
        *BILL_TOOLS,
        *(_named(line) for one in folders for line in one.written.build_system.requires),
    }
    pinned, others = _pinned(constraints), []
    for name in sorted(wanted & pinned.keys()):
        try:
            here = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # told by who needs it
        if here not in pinned[name]:
            others.append((f'"{name}=={max(pinned[name])}"', f"{name} {here}"))
    if others:
        install, there = (" ".join(one) for one in zip(*others, strict=True))
        raise AssemblyError("tools_differ", there=there, wanted=install)


def _named(requirement: str) -> str:
    return normalized(re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0])


def _pinned(constraints: Sequence[Path]) -> dict[str, set[str]]:
    """The versions that are written down, by distribution."""
    pinned: dict[str, set[str]] = {}
    for path in constraints:
        for line in path.read_text(encoding="utf-8").splitlines():
            name, sign, version = line.partition("==")
            if sign:
                pinned.setdefault(normalized(name.strip()), set()).add(version.strip())
    return pinned


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_SAID:])
