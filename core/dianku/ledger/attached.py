"""Files beside a document: a photo of what was thrown away, the paper that came with a delivery.

The document itself stays as it was posted. A file is added later and never taken away, for it is
what a person is shown who asks why.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dianku.clock import format_ms
from dianku.errors import FieldError, invalid
from dianku.ledger.requests import AttachedRecord
from dianku.ledger.tables import document, document_attachment

FILES_MAX = 20
"""Files of one document."""

_OF = document_attachment.c


def attached_to(connection: Connection, document_id: int) -> list[AttachedRecord]:
    """The files of a document, as they were added."""
    rows = connection.execute(
        sa.select(document_attachment)
        .where(_OF.document_id == document_id)
        .order_by(_OF.added_at, _OF.attachment)
    )
    return [
        AttachedRecord(
            id=row.attachment,
            media_type=row.media_type,
            size=row.size,
            added_at=format_ms(row.added_at),
            added_by=row.added_by,
        )
        for row in rows
    ]


def attach_to(
    connection: Connection,
    number: str,
    *,
    attachment: str,
    media_type: str,
    size: int,
    actor: str,
    now_ms: int,
) -> tuple[AttachedRecord, bool]:
    """Add a file to a document that is there, and say whether it is new to it.

    Raises:
        Refused: `invalid`: `too_many`.
    """
    found = sa.select(document.c.id).where(document.c.number == number)
    document_id = connection.execute(found).scalar_one()
    before = attached_to(connection, document_id)
    for one in before:
        if one.id == attachment:
            return one, False
    if len(before) >= FILES_MAX:
        raise invalid(FieldError("/attachment", "too_many", {"max": FILES_MAX}))
    connection.execute(
        sa.insert(document_attachment).values(
            document_id=document_id,
            attachment=attachment,
            media_type=media_type,
            size=size,
            added_at=now_ms,
            added_by=actor,
        )
    )
    return next(x for x in attached_to(connection, document_id) if x.id == attachment), True
