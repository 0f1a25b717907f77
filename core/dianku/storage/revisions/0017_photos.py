"""What goods look like, and files that show what a document was."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add them; nothing had any before."""
    op.add_column("product", sa.Column("photo", sa.Text(), nullable=True))
    op.create_table(
        "document_attachment",
        sa.Column("document_id", _ID, autoincrement=False, nullable=False),
        sa.Column("attachment", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "attachment", name=op.f("pk_document_attachment")),
        sqlite_with_rowid=False,
    )
