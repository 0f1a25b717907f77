"""Folders of distributions: what their `pyproject.toml` says, and the commit they stand at."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from attrs import define, frozen

from dianku_cli.assembly.errors import AssemblyError

_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist")


@define(slots=False, eq=False)
class Folder:
    """A folder with a `pyproject.toml`: one distribution to be built."""

    path: Path

    @property
    def file(self) -> Path:
        """Its `pyproject.toml`."""
        return self.path / "pyproject.toml"

    @cached_property
    def written(self) -> dict[str, Any]:
        """All that its `pyproject.toml` says.

        Raises:
            AssemblyError: it is not there, or no TOML, or says no name or version.
        """
        try:
            found = tomllib.loads(self.file.read_text(encoding="utf-8"))
            found["project"]["name"], found["project"]["version"]
        except (OSError, ValueError) as error:
            raise AssemblyError("project_unreadable", file=self.file, reason=error) from error
        except KeyError as error:
            reason = f"[project] with name and version; there is no {error}"
            raise AssemblyError("project_unreadable", file=self.file, reason=reason) from error
        return found

    @property
    def name(self) -> str:
        """The distribution's name."""
        return str(self.written["project"]["name"])

    @property
    def version(self) -> str:
        """The distribution's version."""
        return str(self.written["project"]["version"])

    def entry_points(self, group: str) -> dict[str, str]:
        """Its entry points of a group."""
        found: dict[str, str] = self.written["project"].get("entry-points", {}).get(group, {})
        return found


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
    """The commit of the repository around a folder; only what is among the parts can differ."""
    head = _git(folder, "log", "-1", "--format=%H %ct")
    if head is None:
        return NO_HISTORY
    text, time = head.split()
    inside = [str(part) for part in parts if part.is_relative_to(folder)]
    changed = _git(folder, "status", "--porcelain", "--", *inside)
    return Commit(f"{text}+changed" if changed else text, int(time))


def copy_sources(source: Path, target: Path) -> None:
    """Copy what belongs to a folder's sources, with the same modes whoever has it.

    In a repository that is what is tracked or would be; elsewhere all but what tools leave behind.
    """
    listed = _git(source, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed:
        names: Sequence[str] = [name for name in listed.split("\0") if (source / name).is_file()]
        for name in names:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)
    else:
        shutil.copytree(source, target, ignore=_LEFT_OUT, copy_function=shutil.copyfile)
    target.chmod(0o755)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _git(folder: Path, *words: str) -> str | None:
    """What git answers in a folder; None where there is no git or no repository."""
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *words],  # noqa: S607
            check=True,
            capture_output=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip("\n")
