"""Channels: the ways goods are sold by, and who of them may sell what the books do not show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET
from sqlalchemy.engine import Connection

from dianku.catalog.fields import Fields
from dianku.catalog.requests import ChannelPatch, ChannelRecord, NewChannel
from dianku.catalog.snapshot import CATALOG_VERSION
from dianku.catalog.tables import channel, store
from dianku.context import Context
from dianku.errors import refuse
from dianku.storage.bulk import insert_rows
from dianku.storage.events import bump

COUNTER = "counter"
"""The channel of sales over the counter: there from the start, never refuses a customer (I5)."""


def ensure_defaults(connection: Connection) -> bool:
    """Make the channel `counter` if it is not there; True if it was made."""
    made = insert_rows(
        connection,
        channel,
        ("name", "kind", "policy", "issue_on"),
        [(COUNTER, "counter", "permissive", "paid")],
        conflict="ON CONFLICT (name) DO NOTHING",
    )
    if made:
        bump(connection, CATALOG_VERSION)
    return bool(made)


def has_defaults(connection: Connection) -> bool:
    """Whether the channel `counter` is there, without writing anything."""
    same = sa.select(channel.c.id).where(channel.c.name == COUNTER)
    return connection.execute(same).scalar() is not None


def create(connection: Connection, new: NewChannel, *, version: int) -> ChannelRecord:
    """Make a channel. Raises `Refused`: `already_exists`, `invalid`."""
    _check_stores(connection, new.stores)
    same = sa.select(channel.c.id).where(channel.c.name == new.name)
    if connection.execute(same).scalar() is not None:
        raise refuse("already_exists", what="channel", name=new.name)
    values = _columns(msgspec.structs.asdict(new))
    connection.execute(sa.insert(channel).values(**values, version=version))
    return get(connection, new.name)


def patch(
    connection: Connection, name: str, changes: ChannelPatch, *, version: int
) -> ChannelRecord:
    """Change a channel. Raises `Refused`: `not_found`, `invalid`."""
    get(connection, name)
    given = {k: v for k, v in msgspec.structs.asdict(changes).items() if v is not UNSET}
    _check_stores(connection, given.get("stores", ()))
    values = _columns(given)
    connection.execute(
        sa.update(channel).where(channel.c.name == name).values(**values, version=version)
    )
    return get(connection, name)


def get(connection: Connection, name: str) -> ChannelRecord:
    """A channel. Raises `Refused`: `not_found`."""
    row = connection.execute(sa.select(channel).where(channel.c.name == name)).first()
    if row is None:
        raise refuse("not_found", what="channel", name=name)
    return _record(row)


def list_all(connection: Connection, *, ctx: Context) -> list[ChannelRecord]:
    """The channels a caller may know of, by name, each with those of its stores they see."""
    query = sa.select(channel).order_by(channel.c.name)
    found = []
    for record in (_record(row) for row in connection.execute(query)):
        seen = [code for code in record.stores if ctx.sees_store(code)]
        if seen or not record.stores:
            found.append(msgspec.structs.replace(record, stores=seen))
    return found


def check_scope(ctx: Context, stores: Sequence[str]) -> None:
    """Refuse a channel of stores the caller may not see; without stores it is every store's.

    Raises:
        Refused: `forbidden`.
    """
    if not stores:
        ctx.require_all_stores()
    hidden = next((code for code in stores if not ctx.sees_store(code)), None)
    if hidden is not None:
        raise refuse("forbidden", permission="store", store=hidden)


def _columns(given: dict[str, Any]) -> dict[str, Any]:
    if "stores" not in given:
        return given
    stores = list(dict.fromkeys(given["stores"]))
    return {**given, "stores": msgspec.json.encode(stores).decode()}


def _record(row: Any) -> ChannelRecord:
    return ChannelRecord(
        name=row.name,
        kind=row.kind,
        policy=row.policy,
        issue_on=row.issue_on,
        stores=msgspec.json.decode(row.stores, type=list[str]),
    )


def _check_stores(connection: Connection, codes: Sequence[str]) -> None:
    known = set(connection.execute(sa.select(store.c.code)).scalars()) if codes else set()
    fields = Fields()
    for i, code in enumerate(codes):
        if code not in known:
            fields.wrong(f"/stores/{i}", "unknown_store", name=code)
    fields.check()
