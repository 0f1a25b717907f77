"""Write the kernel's first revisions out of its tables: `python -m dianku.testing.freeze`.

Revisions are frozen code: they say `op.create_table(...)` with literals and import nothing that
may change later. These files stay as they are: a table, column or index that came later names the
revision it came with (`info={"since": "0010"}`), which is written by hand. A test compares what all
of them make with what the tables say.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from alembic.autogenerate import render_python_code
from alembic.operations.ops import CreateIndexOp, CreateTableOp, UpgradeOps

from dianku.storage.migrate import CORE
from dianku.storage.tables import kernel_tables

_HEAD = '''"""The kernel's first tables: {part}."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down}

_ID = {id}


def upgrade() -> None:
    """Make them."""
'''
LATER = "since"
"""What a table, column or index that the first revisions do not make bears in its `info`."""

_ID = "sa.BigInteger().with_variant(sa.Integer(), 'sqlite')"
_FORMAT = ("-m", "ruff", "format", "--quiet")


def revision_texts() -> dict[str, str]:
    """The text of each revision by its file name."""
    texts, down = {}, "None"
    for number, (part, all_tables) in enumerate(kernel_tables().items(), start=1):
        tables = [table for table in all_tables if LATER not in table.info]
        revision = f"{number:04}"
        steps = "\n".join(f"    _{table.name}()" for table in tables)
        makers = "\n\n\n".join(_maker(table) for table in tables)
        head = _HEAD.format(part=part, revision=revision, down=down, id=_ID)
        texts[f"{revision}_{part}.py"] = f"{head}{steps}\n\n\n{makers}\n"
        down = f'"{revision}"'
    return texts


def _maker(table: sa.Table) -> str:
    first = (index for index in table.indexes if LATER not in index.info)
    indexes = sorted(first, key=lambda index: str(index.name))
    made = CreateTableOp.from_table(table)
    made.columns = [column for column in made.columns if LATER not in column.info]
    code = render_python_code(
        UpgradeOps([made, *map(CreateIndexOp.from_index, indexes)]),
        render_item=_rendered,
    )
    body = re.sub(r"^ *# ###.*\n?", "", code, flags=re.MULTILINE).strip().replace(_ID, "_ID")
    return f"def _{table.name}() -> None:\n    {body}"


def _rendered(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Render truth values by name: written as 0 or 1 they suit one database only."""
    value = getattr(item, "arg", None) if kind == "server_default" else None
    if isinstance(value, sa.True_ | sa.False_):
        return "sa.true()" if isinstance(value, sa.True_) else "sa.false()"
    return False


def write(folder: Path) -> list[Path]:
    """Write the revisions into a folder, formatted; those of their names are replaced."""
    paths = []
    for name, text in revision_texts().items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    subprocess.run([sys.executable, *_FORMAT, *map(str, paths)], check=True)  # noqa: S603
    return paths


def main() -> None:
    """Write them where they belong."""
    for path in write(CORE.folder):
        print(path)  # noqa: T201


if __name__ == "__main__":
    main()
