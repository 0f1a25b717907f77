"""Tables of imports: each run with its verdicts, and what it changed, so that it can be undone."""

from __future__ import annotations

import sqlalchemy as sa

from dianku.storage.schema import Id, metadata

import_run = sa.Table(
    "import_run",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("file_hash", sa.Text, nullable=False, index=True),
    sa.Column("dry_run", sa.Boolean, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("progress", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("rows", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("created", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("updated", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("unchanged", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("failed", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("remarks", sa.Text, nullable=False, server_default="{}"),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("undone_at", sa.BigInteger),
    sa.Column("undone_by", sa.Text),
    sa.Column("actor_id", sa.Text, info={"since": "0011"}),
    sa.CheckConstraint("status IN ('running', 'done', 'failed', 'undone')", name="status"),
)
"""`progress` and the counts are data rows; the four counts add up to `rows` at the end.

`actor` is a name, which several tokens may bear; `actor_id` is the one whose run it is.

`remarks`: JSON of the wrong cells and notes (bounded, with their totals), the columns as they were
understood, and the problem that ended a run.
"""

import_change = sa.Table(
    "import_change",
    metadata,
    sa.Column("import_id", Id, primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("before", sa.Text),
    sa.Column("after", sa.Text),
    sqlite_with_rowid=False,
)
"""What an import did, in order: a product or category made (`before` NULL) or changed.

`before` and `after` are JSON: the values that an undo puts back, and those that must still stand
for it (a later change by hand is not overwritten).
"""
