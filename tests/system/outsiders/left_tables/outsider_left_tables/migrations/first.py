"""Its first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    note = op.create_table("left_tables_note", sa.Column("id", sa.Integer))
    op.bulk_insert(note, [{"id": 1}])
