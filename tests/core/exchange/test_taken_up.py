"""A run is carried out by one process at a time; one whose process died is free to be taken up."""

from __future__ import annotations

from typing import Any

import pytest

from dianku.clock import Clock
from dianku.context import Actor, Context
from dianku.errors import Refused
from dianku.exchange.runs import Options, RunBook
from dianku.storage.engine import Database

ANN = Actor("ann", "manager", frozenset(), id="token:1")
GIVEN: dict[str, Any] = {"kind": "receipts", "file_name": "a", "file_hash": "h", "actor": ANN}


def test_run_that_another_process_carries_out_is_not_taken_up_until_that_one_lets_go(
    database: Database, clock: Clock
) -> None:
    here, there = RunBook(database, clock), RunBook(database, clock)
    run = here.begin(**GIVEN, options=Options())
    with pytest.raises(Refused, match="import_repeated"):
        there.begin(**GIVEN, options=Options())
    here.forget(run)  # as a process that is killed lets go of all it holds
    assert there.begin(**GIVEN, options=Options()).id == run.id
    with pytest.raises(Refused, match="import_repeated"):
        here.begin(**GIVEN, options=Options())


def test_dry_run_that_was_cut_off_is_taken_up_when_named_and_otherwise_begun_anew(
    database: Database, clock: Clock
) -> None:
    book = RunBook(database, clock)
    run = book.begin(**GIVEN, options=Options(dry_run=True))
    book.forget(run)
    assert book.is_dead(str(run.id))
    assert book.begin(**GIVEN, options=Options(dry_run=True)).id != run.id
    assert book.begin(**GIVEN, options=Options(dry_run=True), resume=str(run.id)).id == run.id
    assert not book.is_dead(str(run.id))


def test_run_whose_process_died_is_said_to_have_failed_and_is_undone_or_taken_up(
    services: Any, ctx: Context, clock: Clock
) -> None:
    there = RunBook(services.database, clock)
    run = there.begin(**GIVEN, options=Options())
    assert services.exchange.get_import(str(run.id), ctx=ctx).status == "running"
    there.forget(run)  # as a process that is killed lets go of all it holds
    (listed,) = services.exchange.list_imports(ctx=ctx)
    assert (listed.status, listed.problem) == ("failed", "internal_error")
    assert there.begin(**GIVEN, options=Options()).id == run.id
    taken_up = services.exchange.get_import(str(run.id), ctx=ctx)
    assert (taken_up.status, taken_up.problem, taken_up.ended_at) == ("running", None, None)
    there.forget(run)
    assert services.exchange.undo_import(str(run.id), ctx=ctx).status == "undone"
