"""What of a document can still be done: goods that may come back or go back, or are on their way.

Told with one document alone, for it costs a look at everything that came after it. The poster
decides from the same rows; between the reading and the posting somebody else may have been there.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dianku.ledger.requests import DocumentRecord
from dianku.quantity import format_quantity

KINDS = frozenset({"issue", "receipt", "transfer"})
"""Documents whose goods come back, go back to who supplied them, or arrive."""

_DONE = """
SELECT l.line, p.precision, l.quantity, COALESCE(SUM(x.quantity), 0) AS done
FROM document_line AS l
JOIN product AS p ON p.id = l.product_id
LEFT JOIN (
  SELECT COALESCE(f.of_line, f.line) AS line, f.quantity
  FROM document AS d JOIN document_line AS f ON f.document_id = d.id
  WHERE d.of_document_id = :id
    AND (d.action IN ('arrival', 'close')
         OR (d.action = 'post' AND d.kind IN ('customer_return', 'supplier_return')))
    AND NOT EXISTS (SELECT 1 FROM document AS r WHERE r.reverses_id = d.id)
) AS x ON x.line = l.line
WHERE l.document_id = :id
GROUP BY l.line, p.precision, l.quantity
"""


def with_left(connection: Connection, document_id: int, record: DocumentRecord) -> DocumentRecord:
    """Add to each line how much of it is left; a document that was reversed has nothing left."""
    if record.kind not in KINDS or record.action != "post":
        return record
    reversed_ = record.status == "reversed"
    left = {
        row.line: format_quantity(
            0 if reversed_ else max(row.quantity - int(row.done), 0), row.precision
        )
        for row in connection.execute(sa.text(_DONE), {"id": document_id})
    }
    return msgspec.structs.replace(
        record,
        lines=[msgspec.structs.replace(line, left=left.get(line.line)) for line in record.lines],
    )
