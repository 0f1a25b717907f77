"""Tables of the notify hooks: how far each plugin has come, and what it could not take."""

from __future__ import annotations

import sqlalchemy as sa

from dianku.storage.schema import Id, metadata

plugin_cursor = sa.Table(
    "plugin_cursor",
    metadata,
    sa.Column("plugin", sa.Text, primary_key=True),
    sa.Column("event_id", Id, nullable=False),
)
"""The last event a plugin is done with; it begins at the log's end when first seen."""

parked_event = sa.Table(
    "parked_event",
    metadata,
    sa.Column("plugin", sa.Text, primary_key=True),
    sa.Column("event_id", Id, primary_key=True, autoincrement=False),
    sa.Column("hook", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("parked_at", sa.BigInteger, nullable=False),
)
"""Events a plugin failed on too often: shown, and tried again when a person asks."""
