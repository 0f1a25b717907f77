"""How sales were paid and returns refunded."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add them; of what was posted before nobody said."""
    op.create_table(
        "document_payment",
        sa.Column("document_id", _ID, autoincrement=False, nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "part", name=op.f("pk_document_payment")),
        sqlite_with_rowid=False,
    )
