"""Categories: a tree, whose alert lines hold for products that set none.

`low_stock` is kept in thousandths, since products of one category may differ in precision.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from msgspec import UnsetType
from sqlalchemy.engine import Connection

from dianku.catalog.compositions import way_to
from dianku.catalog.fields import Fields
from dianku.catalog.requests import CategoryPatch, CategoryRecord, NewCategory
from dianku.catalog.tables import category
from dianku.errors import refuse
from dianku.quantity import LINE_DIGITS, QUANTITY_MAX, format_scaled, scaled
from dianku.storage.bulk import insert_rows

_PARENT = category.alias("parent")
_SELECT = sa.select(category, _PARENT.c.code.label("parent")).select_from(
    category.outerjoin(_PARENT, category.c.parent_id == _PARENT.c.id)
)


def create(connection: Connection, new: NewCategory, *, version: int) -> CategoryRecord:
    """Make a category. Raises `Refused`: `already_exists`, `invalid`."""
    fields = Fields()
    values = {
        "code": new.code,
        "name": new.name,
        "parent_id": _parent_id(connection, new.code, new.parent, fields),
        "low_stock": fields.number("/low_stock", new.low_stock, _parse_line),
        "overstock_days": new.overstock_days,
    }
    fields.check()
    same = sa.select(category.c.id).where(category.c.code == new.code)
    if connection.execute(same).scalar() is not None:
        raise refuse("already_exists", what="category", name=new.code)
    connection.execute(sa.insert(category).values(**values, version=version))
    return get(connection, new.code)


def patch(
    connection: Connection, code: str, changes: CategoryPatch, *, version: int
) -> CategoryRecord:
    """Change a category. Raises `Refused`: `not_found`, `invalid`."""
    get(connection, code)
    fields = Fields()
    values: dict[str, Any] = {"version": version}
    if not isinstance(changes.name, UnsetType):
        values["name"] = changes.name
    if not isinstance(changes.parent, UnsetType):
        values["parent_id"] = _parent_id(connection, code, changes.parent, fields)
    if not isinstance(changes.low_stock, UnsetType):
        values["low_stock"] = fields.number("/low_stock", changes.low_stock, _parse_line)
    if not isinstance(changes.overstock_days, UnsetType):
        values["overstock_days"] = changes.overstock_days
    fields.check()
    connection.execute(sa.update(category).where(category.c.code == code).values(**values))
    return get(connection, code)


def create_missing(connection: Connection, codes: Iterable[str], *, version: int) -> int:
    """Make the categories of these codes that are not there, named as their code.

    For imports, whose files know categories by one word. Returns how many were made.
    """
    rows = [(code, code, version) for code in dict.fromkeys(codes)]
    return insert_rows(
        connection,
        category,
        ("code", "name", "version"),
        rows,
        conflict="ON CONFLICT (code) DO NOTHING",
    )


def get(connection: Connection, code: str) -> CategoryRecord:
    """A category. Raises `Refused`: `not_found`."""
    row = connection.execute(_SELECT.where(category.c.code == code)).first()
    if row is None:
        raise refuse("not_found", what="category", name=code)
    return _record(row)


def list_all(connection: Connection) -> list[CategoryRecord]:
    """Every category, by code."""
    return [_record(row) for row in connection.execute(_SELECT.order_by(category.c.code))]


def _record(row: Any) -> CategoryRecord:
    return CategoryRecord(
        code=row.code,
        name=row.name,
        parent=row.parent,
        low_stock=_line_text(row.low_stock),
        overstock_days=row.overstock_days,
    )


def _line_text(thousandths: int | None) -> str | None:
    if thousandths is None:
        return None
    return format_scaled(thousandths, LINE_DIGITS).rstrip("0").rstrip(".")


def _parse_line(number: Decimal) -> int:
    return scaled(number, LINE_DIGITS, largest=QUANTITY_MAX)


def _parent_id(connection: Connection, code: str, parent: str | None, fields: Fields) -> int | None:
    """The parent's row number; that it is there and not below the category itself is checked."""
    if parent is None:
        return None
    rows = connection.execute(_SELECT).all()
    ids = {row.code: row.id for row in rows}
    if parent == code:
        fields.wrong("/parent", "self_reference")
    elif parent not in ids:
        fields.wrong("/parent", "unknown_category", name=parent)
    elif way_to({row.code: [row.parent] for row in rows if row.parent}, parent, code):
        fields.wrong("/parent", "parent_cycle", name=parent)
    return ids.get(parent)
