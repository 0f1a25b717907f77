"""From what a person asked for (a name, a wheel, a folder) to the wheels that would come.

Everything that is installed keeps its version: pip is given it all as constraints, so a plugin
that needs another core, or another version of anything, is refused by pip's own words.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from dianku_cli.environment.packages import (
    Wheel,
    WheelError,
    constraints,
    files_of,
    installed,
    normal,
    places,
    read_wheel,
)
from dianku_cli.environment.pip import Pip, PipRefused
from dianku_cli.failures import Failed
from dianku_cli.texts import say

_NAME = re.compile(
    r"(?P<name>[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)(==(?P<version>[A-Za-z0-9.+!_-]+))?"
)
_OURS = "dianku-"
_KERNEL = frozenset({"dianku", "dianku_cli"})
"""Packages no plugin may bring, wherever on the path ours lie."""


class Plan(NamedTuple):
    """The wheels that come, and the distributions they replace. No wheels: it is there already."""

    target: str
    wheels: Sequence[Wheel]
    leaving: Sequence[metadata.Distribution]

    @property
    def plugins(self) -> Sequence[str]:
        """The plugins in them."""
        return sorted({plugin for wheel in self.wheels for plugin in wheel.plugins})

    @property
    def versions(self) -> dict[str, str]:
        """What comes, by name."""
        return {wheel.name: wheel.version for wheel in self.wheels}

    @property
    def versions_before(self) -> dict[str, str]:
        """What is replaced, by name."""
        return {normal(one.metadata["Name"]): one.version for one in self.leaving}


def plan(wish: str, *, pip: Pip, folder: Path, language: str) -> Plan:
    """Find out what installing a wish brings; its wheels lie in `folder` afterwards.

    Raises:
        Failed: it is nothing that can be installed, or not without moving what is there.
    """
    target, words = _target(wish, pip=pip, folder=folder, language=language)
    try:
        planned = pip.plan(words, constraints=constraints([target]))
        there = {normal(path.name.partition("-")[0]) for path in folder.glob("*.whl")}
        missing = [f"{name}=={v}" for name, v in planned if normal(name) not in there]
        if missing:
            pip.fetch(missing, folder)
    except PipRefused as error:
        raise Failed(say("not_installable", language, wish=wish, reason=error)) from error
    if not planned:
        return Plan(target, (), ())
    coming = {normal(name) for name, _ in planned}
    wheels = [_read(path, language) for path in sorted(folder.glob("*.whl"))]
    known = installed()
    leaving = [known[wheel.name] for wheel in wheels if wheel.name in known]
    made = Plan(target, [wheel for wheel in wheels if wheel.name in coming], leaving)
    _refuse_strangers(made, language)
    return made


def _target(wish: str, *, pip: Pip, folder: Path, language: str) -> tuple[str, str]:
    """The distribution meant, and what to say of it to pip."""
    seps = tuple(filter(None, (os.sep, os.altsep)))
    if not (any(sep in wish for sep in seps) or wish.startswith(".") or wish.endswith(".whl")):
        match = _NAME.fullmatch(wish)
        if match is None:
            raise Failed(say("wish_unreadable", language, wish=wish))
        name = normal(match["name"])
        name = name if name.startswith(_OURS) else _OURS + name
        return name, f"{name}=={match['version']}" if match["version"] else name
    path = Path(wish)
    if path.is_dir():
        wheel = _built(path, pip=pip, folder=folder, language=language)
    elif path.is_file():
        wheel = _read(path, language)
        shutil.copy2(path, folder)
        wheel = wheel._replace(path=folder / path.name)
    else:
        raise Failed(say("wish_not_there", language, wish=wish))
    return wheel.name, str(wheel.path)


def _built(source: Path, *, pip: Pip, folder: Path, language: str) -> Wheel:
    if not (source / "pyproject.toml").is_file():
        raise Failed(say("folder_no_project", language, folder=source))
    try:
        pip.build(source, folder)
    except PipRefused as error:
        raise Failed(say("folder_not_built", language, folder=source, reason=error)) from error
    [built] = folder.glob("*.whl")
    return _read(built, language)


def _read(path: Path, language: str) -> Wheel:
    try:
        return read_wheel(path)
    except WheelError as error:
        raise Failed(say("no_wheel", language, file=path, reason=error)) from error


def _refuse_strangers(made: Plan, language: str) -> None:
    """Refuse what is no plugin, and what would write over files of others."""
    [target] = [wheel for wheel in made.wheels if wheel.name == made.target]
    if not target.plugins:
        key = "wish_an_edition" if target.editions else "wish_no_plugin"
        raise Failed(say(key, language, name=target.name))
    for wheel in made.wheels:
        for path, owner in _taken(wheel, made.leaving):
            words = {"name": wheel.name, "file": path, "owner": owner}
            raise Failed(say("file_taken", language, **words))


def _taken(wheel: Wheel, leaving: Sequence[metadata.Distribution]) -> Iterator[tuple[str, str]]:
    """Files that are there already and somebody else's, each with whose it is."""
    free = {path for one in leaving for path in files_of(one)}
    for member, path in places(wheel):
        if member.partition("/")[0] in _KERNEL:
            yield member, "dianku-core"
        elif path.exists() and path.resolve() not in free:
            yield member, _owner(path.resolve())


def _owner(path: Path) -> str:
    for name, one in installed().items():
        if path in files_of(one):
            return name
    return "?"
