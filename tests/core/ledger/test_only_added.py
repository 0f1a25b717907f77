"""Documents and moves are only ever added (I2), and no plugin writes the ledger's tables (I6)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from busy_day import stock_shop, trade
from driver import hearing
from say import Day

import dianku
from dianku.ledger import tables
from dianku.storage.engine import Database
from dianku.storage.fence import FenceBroken, FencedDatabase
from dianku.testing.digest import database_digest
from dianku.testing.shop import Shop

KEPT = ("document", "document_line", "document_payment", "stock_move")
_NAMES = "|".join(KEPT)
CHANGE = re.compile(
    rf"\b(?:UPDATE|DELETE\s+FROM|REPLACE\s+INTO|TRUNCATE(?:\s+TABLE)?|MERGE\s+INTO)\s+(?:{_NAMES})\b",
    re.IGNORECASE,
)
CALL = re.compile(
    rf"\b(?:update|delete|update_rows|delete_rows)\(\s*(?:\w+,\s*)?[\"']?(?:\w+\.)?(?:{_NAMES})\b"
    rf"|\b(?:{_NAMES})\.(?:update|delete)\("
)


def joined(source: str) -> str:
    """A source with the strings of one statement drawn together."""
    return re.sub(r"[\"']\s*\n\s*f?[\"']", "", source)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stock_move SET quantity = 0",
        '"DELETE "\n    "FROM document WHERE id = 1"',
        "update_rows(connection, t.document_line, sets=())",
        'delete_rows(connection, "stock_move", ("id",), [])',
        "sa.delete(document)",
        "t.document.update().values(note='x')",
    ],
)
def test_the_search_below_would_find(statement: str) -> None:
    assert CHANGE.search(joined(statement)) or CALL.search(joined(statement))


def test_no_code_changes_or_deletes_documents_lines_or_moves() -> None:
    sources = sorted(Path(dianku.__file__).parent.rglob("*.py"))
    assert len(sources) > 100, "the sources were not found"
    for path in sources:
        source = joined(path.read_text(encoding="utf-8"))
        for pattern in (CHANGE, CALL):
            assert (found := pattern.search(source)) is None, f"{path}: {found}"


def test_busy_day_only_adds_documents_lines_and_moves(
    day: Day, shop: Shop, database: Database
) -> None:
    stock_shop(shop)
    heard: list[str] = []

    def listen(_connection: Any, statement: str) -> None:
        heard.append(" ".join(statement.split()))

    with hearing(database, listen):
        trade(day)
        morning = rows_of(database)
        day.clock.advance(days=1)
        day.ledger.sweep()
        trade(day)
        day.ledger.rebuild()

    for table in KEPT:
        own = [s for s in heard if re.search(rf"\bINTO {table}\b", s)]
        assert len(own) > (5 if table == "document_payment" else 20)
        assert not [s for s in own if "CONFLICT" in s]
        assert not [s for s in heard if CHANGE.search(s)]
        evening = rows_of(database)[table]
        assert len(evening) > len(morning[table])
        assert evening[: len(morning[table])] == morning[table], "the past has changed"


def rows_of(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    found = {}
    with database.reading() as connection:
        for name in KEPT:
            rows = connection.execute(sa.text(f"SELECT * FROM {name} ORDER BY 1, 2"))
            found[name] = [tuple(row) for row in rows]
    return found


def test_plugin_cannot_write_any_table_of_the_ledger(
    day: Day, shop: Shop, database: Database
) -> None:
    stock_shop(shop)
    trade(day)
    before = database_digest(database)
    fenced = FencedDatabase(database, plugin="alerts")
    refused = []
    for table in (x for x in vars(tables).values() if isinstance(x, sa.Table)):
        with database.reading() as connection:
            if connection.execute(sa.select(table)).first() is None:
                continue
        column = next(iter(table.columns)).name
        for change in (f"UPDATE {table.name} SET {column} = {column}", f"DELETE FROM {table.name}"):
            with pytest.raises(FenceBroken), fenced.writing() as connection:
                connection.execute(sa.text(change))
        refused.append(table.name)
    fenced.close()
    assert len(refused) >= 12, refused
    assert database_digest(database) == before
