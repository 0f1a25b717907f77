"""What would come of a document, without posting it: planned as the poster does, then taken back.

The same locks, the same snapshot, the same planner, so what is foretold is what posting would
have said at that moment; it promises nothing for the next. No number, no event and no key is
spent, and not even an empty row is left behind.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from dianku.catalog.snapshot import CatalogCache
from dianku.clock import Clock
from dianku.errors import Problem
from dianku.ledger.commands import Posting, Reserving
from dianku.ledger.flows import Bucket
from dianku.ledger.plan.doubts import doubt_costs
from dianku.ledger.plan.planner import Task, plan_command
from dianku.ledger.posting.answers import document_record
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.load import load
from dianku.ledger.posting.poster import ATTEMPTS_MAX, passing
from dianku.ledger.posting.snapshot import Snapshot
from dianku.ledger.posting.together import unmatched
from dianku.ledger.read.document_records import for_reader
from dianku.ledger.requests import DocumentForecast, Movement, Warning
from dianku.quantity import format_quantity
from dianku.storage.engine import LOCK_CATALOG, Database


def foresee(
    database: Database,
    cache: CatalogCache,
    clock: Clock,
    task: Task,
    *,
    resolve: Callable[[Task], Posting | Reserving | Problem | None],
) -> DocumentForecast | Problem:
    """Plan a document and keep nothing of it; what it would be, or what would refuse it."""
    if alone := unmatched([task]):
        return alone[0]
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            with database.writing() as connection:
                database.lock(connection, LOCK_CATALOG, shared=True)
                cache.refresh(connection)
                if task.resolved is None or task.resolved.catalog_version != cache.version:
                    again = resolve(task)
                    if isinstance(again, Problem):
                        return again
                    task.resolved = again
                snapshot = load(database, connection, cache, [task], now_ms=clock.now_ms())
                planned = plan_command(snapshot, task)
                answer = _forecast(snapshot, planned, task) if isinstance(planned, Draft) else None
                database.abandon(connection)
        except DBAPIError as error:
            if attempt == ATTEMPTS_MAX or not passing(error):
                raise
            continue
        if answer is not None:
            return answer
        assert isinstance(planned, Problem), "a document becomes a draft or is refused"
        return planned
    raise AssertionError("the loop returns or raises")


def _forecast(snapshot: Snapshot, draft: Draft, task: Task) -> DocumentForecast:
    record = for_reader(document_record(snapshot, draft), ctx=task.ctx)
    doubts = [
        Warning(code=code, message="", data=data) for code, data in doubt_costs(draft, task.ctx)
    ]
    return DocumentForecast(
        kind=record.kind,
        store=record.store,
        lines=record.lines,
        balances=record.balances,
        movements=_movements(snapshot, draft),
        warnings=[*record.warnings, *doubts],
    )


def _movements(snapshot: Snapshot, draft: Draft) -> list[Movement]:
    """What the shelves of the document's store would lose and gain, in the order it happens."""
    sums: dict[int, int] = {}
    for move in draft.moves:
        if move.store_id == draft.store.id and move.bucket == Bucket.SELLABLE:
            sums[move.product_id] = sums.get(move.product_id, 0) + move.quantity
    products = {product_id: snapshot.cache.product(product_id) for product_id in sums}
    return [
        Movement(sku=products[i].sku, quantity=format_quantity(steps, products[i].precision))
        for i, steps in sums.items()
        if steps
    ]
