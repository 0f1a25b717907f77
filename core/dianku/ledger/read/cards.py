"""The stock card (流水): every change of one product, with what was there after it.

Moves are in the order in which goods moved (`occurred_at`, then as noted). No balance is stored
in a move; the one after it is today's balance of its store and bucket less what moved later,
which is right on every page and after every late entry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy.engine import Connection, Row

from dianku.catalog.records import Product, Store
from dianku.clock import format_ms
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.read.levels import levels
from dianku.ledger.read.paging import SortColumn, Sorting, fetch, sorting
from dianku.ledger.read.past import Past, levels_at
from dianku.ledger.read.requests import MoveFilter, MovePage, MoveRow
from dianku.ledger.read.scope import Point, read_point
from dianku.quantity import format_cost, format_quantity

_SORTS: Mapping[str, SortColumn] = {
    "occurred_at": SortColumn("m.occurred_at"),
    "id": SortColumn("m.id"),
}
_MOVES = """
SELECT m.*, d.number, d.kind, d.action, d.actor, c.name AS channel, l.code AS lot, {columns}
FROM stock_move AS m
JOIN document AS d ON d.id = m.document_id
LEFT JOIN channel AS c ON c.id = d.channel_id
LEFT JOIN lot AS l ON l.id = m.lot_id
WHERE m.product_id = :product AND m.store_id = :store AND {conditions}
ORDER BY {order_by}
LIMIT :count
"""
_SAME_MOMENT = """
SELECT m.store_id, m.bucket, SUM(m.quantity) AS quantity
FROM stock_move AS m
WHERE m.product_id = :product AND m.store_id IN :stores
  AND m.occurred_at = :at AND m.id > :id
GROUP BY m.store_id, m.bucket
"""
_Place = tuple[int, int]
"""Store id and bucket."""


@frozen
class StockCard:
    """The card of one product in the stores in scope. `costs`: whether values may be shown."""

    product: Product
    stores: tuple[Store, ...]
    now_ms: int
    costs: bool

    def page(self, connection: Connection, asked: MoveFilter) -> MovePage:
        """Return the page a filter asks for. Raises `Refused`: sort, cursor or time unknown."""
        order = self._order(asked.sort)
        found = self._moves(connection, asked, order=order) if self.stores else []
        shown = found[: asked.limit]
        after = self._balances_after(connection, shown)
        more = len(found) > asked.limit
        return MovePage(
            items=[self._row(row, balance=after[row.id]) for row in shown],
            next_cursor=order.cursor(shown[-1]) if more else None,
        )

    def _order(self, wanted: str | None) -> Sorting:
        """By time either way, and within one moment as noted, the same way."""
        by_time = {"occurred_at": _SORTS["occurred_at"]}
        sorting(wanted, known=by_time, default="occurred_at", last=())
        return sorting(wanted, known=_SORTS, default="occurred_at", last=("id",))

    def _moves(
        self, connection: Connection, asked: MoveFilter, *, order: Sorting
    ) -> Sequence[Row[Any]]:
        """The page's moves: of each store by its index, then merged in order."""
        first = read_point(asked.from_, pointer="/from")
        last = read_point(asked.to, pointer="/to")
        behind, after = order.after(asked.cursor)
        found: list[Row[Any]] = []
        for store in self.stores:
            conditions = [behind]
            parameters: dict[str, Any] = {**after, "product": self.product.id, "store": store.id}
            # Dates begin at another moment in each store.
            if first is not None:
                conditions.append("m.occurred_at >= :from_at")
                parameters["from_at"] = first.start_ms(store)
            if last is not None:
                conditions.append("m.occurred_at < :to_at")
                parameters["to_at"] = last.end_ms(store)
            sql = _MOVES.format(
                columns=order.columns,
                conditions=" AND ".join(conditions),
                order_by=order.order_by,
            )
            found += fetch(connection, sql, parameters={**parameters, "count": asked.limit + 1})
        found.sort(key=order.values, reverse=order.keys[0].descending)
        return found[: asked.limit + 1]

    def _balances_after(self, connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, int]:
        """The balance after each move: from that after the page's latest, back through the page."""
        if not rows:
            return {}
        newest_first = sorted(rows, key=_moment, reverse=True)
        balance = self._balances_at(connection, newest_first[0])
        after: dict[int, int] = {}
        for row in newest_first:
            after[row.id] = balance[row.store_id, row.bucket]
            balance[row.store_id, row.bucket] -= row.quantity
        return after

    def _balances_at(self, connection: Connection, last: Row[Any]) -> dict[_Place, int]:
        """Balances just after a move: those after its moment, less what came in the same one."""
        pairs = {(s.id, self.product.id) for s in self.stores}
        now = levels(connection, pairs, now_ms=self.now_ms)
        past = Past(Point(at_ms=last.occurred_at), self.stores, self.now_ms)
        balance: dict[_Place, int] = defaultdict(int)
        for level in levels_at(connection, now, past=past).values():
            balance[level.store_id, Bucket.SELLABLE] = level.on_hand
            balance[level.store_id, Bucket.DAMAGED] = level.damaged
            balance[level.store_id, Bucket.KEPT] = level.kept
            balance[level.store_id, Bucket.IN_TRANSIT] = level.in_transit
        later = fetch(
            connection,
            _SAME_MOMENT,
            lists={"stores": [s.id for s in self.stores]},
            parameters={"product": self.product.id, "at": last.occurred_at, "id": last.id},
        )
        for row in later:
            balance[row.store_id, row.bucket] -= int(row.quantity)
        return balance

    def _row(self, row: Row[Any], *, balance: int) -> MoveRow:
        places = {s.id: s.code for s in self.stores}
        return MoveRow(
            document=row.number,
            line=row.line,
            kind=row.kind,
            action=row.action,
            channel=row.channel,
            store=places[row.store_id],
            flow=Flow(row.flow).name.lower(),
            reason=row.reason or None,
            lot=row.lot,
            bucket=Bucket(row.bucket).name.lower(),
            quantity=format_quantity(row.quantity, self.product.precision),
            value=format_cost(row.value) if self.costs else None,
            balance_after=format_quantity(balance, self.product.precision),
            occurred_at=format_ms(row.occurred_at),
            recorded_at=format_ms(row.recorded_at),
            actor=row.actor,
        )


def _moment(row: Row[Any]) -> tuple[int, int]:
    return row.occurred_at, row.id
