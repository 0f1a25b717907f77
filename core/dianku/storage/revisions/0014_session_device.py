"""Which device a session is on, and when it was last heard of."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"


def upgrade() -> None:
    """Add them; of sessions begun before nobody knows."""
    op.add_column("user_session", sa.Column("device", sa.Text(), nullable=True))
    op.add_column("user_session", sa.Column("seen_at", sa.BigInteger(), nullable=True))
