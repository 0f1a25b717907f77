"""Folders of distributions: what their `pyproject.toml` says, and the commit they stand at."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from attrs import define, frozen
from msgspec import Struct

from dianku.declared import DeclarationError, decode_declaration, read_declaration
from dianku_cli.assembly.errors import AssemblyError

_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info")
_LEFT_OUT_ABOVE = {"build", "dist"}
"""What tools leave beside a `pyproject.toml`; further in these are a plugin's own folders."""
_LEADING_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")
"""With these a hook leads every git to its own repository, whatever folder it is asked about."""


class Described(Struct, frozen=True, rename="kebab"):
    """`[project]`: what of it is of use here."""

    name: str
    version: str
    entry_points: dict[str, dict[str, str]] = {}


class BuildSystem(Struct, frozen=True, rename="kebab"):
    """`[build-system]`: what builds a wheel, and what is installed for that; PEP 517's defaults."""

    requires: Sequence[str] = ("setuptools",)
    build_backend: str = "setuptools.build_meta:__legacy__"
    backend_path: Sequence[str] = ()


class Project(Struct, frozen=True, rename="kebab"):
    """A `pyproject.toml`, whatever else stands in it."""

    project: Described
    build_system: BuildSystem = BuildSystem()


@define(slots=False, eq=False)
class Folder:
    """A folder with a `pyproject.toml`: one distribution to be built."""

    path: Path

    @property
    def file(self) -> Path:
        """Its `pyproject.toml`."""
        return self.path / "pyproject.toml"

    @cached_property
    def written(self) -> Project:
        """What its `pyproject.toml` says.

        Raises:
            AssemblyError: it is not there, or no TOML, or a key is missing or of another type.
        """
        try:
            return decode_declaration(read_declaration(self.file), Project, where=str(self.file))
        except (OSError, DeclarationError) as error:
            raise AssemblyError("project_unreadable", reason=error) from error

    @property
    def name(self) -> str:
        """The distribution's name."""
        return self.written.project.name

    @property
    def version(self) -> str:
        """The distribution's version."""
        return self.written.project.version

    def entry_points(self, group: str) -> Mapping[str, str]:
        """Its entry points of a group."""
        return self.written.project.entry_points.get(group, {})


@frozen
class Commit:
    """The commit that sources stand at.

    Attributes:
        text: Its hash, with `+changed` where a file differs from it; empty without a history.
        time: When it was made, in seconds since 1970: every file of a bundle bears it.
    """

    text: str
    time: int


NO_HISTORY = Commit("", 315_532_800)
"""Of sources outside a repository: the first day that a wheel can bear, 1980-01-01."""


def commit_of(folder: Path, parts: Iterable[Path]) -> Commit:
    """The commit of the repository around a folder; only what is among the parts can differ.

    Raises:
        AssemblyError: there is a repository and git does not tell of it.
    """
    head = _git(folder, "log", "-1", "--no-show-signature", "--format=%H %ct")
    if head is None:
        return NO_HISTORY
    text, time = head.split()
    inside = [str(part) for part in parts if part.is_relative_to(folder)]
    # Whatever somebody's own settings of git leave out: what is new is built in, so it is told.
    everything = ("--untracked-files=all", "--ignore-submodules=none")
    changed = _git(folder, "status", "--porcelain", *everything, "--", *inside)
    return Commit(f"{text}+changed" if changed else text, int(time))


def copy_sources(source: Path, target: Path) -> None:
    """Copy what belongs to a folder's sources, with the same modes whoever has it.

    In a repository that is what is tracked or would be; elsewhere all but what tools leave behind.

    Raises:
        AssemblyError: there is a repository and git does not tell of it.
    """
    listed = _git(source, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed:
        names: Sequence[str] = [name for name in listed.split("\0") if (source / name).is_file()]
        for name in names:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)
    else:
        shutil.copytree(source, target, ignore=_left_out_of(source), copy_function=shutil.copyfile)
    target.chmod(0o755)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _left_out_of(source: Path) -> Callable[[str, list[str]], set[str]]:
    def left_out(folder: str, names: list[str]) -> set[str]:
        above = _LEFT_OUT_ABOVE if Path(folder) == source else set()
        return _LEFT_OUT(folder, names) | (above & set(names))

    return left_out


def _git(folder: Path, *words: str) -> str | None:
    """What git answers in a folder; None where there is no repository.

    Raises:
        AssemblyError: there is one, and git is not there or refuses. Sources taken without it would
            be others, of a time and a commit that are not theirs.
    """
    here = folder.resolve()
    if not any((above / ".git").exists() for above in (here, *here.parents)):
        return None
    environ = {name: said for name, said in os.environ.items() if name not in _LEADING_ELSEWHERE}
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *words],  # noqa: S607
            check=True,
            capture_output=True,
            text=True,
            env=environ,
        )
    except OSError as error:
        raise AssemblyError("history_unreadable", folder=folder, reason=error) from error
    except subprocess.CalledProcessError as error:
        reason = str(error.stderr).strip()
        raise AssemblyError("history_unreadable", folder=folder, reason=reason) from error
    return done.stdout.strip("\n")
