"""Orders handed over in parts, and goods found that customers have left in the shop."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"


def upgrade() -> None:
    """Add both; of no order was a part handed over before."""
    issued = sa.Column("issued", sa.BigInteger(), server_default="0", nullable=False)
    op.add_column("reservation_line", issued)
    op.create_index(
        "ix_document_line_kept",
        "document_line",
        ["document_id"],
        sqlite_where=sa.text("kept > 0"),
        postgresql_where=sa.text("kept > 0"),
    )
