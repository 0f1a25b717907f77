"""README's blocks, run as they stand there, in a folder of their own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., AbstractContextManager[str]]

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- run: (\w+) -->\n```sh\n(.*?)```", re.DOTALL)
SERVE = re.compile(r"^dianku serve --port (\d+) &\n", re.MULTILINE)


def _blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCK.findall(README) if found == kind]


@pytest.fixture
def shell(surroundings: dict[str, str], tmp_path: Path) -> Callable[..., str]:
    """Run a block with bash, where `dianku` is this tree's."""
    bash = shutil.which("bash")
    if bash is None or shutil.which("curl") is None:
        pytest.skip("bash and curl are needed to run the README")
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "dianku"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dianku_cli "$@"\n')
    command.chmod(0o755)

    def _shell(script: str, **more: str) -> str:
        path = f"{folder}:{surroundings['PATH']}"
        done = subprocess.run(
            [bash, "-euo", "pipefail", "-c", script],
            env=surroundings | {"PATH": path} | more,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return _shell


def test_every_block_of_the_readme_says_how_it_is_run() -> None:
    assert README.count("```sh") == len(BLOCK.findall(README))


def test_readme_first_steps_do_what_they_say(shell: Callable[..., str], serving: Serve) -> None:
    setting_up, beside = _blocks("shell")
    [over_http] = _blocks("http")
    [port] = SERVE.findall(setting_up)
    said = shell(SERVE.sub("", setting_up) + 'echo "TOKEN=$TOKEN"')
    token = said.rpartition("TOKEN=")[2].strip()
    with serving() as address:
        base = f"http://127.0.0.1:{port}"
        assert base in over_http
        answers = shell(over_http.replace(base, address), TOKEN=token)
        assert '"on_hand":"22"' in answers.replace(" ", "")
        shown = shell(beside)
        assert "cola-330" in shown
        assert "22" in shown


def test_readme_runs_and_tests_with_what_is_in_the_tree() -> None:
    running, testing = _blocks("install")
    assert "pip install -r editions/basic.txt" in running
    assert (ROOT / "editions" / "basic.txt").is_file()
    assert testing.rstrip().endswith("tox")
    assert (ROOT / "tox.ini").is_file()
