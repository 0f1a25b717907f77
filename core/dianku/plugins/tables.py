"""Which plugins the shop switched off."""

from __future__ import annotations

import sqlalchemy as sa

from dianku.storage.schema import metadata

plugin_switch = sa.Table(
    "plugin_switch",
    metadata,
    sa.Column("plugin", sa.Text, primary_key=True),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
)
"""A plugin without a row is on: installing it was the choice. Read at start only."""
