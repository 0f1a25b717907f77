"""What imported sales cost, so that their margin is one."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add it; what was imported before cost nothing, as it was counted until now."""
    op.add_column(
        "sales_history", sa.Column("cost", sa.BigInteger(), server_default="0", nullable=False)
    )
