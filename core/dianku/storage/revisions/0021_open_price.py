"""Goods whose price is said at the till have bounds to say it within."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add them; no product has any yet."""
    for name in ("open_price_min", "open_price_max"):
        op.add_column("product", sa.Column(name, sa.BigInteger))
