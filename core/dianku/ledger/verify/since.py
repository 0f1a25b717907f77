"""Go on from the last verified: what was posted since, and what is kept now.

After a clean verification it is noted how far it went and what the tables weighed
(`weights`), the summaries day by day. The next one reads only the moves and lines behind
that: every balance and lot, and the summaries of every day touched since, must weigh what they
weighed and what was added. Of the other days every seventh is weighed again, a different seventh
each time. Documents, lines and moves verified before are counted, not read.

Where something weighs wrong, or cannot be gone on from (never verified, rebuilt, history imported
or taken out), everything is read and compared row by row. A difference is never named by weight.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from attrs import define, field, frozen
from sqlalchemy.engine import Connection

from dianku.ledger.read.paging import fetch
from dianku.ledger.tables import SUMMARIES
from dianku.ledger.verify.folds import (
    BALANCES,
    DAILY,
    HELD,
    HISTORY_SALES,
    HOUR_FIGURES,
    HOUR_KEYS,
    IN_A_LOT,
    LOTS,
    POSTED_SALES,
    SALES,
    Fold,
    sales_hours,
)
from dianku.ledger.verify.weights import Weigher, plain, weigher
from dianku.storage import events
from dianku.storage.bulk import query
from dianku.storage.schema import counter

TURNS = 7
"""In so many runs every day's summaries are weighed again."""
_PREFIX = "verified "
_DAY = "day "
_ALL_DAYS = -1
_STEPS = """
WITH RECURSIVE step(day) AS (SELECT MIN(business_date) FROM {table} UNION ALL
SELECT (SELECT MIN(t.business_date) FROM {table} AS t WHERE t.business_date > step.day)
FROM step WHERE step.day IS NOT NULL)
SELECT day FROM step
"""


@frozen
class Noted:
    """How far the last verification went, and what the tables weighed then.

    `moves`, `lines`, `documents`: how many there were; `move`, `document`: the last of them.
    """

    seed: int
    turn: int = 0
    summaries: int = 0
    move: int = 0
    document: int = 0
    moves: int = 0
    lines: int = 0
    documents: int = 0
    balances: int = 0
    lots: int = 0
    days: Mapping[int, int] = field(factory=dict)


_NUMBERS = ("seed", "turn", "summaries", "move", "document", "moves", "lines", "documents",
            "balances", "lots")  # fmt: skip


def noted(connection: Connection) -> Noted | None:
    """What the last verification noted; None where there is none to go on from."""
    sql = f"SELECT name, value FROM counter WHERE name LIKE '{_PREFIX}%'"
    rows = {
        row.name.removeprefix(_PREFIX): int(row.value) for row in connection.execute(sa.text(sql))
    }
    if not rows or rows["summaries"] != events.current(connection, SUMMARIES):
        return None
    days = {int(n.removeprefix(_DAY)): v for n, v in rows.items() if n.startswith(_DAY)}
    return Noted(days=days, **{name: rows[name] for name in _NUMBERS})


def note(connection: Connection, found: Noted, *, before: Noted | None) -> None:
    """Write down how far a clean verification went, unless another has done so meanwhile."""
    if noted(connection) != before and before is not None:
        return
    old = before.days if before is not None else {}
    if before is None:
        connection.execute(sa.delete(counter).where(counter.c.name.like(f"{_PREFIX}%")))
    rows = {name: getattr(found, name) for name in _NUMBERS}
    rows |= {f"{_DAY}{day}": w for day, w in found.days.items() if old.get(day) != w}
    for name, value in sorted(rows.items()):
        query(
            connection,
            "INSERT INTO counter (name, value) VALUES (:name, :value) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value RETURNING value",
            name=_PREFIX + name,
            value=value,
        )


def from_the_beginning() -> Noted:
    """Nothing verified yet, and a new seed."""
    return Noted(seed=random.SystemRandom().randrange(1, 2**31))


def go_on(connection: Connection, last: Noted) -> Noted | None:
    """What is to be noted when all that is looked at weighs right; None where it does not."""
    scales = Scales(connection, last)
    since = scales.since()
    if last.document:
        expected = _added(last.days, since.days)
        chosen = [
            day
            for day in sorted({*expected, *scales.every_day()})
            if day in since.days or day not in last.days or day % TURNS == last.turn
        ]
        held = scales.days(chosen)
        days_same = all(held.get(day, 0) == expected.get(day, 0) for day in chosen)
    else:
        expected = held = scales.days(None)
        days_same = plain(sum(held.values())) == plain(since.days[_ALL_DAYS])
    found = scales.noted(days=expected, turn=(last.turn + 1) % TURNS)
    same = (
        days_same
        and found.moves == last.moves + since.moves
        and found.documents == last.documents + since.documents
        and found.lines == last.lines + since.lines
        and found.balances == plain(last.balances + since.balances)
        and found.lots == plain(last.lots + since.lots)
    )
    return found if same else None


def _added(days: Mapping[int, int], more: Mapping[int, int]) -> dict[int, int]:
    return {day: plain(days.get(day, 0) + more.get(day, 0)) for day in {*days, *more}}


@define
class Since:
    """What was added since, weighed."""

    moves: int = 0
    documents: int = 0
    lines: int = 0
    balances: int = 0
    lots: int = 0
    days: dict[int, int] = field(factory=lambda: defaultdict(int))


class Scales:
    """Weighs tables, and what was posted behind the last verified."""

    def __init__(self, connection: Connection, last: Noted) -> None:
        self._connection = connection
        self._last = last
        reason = _reason(connection.dialect.name)
        self._daily_keys = [reason if key == "reason" else key for key in DAILY.keys]
        self._daily = self._weigher(DAILY)
        self._sales = self._weigher(SALES)
        self._hours = self._weigher(Fold("sales_by_hour", HOUR_KEYS, HOUR_FIGURES, ""))
        self._lots = self._weigher(LOTS)
        self._balances = weigher(
            last.seed, BALANCES.table, keys=len(BALANCES.keys), figures=len(HELD)
        )

    def _weigher(self, fold: Fold) -> Weigher:
        return weigher(self._last.seed, fold.table, keys=len(fold.keys), figures=len(fold.figures))

    def _one(self, sql: str, **values: int) -> Any:
        return self._connection.execute(sa.text(sql), values).one()

    def noted(self, *, days: Mapping[int, int], turn: int) -> Noted:
        """All but the days as it is now."""
        numbers: dict[str, int] = {}
        for name, table, key in (("move", "stock_move", "id"), ("document", "document", "id")):
            row = self._one(f"SELECT COUNT(*) AS n, COALESCE(MAX({key}), 0) AS last FROM {table}")
            numbers |= {name: int(row.last), f"{name}s": int(row.n)}
        lines = self._one("SELECT COUNT(*) AS n FROM document_line").n
        balances = self._balances.sql(BALANCES.keys, tuple(HELD))
        lots = self._lots.sql(LOTS.keys, LOTS.figures)
        return Noted(
            seed=self._last.seed,
            turn=turn,
            summaries=events.current(self._connection, SUMMARIES),
            lines=int(lines),
            balances=plain(self._one(f"SELECT SUM({balances}) AS w FROM stock_balance").w),
            lots=plain(self._one(f"SELECT SUM({lots}) AS w FROM lot_balance").w),
            days=days,
            **numbers,
        )

    def days(self, chosen: Sequence[int] | None) -> dict[int, int]:
        """What the summaries of some days weigh, or those of every day, by day."""
        totals: dict[int, int] = defaultdict(int)
        for table, weight in (
            ("daily_summary", self._daily.sql(self._daily_keys, DAILY.figures)),
            ("sales_summary", self._sales.sql(SALES.keys, SALES.figures)),
            ("sales_by_hour", self._hours.sql(HOUR_KEYS, HOUR_FIGURES)),
        ):
            rows = fetch(
                self._connection,
                f"SELECT business_date, SUM({weight}) AS w FROM {table} "
                + ("" if chosen is None else "WHERE business_date IN :days ")
                + "GROUP BY business_date",
                lists=None if chosen is None else {"days": chosen},
            )
            for row in rows:
                totals[row.business_date] += int(row.w)
        return {day: plain(weight) for day, weight in totals.items()}

    def every_day(self) -> set[int]:
        """The days there are summaries of, found by stepping from one to the next."""
        found: set[int] = set()
        for table in ("daily_summary", "sales_summary", "sales_by_hour"):
            rows = fetch(self._connection, _STEPS.format(table=table))
            found |= {row.day for row in rows if row.day is not None}
        return found

    def since(self) -> Since:
        """Weigh what was posted behind the last verified."""
        found = Since()
        self._moves(found)
        self._documents(found)
        return found

    def _moves(self, found: Since) -> None:
        daily = self._daily.sql(self._daily_keys, DAILY.figures)
        held = self._balances.sql(BALANCES.keys, tuple(HELD.values()))
        lots = self._lots.sql(LOTS.keys, LOTS.figures)
        for row in self._by_day(
            f"COUNT(*) AS n, SUM({daily}) AS w, SUM({held}) AS held, "
            f"SUM(CASE WHEN {IN_A_LOT} THEN {lots} ELSE 0 END) AS lots",
            "stock_move WHERE id > :after",
            after=self._last.move,
        ):
            found.moves += int(row.n)
            found.days[row.day] += int(row.w or 0)
            found.balances += int(row.held or 0)
            found.lots += int(row.lots or 0)

    def _documents(self, found: Since) -> None:
        last = self._last.document
        sales = self._sales.sql(SALES.keys, SALES.figures)
        sources = [f"({POSTED_SALES} AND d.id > :after) AS s"]
        if not last:
            # Imported sales are of no document: they are noted with all else or not at all.
            sources.append(f"({HISTORY_SALES}) AS s")
        for source in sources:
            for row in self._by_day(f"SUM({sales}) AS w", source, after=last):
                found.days[row.day] += int(row.w or 0)
        for key, figures in sales_hours(self._connection, after=last).items():
            day = key[0] if last else _ALL_DAYS
            found.days[day] += self._hours.weigh(key, figures)
        count = "SELECT COUNT(*) AS n FROM"
        found.lines = self._one(f"{count} document_line WHERE document_id > :after", after=last).n
        found.documents = self._one(f"{count} document WHERE id > :after", after=last).n

    def _by_day(self, sums: str, source: str, *, after: int) -> Sequence[Any]:
        """Sums by business date; of everything in one, which spares the sorting."""
        if self._last.document:
            sql = f"SELECT business_date AS day, {sums} FROM {source} GROUP BY business_date"
        else:
            sql = f"SELECT {_ALL_DAYS} AS day, {sums} FROM {source}"
        values = {"after": after} if ":after" in sql else {}
        return self._connection.execute(sa.text(sql), values).all()


def _reason(dialect: str) -> str:
    """A reason as a number: its first and last sign and how many there are."""
    code = "unicode" if dialect == "sqlite" else "ascii"
    return (
        f"CASE WHEN reason = '' THEN 0 ELSE {code}(reason) % 256 + LENGTH(reason) % 256 * 256 "
        f"+ {code}(substr(reason, LENGTH(reason), 1)) % 256 * 65536 END"
    )
