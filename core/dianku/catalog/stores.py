"""Stores: places that hold stock, each with its own clock, day cut-off and scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET
from sqlalchemy.engine import Connection

from dianku.catalog.fields import Fields
from dianku.catalog.requests import NewStore, ScaleTemplate, StorePatch, StoreRecord
from dianku.catalog.tables import store
from dianku.clock import timezones
from dianku.errors import refuse

LABEL_SIZES = (13, 18)
"""Digits on the labels that scales print."""
_SIZES = ", ".join(map(str, LABEL_SIZES))


def create(connection: Connection, new: NewStore, *, version: int) -> StoreRecord:
    """Make a store. Raises `Refused`: `already_exists`, `invalid`."""
    fields = Fields()
    _check_timezone(new.timezone, fields)
    _check_templates(new.scale_templates, fields)
    fields.check()
    known = connection.execute(sa.select(store.c.id).where(store.c.code == new.code)).scalar()
    if known is not None:
        raise refuse("already_exists", what="store", name=new.code)
    values = _columns(msgspec.structs.asdict(new))
    connection.execute(sa.insert(store).values(**values, version=version))
    return get(connection, new.code)


def patch(connection: Connection, code: str, changes: StorePatch, *, version: int) -> StoreRecord:
    """Change a store. Raises `Refused`: `not_found`, `invalid`."""
    get(connection, code)
    given = {k: v for k, v in msgspec.structs.asdict(changes).items() if v is not UNSET}
    fields = Fields()
    if "timezone" in given:
        _check_timezone(given["timezone"], fields)
    _check_templates(given.get("scale_templates", ()), fields)
    fields.check()
    values = _columns(given)
    connection.execute(
        sa.update(store).where(store.c.code == code).values(**values, version=version)
    )
    return get(connection, code)


def get(connection: Connection, code: str) -> StoreRecord:
    """A store. Raises `Refused`: `not_found`."""
    row = connection.execute(sa.select(store).where(store.c.code == code)).first()
    if row is None:
        raise refuse("not_found", what="store", name=code)
    return _record(row)


def list_all(connection: Connection) -> list[StoreRecord]:
    """Every store, by code."""
    return [_record(row) for row in connection.execute(sa.select(store).order_by(store.c.code))]


def _columns(given: dict[str, Any]) -> dict[str, Any]:
    """A request's fields as columns."""
    values = dict(given)
    if "day_cutoff" in values:
        hours, minutes = values.pop("day_cutoff").split(":")
        values["day_cutoff_minutes"] = int(hours) * 60 + int(minutes)
    if "scale_templates" in values:
        values["scale_templates"] = msgspec.json.encode(values["scale_templates"]).decode()
    return values


def _record(row: Any) -> StoreRecord:
    hours, minutes = divmod(row.day_cutoff_minutes, 60)
    return StoreRecord(
        code=row.code,
        name=row.name,
        kind=row.kind,
        timezone=row.timezone,
        day_cutoff=f"{hours:02d}:{minutes:02d}",
        scale_templates=msgspec.json.decode(row.scale_templates, type=list[ScaleTemplate]),
    )


def _check_timezone(name: str, fields: Fields) -> None:
    if name not in timezones():
        fields.wrong("/timezone", "unknown_timezone", name=name)


def _check_templates(templates: Sequence[ScaleTemplate], fields: Fields) -> None:
    """Whether each label can be told from the others and adds up to a label's length."""
    seen: set[tuple[str, int]] = set()
    for i, scale in enumerate(templates):
        if len(scale.template) not in LABEL_SIZES:
            fields.wrong(
                f"/scale_templates/{i}/template",
                "bad_length",
                sizes=_SIZES,
            )
        if scale.template.count("F") != len(scale.prefix):
            fields.wrong(f"/scale_templates/{i}/prefix", "prefix_mismatch", prefix=scale.prefix)
        key = (scale.prefix, len(scale.template))
        if key in seen:
            fields.wrong(f"/scale_templates/{i}/prefix", "duplicate", name=scale.prefix)
        seen.add(key)
