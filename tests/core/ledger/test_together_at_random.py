"""Documents posted together against the plain model: all of them or none, whatever they are.

Single steps and groups of steps are handed in at once, so that many meet in one batch. Where the
model refuses one of a group, it is put back as it was before the group, and every row of the shop
must be what the model then says.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import pytest
from plain_cells import Document, Refusal
from step_chance import Step
from test_state_machine import SEED, Run, prepare

from dianku.clock import SetClock
from dianku.context import Context
from dianku.errors import Problem
from dianku.ledger.commands import Outcome, Post, Posted
from dianku.ledger.service import Ledger
from dianku.storage.engine import Database
from dianku.testing.shop import Shop

BATCHES = 250

pytestmark = [pytest.mark.long("full"), pytest.mark.timeout(600)]


class Before:
    """How all that is reached from some objects is now, to put it back in place."""

    def __init__(self, *roots: object) -> None:
        self._saved: dict[int, tuple[Any, Any]] = {}
        waiting: list[Any] = list(roots)
        while waiting:
            one = waiting.pop()
            if id(one) not in self._saved and not callable(one):
                waiting += self._save(one)

    def _save(self, one: Any) -> list[Any]:
        """Note one object's state; what it leads to."""
        if isinstance(one, dict):
            self._saved[id(one)] = one, dict(one)
            return [*one.keys(), *one.values()]
        if isinstance(one, list | set):
            self._saved[id(one)] = one, type(one)(one)
            return list(one)
        if isinstance(one, tuple | frozenset):
            return list(one)
        if hasattr(one, "__dict__"):
            self._saved[id(one)] = one, dict(vars(one))
            return list(vars(one).values())
        return []

    def put_back(self) -> None:
        """Make everything as it was."""
        for one, state in self._saved.values():
            if isinstance(one, list):
                one[:] = state
                continue
            held = one if isinstance(one, dict | set) else vars(one)
            held.clear()
            held.update(state)


class Groups(Run):
    """A run in which more than half of what is handed in are groups."""

    def __init__(self, ledger: Ledger, database: Database, clock: SetClock, ctx: Context) -> None:
        super().__init__(ledger, database, clock, ctx)
        self._chance = random.Random(SEED)
        self.groups: Counter[str] = Counter()
        self._posted: list[list[tuple[Step, str]]] = []

    def batch(self, size: int) -> None:
        self.clock.advance(seconds=self.steps.pause() / 1000)
        self.steps.now = self.clock.now_ms()
        self.model.begin(self.steps.now)
        units = [self._unit() for _ in range(size)]
        waiting = [self._hand_in(unit) for unit in units]
        for unit, futures in zip(units, waiting, strict=True):
            outcomes = [future.result(timeout=60) for future in futures]
            if len(unit) == 1:
                self._compare(unit[0], outcomes[0])
            else:
                self._compare_group(unit, outcomes)
        self._compare_balances([step for unit in units for step in unit])

    def _unit(self) -> list[Step]:
        if self._chance.random() < 0.45:
            return [self.steps.draw()]
        unit: list[Step] = []
        size = self._chance.randint(2, 4)
        while len(unit) < size:
            step = self.steps.draw()
            if isinstance(step.command, Post):
                unit.append(step)
        return unit

    def _hand_in(self, unit: Sequence[Step]) -> list[Future[Any]]:
        futures: list[Future[Any]] = [Future() for _ in unit]
        done: list[Callable[[Any], None]] = [future.set_result for future in futures]
        if len(unit) == 1:
            step = unit[0]
            self.ledger.hand_in(step.command, key=step.key, ctx=self.ctx, done=done[0])
        else:
            documents = [(s.command, s.key) for s in unit if isinstance(s.command, Post)]
            self.ledger.hand_in_together(documents, ctx=self.ctx, done=done)
        return futures

    def _compare_group(self, unit: Sequence[Step], outcomes: Sequence[Outcome]) -> None:
        before = Before(self.model, self.steps.book)
        self.model.begin(self.steps.now)
        effects: list[Any] = []
        refused: Refusal | None = None
        try:
            effects += (step.effect() for step in unit)
        except Refusal as refusal:
            refused = refusal
        codes = [x.code if isinstance(x, Problem) else "posted" for x in outcomes]
        if refused is not None or _names_one_twice(unit):
            before.put_back()
            wanted = {"invalid"} if refused is None else {*refused.codes, "invalid"}
            assert wanted & set(codes), (unit, outcomes, refused)
            assert "posted" not in codes, (unit, outcomes)
            self.groups["refused"] += 1
            return
        posted = [x for x in outcomes if isinstance(x, Posted) and not x.replayed]
        assert len(posted) == len(unit), (unit, outcomes)
        assert len({x.record.recorded_at for x in posted}) == 1
        self.groups["posted"] += 1
        self.accepted.update(step.name for step in unit)
        for effect, outcome in zip(effects, posted, strict=True):
            assert isinstance(effect, Document)
            self.steps.book.documents.append((outcome.record.number, effect))
        numbers = [x.record.number for x in posted]
        self._posted.append(list(zip(unit, numbers, strict=True)))

    def send_again(self) -> None:
        """An earlier group is replayed; one of it and something new is not posted."""
        if not self._posted:
            return
        group = self._chance.choice(self._posted)
        for (_, number), future in zip(group, self._hand_in([s for s, _ in group]), strict=True):
            outcome = future.result(timeout=60)
            assert isinstance(outcome, Posted)
            assert (outcome.replayed, outcome.record.number) == (True, number)
        first, new = group[0], self._unit()[-1]
        if isinstance(new.command, Post) and not _names_one_twice([first[0], new]):
            _, other = (f.result(timeout=60) for f in self._hand_in([first[0], new]))
            assert isinstance(other, Problem), (new, other)
        self._compare_balances([new])


def _names_one_twice(unit: Sequence[Step]) -> bool:
    commands = [step.command for step in unit if isinstance(step.command, Post)]
    named = [c.new.of_document for c in commands if c.new.of_document is not None]
    return len(named) != len(set(named))


def test_groups_of_random_documents_agree_with_the_plain_model(
    shop: Shop, database: Database, clock: SetClock, ledger: Ledger, owner: Context
) -> None:
    prepare(shop)
    run = Groups(ledger, database, clock, owner)
    for number in range(BATCHES):
        run.batch(1 + number % 4)
        if number % 5 == 0:
            run.send_again()
    print(dict(run.groups))
    assert min(run.groups["posted"], run.groups["refused"]) > BATCHES // 4
    assert ledger.verify().differences == []
