from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from dianku.clock import SetClock
from dianku.errors import Refused
from dianku.hooks.records import Daily, Every, Job, Title
from dianku.jobs.kernel import EVENTS_KEPT_DAYS, kernel_jobs
from dianku.jobs.leader import Leader
from dianku.jobs.runner import JobRunner
from dianku.jobs.tables import job_run
from dianku.storage import events
from dianku.storage.engine import Database
from dianku.storage.schema import event

PATIENCE = 20
T = Title("题", "title")


class Runs:
    """Counts what ran, and is waited for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.names: list[str] = []

    def job(self, name: str, schedule: Every | Daily, *, error: BaseException | None = None) -> Job:
        def run() -> str:
            with self._changed:
                self.names.append(name)
                self._changed.notify_all()
            if error is not None:
                raise error
            return f"{name} done"

        return Job(name, T, schedule, run)

    def wait_for(self, name: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: name in self.names, PATIENCE)


@pytest.fixture
def runs() -> Runs:
    return Runs()


@pytest.fixture
def make_runner(database: Database, clock: SetClock) -> Iterator[Callable[..., JobRunner]]:
    made: list[JobRunner] = []

    def make(*, leading: Callable[[], bool] = lambda: True, **more: object) -> JobRunner:
        runner = JobRunner(
            database,
            clock=clock,
            leading=leading,
            zone=lambda: "Asia/Shanghai",
            poll_seconds=0.02,
            **more,  # type: ignore[arg-type]
        )
        made.append(runner)
        return runner

    yield make
    for runner in made:
        runner.close(patience=0.2)


@pytest.mark.parametrize(
    ("said", "outcome", "message"),
    [
        (5, "failed", "TypeError: returned a int, not a text"),
        ("a\0b\ud800", "done", "a\N{REPLACEMENT CHARACTER}b?"),
    ],
)
def test_job_that_says_what_cannot_be_kept_has_its_run_recorded(
    make_runner: Callable[..., JobRunner], said: Any, outcome: str, message: str
) -> None:
    runner = make_runner()
    runner.add("odd", Job("a", T, Every(10), lambda: said))

    assert runner.run_now("odd.a") == outcome
    (state,) = runner.states()
    assert (state.outcome, state.message) == (outcome, message)


def test_jobs_run_when_due_and_not_before(
    make_runner: Callable[..., JobRunner], runs: Runs, clock: SetClock
) -> None:
    runner = make_runner()
    runner.add("core", runs.job("often", Every(60)))
    runner.add("core", runs.job("nightly", Daily(3)))

    assert runner.run_due() == ["core.often"]
    assert runner.run_due() == []
    clock.advance(seconds=60)
    assert runner.run_due() == ["core.often"]
    clock.advance(days=1)
    assert runner.run_due() == ["core.often", "core.nightly"]
    assert runner.run_due() == []


def test_jobs_run_once_among_processes_that_take_over_from_each_other(
    make_runner: Callable[..., JobRunner], runs: Runs
) -> None:
    first, second = make_runner(), make_runner()
    for runner in (first, second):
        runner.add("core", runs.job("often", Every(60)))

    assert first.run_due() == ["core.often"]
    assert second.run_due() == []


@pytest.mark.parametrize("error", [RuntimeError("broke"), SystemExit(3)])
def test_job_that_raises_is_recorded_and_the_rest_go_on(
    make_runner: Callable[..., JobRunner], runs: Runs, clock: SetClock, error: BaseException
) -> None:
    failed: list[tuple[str, ...]] = []
    runner = make_runner(failed=lambda *what: failed.append(what))
    runner.add("bad", runs.job("broken", Every(60), error=error))
    runner.add("core", runs.job("sound", Every(60)))

    runner.run_due()

    broken, sound = runner.states()
    assert (broken.name, broken.outcome) == ("bad.broken", "failed")
    assert type(error).__name__ in str(broken.message)
    assert (sound.outcome, sound.message) == ("done", "sound done")
    assert sound.due_at == clock.now_ms() + 60_000
    assert [what[:2] for what in failed] == [("bad", "bad.broken")]


def test_jobs_of_a_plugin_that_hangs_hold_up_no_other(
    make_runner: Callable[..., JobRunner], runs: Runs
) -> None:
    hanging = threading.Event()

    def hang() -> None:
        hanging.wait(PATIENCE)

    runner = make_runner()
    runner.add("bad", Job("hangs", T, Every(1), hang))
    runner.add("core", runs.job("sound", Every(1)))

    runner.start()
    runs.wait_for("sound")
    hanging.set()


def test_jobs_wait_until_their_process_leads(
    make_runner: Callable[..., JobRunner], runs: Runs
) -> None:
    leads = threading.Event()
    asked = threading.Event()

    def leading() -> bool:
        asked.set()
        return leads.is_set()

    runner = make_runner(leading=leading)
    runner.add("core", runs.job("often", Every(60)))
    runner.start()
    assert asked.wait(PATIENCE)
    assert runs.names == []

    leads.set()

    runs.wait_for("often")


@pytest.mark.sqlite_only
def test_job_run_on_request_is_recorded(make_runner: Callable[..., JobRunner], runs: Runs) -> None:
    runner = make_runner()
    runner.add("core", runs.job("nightly", Daily(3)))

    assert runner.run_now("core.nightly") == "done"
    with pytest.raises(Refused):
        runner.run_now("core.gone")


def test_kernel_jobs_expire_holds_and_prune_what_is_old(
    database: Database, clock: SetClock, make_runner: Callable[..., JobRunner]
) -> None:
    with database.writing() as c:
        events.append(database, c, [events.NewEvent("a", {})] * 3, now_ms=clock.now_ms())
    clock.advance(days=EVENTS_KEPT_DAYS + 1)
    with database.writing() as c:
        events.append(database, c, [events.NewEvent("b", {})] * 2, now_ms=clock.now_ms())
    runner = make_runner()
    for job in kernel_jobs(database, clock=clock, expire_holds=lambda: 4):
        runner.add("core", job)

    for name in ("expire_holds", "prune_events", "prune_runs"):
        assert runner.run_now(f"core.{name}") == "done"

    with database.reading() as c:
        assert list(c.execute(sa.select(event.c.id)).scalars()) == [4, 5]
        said = c.execute(sa.select(job_run.c.message).order_by(job_run.c.id)).scalars().all()
    assert said == ["4 expired", "3 deleted", None]


def test_leader_is_one_and_the_next_takes_over_when_it_closes(database: Database) -> None:
    first = Leader(database, beat_seconds=0.02)
    second = Leader(database, beat_seconds=0.02)
    first.start()
    second.start()
    assert (first.held, second.held) == (True, False)

    first.close()

    for _ in range(1000):
        if second.held:
            break
        threading.Event().wait(0.01)
    assert (first.held, second.held) == (False, True)
    second.close()


HOLDER = """
import sys
from dianku.storage.engine import Database
from dianku.storage.leader import leader_lock
lock = leader_lock(Database(sys.argv[1]))
print(lock.hold(), flush=True)
sys.stdin.read()
"""


def test_leader_killed_delays_nobody(database: Database) -> None:
    url = database.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        leader = Leader(database, beat_seconds=0.02)
        leader.start()
        assert not leader.held
        holder.kill()
        holder.wait()

    for _ in range(1000):
        if leader.held:
            break
        threading.Event().wait(0.01)
    assert leader.held
    leader.close()
