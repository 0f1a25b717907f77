"""Tables of access: who may sign in, with what, and what administrators did.

Secrets stand here as hashes only: tokens, sessions and set-up links as SHA-256 of 256 random
bits, passwords as argon2id.
"""

from __future__ import annotations

import sqlalchemy as sa

from dianku.storage.schema import Id, metadata

user_account = sa.Table(
    "user_account",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("stores", sa.Text),
    sa.Column("password", sa.Text),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("pin", sa.Text, info={"since": "0013"}),
)
"""`stores`: JSON list of store codes, NULL for all. `password`: argon2id, NULL: cannot sign in.
`pin`: argon2id as well; good on shared devices only.
"""

shared_device = sa.Table(
    "shared_device",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("stores", sa.Text),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    info={"since": "0013"},
)
"""Devices on which people sign in with a PIN; `stores` as with people, of whom enrolled it."""

access_token = sa.Table(
    "access_token",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("stores", sa.Text),
    sa.Column("prefix", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("revoked_at", sa.BigInteger),
)

user_session = sa.Table(
    "user_session",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("user_account.id"), nullable=False, index=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("device", sa.Text, info={"since": "0013"}),
    sa.Column("seen_at", sa.BigInteger, info={"since": "0013"}),
    sa.Column("shared_device_id", sa.BigInteger, info={"since": "0013"}),
)
"""`device`: what the browser calls itself; `seen_at`: about when it last asked for something.
`shared_device_id`: the device whose end is the session's too.
"""

setup_link = sa.Table(
    "setup_link",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("used_at", sa.BigInteger),
)
"""The one-time link by which the first owner names themselves."""

sign_in_failure = sa.Table(
    "sign_in_failure",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
)
"""Wrong passwords in a row by the hash of the name tried, in every process alike."""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("before", sa.Text),
    sa.Column("after", sa.Text),
)
"""Append-only: who changed what, when, in which request; `before` and `after` without secrets."""
