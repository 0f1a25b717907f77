"""The one `MetaData` of the kernel and the column types its tables share.

Times are BIGINT milliseconds since 1970 in UTC (`..._at`), dates INTEGER day numbers (`..._on`,
`business_date`), quantities BIGINT steps, amounts BIGINT minor units, costs and values BIGINT
1/10000 of the currency unit (`dianku.quantity`). JSON is kept as text.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""A row number. INTEGER on SQLite, where only that is the rowid itself."""

counter = sa.Table(
    "counter",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
"""Named numbers: the last event, the last number of each series, the versions of what is cached."""

event = sa.Table(
    "event",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("store_id", Id),
    sa.Column("data", sa.Text, nullable=False),
)
"""The event log: ids without gaps in the order of commits, so a reader's cursor skips nothing."""
