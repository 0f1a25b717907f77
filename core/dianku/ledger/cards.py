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
from dianku.ledger.levels import levels
from dianku.ledger.queries_paging import SortColumn, Sorting, fetch, sorting
from dianku.ledger.queries_requests import MoveFilter, MovePage, MoveRow
from dianku.ledger.queries_scope import read_point
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
WHERE m.product_id = :product AND ({places}) AND {behind}
ORDER BY {order_by}
LIMIT :count
"""
_LATER = """
SELECT m.store_id, m.bucket, SUM(m.quantity) AS quantity
FROM stock_move AS m
WHERE m.product_id = :product AND m.store_id IN :stores
  AND m.occurred_at >= :at AND (m.occurred_at > :at OR m.id > :id)
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
        order = sorting(asked.sort, known=_SORTS, default="occurred_at", last=("id",))
        found = self._moves(connection, asked, order=order) if self.stores else []
        shown = found[: asked.limit]
        after = self._balances_after(connection, shown)
        more = len(found) > asked.limit
        return MovePage(
            items=[self._row(row, balance=after[row.id]) for row in shown],
            next_cursor=order.cursor(shown[-1]) if more else None,
        )

    def _moves(
        self, connection: Connection, asked: MoveFilter, *, order: Sorting
    ) -> Sequence[Row[Any]]:
        first = read_point(asked.from_, pointer="/from")
        last = read_point(asked.to, pointer="/to")
        parameters: dict[str, Any] = {"product": self.product.id, "count": asked.limit + 1}
        places: list[str] = []
        for i, store in enumerate(self.stores):
            # Dates begin at another moment in each store.
            parameters[f"store_{i}"] = store.id
            place = f"m.store_id = :store_{i}"
            if first is not None:
                parameters[f"from_{i}"] = first.start_ms(store)
                place += f" AND m.occurred_at >= :from_{i}"
            if last is not None:
                parameters[f"to_{i}"] = last.end_ms(store)
                place += f" AND m.occurred_at < :to_{i}"
            places.append(place)
        behind, after = order.after(asked.cursor)
        sql = _MOVES.format(
            columns=order.columns,
            places=" OR ".join(f"({p})" for p in places),
            behind=behind,
            order_by=order.order_by,
        )
        return fetch(connection, sql, parameters={**parameters, **after})

    def _balances_after(self, connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, int]:
        """The balance after each move: from today's back to the page's latest, then through it."""
        if not rows:
            return {}
        newest_first = sorted(rows, key=lambda r: (r.occurred_at, r.id), reverse=True)
        balance = self._balances_now(connection)
        later = fetch(
            connection,
            _LATER,
            lists={"stores": [s.id for s in self.stores]},
            parameters={
                "product": self.product.id,
                "at": newest_first[0].occurred_at,
                "id": newest_first[0].id,
            },
        )
        for row in later:
            balance[row.store_id, row.bucket] -= int(row.quantity)
        after: dict[int, int] = {}
        for row in newest_first:
            after[row.id] = balance[row.store_id, row.bucket]
            balance[row.store_id, row.bucket] -= row.quantity
        return after

    def _balances_now(self, connection: Connection) -> dict[_Place, int]:
        balance: dict[_Place, int] = defaultdict(int)
        pairs = {(s.id, self.product.id) for s in self.stores}
        for level in levels(connection, pairs, now_ms=self.now_ms).values():
            balance[level.store_id, Bucket.SELLABLE] = level.on_hand
            balance[level.store_id, Bucket.DAMAGED] = level.damaged
            balance[level.store_id, Bucket.KEPT] = level.kept
            balance[level.store_id, Bucket.IN_TRANSIT] = level.in_transit
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
