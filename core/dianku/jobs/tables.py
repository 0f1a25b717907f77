"""What jobs did."""

from __future__ import annotations

import sqlalchemy as sa

from dianku.storage.schema import Id, metadata

job_run = sa.Table(
    "job_run",
    metadata,
    sa.Column("id", Id, sa.Identity(), primary_key=True),
    sa.Column("job", sa.Text, nullable=False),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("message", sa.Text),
    sa.Index("ix_job_run_job", "job", "started_at"),
    sa.CheckConstraint("outcome IN ('running', 'done', 'failed')", name="outcome"),
)
"""`job`: `core.NAME` or `PLUGIN.NAME`. A run that stays `running` was cut off with its process."""
