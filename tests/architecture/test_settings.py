"""The settings of the tools hold what they promise."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import tomllib
from pathlib import Path

import long_runs

ROOT = Path(__file__).parents[2]
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_every_ignored_rule_has_its_reason() -> None:
    block = PROJECT.split("[tool.ruff.lint]")[1].split("[tool.mypy]")[0]
    codes = [line for line in block.splitlines() if re.match(r'    "[A-Z]+[0-9]*",', line)]
    assert codes
    assert [line for line in codes if "# " not in line] == []


def test_types_are_strict_and_style_is_whole() -> None:
    tools = tomllib.loads(PROJECT)["tool"]
    assert tools["mypy"]["strict"] is True
    assert tools["ruff"]["lint"]["select"] == ["ALL"]
    assert tools["pytest"]["ini_options"]["filterwarnings"] == ["error"]


def test_every_long_environment_is_one_of_tox() -> None:
    tox = configparser.ConfigParser()
    tox.read(ROOT / "tox.ini")
    assert {f"testenv:{name}" for name in long_runs.ENVIRONMENTS} <= set(tox.sections())
    assert set(long_runs.read()) <= set(long_runs.ENVIRONMENTS)


def test_run_holds_the_test_command_of_the_readme() -> None:
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    assert re.search(r"^tox &$", run.read_text(encoding="utf-8"), flags=re.MULTILINE)
    subprocess.run(["bash", "-n", str(run)], check=True)


def test_no_tracked_file_names_a_download_address_or_a_folder_of_one_machine() -> None:
    patterns = ["index" + "-url", "extra" + "-index", str(Path.home()) + "/", "/tmp/" + "venv"]
    command = ["git", "grep", "-lIF", *(f"-e{pattern}" for pattern in patterns)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.stdout.split() == []
