"""The kernel's first tables: settings."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _setting()
    _setting_secret()


def _setting() -> None:
    op.create_table(
        "setting",
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("section", "key", name=op.f("pk_setting")),
    )


def _setting_secret() -> None:
    op.create_table(
        "setting_secret",
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("section", "key", name=op.f("pk_setting_secret")),
        info={"secret": True},
    )
