"""All the kernel's tables: importing this module makes `schema.metadata` complete.

Every module named `tables.py` in this package counts, so a new part of the kernel brings its
tables by having one. The order is that of their foreign keys.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path
from types import ModuleType

import sqlalchemy as sa

import dianku
from dianku.storage.schema import metadata

_ROOT = Path(dianku.__file__).parent


def _modules() -> list[ModuleType]:
    here = Path(__file__)
    names = [
        ".".join(("dianku", *path.relative_to(_ROOT).with_suffix("").parts))
        for path in sorted(_ROOT.rglob("tables.py"))
        if path != here
    ]
    return [import_module(name) for name in ("dianku.storage.schema", *names)]


def _defined_in(module: ModuleType) -> dict[str, sa.Table]:
    found = (value for value in vars(module).values() if isinstance(value, sa.Table))
    return {table.name: table for table in found}


def kernel_tables() -> dict[str, list[sa.Table]]:
    """The tables by the part of the kernel they belong to, each after those it refers to.

    A part is named by its package: `storage`, `catalog`, `ledger` ...
    """
    parts: dict[str, list[sa.Table]] = {}
    owner: dict[str, str] = {}
    for module in _modules():
        part = module.__name__.split(".")[1]
        for name in _defined_in(module):
            owner.setdefault(name, part)
    for table in metadata.sorted_tables:
        if table.name in owner:
            parts.setdefault(owner[table.name], []).append(table)
    order: TopologicalSorter[str] = TopologicalSorter()
    for part in sorted(parts):
        needs = {
            owner[key.column.table.name] for table in parts[part] for key in table.foreign_keys
        }
        order.add(part, *sorted(needs - {part}))
    return {part: parts[part] for part in order.static_order()}


TABLES = tuple(table for tables in kernel_tables().values() for table in tables)
"""Every table of the kernel, those referred to first."""
