"""Who writes the ledger's tables (invariant I6), read from the code itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from dianku.ledger import tables

ROOT = Path(__file__).parents[2]
LEDGER = {table.name for table in vars(tables).values() if isinstance(table, sa.Table)}
STATEMENT = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)")
CALLS = {"insert_rows", "update_rows", "delete_rows", "_upsert", "insert", "update", "delete"}
POSTING = "ledger/posting/"
"""The room of the poster and of the modules it loads and writes with."""
OTHERS = {
    "ledger/verify/rebuild.py": "derived tables, anew from the moves",
    "ledger/attached.py": "files beside a document, which stays as it was posted",
    "ledger/history.py": "sales of the time before, and their sums",
    "ledger/closing.py": "closes a day",
    "ledger/exceptions.py": "settles an exception",
    "idempotency.py": "keys of requests that post no document",
}


def written(path: Path) -> set[str]:
    """The ledger's tables that a module changes."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.update(STATEMENT.findall(node.value))
        elif isinstance(node, ast.Call) and _name(node.func) in CALLS:
            on = [node.func.value] if isinstance(node.func, ast.Attribute) else []
            found.update(_name(each) for each in (*on, *node.args))
    return found & LEDGER


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant):
        return str(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def test_tables_of_the_ledger_are_written_by_the_ledgers_modules_alone() -> None:
    core = ROOT / "core" / "dianku"
    writers = {path.relative_to(core).as_posix(): written(path) for path in core.rglob("*.py")}
    skipped = ("storage/revisions/", "testing/")
    found = {name for name, what in writers.items() if what and not name.startswith(skipped)}
    posting = {name for name in found if name.startswith(POSTING)}
    assert "ledger/posting/write_documents.py" in posting, "the walk finds what is written"
    assert found - posting == set(OTHERS)


@pytest.mark.parametrize("table", ["document", "document_line", "document_payment", "stock_move"])
def test_append_only_tables_are_written_by_one_module(table: str) -> None:
    core = ROOT / "core" / "dianku" / "ledger"
    assert [p.name for p in core.rglob("*.py") if table in written(p)] == ["write_documents.py"]
