"""What guards a posting: the conditions, the rules of a batch, keys, who may ask (I3, I8)."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from attrs import evolve, frozen
from driver import hearing
from say import Day, line

from dianku.catalog.snapshot import CatalogCache
from dianku.clock import SetClock
from dianku.context import Context
from dianku.errors import Problem
from dianku.ledger.commands import (
    CommitReservation,
    Outcome,
    Post,
    Posted,
    ReleaseReservation,
    Reverse,
    SweepReservations,
    Swept,
)
from dianku.ledger.plan.planner import Task, plan_command
from dianku.ledger.posting.batching import BATCH_COMMANDS, BATCH_LINES, take_batch
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.guards import PlanOutdated
from dianku.ledger.posting.load import load
from dianku.ledger.posting.poster import Entry
from dianku.ledger.posting.write import write
from dianku.ledger.requests import NewDocument
from dianku.ledger.resolve import resolve_document
from dianku.ledger.service import QUEUE_MAX, Ledger
from dianku.storage.engine import Database
from dianku.testing.shop import Shop


def scalar(database: Database, sql: str) -> Any:
    with database.reading() as connection:
        return connection.execute(sa.text(sql)).scalar()


def sale(sku: str = "tea", quantity: int = 1, **more: Any) -> NewDocument:
    more.setdefault("channel", "web")
    return NewDocument(kind="issue", store="S1", lines=[line(sku, quantity)], **more)


@pytest.fixture
def stocked(day: Day, shop: Shop) -> Day:
    """Ten of tea."""
    shop.channel("web")
    shop.product("tea", price=500)
    day.post("receipt", line("tea", 10, unit_cost="2.00"))
    return day


def test_plan_from_an_older_state_is_refused_and_nothing_is_written(
    stocked: Day,
    cache: CatalogCache,
    owner: Context,
    database: Database,
    database_digest: Callable[..., str],
) -> None:
    now_ms = stocked.clock.now_ms()
    posting = resolve_document(
        sale(quantity=6), catalog=cache.state, ctx=owner, now_ms=now_ms, backfill_days=lambda: 35
    )
    assert not isinstance(posting, Problem)
    task = Task(Post(sale(quantity=6)), owner, resolved=posting)
    with database.writing() as connection:
        snapshot = load(database, connection, cache, [task], now_ms=now_ms)
    assert isinstance(plan_command(snapshot, task), Draft)
    stocked.post("issue", line("tea", 5), channel="web")
    before = database_digest(database)

    with pytest.raises(PlanOutdated), database.writing() as connection:
        write(database, connection, snapshot, [])

    assert database_digest(database) == before
    assert stocked.ledger.verify().clean


@contextmanager
def meddling(database: Database, *, times: int) -> Iterator[list[str]]:
    """Let a balance change under a plan, as often as said, just before it is written."""
    met: list[str] = []

    def meddle(connection: Any, statement: str) -> None:
        if statement.startswith("UPDATE stock_balance") and len(met) < times:
            met.append(statement)
            # Small letters tell it from the poster's own.
            connection.cursor().execute("update stock_balance set value = value + 1")

    with hearing(database, meddle):
        yield met


def test_plan_outdated_in_the_poster_is_made_anew(stocked: Day, database: Database) -> None:
    with meddling(database, times=2) as met:
        stocked.post("issue", line("tea", 3))
    assert len(met) == 2
    assert scalar(database, "SELECT on_hand FROM stock_balance") == 7
    assert stocked.ledger.verify().clean


def test_plan_outdated_again_and_again_writes_nothing_and_says_so(
    stocked: Day, database: Database, database_digest: Callable[..., str]
) -> None:
    before = database_digest(database)
    with meddling(database, times=1000), pytest.raises(PlanOutdated):
        stocked.ask("issue", line("tea", 3))
    assert database_digest(database) == before
    stocked.post("issue", line("tea", 3))


@frozen
class Nonsense:
    """A command that nothing can plan."""


def test_broken_command_costs_its_batch_nothing(
    stocked: Day, waiting: Ledger, owner: Context, database: Database
) -> None:
    asked: list[Any] = [Post(sale()) for _ in range(9)]
    asked.insert(4, Nonsense())
    futures = [waiting.submit(command, key=None, ctx=owner) for command in asked]
    assert waiting.waiting == 10
    waiting.start()
    with pytest.raises(TypeError, match="Nonsense"):
        futures.pop(4).result()
    assert all(isinstance(future.result(), Posted) for future in futures)
    assert scalar(database, "SELECT on_hand FROM stock_balance") == 1
    assert stocked.ledger.verify().clean


@pytest.mark.usefixtures("stocked")
def test_refused_command_leaves_its_batch_as_if_it_had_not_been_there(
    waiting: Ledger, owner: Context, shop: Shop, database: Database
) -> None:
    shop.product("milk")
    # Refused at its second line, when the first has changed its balance already.
    invoice = [line("tea", amount="1.00"), line("milk", amount="1.00")]
    asked = [
        sale(quantity=4),
        sale(quantity=7),
        NewDocument(kind="cost_adjustment", store="S1", lines=invoice),
        sale(quantity=5),
    ]
    futures = [waiting.submit(Post(new), key=f"K{i}", ctx=owner) for i, new in enumerate(asked)]
    waiting.start()
    first, short, invoiced, last = (future.result() for future in futures)
    assert isinstance(short, Problem)
    assert short.extra["short"][0]["available"] == "6"
    assert isinstance(invoiced, Problem)
    assert invoiced.code == "value_below_zero"
    assert isinstance(first, Posted)
    assert isinstance(last, Posted)
    assert scalar(database, "SELECT SUM(on_hand) FROM stock_balance") == 1
    assert scalar(database, "SELECT SUM(value) FROM stock_balance") == 20_000
    assert scalar(database, "SELECT COUNT(*) FROM posted_key") == 2
    assert waiting.verify().clean


def entry(command: Any, owner: Context, **more: Any) -> Entry:
    task = Task(command, owner, numbers=more.pop("numbers", ()), codes=more.pop("codes", ()))
    return Entry(task, lambda _outcome: None, **more)


def batches(queue: deque[Entry]) -> list[int]:
    """The sizes of the batches that a queue makes; their order must be that of arrival."""
    arrived, sizes, taken = list(queue), [], []
    while queue:
        batch = take_batch(queue)
        sizes.append(len(batch))
        taken += batch
    assert all(a is b for a, b in zip(arrived, taken, strict=True))
    return sizes


def test_batch_holds_a_key_a_document_and_a_reservation_once(owner: Context) -> None:
    def plain() -> Entry:
        return entry(Post(sale()), owner)

    def keyed() -> Entry:
        return entry(Post(sale()), owner, key=(1, 2))

    back = {"numbers": ("CK-1",)}
    assert batches(deque([plain(), plain(), keyed(), plain()])) == [4]
    assert batches(deque([keyed(), plain(), keyed(), keyed()])) == [2, 1, 1]
    assert batches(deque([entry(Post(sale()), owner, **back) for _ in range(2)])) == [1, 1]
    of_one = [
        entry(CommitReservation("r"), owner, codes=("r",)),
        entry(ReleaseReservation("r"), owner, codes=("r",)),
        entry(ReleaseReservation("s"), owner, codes=("s",)),
    ]
    assert batches(deque(of_one)) == [1, 2]


def test_batch_of_a_reversal_is_that_alone(owner: Context) -> None:
    undo = entry(Reverse("CK-1", "wrong"), owner, numbers=("CK-1",))
    others = [entry(Post(sale()), owner) for _ in range(3)]
    assert batches(deque([others[0], undo, *others[1:]])) == [1, 1, 2]


def test_batch_ends_where_it_is_long_enough(owner: Context) -> None:
    small = [entry(Post(sale()), owner) for _ in range(BATCH_COMMANDS + 1)]
    assert batches(deque(small)) == [BATCH_COMMANDS, 1]
    large = [entry(Post(sale()), owner, lines=BATCH_LINES // 2) for _ in range(3)]
    assert batches(deque(large)) == [2, 1]


@pytest.mark.sqlite_only
def test_queue_that_is_full_answers_busy_and_loses_nothing(waiting: Ledger, owner: Context) -> None:
    asked = SweepReservations(())
    futures = [waiting.submit(asked, key=None, ctx=owner) for _ in range(QUEUE_MAX)]
    one_more = waiting.submit(asked, key=None, ctx=owner).result(timeout=0)
    assert isinstance(one_more, Problem)
    assert one_more.code == "busy"
    waiting.start()
    assert all(future.result() == Swept(0) for future in futures)
    waiting.close()
    closed = waiting.submit(asked, key=None, ctx=owner).result(timeout=0)
    assert isinstance(closed, Problem)
    assert closed.code == "busy"


def test_answer_is_heard_when_others_can_read_what_it_says(
    stocked: Day, owner: Context, database: Database
) -> None:
    heard: Future[int] = Future()

    def done(outcome: Outcome | Exception) -> None:
        assert isinstance(outcome, Posted)
        number = outcome.record.number
        heard.set_result(
            scalar(database, f"SELECT COUNT(*) FROM document WHERE number = '{number}'")
        )

    stocked.ledger.hand_in(Post(sale()), key="K1", ctx=owner, done=done)
    assert heard.result(timeout=60) == 1


def together(count: int, ask: Callable[[int], Any]) -> list[Any]:
    """Ask from as many threads at the same instant."""
    gate = threading.Barrier(count)

    def one(number: int) -> Any:
        gate.wait()
        return ask(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_one_key_from_32_threads_is_one_effect_and_one_number(
    stocked: Day, owner: Context, database: Database
) -> None:
    found = together(32, lambda _: stocked.ledger.post(sale(), ctx=owner, key="K1"))
    assert all(isinstance(outcome, Posted) for outcome in found)
    assert sum(not outcome.replayed for outcome in found) == 1
    assert len({outcome.record.number for outcome in found}) == 1
    assert scalar(database, "SELECT on_hand FROM stock_balance") == 9
    assert scalar(database, "SELECT COUNT(*) FROM posted_key") == 1


def test_key_is_known_to_a_ledger_that_is_started_later(
    stocked: Day, owner: Context, database: Database, clock: SetClock
) -> None:
    first = stocked.ledger.post(sale(), ctx=owner, key="K1")
    stocked.ledger.close()
    later = Ledger(database, CatalogCache(), clock)
    later.start()
    again = later.post(sale(), ctx=owner, key="K1")
    other = later.post(sale(quantity=2), ctx=owner, key="K1")
    later.close()
    assert isinstance(first, Posted)
    assert isinstance(again, Posted)
    assert again.replayed
    assert again.record.number == first.record.number
    assert isinstance(other, Problem)
    assert other.code == "idempotency_conflict"
    assert scalar(database, "SELECT on_hand FROM stock_balance") == 9


def test_one_unit_for_64_threads_is_sold_once(
    stocked: Day, owner: Context, database: Database
) -> None:
    stocked.post("issue", line("tea", 9))
    found = together(64, lambda _: stocked.ledger.post(sale(), ctx=owner))
    assert sum(isinstance(outcome, Posted) for outcome in found) == 1
    refused = {outcome.code for outcome in found if isinstance(outcome, Problem)}
    assert refused == {"insufficient_stock"}
    assert scalar(database, "SELECT on_hand FROM stock_balance") == 0
    assert stocked.ledger.verify().clean


def limited(owner: Context, *, without: str = "", stores: frozenset[str] | None = None) -> Context:
    actor = evolve(
        owner.actor, permissions=owner.actor.permissions - {without}, stores=stores, name="clerk"
    )
    return evolve(owner, actor=actor)


def test_store_out_of_scope_is_refused_also_to_a_key_that_was_used(
    stocked: Day, owner: Context, database: Database, database_digest: Callable[..., str]
) -> None:
    stocked.ledger.post(sale(), ctx=owner, key="K1")
    stranger = limited(owner, stores=frozenset({"S2"}))
    before = database_digest(database)
    for key in (None, "K1", "K2"):
        outcome = stocked.ledger.post(sale(), ctx=stranger, key=key)
        assert isinstance(outcome, Problem)
        assert outcome.code == "forbidden"
        assert outcome.params["store"] == "S1"
    assert database_digest(database) == before


def test_replay_by_someone_without_the_store_is_refused(stocked: Day, owner: Context) -> None:
    made = stocked.post("issue", line("tea", 1), channel="web")
    undo = Reverse(made.number, "wrong")
    assert isinstance(stocked.ledger.execute(undo, ctx=owner, key="K1"), Posted)
    stranger = limited(owner, stores=frozenset({"S2"}))
    outcome = stocked.ledger.execute(undo, ctx=stranger, key="K1")
    assert isinstance(outcome, Problem)
    assert outcome.code == "forbidden"


def test_policy_may_be_tightened_by_anyone_and_loosened_by_permission_only(
    stocked: Day, owner: Context
) -> None:
    clerk = limited(owner, without="policy.override")
    loose = sale(quantity=11, policy="permissive")
    refused = stocked.ledger.post(loose, ctx=clerk)
    assert isinstance(refused, Problem)
    assert refused.params["permission"] == "policy.override"
    tight = sale(quantity=11, channel="counter", policy="strict")
    short = stocked.ledger.post(tight, ctx=clerk)
    assert isinstance(short, Problem)
    assert short.code == "insufficient_stock"
    assert isinstance(stocked.ledger.post(loose, ctx=owner), Posted)


@pytest.mark.sqlite_only
def test_database_that_another_holds_is_tried_once_for_all_who_wait(
    stocked: Day, waiting: Ledger, owner: Context, database: Database
) -> None:
    failures: list[Exception] = []

    def impatient(connection: Any, statement: str) -> None:
        if statement.startswith("BEGIN"):
            connection.cursor().execute("pragma busy_timeout=0")

    futures = [waiting.submit(Post(sale()), key=None, ctx=owner) for _ in range(4)]
    path = str(database.url.database)
    with (
        hearing(database, impatient, failed=failures.append),
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        waiting.start()
        for future in futures:
            with pytest.raises(sa.exc.OperationalError, match="locked"):
                future.result(20)
    assert len(failures) == 1
    stocked.post("issue", line("tea", 1))
    assert scalar(database, "SELECT on_hand FROM stock_balance") == 9
