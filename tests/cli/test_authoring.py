"""A plugin begun by `dianku plugin new` keeps every promise before its author writes a line."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from installed import build_wheel

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def begun(run: Run, tmp_path: Path) -> Path:
    """A plugin of two words, just begun."""
    done = run("plugin", "new", "shelf_talk", "--out", "mine")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "mine" / "dianku-shelf-talk"
    assert done.stdout.startswith(f"Begun in {Path('mine', 'dianku-shelf-talk')}.")
    return folder


@pytest.fixture
def installed(begun: Path, tmp_path: Path) -> dict[str, str]:
    """Variables under which the plugin is installed beside everything else."""
    site = tmp_path / "site"
    wheel = build_wheel(begun, tmp_path / "wheels")
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet",
         "--no-deps", "--no-index", "--target", str(site), str(wheel)],
        check=True,
    )  # fmt: skip
    return {"PYTHONPATH": os.pathsep.join([str(site), *filter(None, sys.path)])}


def test_new_plugin_is_whole_and_named_once(begun: Path) -> None:
    project = tomllib.loads((begun / "pyproject.toml").read_text())["project"]
    manifest = tomllib.loads((begun / "dianku_shelf_talk" / "plugin.toml").read_text())

    assert project["name"] == "dianku-shelf-talk"
    assert project["entry-points"]["dianku.plugins"] == {"shelf_talk": "dianku_shelf_talk.plugin"}
    assert manifest["name"] == "shelf_talk"
    assert (begun / "tests" / "test_conformance.py").is_file()


@pytest.mark.long("full")
@pytest.mark.timeout(300)
def test_check_passes_over_a_plugin_just_begun(run: Run, installed: dict[str, str]) -> None:
    done = run("plugin", "check", "shelf_talk", **installed)

    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


@pytest.mark.long("full")
@pytest.mark.timeout(300)
def test_check_fails_over_a_plugin_that_breaks_a_promise(
    run: Run, installed: dict[str, str], tmp_path: Path
) -> None:
    code = tmp_path / "site" / "dianku_shelf_talk" / "routes.py"
    code.write_text(code.read_text() + "\n\nfrom dianku.storage.engine import Database\n")

    done = run("plugin", "check", "shelf_talk", **installed)

    assert done.returncode == 1
    assert "dianku.storage.engine" in done.stdout


def test_check_of_a_plugin_that_is_not_there_says_so(run: Run) -> None:
    done = run("plugin", "check", "nobody")

    assert done.returncode == 1
    assert "nobody" in done.stderr


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Shelf", "a letter first"),
        ("../up", "a letter first"),
        ("document", "the kernel's"),
        ("shop", "the kernel's"),
    ],
)
def test_new_refuses_a_name_no_plugin_may_bear(
    run: Run, tmp_path: Path, name: str, reason: str
) -> None:
    done = run("plugin", "new", name, "--out", "mine")

    assert done.returncode == 1
    assert reason in done.stderr
    assert not (tmp_path / "mine").exists()


def test_new_writes_over_nothing(run: Run, begun: Path) -> None:
    (begun / "README.md").write_text("mine")

    done = run("plugin", "new", "shelf_talk", "--out", "mine")

    assert done.returncode == 1
    assert "dianku-shelf-talk" in done.stderr
    assert (begun / "README.md").read_text() == "mine"
