"""Rows of stock: what each store holds of each product it carries, beside what was sold of it.

There is a row for every product and store where the product is carried (`carried` set true, or
unset and moved there once) or was ever moved; archived goods only while something is left of
them. Kits and services have rows where they are set to be carried, or where they are asked for by
their sku. A page walks the catalog in the order asked for and computes its own rows only; `low`
and `over` are decided by the very figures that are shown, so such a page may have to look at more
rows than it gives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import field, frozen
from sqlalchemy.engine import Connection, Row

from dianku.catalog.records import Store
from dianku.catalog.search import like
from dianku.catalog.snapshot import CatalogCache
from dianku.clock import day_of
from dianku.ledger.flows import SALE_FLOWS
from dianku.ledger.read.alert_lines import (
    CategoryLine,
    Lines,
    ShopLines,
    category_lines,
    lines_of,
    with_descendants,
)
from dianku.ledger.read.best import BEST, CELL, best_cells
from dianku.ledger.read.composed import ComposedLevel, all_levels
from dianku.ledger.read.levels import Level
from dianku.ledger.read.paging import SortColumn, Sorting, fetch, sorting
from dianku.ledger.read.past import Past
from dianku.ledger.read.requests import StockFilter, StockPage, StockRow
from dianku.ledger.read.scope import Point, today
from dianku.ledger.read.sold import WEEK_DAYS, Pair, Sold, sold_lately
from dianku.ledger.read.tallies import SCALE, Tallies
from dianku.ledger.requests import LotQuantity
from dianku.quantity import LINE_DIGITS, QUANTITY_MAX, format_cost, format_quantity, format_scaled
from dianku.storage.bulk import select_set

_NEVER = 99_999_999
_FIRST_EXPIRY = """
SELECT MIN(l.expires_on) FROM lot_balance AS lb JOIN lot AS l ON l.id = lb.lot_id
WHERE lb.store_id = w.id AND lb.product_id = p.id AND lb.quantity > 0 AND l.expires_on > 0
"""
# Products differ in their smallest step: 7.667 kg are fewer than 41 pieces.
_SORTS: Mapping[str, SortColumn] = {
    "sku": SortColumn("p.sku", "text"),
    "name": SortColumn("p.name", "text"),
    "store": SortColumn("w.code", "text"),
    "on_hand": SortColumn(f"COALESCE(b.on_hand, 0) * {SCALE}"),
    "value": SortColumn("COALESCE(b.value, 0)"),
    "sold_7d": SortColumn(f"COALESCE(sold.quantity, 0) * {SCALE}"),
    "expires_on": SortColumn(f"COALESCE(({_FIRST_EXPIRY}), {_NEVER})"),
}
_PLACES = (("store_id", "int"), ("today", "int"))
_WEEK = f"""
LEFT JOIN (SELECT d.store_id, d.product_id, -SUM(d.quantity) AS quantity
           FROM {{rows}} AS t JOIN daily_summary AS d ON d.store_id = t.store_id
                AND d.business_date BETWEEN :week_from AND :week_to
                AND d.business_date BETWEEN t.today - {WEEK_DAYS - 1} AND t.today
           WHERE d.flow IN ({", ".join(str(int(f)) for f in SALE_FLOWS)})
           GROUP BY d.store_id, d.product_id) AS sold
     ON sold.store_id = w.id AND sold.product_id = p.id
"""
_BEST_SHARES = (2, 32)
"""How many times a page is looked at among what sold most before all of the catalog is."""
# CROSS JOIN, and no index for the ids of stores: products and stores are both walked by the index
# of their code, on SQLite too, so a page by sku touches its own rows and sorts nothing.
_CANDIDATES = """
SELECT p.id AS product_id, w.id AS store_id, {columns}
FROM product AS p CROSS JOIN store AS w
LEFT JOIN stock_balance AS b ON b.store_id = w.id AND b.product_id = p.id
LEFT JOIN product_in_store AS ps ON ps.store_id = w.id AND ps.product_id = p.id
{joins}
WHERE +w.id IN :stores AND {conditions}
ORDER BY {order_by}
LIMIT :count
"""
_SHOWN = """
(p.archived_at IS NULL OR :past = 1 OR b.on_hand <> 0 OR b.damaged <> 0 OR b.kept <> 0
 OR b.in_transit <> 0)
"""
_MAY_BE_LOW = f"""
(b.product_id IS NULL OR b.reserved <> 0 OR p.track_lots OR p.composition IN ('kit', 'service')
 OR b.on_hand < COALESCE(ps.low_stock, p.low_stock)
 OR (COALESCE(ps.low_stock, p.low_stock) IS NULL AND b.on_hand * {SCALE} < :highest_line))
"""
"""Leaves out most goods that are above their line; which of the rest are is told by their rows."""
_EXPIRING = """
(w.id, p.id) IN (SELECT lb.store_id, lb.product_id
                 FROM lot_balance AS lb JOIN lot AS l ON l.id = lb.lot_id
                 WHERE lb.quantity > 0 AND l.expires_on BETWEEN 1 AND :expires_by)
"""
"""By the latest of the stores' days; each row is then held against its own."""
_FACTS = """
SELECT w.store_id, w.product_id, p.sku, p.name, p.spec, p.unit, p.precision, p.category_id,
       p.track_lots, p.low_stock, p.max_stock, p.overstock_days,
       ps.low_stock AS own_low, ps.max_stock AS own_max, ps.overstock_days AS own_days,
       ps.carried,
       (SELECT MIN(m.occurred_at) FROM stock_move AS m
        WHERE m.product_id = w.product_id AND m.store_id = w.store_id) AS first_moved_at
FROM {rows} AS w JOIN product AS p ON p.id = w.product_id
LEFT JOIN product_in_store AS ps ON ps.store_id = w.store_id AND ps.product_id = w.product_id
"""
_LOTS = """
SELECT w.store_id, w.product_id, l.code, l.expires_on, lb.quantity
FROM {rows} AS w
JOIN lot_balance AS lb ON lb.store_id = w.store_id AND lb.product_id = w.product_id
JOIN lot AS l ON l.id = lb.lot_id
WHERE lb.quantity > 0
ORDER BY CASE WHEN l.expires_on = 0 THEN 1 ELSE 0 END, l.expires_on, l.code
"""
_PAIR = (("store_id", "int"), ("product_id", "int"))
_SCAN_COUNT = 1000
_DAY_MS = 86_400_000


@frozen
class StockReading:
    """One reading of stock: the stores in scope, the clock, and the moment it is of.

    `past` None: now. `costs`: whether values may be shown.
    """

    cache: CatalogCache
    stores: tuple[Store, ...]
    now_ms: int
    costs: bool
    past: Point | None = None
    shop: ShopLines = field(factory=ShopLines)
    tallies: Tallies = field(factory=Tallies)

    def page(self, connection: Connection, asked: StockFilter) -> StockPage:
        """Return the page of rows a filter asks for. Raises `Refused`: sort or cursor unknown."""
        order = sorting(asked.sort, known=_SORTS, default="sku", last=("sku", "store"))
        categories = category_lines(connection)
        picky = asked.low or asked.over or asked.expires_within is not None
        count = max(_SCAN_COUNT, asked.limit) if picky else asked.limit + 1
        found: list[tuple[Row[Any], StockRow]] = []
        cursor = asked.cursor
        while self.stores and len(found) <= asked.limit:
            keys = self._candidates(
                connection, asked, order=order, cursor=cursor, count=count, categories=categories
            )
            rows = self.rows(
                connection,
                [(k.store_id, k.product_id) for k in keys],
                categories=categories,
                low=asked.low,
                over=asked.over,
                expires_within=asked.expires_within,
            )
            found += [
                (k, rows[k.store_id, k.product_id])
                for k in keys
                if (k.store_id, k.product_id) in rows
            ]
            if len(keys) < count:
                break
            cursor = order.cursor(keys[-1])
        last = order.cursor(found[asked.limit - 1][0]) if len(found) > asked.limit else None
        return StockPage(items=[row for _, row in found[: asked.limit]], next_cursor=last)

    def rows(
        self,
        connection: Connection,
        pairs: Sequence[Pair],
        *,
        categories: Mapping[int, CategoryLine],
        low: bool = False,
        over: bool = False,
        expires_within: int | None = None,
    ) -> dict[Pair, StockRow]:
        """Return the rows of pairs; of these those that are low, over or expire, where asked."""
        if not pairs:
            return {}
        levels = self._levels(connection, pairs)
        facts = {
            (f.store_id, f.product_id): f
            for f in select_set(connection, _FACTS, columns=_PAIR, rows=pairs)
        }
        lines = {
            pair: lines_of(f, categories.get(f.category_id), self.shop) for pair, f in facts.items()
        }
        wanted = [p for p in pairs if not low or _is_low(levels[p], lines[p])]
        if over:
            wanted = [p for p in wanted if levels[p].available > 0]
        days = {s.id: self._day(s) for s in self.stores}
        lots = self._lots(connection, [p for p in wanted if facts[p].track_lots])
        if expires_within is not None:
            wanted = [p for p in wanted if _expires(lots[p], by=days[p[0]] + expires_within)]
        sold = sold_lately(
            connection,
            {p: days[p[0]] for p in wanted},
            on_hand={p: levels[p].on_hand for p in wanted},
            composed=frozenset(p for p in wanted if isinstance(levels[p], ComposedLevel)),
        )
        found: dict[Pair, StockRow] = {}
        for pair in wanted:
            row = self._row(
                facts[pair],
                level=levels[pair],
                lines=lines[pair],
                sold=sold[pair],
                lots=lots[pair],
                category=categories.get(facts[pair].category_id),
            )
            if row.over or not over:
                found[pair] = row
        return found

    def _day(self, store: Store) -> int:
        """The business date windows end on in a store."""
        if self.past is None:
            return today(store, now_ms=self.now_ms)
        return self.past.day_in(store)

    def _levels(self, connection: Connection, pairs: Sequence[Pair]) -> dict[Pair, Level]:
        past = None
        if self.past is not None:
            past = Past(self.past, self.stores, self.now_ms)
        return all_levels(connection, pairs, cache=self.cache, now_ms=self.now_ms, past=past)

    def _candidates(
        self,
        connection: Connection,
        asked: StockFilter,
        *,
        order: Sorting,
        cursor: str | None,
        count: int,
        categories: Mapping[int, CategoryLine],
    ) -> Sequence[Row[Any]]:
        conditions, lists, parameters = _conditions(asked, categories=categories)
        behind, after = order.after(cursor)
        parameters |= {**after, "count": count, "past": int(self.past is not None)}
        conditions.append(behind)
        if asked.low and self.past is None:
            inherited = [line.low_stock for line in categories.values()]
            known = [line for line in (*inherited, self.shop.low_stock) if line is not None]
            conditions.append(_MAY_BE_LOW)
            parameters["highest_line"] = max(known, default=-QUANTITY_MAX * 1000)
        days = [self._day(s) for s in self.stores]
        if asked.expires_within is not None:
            conditions.append(_EXPIRING)
            parameters["expires_by"] = max(days) + asked.expires_within
        best = self._best(connection, asked, order=order, most=after.get("after_0"), count=count)
        for cells in best:
            found = fetch(
                connection,
                BEST.replace("{columns}", order.columns)
                .replace("{conditions}", " AND ".join(conditions))
                .replace("{order_by}", order.order_by),
                columns=CELL,
                rows=cells,
                lists=lists,
                parameters=parameters,
            )
            if len(found) >= count:
                return found
        by_sales = any(k.name == "sold_7d" for k in order.keys)
        if by_sales:
            parameters |= {"week_from": min(days) - WEEK_DAYS + 1, "week_to": max(days)}
        return fetch(
            connection,
            _CANDIDATES.format(
                columns=order.columns,
                joins=_WEEK if by_sales else "",
                conditions=" AND ".join(conditions),
                order_by=order.order_by,
            ),
            columns=_PLACES if by_sales else (),
            rows=[(s.id, day) for s, day in zip(self.stores, days, strict=True)],
            lists={**lists, "stores": [s.id for s in self.stores]},
            parameters=parameters,
        )

    def _best(
        self,
        connection: Connection,
        asked: StockFilter,
        *,
        order: Sorting,
        most: int | None,
        count: int,
    ) -> Iterator[Sequence[tuple[int, int, int]]]:
        """Yield cells that sold most, few and then more, while a page may be among them."""
        first = order.keys[0]
        if asked.sku or first.name != "sold_7d" or not first.descending:
            return
        days = {s.id: self._day(s) for s in self.stores}
        for share in _BEST_SHARES:
            best = best_cells(
                connection, self.tallies, days=days, at_most=most, count=share * count
            )
            if best is None:
                return
            yield best.cells
            if best.all:
                return

    def _lots(
        self, connection: Connection, pairs: Sequence[Pair]
    ) -> Mapping[Pair, Sequence[tuple[str, int, int]]]:
        """(code, expires_on, quantity) of what is left, what expires first before the rest."""
        groups: dict[Pair, list[tuple[str, int, int]]] = defaultdict(list)
        if pairs and self.past is None:
            for row in select_set(connection, _LOTS, columns=_PAIR, rows=pairs):
                groups[row.store_id, row.product_id].append(
                    (row.code, row.expires_on, row.quantity)
                )
        return groups

    def _row(
        self,
        facts: Row[Any],
        *,
        level: Level,
        lines: Lines,
        sold: Sold,
        lots: Sequence[tuple[str, int, int]],
        category: CategoryLine | None,
    ) -> StockRow:
        def steps(number: int) -> str:
            return format_quantity(number, facts.precision)

        cover = sold.cover_tenths(level.available)
        return StockRow(
            sku=facts.sku,
            name=facts.name,
            spec=facts.spec,
            category=category.code if category else None,
            store=level.store,
            unit=facts.unit,
            on_hand=steps(level.on_hand),
            reserved=steps(level.reserved),
            available=steps(level.available),
            damaged=steps(level.damaged),
            kept=steps(level.kept),
            in_transit=steps(level.in_transit),
            incoming=steps(0),
            claimed=steps(0),
            sold_7d=steps(sold.sold_7d),
            sold_30d=steps(sold.sold_30d),
            low_stock=_line_text(lines.low_stock, facts.precision),
            days_of_cover=None if cover is None else format_scaled(cover, 1),
            value=format_cost(level.value) if self.costs else None,
            lots=[
                LotQuantity(
                    lot=code,
                    quantity=steps(quantity),
                    expires_on=day_of(expires_on).isoformat() if expires_on else None,
                )
                for code, expires_on, quantity in lots
            ],
            low=_is_low(level, lines),
            over=self._is_over(level, lines, sold=sold, first_moved_at=facts.first_moved_at),
        )

    def _is_over(
        self, level: Level, lines: Lines, *, sold: Sold, first_moved_at: int | None
    ) -> bool:
        """More than the ceiling, or more than N days of sales once a week of history is there."""
        if not lines.watched:
            return False
        available = _thousandths(level.available, level.precision)
        if lines.max_stock is not None and available > lines.max_stock:
            return True
        if first_moved_at is None or available <= 0:
            return False
        if self.now_ms - first_moved_at < WEEK_DAYS * _DAY_MS:
            return False
        cover = sold.cover_tenths(level.available)
        return cover is None or cover > 10 * lines.overstock_days


def _conditions(
    asked: StockFilter, *, categories: Mapping[int, CategoryLine]
) -> tuple[list[str], dict[str, Sequence[Any]], dict[str, Any]]:
    conditions = [_SHOWN]
    lists: dict[str, Sequence[Any]] = {}
    parameters: dict[str, Any] = {}
    carried = "ps.carried OR b.moved"
    if asked.sku:
        conditions.append("p.sku IN :skus")
        lists["skus"] = asked.sku
        carried += " OR p.composition IN ('kit', 'service')"
    conditions.append(f"({carried})")
    if asked.category is not None:
        conditions.append("p.category_id IN :categories")
        lists["categories"] = with_descendants(categories.values(), asked.category)
    if asked.q:
        conditions.append("p.search LIKE :q ESCAPE '!'")
        parameters["q"] = f"%{like(asked.q.strip().casefold())}%"
    return conditions, lists, parameters


def _thousandths(steps: int, precision: int) -> int:
    return int(steps * 10 ** (LINE_DIGITS - precision))


def _is_low(level: Level, lines: Lines) -> bool:
    """Below the line: a line of 10 is reached by the sale that leaves 9."""
    if lines.low_stock is None or not lines.watched:
        return False
    return _thousandths(level.available, level.precision) < lines.low_stock


def _expires(lots: Sequence[tuple[str, int, int]], *, by: int) -> bool:
    """What expires first is first; a lot without a date comes last."""
    return bool(lots) and 0 < lots[0][1] <= by


def _line_text(thousandths: int | None, precision: int) -> str | None:
    """Write a line in the product's own decimals, or in three where a category's is finer."""
    if thousandths is None:
        return None
    steps, rest = divmod(thousandths, 10 ** (LINE_DIGITS - precision))
    if rest:
        return format_scaled(thousandths, LINE_DIGITS)
    return format_quantity(steps, precision)
