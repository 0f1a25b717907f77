"""Write what a batch planned, each guard once more as a condition.

A balance is updated only if it still is what the plan was made from; a statement that finds fewer
rows than the plan names raises `PlanOutdated`, and the whole batch is rolled back and planned
anew. Order of locks: rows (held since loading), lots, summaries in their order, and last, under
the commit lock, numbers and event ids, which are therefore without gaps in the order of commits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from attrs import define
from sqlalchemy.engine import Connection

from dianku.ledger import tables as t
from dianku.ledger.posting.balance import STORED
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.guards import expect
from dianku.ledger.posting.snapshot import Pair, Promise, Snapshot
from dianku.ledger.posting.write_documents import number_drafts, write_documents, write_promises
from dianku.ledger.posting.write_events import (
    document_events,
    promise_events,
    stock_chunks,
    stock_events,
)
from dianku.ledger.posting.write_summaries import write_summaries
from dianku.storage.bulk import insert_rows, update_rows
from dianku.storage.engine import LOCK_COMMIT, Database
from dianku.storage.events import write_events

_encode = msgspec.json.encode


@define
class KeyRow:
    """A claimed key and what came of its command."""

    key: tuple[int, int]
    digest: tuple[int, int]
    draft: Draft | None = None
    promise: Promise | None = None


def write(
    database: Database, connection: Connection, snapshot: Snapshot, keys: Sequence[KeyRow]
) -> None:
    """Write all drafts, promises and balances of the snapshot, and the keys' effects.

    Raises:
        PlanOutdated: a guard found no row.
    """
    changed = snapshot.changed()
    _write_balances(connection, changed, snapshot.loaded)
    _write_lots(connection, snapshot)
    _write_holds(connection, snapshot)
    write_summaries(connection, snapshot)
    promises = [p for p in snapshot.promises.values() if p.changed]
    if snapshot.drafts or promises:
        chunks = stock_chunks(changed)
        database.lock(connection, LOCK_COMMIT)
        ids = number_drafts(connection, snapshot, promises, chunks=len(chunks))
        write_promises(connection, promises)
        write_documents(connection, snapshot, ids)
        events = [
            *document_events(snapshot),
            *promise_events(promises),
            *stock_events(snapshot, chunks),
        ]
        write_events(
            connection, events, last=ids.values["event"] + len(events), now_ms=snapshot.now_ms
        )
    _write_keys(connection, keys)


def _write_balances(
    connection: Connection,
    changed: Mapping[Pair, tuple[int, ...]],
    loaded: Mapping[Pair, tuple[int, ...]],
) -> None:
    rows = [(*changed[pair], *pair, *loaded[pair]) for pair in sorted(changed)]
    written = update_rows(
        connection,
        t.stock_balance,
        sets=STORED,
        where=("store_id", "product_id", *STORED),
        rows=rows,
    )
    expect(written, len(rows), "stock_balance")


def _write_lots(connection: Connection, snapshot: Snapshot) -> None:
    rows = [
        (*pair, lot.lot_id, lot.quantity)
        for pair, shelf in sorted(snapshot.shelves.items())
        for lot in sorted(shelf.lots, key=lambda x: x.lot_id)
        if lot.lot_id in shelf.changed
    ]
    insert_rows(
        connection,
        t.lot_balance,
        ("store_id", "product_id", "lot_id", "quantity"),
        rows,
        conflict="ON CONFLICT (store_id, product_id, lot_id) "
        "DO UPDATE SET quantity = excluded.quantity",
    )


def _write_holds(connection: Connection, snapshot: Snapshot) -> None:
    """Holds that ended: past their time, committed or given back."""
    ended = dict.fromkeys(snapshot.released, False)
    for promise in snapshot.promises.values():
        if promise.changed and not promise.is_new and not promise.held:
            ended.update({(promise.id, product_id): False for product_id in promise.holds})
    update_rows(
        connection,
        t.reservation_hold,
        sets=("active",),
        where=("reservation_id", "product_id"),
        rows=[(False, *key) for key in sorted(ended)],
    )
    changed = [
        (promise.expires_at, promise.holds[product_id], promise.id, product_id)
        for promise in snapshot.promises.values()
        if promise.changed and promise.held and not promise.is_new
        for product_id in sorted(promise.holds)
    ]
    update_rows(
        connection,
        t.reservation_hold,
        sets=("expires_at", "quantity"),
        where=("reservation_id", "product_id"),
        rows=changed,
    )


def _write_keys(connection: Connection, keys: Sequence[KeyRow]) -> None:
    """Give the claimed keys their effects."""
    rows = sorted(
        ("document", k.draft.id, *k.key)
        if k.draft is not None
        else ("reservation", k.promise.id if k.promise else 0, *k.key)
        for k in keys
    )
    changed = update_rows(
        connection,
        t.posted_key,
        sets=("subject", "subject_id"),
        where=("key_high", "key_low"),
        rows=rows,
    )
    expect(changed, len(rows), "posted_key")
