"""Which plugins the shop switched off, and what went wrong with those that run."""

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

plugin_fault = sa.Table(
    "plugin_fault",
    metadata,
    sa.Column("plugin", sa.Text, primary_key=True),
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("remedy", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    info={"since": "0012"},
)
"""The last faults of each plugin and where they were (a hook, a job), since a server began."""
