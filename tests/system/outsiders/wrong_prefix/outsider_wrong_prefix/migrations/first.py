"""Its first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    op.create_table("wrong_prefix_note", sa.Column("id", sa.Integer))
    op.create_table("loose_note", sa.Column("id", sa.Integer))
