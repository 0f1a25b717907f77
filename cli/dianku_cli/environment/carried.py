"""The wheels an administrator added, put into a new version of the installation as well.

They take what the new edition brings as it is. One that cannot is put in alone: its manifest or
its imports then refuse it by name at the start, and the shop sells without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dianku_cli.assembly.bundle import WHEELS
from dianku_cli.environment.candidate import Candidate, pip_in
from dianku_cli.environment.packages import Wheel, WheelError, read_wheel
from dianku_cli.environment.pip import PipRefused


def added_wheels(paths: Sequence[Path], *, candidate: Candidate) -> Sequence[Wheel]:
    """Those of the added wheels that the new edition does not bring itself, as far as readable."""
    found = []
    for path in paths:
        try:
            wheel = read_wheel(path)
        except WheelError:
            continue  # no wheel any more: nothing that could be installed
        if wheel.name not in candidate.distributions:
            found.append(wheel)
    return found


def carry(wheels: Sequence[Wheel], into: Path, *, candidate: Candidate) -> dict[str, str]:
    """Install added wheels into a new version; why each that does not fit it does not, by name.

    Raises:
        PipRefused: one cannot be installed at all.
    """
    if not wheels:
        return {}
    bounds = into / "constraints.txt"
    lines = [f"{name}=={version}\n" for name, version in candidate.distributions.items()]
    bounds.write_text("".join(lines), encoding="utf-8")
    shelf = str(wheels[0].path.parent)
    sources = ("--find-links", shelf, "--find-links", str(candidate.folder / WHEELS))
    usual = ("install", "--no-index", *sources, "--constraint", str(bounds))
    try:
        pip_in(into, *usual, *(str(wheel.path) for wheel in wheels))
    except PipRefused:
        return _one_by_one(wheels, into, usual)
    return {}


def _one_by_one(wheels: Sequence[Wheel], into: Path, usual: Sequence[str]) -> dict[str, str]:
    refused = {}
    for wheel in wheels:
        if not wheel.plugins:
            continue  # it came for a plugin, and comes with it where that fits
        try:
            pip_in(into, *usual, str(wheel.path))
        except PipRefused as error:
            refused[wheel.name] = str(error)
            pip_in(into, "install", "--no-index", "--no-deps", str(wheel.path))
    return refused
