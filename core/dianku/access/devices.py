"""Shared devices, and signing in on them with a PIN.

A PIN is short, so it is good on no device but those that an owner or a manager has enrolled, opens
no owner's rights, and ends with the day's work. Wrong ones are counted by person and by device, as
passwords are: many at once are no more than one by one.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from dianku.access import store
from dianku.access.permissions import OWNER
from dianku.access.records import DeviceRecord, NewDevice, SignInByPin, ThisDevice
from dianku.access.secrets import check_password, hashed, new_secret
from dianku.access.service import Access, within
from dianku.access.sessions import Session, Sessions
from dianku.access.tables import shared_device, user_account, user_session
from dianku.clock import Clock, format_ms
from dianku.context import Context
from dianku.errors import refuse
from dianku.storage.engine import Database

PIN_SESSION_MS = 12 * 3_600_000
EDIT_PERMISSION = "device.edit"


class Devices:
    """The shared devices of one shop."""

    def __init__(self, database: Database, *, access: Access, clock: Clock) -> None:
        self._database = database
        self._access = access
        self._clock = clock
        self._sessions = Sessions(database, access=access, clock=clock)

    def enrol(self, new: NewDevice, *, ctx: Context) -> tuple[str, DeviceRecord]:
        """Make the caller's device a shared one of their stores; its secret and its record.

        Raises:
            Refused: `forbidden`.
        """
        ctx.require(EDIT_PERMISSION)
        secret = new_secret()
        mine = ctx.actor.stores
        values = {
            "hash": hashed(secret),
            "name": new.name,
            "stores": store.stores_text(None if mine is None else sorted(mine)),
            "created_at": self._clock.now_ms(),
            "created_by": ctx.actor.name,
        }
        with self._access.changing() as connection:
            row = connection.execute(
                sa.insert(shared_device).values(**values).returning(*shared_device.c)
            ).one()
            record = _record(row)
            details = {"subject": record.name, "after": record}
            self._access.note(connection, ctx, "device.enrol", details)
        return secret, record

    def list_all(self, *, ctx: Context) -> list[DeviceRecord]:
        """Those whose stores are all the caller's too, by name. Raises `Refused`: `forbidden`."""
        ctx.require(EDIT_PERMISSION)
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(shared_device).order_by(shared_device.c.name))
            return [_record(row) for row in rows if within(ctx, row.stores)]

    def remove(self, device_id: str, *, ctx: Context) -> None:
        """No PIN is good there any longer, and who signed in with one is signed out.

        Raises:
            Refused: `forbidden`, `not_found`.
        """
        found = [one for one in self.list_all(ctx=ctx) if one.id == device_id]
        if not found:
            raise refuse("not_found", what="device", name=device_id[:40])
        at = int(found[0].id)
        with self._access.changing() as connection:
            connection.execute(sa.delete(user_session).where(user_session.c.shared_device_id == at))
            connection.execute(sa.delete(shared_device).where(shared_device.c.id == at))
            details = {"subject": found[0].name, "before": found[0]}
            self._access.note(connection, ctx, "device.remove", details)

    def this(self, secret: str) -> ThisDevice:
        """What the device with this secret is, and who may sign in on it with a PIN."""
        device = self._device(secret)
        if device is None:
            return ThisDevice(name=None, people=[])
        return ThisDevice(name=device.name, people=[row.name for row in self._people(device)])

    def sign_in(self, wish: SignInByPin, secret: str) -> Session:
        """Begin a session with a PIN. A wrong name takes as long as a wrong PIN.

        Raises:
            Refused: `unauthorized` (no shared device), `wrong_password`, `rate_limited`.
        """
        device = self._device(secret)
        if device is None:
            raise refuse("unauthorized")
        tried = [hashed(f"pin\0{wish.name.casefold()}"), hashed(f"pin device\0{device.id}")]
        for one in tried:
            self._sessions.count_try(one)
        person = next((row for row in self._people(device) if row.name == wish.name), None)
        right = check_password(None if person is None else person.pin, wish.pin)
        if not right or person is None:
            raise refuse("wrong_password")
        return self._sessions.begin(
            int(person.id),
            tried,
            lasts_ms=PIN_SESSION_MS,
            device=device.name,
            shared_device_id=int(device.id),
        )

    def _device(self, secret: str) -> Row[Any] | None:
        if not secret:
            return None
        query = sa.select(shared_device).where(shared_device.c.hash == hashed(secret))
        with self._database.reading() as connection:
            return connection.execute(query).one_or_none()

    def _people(self, device: Row[Any]) -> list[Row[Any]]:
        query = (
            sa.select(user_account)
            .where(
                user_account.c.active,
                user_account.c.pin.is_not(None),
                user_account.c.role != OWNER,
            )
            .order_by(user_account.c.name)
        )
        there = store.stores_of(device.stores)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [row for row in rows if _meet(there, store.stores_of(row.stores))]


def _meet(left: list[str] | None, right: list[str] | None) -> bool:
    return left is None or right is None or not set(left).isdisjoint(right)


def _record(row: Row[Any]) -> DeviceRecord:
    return DeviceRecord(
        id=str(row.id),
        name=row.name,
        stores=store.stores_of(row.stores),
        created_at=format_ms(row.created_at),
        created_by=row.created_by,
    )
