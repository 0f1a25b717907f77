"""Fill a database with the demonstration shop, through the catalog and the ledger.

The shop's past is posted like its present: every document goes through the poster, with a clock
that is set to each moment in turn. In the last week, the part that is looked at, that is within
minutes of each document; before it, the evening of each day, as of a shop that keys its sales in
after closing, which takes a fifth of the time. What is refused stops the filling: a demonstration
with holes in it would teach the wrong thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from decimal import Decimal

from attrs import frozen
from msgspec.structs import replace

from dianku.access.permissions import KERNEL, OWNER
from dianku.catalog.channels import COUNTER, ensure_defaults
from dianku.catalog.service import CatalogService
from dianku.catalog.snapshot import CatalogCache
from dianku.clock import SetClock, from_ms, to_ms
from dianku.context import Actor, Context
from dianku.demo.goods import CATEGORIES, CHANNELS, SHOP, STORES, products
from dianku.demo.trade import DemoDocument, Step, Trade, moment_of
from dianku.errors import DiankuError, Problem
from dianku.ledger.closing import Closings
from dianku.ledger.commands import Command, Outcome, Post, Posted, ReceiveTransfer
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.read.requests import NewClosing, TakingsFilter
from dianku.ledger.requests import LineQuantities, LineQuantity
from dianku.ledger.service import Ledger
from dianku.storage.engine import Database

FLOAT = Decimal(200)
"""What is in the drawer in the morning."""
PROMPT_DAYS = 7
PROMPT_SPAN = timedelta(minutes=8)
"""Shorter than what the ledger calls late."""

Progress = Callable[[int, int], None]
"""Called with how many days are done, of how many."""


class DemoRefused(DiankuError):
    """The ledger refused a document of the demonstration: names it and the problem."""

    def __init__(self, key: str, problem: Problem) -> None:
        super().__init__(
            f"{key}: {problem.code} {dict(problem.params)} "
            f"{list(problem.errors)} {dict(problem.extra)}"
        )
        self.key = key
        self.problem = problem


@frozen
class Filled:
    """What a filled shop holds."""

    products: int
    documents: int


def fill_shop(
    database: Database,
    *,
    now_ms: int,
    days: int = 120,
    seed: int = 20260101,
    progress: Progress | None = None,
) -> Filled:
    """Make the stores, goods and months of trading up to `now_ms` in a prepared database.

    Raises:
        DemoRefused: a document was refused.
        Refused: the shop is not empty (`already_exists`).
    """
    trade = Trade(until=from_ms(now_ms), days=days, seed=seed)
    clock = SetClock(now_ms)
    cache = CatalogCache()
    with database.writing() as connection:
        ensure_defaults(connection)
    ctx = Context(Actor("demo", OWNER, KERNEL[OWNER]), device="demo")
    goods = _catalog(CatalogService(database, cache, clock), ctx=ctx)
    ledger = Ledger(database, cache, clock)
    ledger.start()
    evening = _Evening(database, cache, clock, ctx)
    try:
        posted = _Posting(ledger, ctx)
        for done, (end, steps) in enumerate(trade.by_day(), 1):
            prompt = done > days - PROMPT_DAYS
            for moment, together in _prompt(steps) if prompt else [(end, steps)]:
                clock.set(to_ms(moment))
                posted.post(together)
            if prompt and done < days:
                evening.close(done)
            if progress is not None:
                progress(done, days)
    finally:
        ledger.close()
    return Filled(products=goods, documents=posted.count)


@frozen
class _Evening:
    """The counter after the last customer: the drawer is counted, and now and then it is short."""

    database: Database
    cache: CatalogCache
    clock: SetClock
    ctx: Context

    def close(self, day: int) -> None:
        """Close the day that the clock stands in; `day` counts from the first one."""
        asked = TakingsFilter(store=[SHOP], channel=[COUNTER])
        taken = StockQueries(self.database, self.cache, self.clock).takings(asked, ctx=self.ctx)
        cash = sum(Decimal(row.net) for row in taken.items if row.payment == "cash")
        counted = FLOAT + cash - (Decimal("0.5") if day % 4 == 0 else 0)
        new = NewClosing(
            store=SHOP, counted=counted, float_start=FLOAT, float_left=min(FLOAT, counted)
        )
        with self.database.writing() as connection:
            Closings(self.database, self.cache, self.clock).close(connection, new, ctx=self.ctx)


def _prompt(steps: Sequence[Step]) -> Iterator[tuple[datetime, list[Step]]]:
    """Steps of a few minutes together, with the moment of the last: none is late by then."""
    group: list[Step] = []
    for step in steps:
        if group and moment_of(step) - moment_of(group[0]) > PROMPT_SPAN:
            yield moment_of(group[-1]), group
            group = []
        group.append(step)
    if group:
        yield moment_of(group[-1]), group


def _catalog(catalog: CatalogService, *, ctx: Context) -> int:
    for store in STORES:
        catalog.create_store(store, ctx=ctx)
    for channel in CHANNELS:
        catalog.create_channel(channel, ctx=ctx)
    for category in CATEGORIES:
        catalog.create_category(category, ctx=ctx)
    count = 0
    for count, product in enumerate(products(), 1):  # noqa: B007 - counted while made
        catalog.create_product(product, ctx=ctx)
    return count


class _Posting:
    """Posts steps and remembers the numbers of those that others will name."""

    def __init__(self, ledger: Ledger, ctx: Context) -> None:
        self._ledger = ledger
        self._ctx = ctx
        self._numbers: dict[str, str] = {}
        self.count = 0

    def post(self, steps: Sequence[Step]) -> None:
        """Post steps: runs of independent ones together, in their order."""
        waiting: list[tuple[str, Future[Outcome]]] = []
        unknown: set[str] = set()
        for step in steps:
            if step.of_key in unknown:
                self._settle(waiting)
                unknown.clear()
            future = self._ledger.submit(self._command(step), key=step.key, ctx=self._ctx)
            waiting.append((step.key, future))
            unknown.add(step.key)
        self._settle(waiting)

    def _command(self, step: Step) -> Command:
        if isinstance(step, DemoDocument):
            if step.of_key is None:
                return Post(step.new)
            return Post(replace(step.new, of_document=self._numbers[step.of_key]))
        lines = [LineQuantity(line=n) for n in range(1, step.line_count + 1)]
        return ReceiveTransfer(
            self._numbers[step.of_key],
            LineQuantities(lines=lines, occurred_at=step.occurred_at),
        )

    def _settle(self, waiting: list[tuple[str, Future[Outcome]]]) -> None:
        for key, future in waiting:
            outcome = future.result()
            if isinstance(outcome, Problem):
                raise DemoRefused(key, outcome)
            if isinstance(outcome, Posted):
                self._numbers[key] = outcome.record.number
                self.count += 1
        waiting.clear()
