"""Tables of the settings. Secrets stand in a table of their own, which backups leave out."""

from __future__ import annotations

import sqlalchemy as sa

from dianku.storage.schema import metadata

setting = sa.Table(
    "setting",
    metadata,
    sa.Column("section", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
"""What was set, as JSON; a field without a row has its default."""

setting_secret = sa.Table(
    "setting_secret",
    metadata,
    sa.Column("section", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    info={"secret": True},
)
"""As `setting`, for what must not be shown: plugins cannot read it, backups are made without it."""
