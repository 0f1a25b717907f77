"""The ledger against a plain model: thousands of random steps, compared after every batch.

Several commands are submitted at once, so that one transaction posts them (group commit); the
model does the same one by one. Compared are every outcome (posted with which line costs, or
refused with which code and which short goods) and every balance of the shop, to the last
ten-thousandth. The seed is fixed; `DIANKU_SEED` and `DIANKU_STEPS` set others.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from attrs import frozen
from plain_cells import Cell, Document, Hold, Refusal
from plain_lots import Lot
from plain_shop import Shop as Model
from shop_steps import Steps
from step_chance import GOODS, STOCKED, STORES, Step

from dianku.catalog.snapshot import CatalogCache
from dianku.clock import SetClock
from dianku.errors import Problem
from dianku.ledger.commands import Outcome, Posted, Reserved
from dianku.ledger.figures.figures import Figures
from dianku.ledger.figures.requests import SalesQuery
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.read.requests import StockFilter
from dianku.ledger.service import Ledger
from dianku.storage.engine import Database
from dianku.testing.shop import Shop

STEPS = int(os.environ.get("DIANKU_STEPS", "6000"))
SEED = int(os.environ.get("DIANKU_SEED", "20260302"))
_PRECISION = {goods.sku: goods.precision for goods in GOODS}
LEAST = 30
"""How often each step must have been accepted for the run to count."""

KINDS = (
    "receipt",
    "issue",
    "customer_return",
    "supplier_return",
    "write_off",
    "transfer",
    "delta",
    "count",
    "production",
    "break_up",
    "cost_adjustment",
)
REVERSED = (
    "receipt",
    "issue",
    "customer_return",
    "supplier_return",
    "write_off",
    "transfer",
    "adjustment",
    "count",
    "late",
    "production",
    "cost_adjustment",
)
RESERVATIONS = ("reserve", "preorder", "commit", "commit_part", "release", "extend")
LATER = ("receive", "close", "hand_over", "keep")
TRAITS = (
    "partial",
    "lot_named",
    "lots_across",
    "expired_out",
    "reattributed",
    "kept_back",
    "midnight",
)


class Run:
    """One run: the ledger and the model side by side, and what happened how often."""

    def __init__(self, ledger: Ledger, database: Database, clock: SetClock, ctx: Any) -> None:
        self.ledger = ledger
        self.database = database
        self.queries = StockQueries(database, CatalogCache(), clock)
        self.clock = clock
        self.ctx = ctx
        self.model = Model(GOODS, STORES)
        self.steps = Steps(self.model, seed=SEED)
        self.accepted = self.steps.accepted
        self.refused: Counter[str] = Counter()
        self.replays = 0
        self.figures = Figures(database, CatalogCache(), clock)
        self.stock = StockQueries(database, CatalogCache(), clock)
        self.sellers = 0
        self.verified = 0
        self._sent: list[tuple[Step, str]] = []

    def batch(self, size: int) -> None:
        """Submit `size` commands at once, do the same to the model, compare."""
        before = self._past()
        self.clock.advance(seconds=self.steps.pause() / 1000)
        self.steps.now = self.clock.now_ms()
        self.model.begin(self.steps.now)
        if self._past() > before:
            self.accepted["midnight"] += 1
            self._compare_available()
        drawn = [self.steps.draw() for _ in range(size)]
        futures = [self.ledger.submit(s.command, key=s.key, ctx=self.ctx) for s in drawn]
        outcomes = [f.result(timeout=60) for f in futures]
        for step, outcome in zip(drawn, outcomes, strict=True):
            self._compare(step, outcome)
        self._compare_balances(drawn)

    def _past(self) -> int:
        """Steps past their date, in all stores."""
        shelves = [cell.shelf for cell in self.model.cells.values() if cell.shelf is not None]
        return sum(shelf.past(self.model.today) for shelf in shelves)

    def _compare_available(self) -> None:
        """What may be promised, as whoever asks hears it though nothing was posted."""
        page = self.queries.stock(StockFilter(limit=100), ctx=self.ctx)
        assert page.next_cursor is None
        for row in page.items:
            if (row.store, row.sku) in self.model.cells:
                there = self.model.available(row.store, row.sku, now=self.clock.now_ms())
                precision = self.model.goods[row.sku].precision
                assert Decimal(row.available) == Decimal(there).scaleb(-precision), row

    def replay(self) -> None:
        """Send an earlier command with its key again: the same number, no effect."""
        if not self._sent:
            return
        step, subject = self._sent[self.replays * 7 % len(self._sent)]
        outcome = self.ledger.submit(step.command, key=step.key, ctx=self.ctx).result(timeout=60)
        assert isinstance(outcome, Posted | Reserved), outcome
        assert outcome.replayed
        assert _subject(outcome) == subject
        self.replays += 1
        self._compare_balances([step])

    def compare_reports(self) -> None:
        """What readers remember and bring up to date is what readers find who begin now."""
        day = self.figures.today(ctx=self.ctx)
        asked = SalesQuery(from_=day - timedelta(days=6), to=day, limit=1_000)
        fresh = Figures(self.database, CatalogCache(), self.clock)
        found = self.figures.sales(asked, ctx=self.ctx)
        assert found == fresh.sales(asked, ctx=self.ctx)
        cells = StockFilter(sort="-sold_7d")
        begun = StockQueries(self.database, CatalogCache(), self.clock)
        assert self.stock.stock(cells, ctx=self.ctx) == begun.stock(cells, ctx=self.ctx)
        self.sellers = max(self.sellers, len(found.items))

    def verify_on(self) -> None:
        """Verification goes on from where it was, and finds nothing."""
        found = self.ledger.verify(since_last=True)
        assert found.differences == []
        assert found.earlier == self.verified
        self.verified = found.moves

    def _compare(self, step: Step, outcome: Outcome) -> None:
        self.model.begin(self.steps.now)
        effect = _effect(step)
        if isinstance(effect, Refusal):
            assert isinstance(outcome, Problem), (step, "must be refused", effect.codes, outcome)
            assert outcome.code in effect.codes, (step, effect.codes, outcome)
            if outcome.code == "insufficient_stock" and effect.short:
                assert {s["sku"] for s in outcome.extra["short"]} == effect.short, (step, outcome)
            self.refused[step.name] += 1
            return
        assert isinstance(outcome, Posted | Reserved), (step, outcome)
        assert not outcome.replayed
        self.accepted[step.name] += 1
        self._sent.append((step, _subject(outcome)))
        if isinstance(effect, Hold):
            self.steps.book.holds.append((_subject(outcome), effect))
        elif isinstance(effect, Document):
            assert isinstance(outcome, Posted)
            _compare_lines(step, effect, outcome)
            self._compare_traits(step, effect, outcome)
            self.steps.book.documents.append((outcome.record.number, effect))

    def _compare_traits(self, step: Step, document: Document, outcome: Posted) -> None:
        self.accepted.update(document.traits)
        told = {warning.code for warning in outcome.record.warnings}
        assert ("partial" in told) == ("partial" in document.traits), (step, outcome)
        if document.kind == "issue":
            assert ("expired_lot" in told) == ("expired_out" in document.traits), (step, outcome)

    def _compare_balances(self, steps: Sequence[Step]) -> None:
        found = _cells(self.database)
        lots = _lots(self.database)
        holds = _holds(self.database, now=self.clock.now_ms())
        for (store, sku), cell in self.model.cells.items():
            fresh = Cell(cell.precision, cell.last_cost)
            expected = replace(cell, moves=[], counts=[], shelf=None)
            assert found.get((store, sku), fresh) == expected, (store, sku, steps)
            held = cell.shelf.held if cell.shelf is not None else {}
            shown = {lot: steps for lot, steps in held.items() if steps}
            assert lots.get((store, sku), {}) == shown, (store, sku, steps)
            reserved = self.model.reserved(store, sku, now=self.clock.now_ms())
            assert holds.get((store, sku), 0) == reserved, (store, sku, steps)


def _effect(step: Step) -> Document | Hold | Refusal | None:
    try:
        return step.effect()
    except Refusal as refusal:
        return refusal


def _subject(outcome: Posted | Reserved) -> str:
    return outcome.record.number if isinstance(outcome, Posted) else outcome.record.id


def _compare_lines(step: Step, document: Document, outcome: Posted) -> None:
    if document.kind in {"arrival", "cost_adjustment"}:
        return
    for line, record in zip(document.lines, outcome.record.lines, strict=True):
        assert record.sku == line.sku
        posted = Decimal(record.quantity).scaleb(_PRECISION[line.sku])
        assert abs(posted) == abs(line.quantity), (step, record, line)
        cost = abs(sum(part.cost for part in line.parts))
        assert record.cost is not None
        assert Decimal(record.cost) * 10_000 == cost, (step, record, line)


def _cells(database: Database) -> dict[tuple[str, str], Cell]:
    """Every balance as the database holds it."""
    with database.reading() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT s.code, p.sku, p.precision, b.* FROM stock_balance AS b "
                "JOIN store AS s ON s.id = b.store_id JOIN product AS p ON p.id = b.product_id"
            )
        ).all()
    return {
        (r.code, r.sku): Cell(
            precision=r.precision,
            last_cost=r.last_cost,
            on_hand=r.on_hand,
            value=r.value,
            damaged=r.damaged,
            damaged_value=r.damaged_value,
            kept=r.kept,
            in_transit=r.in_transit,
            in_transit_value=r.in_transit_value,
        )
        for r in rows
    }


def _lots(database: Database) -> dict[tuple[str, str], dict[Lot, int]]:
    """Every lot that shows something."""
    with database.reading() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT s.code, p.sku, l.code AS lot, l.expires_on, b.quantity "
                "FROM lot_balance AS b JOIN lot AS l ON l.id = b.lot_id "
                "JOIN store AS s ON s.id = b.store_id "
                "JOIN product AS p ON p.id = b.product_id WHERE b.quantity <> 0"
            )
        ).all()
    lots: dict[tuple[str, str], dict[Lot, int]] = {}
    for r in rows:
        lots.setdefault((r.code, r.sku), {})[r.lot, r.expires_on] = r.quantity
    return lots


def _holds(database: Database, *, now: int) -> dict[tuple[str, str], int]:
    """What holds that are not due keep; every row's `reserved` is the sum of its active holds."""
    with database.reading() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT s.code, p.sku, b.reserved, "
                "COALESCE(SUM(h.quantity), 0) AS active, "
                "COALESCE(SUM(CASE WHEN h.expires_at > :now THEN h.quantity END), 0) AS live "
                "FROM stock_balance AS b JOIN store AS s ON s.id = b.store_id "
                "JOIN product AS p ON p.id = b.product_id "
                "LEFT JOIN reservation_hold AS h ON h.store_id = b.store_id "
                "AND h.product_id = b.product_id AND h.active "
                "GROUP BY s.code, p.sku, b.reserved"
            ),
            {"now": now},
        ).all()
    for row in rows:
        assert row.reserved == row.active, row
    return {(r.code, r.sku): int(r.live) for r in rows}


_FOLDS = (
    # every bucket is the sum of its moves, in quantity and in value
    """
    SELECT b.store_id, b.product_id FROM stock_balance AS b WHERE
    (b.on_hand, b.value, b.damaged, b.damaged_value, b.kept, b.in_transit, b.in_transit_value)
    <> (
      SELECT COALESCE(SUM(CASE WHEN bucket = 0 THEN quantity END), 0),
             COALESCE(SUM(CASE WHEN bucket = 0 THEN value END), 0),
             COALESCE(SUM(CASE WHEN bucket = 1 THEN quantity END), 0),
             COALESCE(SUM(CASE WHEN bucket = 1 THEN value END), 0),
             COALESCE(SUM(CASE WHEN bucket = 2 THEN quantity END), 0),
             COALESCE(SUM(CASE WHEN bucket = 3 THEN quantity END), 0),
             COALESCE(SUM(CASE WHEN bucket = 3 THEN value END), 0)
      FROM stock_move AS m WHERE m.store_id = b.store_id AND m.product_id = b.product_id)
    """,
    # a day's summary is the sum of that day's moves
    """
    SELECT 1 FROM (
      SELECT business_date, store_id, product_id, bucket, flow, reason,
             SUM(quantity) AS quantity, SUM(value) AS value FROM (
        SELECT business_date, store_id, product_id, bucket, flow, reason, quantity, value
        FROM stock_move
        UNION ALL
        SELECT business_date, store_id, product_id, bucket, flow, reason, -quantity, -value
        FROM daily_summary) AS both_sides
      GROUP BY 1, 2, 3, 4, 5, 6) AS sums WHERE quantity <> 0 OR value <> 0
    """,
    # lots sum to what is on hand and never to more
    """
    SELECT b.store_id, b.product_id FROM stock_balance AS b
    LEFT JOIN lot_balance AS l ON l.store_id = b.store_id AND l.product_id = b.product_id
    GROUP BY b.store_id, b.product_id, b.on_hand
    HAVING COALESCE(SUM(l.quantity), 0) > CASE WHEN b.on_hand > 0 THEN b.on_hand ELSE 0 END
    """,
)


def prepare(shop: Shop) -> None:
    for store in STORES:
        shop.store(store)
    for goods in GOODS:
        shop.product(
            goods.sku,
            precision=goods.precision,
            price=500,
            cost=goods.cost or None,
            track_lots=goods.track_lots,
            composition=goods.composition,
            components=dict(goods.recipe),
        )
    shop.channel("web", policy="strict")


def _report(run: Run) -> str:
    names: Iterable[str] = sorted({*run.accepted, *run.refused})
    cells = [f"{n} {run.accepted[n]}+{run.refused[n]}" for n in names]
    return f"seed {SEED}, replays {run.replays}, accepted+refused: " + ", ".join(cells)


def _enough(accepted: Counter[str]) -> dict[str, int]:
    """How often each kind of step was accepted, reversals taken together."""
    sums = {name: accepted[name] for name in (*KINDS, *RESERVATIONS, *LATER, *TRAITS)}
    sums["issue"] += accepted["issue_strict"] + accepted["issue_fact"]
    sums |= {f"reverse_{kind}": accepted[f"reverse_{kind}"] for kind in REVERSED}
    return sums


@frozen
class _Stage:
    """What a run plays on."""

    shop: Shop
    database: Database
    clock: SetClock
    ledger: Ledger
    owner: Any
    digest: Any


@pytest.fixture
def stage(
    shop: Shop,
    database: Database,
    clock: SetClock,
    ledger: Ledger,
    owner: Any,
    database_digest: Any,
) -> _Stage:
    return _Stage(shop, database, clock, ledger, owner, database_digest)


@pytest.mark.timeout(600)
@pytest.mark.sqlite_only
def test_ledger_thousands_of_random_steps_agrees_with_plain_model(stage: _Stage) -> None:
    _play(stage, STEPS)


@pytest.mark.timeout(600)
@pytest.mark.postgres_only
def test_ledger_a_thousand_random_steps_on_postgresql_agree_with_plain_model(stage: _Stage) -> None:
    _play(stage, STEPS // 5)


@pytest.mark.timeout(900)
@pytest.mark.postgres_only
@pytest.mark.long("full")
def test_ledger_thousands_of_random_steps_on_postgresql_agree_with_plain_model(
    stage: _Stage,
) -> None:
    _play(stage, STEPS)


def _play(stage: _Stage, steps: int) -> None:
    prepare(stage.shop)
    database, ledger = stage.database, stage.ledger
    run = Run(ledger, database, stage.clock, stage.owner)
    done = 0
    while done < steps:
        size = 1 + done % 7
        run.batch(size)
        done += size
        if done % 5 == 0:
            run.replay()
        if done % 20 == 0:
            run.compare_reports()
        if done % 100 == 0:
            run.verify_on()
    print(_report(run))
    assert ledger.verify().differences == []
    run.compare_reports()
    before = stage.digest(database, ignore={"counter"})
    ledger.rebuild()
    assert stage.digest(database, ignore={"counter"}) == before
    run.compare_reports()
    with database.reading() as connection:
        for fold in _FOLDS:
            assert connection.execute(sa.text(fold)).all() == []
    if steps >= 2_000:
        rare = {name: n for name, n in _enough(run.accepted).items() if n < LEAST}
        assert not rare, f"steps accepted fewer than {LEAST} times: {rare}"
    assert run.sellers > 0
    assert run.verified > steps // 4
    assert len(STOCKED) * len(STORES) == len(run.model.cells)
