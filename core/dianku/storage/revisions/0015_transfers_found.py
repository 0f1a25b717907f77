"""Transfers are found by where they go, without a look at every sale there ever was."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Index them; other documents go nowhere and are not in it."""
    going = sa.text("to_store_id IS NOT NULL")
    op.create_index(
        "ix_document_to",
        "document",
        ["to_store_id"],
        sqlite_where=going,
        postgresql_where=going,
    )
