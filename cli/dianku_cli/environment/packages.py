"""The distributions of this environment, and what a wheel would put where."""

from __future__ import annotations

import re
import sys
import sysconfig
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import NamedTuple

PLUGIN_GROUP = "dianku.plugins"
EDITION_GROUP = "dianku.editions"
_WHEEL = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl")
_REQUIRED = re.compile(r"\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^]]*\])?\s*(?P<rest>[^;]*)")


_UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)
"""What a damaged or encrypted archive raises while it is read."""


class Wheel(NamedTuple):
    """A wheel file: the distribution in it, and the plugins that bring it here."""

    path: Path
    name: str
    version: str
    plugins: Sequence[str]
    editions: Sequence[str]
    scripts: Sequence[str]
    members: Sequence[str]


class WheelError(Exception):
    """A file that is no sound wheel: what is wrong with it."""


def normal(name: str) -> str:
    """A distribution's name as it is compared: `Dianku_Alerts` is `dianku-alerts`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def site_packages() -> Path:
    """Where pure distributions of this environment lie."""
    return Path(sysconfig.get_path("purelib"))


def scripts() -> Path:
    """Where commands of this environment lie."""
    return Path(sysconfig.get_path("scripts"))


def installed() -> dict[str, metadata.Distribution]:
    """Every distribution of this environment by its normal name; the first on the path counts."""
    found: dict[str, metadata.Distribution] = {}
    for one in metadata.distributions():
        name = one.metadata["Name"]
        if name:
            found.setdefault(normal(name), one)
    return found


def bringing(plugin: str) -> list[str]:
    """The distributions, by normal name, that bring a plugin."""
    return [
        name
        for name, one in installed().items()
        if any(e.name == plugin for e in one.entry_points.select(group=PLUGIN_GROUP))
    ]


def requirements(distribution: metadata.Distribution) -> Iterator[tuple[str, str]]:
    """What a distribution requires whoever installs it: normal names and bounds, without extras."""
    for line in distribution.requires or ():
        match = _REQUIRED.match(line)
        if match is not None and "extra ==" not in line.replace("extra==", "extra =="):
            yield normal(match["name"]), match["rest"].strip(" ()")


def requiring(name: str) -> list[str]:
    """The distributions that require another."""
    return sorted(
        one.metadata["Name"]
        for one in installed().values()
        if any(required == name for required, _ in requirements(one))
    )


def constraints(leaving: Iterable[str]) -> list[str]:
    """Lines for pip that keep every distribution at its version.

    Of those that may change, `leaving`, the bounds that others have on them are kept.
    """
    free = set(leaving)
    there = installed()
    lines = [f"{name}=={one.version}" for name, one in there.items() if name not in free]
    for one in there.values():
        lines += [f"{name}{rest}" for name, rest in requirements(one) if name in free and rest]
    return sorted(lines)


def read_wheel(path: Path) -> Wheel:
    """Look into a wheel without installing it.

    Raises:
        WheelError: it is none.
    """
    if not _WHEEL.fullmatch(path.name):
        raise WheelError("its name is not NAME-VERSION-PYTHON-ABI-PLATFORM.whl")
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
            members = archive.namelist()
            found = [m for m in members if re.fullmatch(r"[^/]+\.dist-info/METADATA", m)]
            if broken is not None:
                raise WheelError(f"{broken} in it is damaged")
            if len(found) != 1 or f"{found[0][:-8]}WHEEL" not in members:
                raise WheelError("it has no metadata of a wheel")
            info = found[0].removesuffix("METADATA")
            found_in = metadata.PathDistribution(zipfile.Path(archive, info))
            return _wheel(path, found_in, members)
    except _UNREADABLE as error:
        raise WheelError(f"it cannot be opened: {error}") from error


def _wheel(path: Path, found: metadata.Distribution, members: Sequence[str]) -> Wheel:
    name, version = found.metadata["Name"], found.metadata["Version"]
    if not name or not version:
        raise WheelError("its metadata has no name or version")
    outside = [m for m in members if m.startswith("/") or ".." in PurePosixPath(m).parts]
    if outside:
        raise WheelError(f"{outside[0]} in it leads out of it")
    try:
        entries = found.entry_points
        named = {
            group: [entry.name for entry in entries.select(group=group)]
            for group in (PLUGIN_GROUP, EDITION_GROUP, "console_scripts", "gui_scripts")
        }
    except Exception as error:
        raise WheelError(f"its entry_points.txt cannot be read: {error}") from error
    return Wheel(
        path=path,
        name=normal(name),
        version=version,
        plugins=named[PLUGIN_GROUP],
        editions=named[EDITION_GROUP],
        scripts=[*named["console_scripts"], *named["gui_scripts"]],
        members=members,
    )


def places(wheel: Wheel) -> Iterator[tuple[str, Path]]:
    """Every file of a wheel and where it goes, the commands it gets included."""
    roots: Mapping[str, Path] = {
        "purelib": site_packages(),
        "platlib": Path(sysconfig.get_path("platlib")),
        "scripts": scripts(),
        "data": Path(sys.prefix),
    }
    for member in wheel.members:
        if member.endswith("/"):
            continue
        first, _, rest = member.partition("/")
        if first.endswith(".data"):
            kind, _, inner = rest.partition("/")
            if kind in roots:
                yield member, roots[kind] / inner
        else:
            yield member, site_packages() / member
    for script in wheel.scripts:
        yield script, scripts() / script


def unpack(wheel: Wheel, into: Path) -> None:
    """Unpack what Python finds in a wheel, its scripts and data left aside."""
    with zipfile.ZipFile(wheel.path) as archive:
        for member in wheel.members:
            first, _, rest = member.partition("/")
            kind, _, inner = rest.partition("/")
            inside = member
            if first.endswith(".data"):
                if kind not in {"purelib", "platlib"} or not inner:
                    continue
                inside = inner
            if member.endswith("/"):
                continue
            target = into / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(member))


def files_of(distribution: metadata.Distribution) -> list[Path]:
    """The files of an installed distribution that are there, what Python compiled left out."""
    named = (Path(str(distribution.locate_file(file))) for file in distribution.files or ())
    return [path.resolve() for path in named if path.suffix != ".pyc" and path.is_file()]
