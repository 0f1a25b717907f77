"""Sums of a window kept in memory, brought up to date with what was posted since.

The sum over a window costs what its days hold, and a shop asks for the same few windows all day.
A tally is such a sum as of one document. Documents are only ever added and their numbers become
visible in order (I2), so what it lacks are the lines of the documents behind that one, whatever
day they are of: late entries and reversals are documents too. History that is imported or taken
out, and `rebuild`, raise the counter `summaries`, and the sum is made anew.

Nothing here is stored or believed: a tally is used in a reader's transaction only if it can be
brought to exactly that transaction's state, else the summaries are asked.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Literal

from attrs import define, field, frozen
from sqlalchemy.engine import Connection

from dianku.ledger.flows import SALE_FLOWS
from dianku.ledger.read.paging import fetch
from dianku.ledger.tables import SUMMARIES
from dianku.ledger.verify.folds import DAILY, POSTED_SALES
from dianku.storage import events
from dianku.storage.bulk import query

BEHIND_MAX = 5_000
KEYS_MAX = 400_000
_UNKNOWN = -1
"""What `summaries` is while a tally is made or brought up to date, and stays if that fails."""
_RESORTED = 1_000
"""Changed products above which ranks are sorted anew instead of mended one by one."""

Figures = tuple[int, ...]
Rank = list[tuple[int, ...]]

SCALE = "CASE p.precision WHEN 0 THEN 1000 WHEN 1 THEN 100 WHEN 2 THEN 10 ELSE 1 END"
"""Thousandths in a step."""
_FLOWS = ", ".join(str(int(f)) for f in SALE_FLOWS)
_SOLD = f"""
SELECT t.product_id, t.quantity * {SCALE} AS quantity, t.amount, t.returns * {SCALE} AS returns,
       t.returned_amount, t.cost
FROM (SELECT s.product_id, SUM(s.quantity - s.returned) AS quantity,
             SUM(s.amount - s.returned_amount) AS amount, SUM(s.returned) AS returns,
             SUM(s.returned_amount) AS returned_amount, SUM(s.cost) AS cost
      FROM {{source}} AS s
      WHERE s.business_date BETWEEN :first AND :last AND s.store_id IN :stores AND {{channels}}
      GROUP BY s.product_id) AS t
JOIN product AS p ON p.id = t.product_id
"""
_LEFT = f"""
SELECT t.product_id, t.quantity, t.quantity * {SCALE} AS thousandths
FROM (SELECT s.product_id, -SUM(s.quantity) AS quantity FROM {{source}} AS s
      WHERE s.business_date BETWEEN :first AND :last AND s.store_id IN :stores
        AND s.flow IN ({_FLOWS}) AND {{channels}}
      GROUP BY s.product_id) AS t
JOIN product AS p ON p.id = t.product_id
"""
_SOURCES = {
    "sold": (_SOLD, "sales_summary", f"{POSTED_SALES} AND d.id > :after"),
    "left": (_LEFT, "daily_summary", f"{DAILY.source} WHERE document_id > :after"),
}


@frozen
class Window:
    """Business dates, both included, of some stores, in some channels (none: in all).

    `source` sold: as sold, from lines: quantity and returns in thousandths of the base unit,
    net amount, returned amount, cost. `left`: what left by sales on its own or as a component,
    from moves: in steps and in thousandths; `channels` is empty.
    """

    source: Literal["sold", "left"]
    first: int
    last: int
    stores: tuple[int, ...]
    channels: tuple[int, ...] = ()


SOLD_QUANTITY, SOLD_AMOUNT = 0, 1
LEFT_THOUSANDTHS = 1
"""Places of what tallies are ranked by."""


@frozen
class State:
    """The last document, and how often summaries were changed otherwise."""

    document_id: int
    summaries: int


@define
class Tally:
    """The sums of one window by product, and their ranks, the greatest first."""

    document_id: int = 0
    summaries: int = _UNKNOWN
    totals: dict[int, Figures] = field(factory=dict)
    lock: Any = field(factory=Lock)
    _ranks: dict[tuple[int, ...], Rank] = field(factory=dict)

    def replace(self, rows: Sequence[Sequence[int]]) -> None:
        """Begin anew with (product, figures...)."""
        self.totals = {int(row[0]): tuple(int(v) for v in row[1:]) for row in rows}
        self._ranks = {}

    def add(self, rows: Sequence[Sequence[int]]) -> None:
        """Add (product, figures...)."""
        if len(rows) > _RESORTED:
            self._ranks = {}
        for product_id, *more in rows:
            old = self.totals.get(product_id)
            new = tuple(int(v) for v in more)
            if old is not None:
                new = tuple(a + b for a, b in zip(old, new, strict=True))
            self.totals[product_id] = new
            for by, rank in self._ranks.items():
                if old is not None:
                    del rank[bisect_left(rank, _entry(product_id, old, by))]
                insort(rank, _entry(product_id, new, by))

    def rank(self, by: tuple[int, ...]) -> Rank:
        """Every product as (the opposite of what it is ranked by..., product), in that order."""
        found = self._ranks.get(by)
        if found is None:
            found = sorted(_entry(p, figures, by) for p, figures in self.totals.items())
            self._ranks[by] = found
        return found


@define
class Tallies:
    """The tallies of one process; safe for threads.

    `behind_max`: documents a tally may be behind before its window is summed anew. `keys_max`:
    products kept over all tallies, some 300 bytes each; the longest unused window goes first.
    """

    behind_max: int = BEHIND_MAX
    keys_max: int = KEYS_MAX
    _kept: OrderedDict[Window, Tally] = field(factory=OrderedDict)
    _lock: Any = field(factory=Lock)

    @contextmanager
    def at(
        self, connection: Connection, window: Window, *, state: State | None = None
    ) -> Iterator[Tally | None]:
        """A window's tally as this transaction sees it, not to be kept past the block.

        None where another reader has already brought it further than this one may see.
        `state` spares looking it up where several windows are asked for.
        """
        seen = state or state_of(connection)
        with self._lock:
            tally = self._kept.setdefault(window, Tally())
            self._kept.move_to_end(window)
        with tally.lock:
            if tally.document_id > seen.document_id or tally.summaries > seen.summaries:
                yield None
                return
            _catch_up(connection, tally, window, seen=seen, behind_max=self.behind_max)
            yield tally
        self._forget()

    def _forget(self) -> None:
        with self._lock:
            keys = sum(len(t.totals) for t in self._kept.values())
            while keys > self.keys_max and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                keys -= len(oldest.totals)


def span(rank: Rank, *, first: int, count: int) -> tuple[int, int]:
    """Tell the slice of a rank that holds `count` places from `first` on, ties included."""
    if first >= len(rank):
        return len(rank), len(rank)
    last = min(first + count, len(rank)) - 1
    above = rank[first][:-1]
    below = rank[last][:-1]
    return bisect_left(rank, above), bisect_right(rank, below, key=lambda entry: entry[:-1])


def _entry(product_id: int, figures: Figures, by: tuple[int, ...]) -> tuple[int, ...]:
    return (*(-figures[i] for i in by), product_id)


def state_of(connection: Connection) -> State:
    """Tell what a transaction sees."""
    [row] = query(connection, "SELECT COALESCE(MAX(id), 0) AS id FROM document")
    return State(int(row.id), events.current(connection, SUMMARIES))


def _catch_up(
    connection: Connection, tally: Tally, window: Window, *, seen: State, behind_max: int
) -> None:
    """Add what was posted since, or sum the window anew."""
    behind = seen.document_id - tally.document_id
    known, tally.summaries = tally.summaries, _UNKNOWN
    if known != seen.summaries or behind > behind_max:
        tally.replace(_rows(connection, window))
    elif behind:
        tally.add(_rows(connection, window, after=tally.document_id))
    tally.document_id, tally.summaries = seen.document_id, seen.summaries


def _rows(connection: Connection, window: Window, *, after: int | None = None) -> list[Any]:
    template, summary, posted = _SOURCES[window.source]
    lists: dict[str, Sequence[Any]] = {"stores": window.stores}
    parameters: dict[str, Any] = {"first": window.first, "last": window.last}
    if window.channels:
        lists["channels"] = window.channels
    if after is not None:
        parameters["after"] = after
    sql = template.format(
        source=summary if after is None else "posted",
        channels="s.channel_id IN :channels" if window.channels else "1 = 1",
    )
    if after is not None:
        # Found by document before anything else: by product they would be looked for everywhere.
        sql = f"WITH posted AS MATERIALIZED ({posted}) {sql}"
    return list(fetch(connection, sql, lists=lists, parameters=parameters))
