"""Whose an import is: of several tokens of one name, one."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add it; nobody is known for what was imported before, so who is limited sees none of it."""
    op.add_column("import_run", sa.Column("actor_id", sa.Text(), nullable=True))
