"""The ledger's front: give it a command, get an outcome once it is on the disk.

`submit` resolves the command on the caller's thread, lets plugins' checks have their say, and
joins the poster's queue; one thread per process takes all that waits and posts it together.
Nothing waits without bound: a full queue answers `busy` at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Any

from attrs import evolve

from dianku.catalog.snapshot import CatalogCache, CatalogState
from dianku.clock import Clock, local_day, to_ms
from dianku.context import Actor, Context
from dianku.errors import FieldError, Problem, Refused
from dianku.idempotency import digest, hash_key, is_used
from dianku.ledger.commands import (
    CloseTransfer,
    Command,
    CommitReservation,
    ExtendReservation,
    HandOver,
    Keep,
    Outcome,
    Post,
    Posting,
    ReceiveTransfer,
    ReleaseReservation,
    Reserve,
    Reserving,
    Reverse,
    SweepReservations,
    Swept,
)
from dianku.ledger.plan.planner import Task
from dianku.ledger.posting.batching import BATCH_COMMANDS, take_batch
from dianku.ledger.posting.foreseeing import foresee
from dianku.ledger.posting.load_documents import numbers_of
from dianku.ledger.posting.load_promises import codes_of, due_reservations
from dianku.ledger.posting.poster import BatchPoster, Entry
from dianku.ledger.posting.together import NOT_ALONE, Together, named_twice, unmatched
from dianku.ledger.requests import DocumentForecast, LineQuantities, NewDocument, NewReservation
from dianku.ledger.resolve import check_time, needs, resolve_document, too_old
from dianku.ledger.resolve_reservation import resolve_reservation
from dianku.ledger.usual import FLOWS, Unusual, Usual, read_usual
from dianku.ledger.verify.rebuild import Rebuilt, rebuild
from dianku.ledger.verify.verification import Verification, verify
from dianku.ledger.wrong_fields import Errors
from dianku.storage.engine import Database

QUEUE_MAX = 4_000
"""Commands that may wait; one more is answered `busy`."""
BACKFILL_DAYS = 35
HOLD_SECONDS = 15 * 60
SWEEP_AT_ONCE = 500

Check = Callable[[Posting, Context], Problem | None]
Deliver = Callable[[Outcome | Exception], None]


class Ledger:
    """The ledger of one shop in one process.

    Args:
        check: What plugins' `check_document` hooks say of a posting; None when there are none.
        on_commit: Called after each batch that was posted, on the poster's thread.
        backfill_days: How old a movement may be without the permission `backfill`; asked anew
            for each document, as it is a setting.
    """

    def __init__(
        self,
        database: Database,
        cache: CatalogCache,
        clock: Clock,
        *,
        check: Check | None = None,
        on_commit: Callable[[], None] | None = None,
        backfill_days: Callable[[], int] = lambda: BACKFILL_DAYS,
        hold_seconds: Callable[[], int] = lambda: HOLD_SECONDS,
        unusual: Callable[[], Unusual] = Unusual,
    ) -> None:
        self.database = database
        self.cache = cache
        self.clock = clock
        self.check = check
        self.on_commit = on_commit
        self._backfill_days = backfill_days
        self._hold_seconds = hold_seconds
        self._unusual = unusual
        self._poster = BatchPoster(database, cache, clock, self._resolve_again)
        self._queue: deque[Entry] = deque()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._called = False
        self._closing = False

    def start(self) -> None:
        """Start the poster's thread."""
        if self._thread is None:
            self._closing = False
            self._thread = threading.Thread(target=self._run, name="poster", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Post what waits, then stop; whatever comes later is answered `busy`."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @property
    def waiting(self) -> int:
        """Commands in the queue."""
        return len(self._queue)

    def hand_in(
        self,
        command: Command,
        *,
        key: str | None,
        ctx: Context,
        done: Deliver,
        held: CatalogState | None = None,
    ) -> None:
        """Hand a command in; `done` gets its outcome after the commit.

        `done` is called on the poster's thread, or at once on this one for what is refused
        before it is queued. A broken command gets its exception instead of an outcome.

        With `held`, the state in which all was found that the command names, the poster is not
        called: whoever has more to hand in says `call` when there is no more.
        """
        try:
            entry = self._entry(command, key=key, ctx=ctx, deliver=done, held=held)
        except Refused as refused:
            done(refused.problem)
            return
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            done(error)
            return
        if isinstance(entry, Problem):
            done(entry)
        elif alone := unmatched([entry.task]):
            done(alone[0])
        elif not self._join(entry, call=held is None):
            done(Problem("busy"))

    def hand_in_together(
        self, commands: Sequence[tuple[Post, str | None]], *, ctx: Context, done: Sequence[Deliver]
    ) -> None:
        """Hand documents in with their keys that are posted all or none; `done` as in `hand_in`.

        Where one is refused it is told why, and the others `not_posted_alone`. None may name a
        key or a document that another of them names.
        """
        try:
            entries = self._entries_together(commands, ctx, done)
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            for deliver in done:
                deliver(error.problem if isinstance(error, Refused) else error)
            return
        refused = {i: e for i, e in enumerate(entries) if isinstance(e, Problem)}
        living = [e for e in entries if isinstance(e, Entry)]
        refused = refused or named_twice(living) or unmatched([e.task for e in living])
        if not refused and not self._join(*living):
            refused = dict.fromkeys(range(len(done)), Problem("busy"))
        for place, deliver in enumerate(done if refused else ()):
            deliver(refused.get(place, NOT_ALONE))

    def call(self) -> None:
        """Have the poster post what was handed in without a call."""
        with self._wake:
            self._called = True
            self._wake.notify()

    def submit(self, command: Command, *, key: str | None, ctx: Context) -> Future[Outcome]:
        """Hand a command in; the future gets its outcome after the commit."""
        future: Future[Outcome] = Future()

        def done(outcome: Outcome | Exception) -> None:
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self.hand_in(command, key=key, ctx=ctx, done=done)
        return future

    def execute(self, command: Command, *, ctx: Context, key: str | None = None) -> Outcome:
        """Hand a command in and wait for its outcome."""
        return self.submit(command, key=key, ctx=ctx).result()

    def post(self, new: NewDocument, *, ctx: Context, key: str | None = None) -> Outcome:
        """Post one document and wait."""
        return self.execute(Post(new), ctx=ctx, key=key)

    def post_many(
        self,
        documents: Sequence[tuple[NewDocument, str | None]],
        *,
        ctx: Context,
        import_id: int | None = None,
    ) -> list[Outcome]:
        """Post documents in order, each on its own; outcomes in the same order.

        Waits for room in the queue, so that any number may be given.
        """
        outcomes: list[Outcome] = []
        for start in range(0, len(documents), BATCH_COMMANDS):
            futures = [
                self.submit(Post(new, import_id), key=key, ctx=ctx)
                for new, key in documents[start : start + BATCH_COMMANDS]
            ]
            outcomes += [future.result() for future in futures]
        return outcomes

    def faults(self, new: NewDocument | NewReservation, *, ctx: Context) -> Sequence[FieldError]:
        """What of a document or reservation would be refused as wrong; posts nothing.

        None of it where it would be refused for another reason, such as rights.
        """
        command = Post(new) if isinstance(new, NewDocument) else Reserve(new)
        resolved = self._resolved(command, ctx, None)
        if isinstance(resolved, Problem) and resolved.code == "invalid":
            return resolved.errors
        return ()

    def foresee(self, new: NewDocument, *, ctx: Context) -> DocumentForecast | Problem:
        """What posting a document now would do, and what would be warned of; keeps nothing.

        Waits for no place in the queue and promises none: what others post in between counts.
        """
        task = Task(Post(new), ctx)
        problem = self._prepare(task, None)
        if problem is not None:
            return problem
        task.numbers = tuple(numbers_of(task))
        return foresee(self.database, self.cache, self.clock, task, resolve=self._resolve_again)

    def sweep(self) -> int:
        """Mark holds past their end; returns how many were found (at most `SWEEP_AT_ONCE`)."""
        with self.database.reading() as connection:
            rows = due_reservations(connection, self.clock.now_ms(), limit=SWEEP_AT_ONCE)
        if not rows:
            return 0
        command = SweepReservations(tuple(row.code for row in rows))
        outcome = self.execute(command, ctx=_SWEEPER)
        return outcome.count if isinstance(outcome, Swept) else 0

    def verify(self, *, since_last: bool = False) -> Verification:
        """Compare what is derived with the moves; names each difference, changes nothing.

        With `since_last` it goes on from the last such run and notes how far it went.
        """
        return verify(self.database, since_last=since_last, clock=self.clock)

    def rebuild(self) -> Rebuilt:
        """Write the derived tables anew from the moves."""
        return rebuild(self.database)

    def learn(self, commands: Iterable[Command]) -> CatalogState:
        """Look up together what commands name; the state that holds it for each of them."""
        return self._look_up([c for c in commands if isinstance(c, Post | Reserve)])

    def held(self, command: Command) -> CatalogState | None:
        """The state in memory that holds all that `hand_in` would look up; None if it does not.

        With it `hand_in` does not ask the database, unless to say how a refusal came about.
        """
        state = self.cache.state
        if isinstance(command, Post) and command.new.kind in FLOWS:
            return None
        if isinstance(command, Post | Reserve) and not _holds(state, command):
            return None
        return state

    def _entry(
        self,
        command: Command,
        *,
        key: str | None,
        ctx: Context,
        deliver: Deliver,
        held: CatalogState | None = None,
    ) -> Entry | Problem:
        entry = Entry(Task(command, ctx), deliver)
        if key is not None:
            name, params, body = _asked(command)
            entry.key, entry.digest = hash_key(key), digest(name, params, body)
        problem = self._prepare(entry.task, held)
        if isinstance(entry.task.resolved, Posting | Reserving):
            entry.lines = len(entry.task.resolved.lines)
        if problem is not None and not self._answered(problem, key=key):
            return problem
        # What was posted once is answered for ever, though today it would be refused: a known
        # key goes on to the poster, which finds what it stands for.
        task = entry.task
        task.numbers = tuple(numbers_of(task))
        task.codes = tuple(codes_of(task))
        return entry

    def _entries_together(
        self, commands: Sequence[tuple[Post, str | None]], ctx: Context, done: Sequence[Deliver]
    ) -> list[Entry | Problem]:
        held, together = self.learn([command for command, _ in commands]), Together(len(commands))
        entries = [
            self._entry(command, key=key, ctx=ctx, deliver=deliver, held=held)
            for (command, key), deliver in zip(commands, done, strict=True)
        ]
        for entry in entries:
            if isinstance(entry, Entry):
                entry.together = together
        return entries

    def _prepare(self, task: Task, held: CatalogState | None) -> Problem | None:
        """Resolve a task's command and let the checks speak; the problem that refuses it."""
        command, ctx = task.command, task.ctx
        if isinstance(command, Post | Reserve):
            resolved = self._resolved(command, ctx, held)
            if isinstance(resolved, Problem):
                return resolved
            task.resolved = resolved
            if isinstance(resolved, Posting) and resolved.kind in FLOWS:
                task.usual = self._usual(resolved)
            if self.check is not None and isinstance(resolved, Posting):
                return self.check(resolved, ctx)
        elif isinstance(command, HandOver | Keep | ReceiveTransfer):
            moment = self._moment(command.request, ctx)
            if isinstance(moment, Problem):
                return moment
            task.occurred_at = moment
        return None

    def _answered(self, problem: Problem, *, key: str | None) -> bool:
        """Whether a key has had its effect, so that its retry is answered, not refused (I3).

        A product archived since, or a plugin that has come to object, undoes nothing that is
        posted. Rights are asked anew all the same.
        """
        if key is None:
            return False
        if problem.code == "forbidden" and problem.params.get("permission") != "backfill":
            return False
        return is_used(self.database, key=key)

    def _resolved(
        self, command: Post | Reserve, ctx: Context, held: CatalogState | None
    ) -> Posting | Reserving | Problem:
        """Resolve from memory; before refusing, look whether the catalog has moved on.

        One state serves from first to last, as other threads may put a newer one in the cache.
        """
        state = held or self.held(command) or self._look_up([command])
        resolved = self._resolve(command, ctx, state)
        if isinstance(resolved, Problem) and resolved.code == "invalid":
            newest = self._look_up([command])
            if newest is not state:
                resolved = self._resolve(command, ctx, newest)
        return resolved

    def _look_up(self, commands: Iterable[Post | Reserve]) -> CatalogState:
        with self.database.reading() as connection:
            self.cache.refresh(connection)
            skus: set[str] = set()
            codes: set[str] = set()
            for command in commands:
                more_skus, more_codes = needs(command.new, self.cache.state)
                skus |= more_skus
                codes |= more_codes
            return self.cache.ensure(connection, skus=skus, codes=codes)

    def _resolve(
        self, command: Command, ctx: Context, state: CatalogState
    ) -> Posting | Reserving | Problem:
        now_ms = self.clock.now_ms()
        if isinstance(command, Post):
            return resolve_document(
                command.new,
                catalog=state,
                ctx=ctx,
                now_ms=now_ms,
                backfill_days=self._backfill_days,
                import_id=command.import_id,
            )
        assert isinstance(command, Reserve), "only these name products"
        return resolve_reservation(
            command.new,
            catalog=state,
            ctx=ctx,
            now_ms=now_ms,
            hold_seconds=self._hold_seconds(),
        )

    def _resolve_again(self, task: Task) -> Posting | Reserving | Problem | None:
        """Resolve by today's catalog, on the poster's thread, keeping the caller's moment."""
        if not isinstance(task.command, Post | Reserve):
            return None
        before = task.resolved
        again = self._resolve(task.command, task.ctx, self._look_up([task.command]))
        if isinstance(again, Posting) and isinstance(before, Posting):
            return evolve(again, occurred_at=before.occurred_at)
        return again

    def _usual(self, posting: Posting) -> dict[tuple[int, int], Usual]:
        today = local_day(self.clock.now_ms(), posting.store.timezone)
        pairs = {(posting.store.id, line.product.id) for line in posting.lines}
        with self.database.reading() as connection:
            return read_usual(
                connection, pairs, kind=posting.kind, today=today, limits=self._unusual()
            )

    def _moment(self, request: LineQuantities, ctx: Context) -> int | Problem:
        """When goods were handed over or arrived; bounded like the time of any document."""
        now_ms = self.clock.now_ms()
        if request.occurred_at is None:
            return now_ms
        offset = now_ms - to_ms(request.sent_at) if request.sent_at is not None else 0
        moment = to_ms(request.occurred_at) + offset
        errors = Errors()
        check_time("/occurred_at", moment, now_ms, errors)
        if errors.found:
            return Problem("invalid", errors=errors.found)
        if too_old(now_ms - moment, self._backfill_days) and not ctx.may("backfill"):
            return Problem("forbidden", {"permission": "backfill"})
        return moment

    def _join(self, *entries: Entry, call: bool = True) -> bool:
        with self._wake:
            if self._closing or len(self._queue) + len(entries) > QUEUE_MAX:
                return False
            self._queue.extend(entries)
            if call and not self._called:
                self._called = True
                self._wake.notify()
        return True

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._called and not self._closing:
                    self._wake.wait()
                if not self._queue and self._closing:
                    return
                batch = take_batch(self._queue)
                self._called = bool(self._queue)
            if not batch:
                continue
            self._poster.post(batch)
            if self.on_commit is not None:
                self.on_commit()


def _holds(catalog: CatalogState, command: Post | Reserve) -> bool:
    if catalog.version < 0:
        return False
    skus, codes = needs(command.new, catalog)
    return catalog.holds(skus=skus, codes=codes)


def _asked(command: Command) -> tuple[str, dict[str, Any], Any]:
    """What a key stands for: the command's name, its path and its body."""
    match command:
        case Post(new=new):
            return "post", {}, new
        case Reverse(number=number, reason=reason):
            return "reverse", {"number": number}, {"reason": reason}
        case HandOver(number=number, request=request):
            return "hand_over", {"number": number}, request
        case Keep(number=number, request=request):
            return "keep", {"number": number}, request
        case ReceiveTransfer(number=number, request=request):
            return "receive", {"number": number}, request
        case CloseTransfer(number=number, loss_to=loss_to):
            return "close", {"number": number}, {"loss_to": loss_to}
        case Reserve(new=new):
            return "reserve", {}, new
        case CommitReservation(code=code, request=request):
            return "commit", {"id": code}, None if request.lines is None else request
        case ReleaseReservation(code=code):
            return "release", {"id": code}, None
        case ExtendReservation(code=code, request=request):
            return "extend", {"id": code}, request
        case _:
            raise TypeError(f"{type(command).__name__} takes no key")


_SWEEPER = Context(
    actor=Actor(name="sweeper", role="system", permissions=frozenset({"reservation.edit"}))
)
