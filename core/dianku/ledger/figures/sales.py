"""Sales totals, from `sales_summary` alone; by hour from the lines (`hours`).

Summaries hold sales as sold, a kit as itself, so a kit's line and its components' moves are not
counted twice. Groups are added up in the database in thousandths of the base unit, because the
products of a group may differ in precision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy.engine import Connection, Row

from dianku.catalog.records import Store
from dianku.clock import day_number, day_of
from dianku.errors import FieldError, invalid
from dianku.ledger.figures.hours import HOUR_DAYS_MAX, HourSums, hour_sums
from dianku.ledger.figures.requests import SalesQuery, SalesRow, SalesTotals
from dianku.ledger.read.alert_lines import category_lines, with_descendants
from dianku.ledger.read.paging import fetch
from dianku.ledger.read.scope import today
from dianku.ledger.read.sold import WEEK_DAYS
from dianku.ledger.read.tallies import (
    SCALE,
    SOLD_AMOUNT,
    SOLD_QUANTITY,
    Tallies,
    Window,
    span,
)
from dianku.quantity import (
    COST_PER_MINOR,
    LINE_DIGITS,
    format_amount,
    format_cost,
    format_quantity,
    format_scaled,
)

_GROUPS: Mapping[str, tuple[str, str]] = {
    "product": ("s.product_id", "s.product_id AS key"),
    "category": ("p.category_id", "p.category_id AS key"),
    "channel": ("s.channel_id", "s.channel_id AS key"),
    "store": ("s.store_id", "s.store_id AS key"),
    "day": ("s.business_date", "s.business_date AS key"),
}
_SUMS = f"""
SUM((s.quantity - s.returned) * {SCALE}) AS quantity,
SUM(s.amount - s.returned_amount) AS amount,
SUM(s.returned * {SCALE}) AS returns,
SUM(s.returned_amount) AS returned_amount,
SUM(s.cost) AS cost
"""
_GROUPED = """
SELECT {key}, {sums}
FROM sales_summary AS s JOIN product AS p ON p.id = s.product_id
WHERE {conditions}
GROUP BY {group}
ORDER BY {order}
LIMIT :count OFFSET :offset
"""
# Products are added up before they are looked up: a lookup per summary row would cost the most.
_BY_PRODUCT = f"""
SELECT p.id AS key, p.sku, p.name, p.unit, p.precision, p.category_id,
       t.quantity * {SCALE} AS quantity, t.amount, t.returns * {SCALE} AS returns,
       t.returned_amount, t.cost, NULL AS on_hand
FROM (SELECT s.product_id, SUM(s.quantity - s.returned) AS quantity,
             SUM(s.amount - s.returned_amount) AS amount, SUM(s.returned) AS returns,
             SUM(s.returned_amount) AS returned_amount, SUM(s.cost) AS cost
      FROM sales_summary AS s WHERE {{conditions}} GROUP BY s.product_id) AS t
JOIN product AS p ON p.id = t.product_id
WHERE {{goods}}
ORDER BY {{order}}
LIMIT :count OFFSET :offset
"""
# The same of products already added up: thousandths, and only those that may be on the page.
_HOT = """
SELECT p.id AS key, p.sku, p.name, p.unit, p.precision, p.category_id, t.quantity, t.amount,
       t.returns, t.returned_amount, t.cost, NULL AS on_hand
FROM {rows} AS t JOIN product AS p ON p.id = t.product_id
ORDER BY {order}
LIMIT :count OFFSET :offset
"""
_HOT_COLUMNS = tuple(
    (name, "int")
    for name in ("product_id", "quantity", "amount", "returns", "returned_amount", "cost")
)
_SLOW = f"""
SELECT p.id AS key, p.sku, p.name, p.unit, p.precision, p.category_id,
       COALESCE(t.quantity, 0) * {SCALE} AS quantity, COALESCE(t.amount, 0) AS amount,
       COALESCE(t.returns, 0) * {SCALE} AS returns,
       COALESCE(t.returned_amount, 0) AS returned_amount, COALESCE(t.cost, 0) AS cost, h.on_hand
FROM (SELECT b.product_id, SUM(b.on_hand) AS on_hand FROM stock_balance AS b
      WHERE b.store_id IN :stores GROUP BY b.product_id HAVING SUM(b.on_hand) > 0) AS h
JOIN product AS p ON p.id = h.product_id
LEFT JOIN (SELECT s.product_id, SUM(s.quantity - s.returned) AS quantity,
             SUM(s.amount - s.returned_amount) AS amount, SUM(s.returned) AS returns,
             SUM(s.returned_amount) AS returned_amount, SUM(s.cost) AS cost
      FROM sales_summary AS s WHERE {{conditions}} GROUP BY s.product_id) AS t
     ON t.product_id = h.product_id
WHERE {{goods}} AND EXISTS (SELECT 1 FROM stock_move AS m WHERE m.product_id = h.product_id
             AND m.store_id IN :stores AND m.occurred_at < :known_before)
ORDER BY {{order}}
LIMIT :count OFFSET :offset
"""
_PERIOD = "{of}.business_date BETWEEN :first AND :last AND {of}.store_id IN :stores"
_IN_CHANNELS = "{of}.channel_id IN (SELECT c.id FROM channel AS c WHERE c.name IN :channels)"
_DAY_MS = 86_400_000


@frozen
class SalesFigures:
    """Totals over the stores in scope. `costs`: whether cost and margin may be shown."""

    stores: tuple[Store, ...]
    channels: Mapping[int, str]
    now_ms: int
    costs: bool
    tallies: Tallies

    def totals(self, connection: Connection, asked: SalesQuery) -> SalesTotals:
        """Return one page of totals. Raises `Refused`: a period or combination that is wrong."""
        check_period(asked.from_, asked.to)
        if asked.by == "hour" and (asked.to - asked.from_).days > HOUR_DAYS_MAX:
            raise invalid(FieldError("/from", "period_too_long", {"days": HOUR_DAYS_MAX}))
        rows = self._asked(connection, asked) if self.stores else []
        more = len(rows) > asked.limit
        names = {i: c.code for i, c in category_lines(connection).items()}
        return SalesTotals(
            from_=asked.from_.isoformat(),
            to=asked.to.isoformat(),
            items=[self._row(r, asked=asked, categories=names) for r in rows[: asked.limit]],
            next_offset=asked.offset + asked.limit if more else None,
        )

    def _asked(self, connection: Connection, asked: SalesQuery) -> Sequence[Any]:
        if asked.by == "hour":
            return self._hours(connection, asked)
        if asked.by == "product" and asked.order == "hot":
            found = self._hot(connection, asked)
            if found is not None:
                return found
        return self._rows(connection, asked)

    def _hot(self, connection: Connection, asked: SalesQuery) -> Sequence[Row[Any]] | None:
        """The page from the window's tally; None where there is none of this very state."""
        window = Window(
            source="sold",
            first=day_number(asked.from_),
            last=day_number(asked.to),
            stores=tuple(sorted(s.id for s in self.stores)),
            channels=_channel_ids(connection, asked.channel),
        )
        if asked.channel and not window.channels:
            return []
        goods = _goods(connection, asked)
        by = (SOLD_QUANTITY, SOLD_AMOUNT)
        with self.tallies.at(connection, window) as tally:
            if tally is None:
                return None
            rank = tally.rank(by if asked.measure == "quantity" else by[::-1])
            if goods is not None:
                rank = [entry for entry in rank if entry[-1] in goods]
            first, last = span(rank, first=asked.offset, count=asked.limit + 1)
            rows = [(entry[-1], *tally.totals[entry[-1]]) for entry in rank[first:last]]
        return fetch(
            connection,
            _HOT.replace("{order}", _order(asked)),
            columns=_HOT_COLUMNS,
            rows=rows,
            parameters={"count": asked.limit + 1, "offset": max(asked.offset - first, 0)},
        )

    def _rows(self, connection: Connection, asked: SalesQuery) -> Sequence[Row[Any]]:
        goods, lists = _of_goods(connection, asked)
        conditions = self._conditions(asked, of="s", lists=lists)
        parameters: dict[str, Any] = {
            "first": day_number(asked.from_),
            "last": day_number(asked.to),
            "count": asked.limit + 1,
            "offset": asked.offset,
        }
        template = _template(asked)
        if template is _SLOW:
            parameters["known_before"] = self.now_ms - WEEK_DAYS * _DAY_MS
        if template is _GROUPED:
            conditions.append(goods)
        group, key = _GROUPS.get(asked.by, ("", ""))
        sql = template.format(
            conditions=" AND ".join(conditions),
            goods=goods,
            group=group,
            key=key,
            sums=_SUMS,
            order=_order(asked),
        )
        return fetch(connection, sql, lists=lists, parameters=parameters)

    def _hours(self, connection: Connection, asked: SalesQuery) -> list[HourSums]:
        goods, lists = _of_goods(connection, asked)
        conditions = self._conditions(asked, of="d", lists=lists)
        found = hour_sums(
            connection,
            stores=self.stores,
            first=day_number(asked.from_),
            last=day_number(asked.to),
            conditions=[*conditions, goods],
            lists=lists,
        )
        return found[asked.offset : asked.offset + asked.limit + 1]

    def _conditions(
        self, asked: SalesQuery, *, of: str, lists: dict[str, Sequence[Any]]
    ) -> list[str]:
        """Period, stores and channels of the rows called `of`; adds to `lists`."""
        conditions = [_PERIOD.format(of=of)]
        lists["stores"] = [s.id for s in self.stores]
        if asked.channel:
            conditions.append(_IN_CHANNELS.format(of=of))
            lists["channels"] = asked.channel
        return conditions

    def _row(self, row: Any, *, asked: SalesQuery, categories: Mapping[int, str]) -> SalesRow:
        amount, returned = int(row.amount), int(row.returned_amount)
        answer = SalesRow(amount=format_amount(amount), returned_amount=format_amount(returned))
        self._name(answer, row, by=asked.by, categories=categories)
        if asked.by == "hour":
            answer.documents = row.documents
        precision = row.precision if asked.by == "product" else None
        answer.quantity = quantity_text(int(row.quantity), precision)
        answer.returns = quantity_text(int(row.returns), precision)
        if self.costs:
            cost = int(row.cost)
            answer.cost = format_cost(cost)
            answer.margin = format_cost(amount * COST_PER_MINOR - cost)
        return answer

    def _name(self, answer: SalesRow, row: Any, *, by: str, categories: Mapping[int, str]) -> None:
        if by == "product":
            answer.sku, answer.name, answer.unit = row.sku, row.name, row.unit
            answer.category = categories.get(row.category_id)
            if row.on_hand is not None:
                answer.on_hand = format_quantity(int(row.on_hand), row.precision)
        elif by == "category":
            answer.category = categories.get(row.key)
        elif by == "channel":
            answer.channel = self.channels.get(row.key)
        elif by == "store":
            answer.store = next(s.code for s in self.stores if s.id == row.key)
        elif by == "day":
            answer.day = day_of(row.key).isoformat()
        else:
            answer.hour = row.key


def _channel_ids(connection: Connection, names: Sequence[str]) -> tuple[int, ...]:
    if not names:
        return ()
    sql = "SELECT id FROM channel WHERE name IN :names ORDER BY id"
    return tuple(row.id for row in fetch(connection, sql, lists={"names": names}))


def _goods(connection: Connection, asked: SalesQuery) -> frozenset[int] | None:
    """The products asked for, by code or by category with those under it; None for all."""
    if asked.category is None and not asked.sku:
        return None
    condition, lists = _of_goods(connection, asked)
    sql = f"SELECT p.id FROM product AS p WHERE {condition}"
    return frozenset(row.id for row in fetch(connection, sql, lists=lists))


def _of_goods(connection: Connection, asked: SalesQuery) -> tuple[str, dict[str, Sequence[Any]]]:
    """The condition on products `p`, and the lists it takes."""
    conditions: list[str] = []
    lists: dict[str, Sequence[Any]] = {}
    if asked.category is not None:
        conditions.append("p.category_id IN :categories")
        found = with_descendants(category_lines(connection).values(), asked.category)
        lists["categories"] = found
    if asked.sku:
        conditions.append("p.sku IN :skus")
        lists["skus"] = asked.sku
    return " AND ".join(conditions) or "1 = 1", lists


def check_period(first: Any, last: Any) -> None:
    """Refuse a period that ends before it begins: `invalid` with `/to` `before_from`."""
    if last < first:
        raise invalid(FieldError("/to", "before_from"))


def business_today(stores: Sequence[Store], *, now_ms: int) -> int:
    """Tell the latest business date of some stores, as a day number."""
    return max((today(s, now_ms=now_ms) for s in stores), default=now_ms // _DAY_MS)


def quantity_text(thousandths: int, precision: int | None) -> str:
    """Write thousandths in a product's decimals; of a group without needless zeros."""
    if precision is not None:
        return format_quantity(thousandths // 10 ** (LINE_DIGITS - precision), precision)
    text = format_scaled(thousandths, LINE_DIGITS)
    return text.rstrip("0").rstrip(".")


def _template(asked: SalesQuery) -> str:
    if asked.by != "product":
        return _GROUPED
    return _SLOW if asked.order == "slow" else _BY_PRODUCT


def _order(asked: SalesQuery) -> str:
    if asked.by == "day":
        return "key"
    direction = "DESC" if asked.order == "hot" else "ASC"
    other = "quantity" if asked.measure == "amount" else "amount"
    last = "p.sku" if asked.by == "product" else "key"
    return f"{asked.measure} {direction}, {other} {direction}, {last}"
