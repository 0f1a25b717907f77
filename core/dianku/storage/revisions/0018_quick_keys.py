"""Keys of goods that a shop chose for its counter."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add them; nobody had chosen any before."""
    op.create_table(
        "quick_key",
        sa.Column("store_id", _ID, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("product_id", _ID, nullable=False),
        sa.Column("colour", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_quick_key_product_id")
        ),
        sa.PrimaryKeyConstraint("store_id", "position", name=op.f("pk_quick_key")),
    )
    op.create_index(op.f("ix_quick_key_product_id"), "quick_key", ["product_id"])
