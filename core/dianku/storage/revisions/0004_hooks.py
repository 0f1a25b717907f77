"""The kernel's first tables: hooks."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _parked_event()
    _plugin_cursor()


def _parked_event() -> None:
    op.create_table(
        "parked_event",
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("event_id", _ID, autoincrement=False, nullable=False),
        sa.Column("hook", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("parked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("plugin", "event_id", name=op.f("pk_parked_event")),
    )


def _plugin_cursor() -> None:
    op.create_table(
        "plugin_cursor",
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("event_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("plugin", name=op.f("pk_plugin_cursor")),
    )
