"""Which device a session is on and when it was last heard of, and PINs on shared devices."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add them; of sessions begun before nobody knows."""
    op.add_column("user_session", sa.Column("device", sa.Text(), nullable=True))
    op.add_column("user_session", sa.Column("seen_at", sa.BigInteger(), nullable=True))
    op.add_column("user_session", sa.Column("shared_device_id", sa.BigInteger(), nullable=True))
    op.add_column("user_account", sa.Column("pin", sa.Text(), nullable=True))
    op.create_table(
        "shared_device",
        sa.Column("id", _ID, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("stores", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_device")),
        sa.UniqueConstraint("hash", name=op.f("uq_shared_device_hash")),
    )
