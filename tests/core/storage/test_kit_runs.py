"""What a test run leaves behind when it is killed is found by the next one, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from dianku.testing.postgres import PostgresServer
from dianku.testing.required import absent
from dianku.testing.runs import reap

RUN = """
import subprocess, sys
from dianku.testing.runs import Run, note_process
run = Run()
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=sys.stdin, start_new_session=True)
note_process(child.pid)
{more}
print(run.folder, child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def killed(request: pytest.FixtureRequest) -> Iterator[tuple[Path, int]]:
    """The folder and the child of a run that is killed once it runs."""
    more = getattr(request, "param", "")
    with subprocess.Popen(
        [sys.executable, "-c", RUN.format(more=more)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        folder, _, child = run.stdout.readline().rpartition(" ")
        assert Path(folder) not in reap(), "it is alive"
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        yield Path(folder), int(child)


def running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_killed_run_its_processes_are_ended_and_its_folder_goes(killed: tuple[Path, int]) -> None:
    folder, child = killed
    assert running(child)

    assert folder in reap()

    psutil.wait_procs([psutil.Process(child)] if running(child) else [], timeout=30)
    assert not running(child)
    assert not folder.exists()


def test_killed_run_number_given_to_another_process_is_left_alone(
    killed: tuple[Path, int],
) -> None:
    folder, child = killed
    (folder / "processes" / str(child)).write_text("long ago")

    assert folder in reap()

    assert running(child)
    os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize(
    "killed",
    [
        """
from contextlib import suppress
from dianku.testing.postgres import PostgresAbsent, PostgresServer
with suppress(PostgresAbsent):
    PostgresServer(run.folder / "pg").start()
"""
    ],
    indirect=True,
    ids=["postgres"],
)
def test_killed_run_its_postgresql_server_is_stopped(killed: tuple[Path, int]) -> None:
    folder, _ = killed
    if not (folder / "pg" / "postmaster.pid").exists():
        absent("postgres", "the run could not start it")
    server = PostgresServer(folder / "pg")
    server.start()
    number = server.pid
    assert running(number)

    assert folder in reap()

    assert not running(number)
    assert not folder.exists()
