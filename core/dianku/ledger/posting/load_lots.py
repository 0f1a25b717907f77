"""Load the lots of goods that keep them, and make sure that the lots which are named exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.engine import Connection

from dianku.clock import local_day
from dianku.ledger.commands import (
    Line,
    Posting,
)
from dianku.ledger.plan.planner import Task
from dianku.ledger.posting.lots import LotShelf, LotStock
from dianku.ledger.posting.snapshot import (
    Pair,
    Snapshot,
)
from dianku.storage.bulk import execute_set, select_set

_ID = (("id", "int"),)
_PAIR = (("store_id", "int"), ("product_id", "int"))
_LOT_KEY = (("product_id", "int"), ("code", "text"), ("expires_on", "int"))


_LOTS = """
SELECT w.store_id, w.product_id, l.id, l.code, l.expires_on, b.quantity
FROM {rows} AS w JOIN lot_balance AS b
  ON b.store_id = w.store_id AND b.product_id = w.product_id
JOIN lot AS l ON l.id = b.lot_id
"""


def load_shelves(
    connection: Connection, snapshot: Snapshot, tasks: Sequence[Task], pairs: Sequence[Pair]
) -> None:
    """Read the lots of goods that keep them, and make sure the lots that are named exist."""
    tracked = [p for p in pairs if snapshot.cache.product(p[1]).track_lots]
    if not tracked:
        return
    for pair in tracked:
        zone = snapshot.cache.stores_by_id[pair[0]].timezone
        snapshot.shelves[pair] = LotShelf(local_day(snapshot.now_ms, zone))
    for row in select_set(connection, _LOTS, columns=_PAIR, rows=tracked):
        snapshot.shelves[row.store_id, row.product_id].lots.append(
            LotStock(row.id, row.code, row.expires_on, row.quantity)
        )
        snapshot.lot_codes[row.id] = row.code, row.expires_on
    named = _name_lots(connection, snapshot, tasks) | _lots_of_families(connection, snapshot)
    for pair in tracked:
        shelf = snapshot.shelves[pair]
        known = {x.lot_id for x in shelf.lots}
        for lot_id, product_id, code, expires_on in named:
            if product_id == pair[1] and lot_id not in known:
                shelf.lots.append(LotStock(lot_id, code, expires_on, 0, known=False))
        snapshot.balances[pair].expired = shelf.expired


_NamedLot = tuple[int, int, str, int]
_LotKey = tuple[int, str, int]


def _name_lots(connection: Connection, snapshot: Snapshot, tasks: Sequence[Task]) -> set[_NamedLot]:
    """Create the lots that incoming lines name; returns (id, product, code, expires on)."""
    wanted: dict[_LotKey, int | None] = {}
    for task in tasks:
        if not isinstance(task.resolved, Posting):
            continue
        if task.resolved.kind not in {"receipt", "customer_return", "adjustment", "production"}:
            continue
        for line in task.resolved.lines:
            if line.lot is not None and not _takes_out(line):
                wanted[line.product.id, line.lot, line.expires_on] = line.made_on
    if not wanted:
        return set()
    dated = {key: made_on for key, made_on in wanted.items() if key[2]}
    named = _made_sure(connection, dated)
    undated = {key: made_on for key, made_on in wanted.items() if not key[2]}
    known = _known_by_code(connection, undated)
    for key, lot in known.items():
        snapshot.lot_ids[key] = lot[0]
    named |= _made_sure(connection, {k: v for k, v in undated.items() if k not in known})
    for lot_id, product_id, code, expires_on in named:
        snapshot.lot_ids[product_id, code, expires_on] = lot_id
    named |= set(known.values())
    for lot_id, _, code, expires_on in named:
        snapshot.lot_codes[lot_id] = code, expires_on
    return named


def _known_by_code(
    connection: Connection, undated: Mapping[_LotKey, int | None]
) -> dict[_LotKey, _NamedLot]:
    """The lot that is meant where only its code is said: the last that came with it."""
    if not undated:
        return {}
    rows = select_set(
        connection,
        "SELECT l.id, l.product_id, l.code, l.expires_on FROM {rows} AS w JOIN lot AS l "
        "ON l.product_id = w.product_id AND l.code = w.code ORDER BY l.id",
        columns=_LOT_KEY[:2],
        rows=sorted(key[:2] for key in undated),
    )
    return {
        (row.product_id, row.code, 0): (row.id, row.product_id, row.code, row.expires_on)
        for row in rows
    }


def _made_sure(connection: Connection, wanted: Mapping[_LotKey, int | None]) -> set[_NamedLot]:
    """Create those of these lots that do not exist."""
    if not wanted:
        return set()
    columns = (*_LOT_KEY, ("made_on", "int"))
    rows = [(*key, made_on) for key, made_on in sorted(wanted.items(), key=lambda kv: kv[0])]
    execute_set(
        connection,
        "INSERT INTO lot (product_id, code, expires_on, made_on) "
        "SELECT w.product_id, w.code, w.expires_on, w.made_on FROM {rows} AS w WHERE true "
        "ORDER BY w.product_id, w.code, w.expires_on ON CONFLICT DO NOTHING",
        columns=columns,
        rows=rows,
    )
    found = select_set(
        connection,
        "SELECT l.id, l.product_id, l.code, l.expires_on FROM {rows} AS w JOIN lot AS l "
        "ON l.product_id = w.product_id AND l.code = w.code AND l.expires_on = w.expires_on",
        columns=columns,
        rows=rows,
    )
    return {(row.id, row.product_id, row.code, row.expires_on) for row in found}


def _takes_out(line: Line) -> bool:
    return line.counted is None and line.quantity < 0


def _lots_of_families(connection: Connection, snapshot: Snapshot) -> set[_NamedLot]:
    """The lots that documents referred to have moved: they may come back."""
    ids = {
        m.lot_id
        for family in snapshot.families.values()
        for original in (family.root, *family.children)
        for m in original.moves
        if m.lot_id
    }
    if not ids:
        return set()
    rows = select_set(
        connection,
        "SELECT l.id, l.product_id, l.code, l.expires_on FROM {rows} AS w "
        "JOIN lot AS l ON l.id = w.id",
        columns=_ID,
        rows=[(i,) for i in sorted(ids)],
    )
    for row in rows:
        snapshot.lot_codes[row.id] = row.code, row.expires_on
    return {(row.id, row.product_id, row.code, row.expires_on) for row in rows}
