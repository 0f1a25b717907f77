"""The sources of a bundle are the commit's: all of its files, or no bundle and why."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dianku_cli.assembly.errors import AssemblyError
from dianku_cli.assembly.sources import NO_HISTORY, commit_of, copy_sources

NAMES = ["__init__.py", "pages/build/made.py", "static/dist/app.js"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plugin's folder, outside of any repository."""
    folder = tmp_path / "stamps"
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    return folder


@pytest.fixture
def clone(folder: Path) -> Path:
    """The same folder with a history."""
    person = ("-c", "user.name=anna", "-c", "user.email=anna@shop.example")
    for words in (("init", "--quiet"), ("add", "."), (*person, "commit", "--quiet", "-m", "one")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def copied(folder: Path, to: Path) -> list[str]:
    copy_sources(folder, to)
    return sorted(path.relative_to(to).as_posix() for path in to.rglob("*") if path.is_file())


def test_folders_of_a_plugin_that_are_called_as_what_tools_leave_go_along(
    folder: Path, tmp_path: Path
) -> None:
    for left in ("dist/stamps-1.whl", "build/lib/stamps.py", "static/__pycache__/x.pyc"):
        (folder / left).parent.mkdir(parents=True, exist_ok=True)
        (folder / left).touch()
    assert copied(folder, tmp_path / "copy") == NAMES
    assert commit_of(folder, [folder]) == NO_HISTORY


def test_commit_is_that_of_the_folder_whatever_hook_this_runs_in(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = commit_of(clone, [clone])
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "another"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    assert commit_of(clone, [clone]) == found != NO_HISTORY
    assert copied(clone, tmp_path / "copy") == NAMES


def test_new_file_is_told_also_where_git_is_set_to_pass_it_over(clone: Path) -> None:
    assert not commit_of(clone, [clone]).text.endswith("+changed")
    subprocess.run(["git", "config", "status.showUntrackedFiles", "no"], cwd=clone, check=True)
    (clone / "new.py").touch()
    assert commit_of(clone, [clone]).text.endswith("+changed")


@pytest.mark.parametrize(
    ("variable", "said", "why"),
    [
        ("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1", "dubious ownership"),
        ("PATH", "", "No such file or directory: 'git'"),
    ],
    ids=["another_owner", "no_git"],
)
def test_history_that_git_does_not_tell_of_is_no_missing_history(
    variable: str,
    said: str,
    why: str,
    clone: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, said)
    for ask in (lambda: commit_of(clone, [clone]), lambda: copy_sources(clone, tmp_path / "copy")):
        with pytest.raises(AssemblyError) as caught:
            ask()
        assert f"git does not tell what {clone} holds" in caught.value.worded("en")
        assert why in caught.value.worded("en")
