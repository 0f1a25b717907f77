"""Goods that customers have paid for and left in the shop (客存): which sales, and what of them.

Kept goods wait by line of their sale: what was left there at once (`kept` of the line) and what
was brought back to wait, less what was handed over or returned since. The poster decides from the
same rows (`dianku.ledger.plan.keeping`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy.engine import Connection, Row

from dianku.catalog.search import like
from dianku.clock import format_ms
from dianku.ledger.requests import DocumentRecord, KeptRecord, LineRecord
from dianku.quantity import format_quantity
from dianku.storage.bulk import select_set

_ID = (("id", "int"),)
_LIVING = "NOT EXISTS (SELECT 1 FROM document AS r WHERE r.reverses_id = {}.id)"
_GONE = f"""
SELECT COALESCE(SUM(CASE f.action WHEN 'hand_over' THEN m.quantity WHEN 'keep' THEN -m.quantity
                                  ELSE m.kept END), 0)
FROM document AS f JOIN document_line AS m ON m.document_id = f.id
WHERE f.of_document_id = d.id AND {_LIVING.format("f")}
  AND (f.action IN ('hand_over', 'keep') OR (f.action = 'post' AND f.kind = 'customer_return'))
"""

# The few lines with kept goods first: their index is small, and the sales are found from there.
KEPT = f"""
d.id IN (SELECT CASE k.action WHEN 'keep' THEN k.of_document_id ELSE k.id END
         FROM document_line AS l JOIN document AS k ON k.id = l.document_id
         WHERE l.kept > 0 AND k.kind = 'issue' AND k.action IN ('post', 'keep'))
AND d.kind = 'issue' AND d.action = 'post' AND {_LIVING.format("d")}
AND (SELECT SUM(l.kept) FROM document_line AS l WHERE l.document_id = d.id) > ({_GONE})
"""
"""Sales of which goods still wait, as a condition on `document AS d`."""

KEPT_FOR = """
(LOWER(d.number) LIKE LOWER(:kept_for) ESCAPE '!'
 OR LOWER(d.reference) LIKE LOWER(:kept_for) ESCAPE '!'
 OR LOWER(d.note) LIKE LOWER(:kept_for) ESCAPE '!'
 OR EXISTS (SELECT 1 FROM document AS k WHERE k.of_document_id = d.id AND k.action = 'keep'
            AND LOWER(k.note) LIKE LOWER(:kept_for) ESCAPE '!'))
"""
"""Those whose number, reference or notes hold some words (`containing`).

Both sides are folded by the database: SQLite knows the capitals of English alone, and what is
typed as it was written must be found all the same.
"""

_WAITING = f"""
SELECT w.id, l.line, p.precision, l.kept - COALESCE((
  {_GONE.replace("f.of_document_id = d.id", "f.of_document_id = w.id AND m.of_line = l.line")}
), 0) AS waiting
FROM {{rows}} AS w JOIN document AS d ON d.id = w.id AND d.kind = 'issue' AND d.action = 'post'
JOIN document_line AS l ON l.document_id = w.id
JOIN product AS p ON p.id = l.product_id
WHERE {_LIVING.format("d")}
"""
_PAPERS = f"""
SELECT w.id, k.occurred_at, CASE WHEN k.kind = 'issue' THEN k.note END AS note,
       (SELECT SUM(CASE WHEN k.action = 'hand_over' THEN -l.quantity
                        WHEN k.kind = 'issue' THEN l.kept ELSE -l.kept END)
        FROM document_line AS l WHERE l.document_id = k.id) AS put
FROM {{rows}} AS w JOIN document AS k
  ON k.id = w.id OR (k.of_document_id = w.id AND {_LIVING.format("k")}
                     AND (k.action IN ('keep', 'hand_over')
                          OR (k.action = 'post' AND k.kind = 'customer_return')))
ORDER BY k.id
"""
"""What put goods of sales aside, or took them from there, in the order it was recorded."""


def containing(words: str) -> str:
    """The pattern of what holds some words."""
    return f"%{like(words.strip())}%"


def with_kept(
    connection: Connection, records: Mapping[int, DocumentRecord]
) -> dict[int, DocumentRecord]:
    """Add to sales, by id, what of them waits in the shop; others come back as they are."""
    sold = [i for i, x in records.items() if x.kind == "issue" and x.action == "post"]
    waiting = _waiting(connection, sold)
    kept = _kept(connection, [i for i in waiting if any(x[0] for x in waiting[i].values())])
    return {
        i: replace(record, kept=kept[i], lines=[_line(x, waiting[i]) for x in record.lines])
        if i in kept
        else record
        for i, record in records.items()
    }


def _waiting(connection: Connection, ids: Iterable[int]) -> dict[int, dict[int, tuple[int, int]]]:
    """(steps, precision) of each line of sales."""
    found: dict[int, dict[int, tuple[int, int]]] = {}
    for row in select_set(connection, _WAITING, columns=_ID, rows=[(i,) for i in sorted(ids)]):
        found.setdefault(row.id, {})[row.line] = int(row.waiting), row.precision
    return found


def _kept(connection: Connection, ids: Iterable[int]) -> dict[int, KeptRecord]:
    papers: dict[int, list[Row[Any]]] = {}
    for row in select_set(connection, _PAPERS, columns=_ID, rows=[(i,) for i in sorted(ids)]):
        papers.setdefault(row.id, []).append(row)
    return {
        i: KeptRecord(
            since=format_ms(_since(rows)),
            note=next((x.note for x in reversed(rows) if x.note), None),
        )
        for i, rows in papers.items()
    }


def _since(papers: Sequence[Row[Any]]) -> int:
    """Since when something waits without a break; what was fetched long ago does not count."""
    there = since = 0
    for paper in papers:
        put = int(paper.put)
        if put > 0:
            since = min(since, paper.occurred_at) if there else paper.occurred_at
        there += put
    return since


def _line(line: LineRecord, waiting: Mapping[int, tuple[int, int]]) -> LineRecord:
    return replace(line, waiting=format_quantity(*waiting[line.line]))
