"""Goods that customers have paid for and left in the shop (客存): which sales, and what of them.

Kept goods wait by line of their sale: what was left there at once (`kept` of the line) and what
was brought back to wait, less what was handed over or returned since. The poster decides from the
same rows (`dianku.ledger.plan.keeping`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
(LOWER(d.number) LIKE :kept_for ESCAPE '!' OR LOWER(d.reference) LIKE :kept_for ESCAPE '!'
 OR LOWER(d.note) LIKE :kept_for ESCAPE '!'
 OR EXISTS (SELECT 1 FROM document AS k WHERE k.of_document_id = d.id AND k.action = 'keep'
            AND LOWER(k.note) LIKE :kept_for ESCAPE '!'))
"""
"""Those whose number, reference or notes hold some words (`containing`)."""

_WAITING = f"""
SELECT w.id, l.line, p.precision, l.kept - COALESCE((
  {_GONE.replace("f.of_document_id = d.id", "f.of_document_id = w.id AND m.of_line = l.line")}
), 0) AS waiting
FROM {{rows}} AS w JOIN document AS d ON d.id = w.id AND d.kind = 'issue' AND d.action = 'post'
JOIN document_line AS l ON l.document_id = w.id
JOIN product AS p ON p.id = l.product_id
WHERE {_LIVING.format("d")}
"""
_NOTES = f"""
SELECT w.id, k.action, k.occurred_at, k.note,
       (SELECT MAX(l.kept) FROM document_line AS l WHERE l.document_id = k.id) AS kept
FROM {{rows}} AS w JOIN document AS k
  ON k.id = w.id OR (k.of_document_id = w.id AND k.action = 'keep' AND {_LIVING.format("k")})
ORDER BY k.id
"""


def containing(words: str) -> str:
    """The pattern of what holds some words, in capitals or not."""
    return f"%{like(words.strip().lower())}%"


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
    for row in select_set(connection, _NOTES, columns=_ID, rows=[(i,) for i in sorted(ids)]):
        papers.setdefault(row.id, []).append(row)
    return {
        i: KeptRecord(
            since=format_ms(min(x.occurred_at for x in rows if x.kept)),
            note=next((x.note for x in reversed(rows) if x.note), None),
        )
        for i, rows in papers.items()
    }


def _line(line: LineRecord, waiting: Mapping[int, tuple[int, int]]) -> LineRecord:
    return replace(line, waiting=format_quantity(*waiting[line.line]))
