"""The notes, and what is secret of them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NOTE = "tasting_note_of_what_a_customer_said_about_goods"
NOTHING = '{"who":1,"sure":"100%","of::text":null}'
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        NOTE,
        sa.Column("id", _ID, primary_key=True),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("liked", sa.Boolean(), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("thanked", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("stars", sa.Double()),
        sa.Column("said", sa.Text(), nullable=False, server_default=NOTHING),
        sa.Column("photo", sa.LargeBinary()),
        sa.CheckConstraint("stars IN (1, 2.5, 5)", name="ck_tasting_stars"),
        sa.CheckConstraint(r"said <> '\:x''::text' OR said LIKE '%\:y'", name="ck_tasting_said"),
    )
    op.create_index(
        "ux_tasting_asked", NOTE, ["id", "said"], unique=True,
        sqlite_where=sa.text("asked"), postgresql_where=sa.text("asked"),
    )  # fmt: skip
    op.create_table(
        "tasting_secret",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("value", sa.Text()),
    )
    op.execute("INSERT INTO tasting_secret VALUES ('recipe', 'hush')")
