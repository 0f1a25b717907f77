"""Migrations: one line per owner, all or nothing, once however many servers start together."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from dianku.storage import tables
from dianku.storage.engine import Database
from dianku.storage.migrate import CORE, MigrationFailed, Owner, pending, status, upgrade
from dianku.storage.schema import metadata
from dianku.testing import freeze

_LINE = re.compile(r"\n|, (?=\w+ [A-Z]+)")
REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down!r}


def upgrade() -> None:
    {body}
"""


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    database = Database(empty_database_url)
    yield database
    database.close()


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[..., Owner]:
    """A plugin's revisions, made of the bodies of their `upgrade`."""

    def make(name: str, *bodies: str) -> Owner:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        down = None
        for number, body in enumerate(bodies, start=1):
            text = REVISION.format(revision=f"{number:04}", down=down, body=body)
            (folder / f"{number:04}_step.py").write_text(text)
            down = f"{number:04}"
        return Owner(name, folder)

    return make


def table(name: str) -> str:
    return f'op.create_table("{name}", sa.Column("id", sa.BigInteger, primary_key=True))'


def schema_of(database: Database) -> list[str]:
    """What the database itself says that it is made of, the version table apart."""
    if database.dialect == "sqlite":
        sql = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    else:
        sql = (
            "SELECT c.relname, c.relname || ' ' || coalesce(c.reloptions::text, '') || ' ' || "
            "coalesce(pg_get_indexdef(i.indexrelid), '') FROM pg_class c "
            "LEFT JOIN pg_index i ON i.indexrelid = c.oid "
            "WHERE c.relnamespace = 'public'::regnamespace "
            "UNION ALL SELECT t.relname, t.relname || ' ' || k.conname || ' ' || "
            "pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_class t "
            "ON t.oid = k.conrelid WHERE k.connamespace = 'public'::regnamespace "
            "UNION ALL SELECT table_name, concat_ws(' ', table_name, ordinal_position, "
            "column_name, data_type, is_nullable, column_default) "
            "FROM information_schema.columns WHERE table_schema = 'public'"
        )
    with database.reading() as connection:
        rows = connection.execute(sa.text(sql)).all()
    made = [str(text) for name, text in rows if not name.startswith("alembic_version")]
    if database.dialect == "sqlite":
        # Constraints stand in a table's text in the order they were given, and a column that
        # was added later on the line of the one before it: neither means anything.
        made = ["\n".join(sorted(line.strip(" ,\t") for line in _LINE.split(s))) for s in made]
    return sorted(made)


def test_upgrade_from_empty_makes_what_the_tables_say(empty: Database) -> None:
    assert [state.owner for state in pending(empty)] == ["core"]
    upgrade(empty)
    assert pending(empty) == []
    with empty.writing() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": lambda name, kind, _: _ours(name, kind)}
        )
        assert compare_metadata(context, metadata) == []


def _ours(name: str | None, kind: str) -> bool:
    return kind != "table" or not (name or "").startswith("alembic_version")


def test_upgrade_makes_the_same_schema_as_the_tables_themselves(
    database: Database, empty: Database
) -> None:
    """`database` is made by the tables; partial indexes, WITHOUT ROWID and fill factors count."""
    with database.writing() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    upgrade(empty)
    assert schema_of(empty) == schema_of(database)


def test_first_revisions_are_those_the_tables_would_freeze_to(tmp_path: Path) -> None:
    frozen = {path.name: path.read_text() for path in freeze.write(tmp_path)}
    kept = {name: (CORE.folder / name).read_text() for name in frozen}
    assert kept == frozen, "run: python -m dianku.testing.freeze"


def test_tables_module_finds_every_table_of_the_metadata() -> None:
    assert {one.name for one in tables.TABLES} == set(metadata.tables)


def test_upgrade_of_a_current_database_changes_nothing(
    empty: Database, database_digest: Callable[[Database], str]
) -> None:
    assert [state.owner for state in upgrade(empty)] == ["core"]
    before = database_digest(empty)
    assert upgrade(empty) == []
    assert database_digest(empty) == before


def test_upgrade_of_a_plugin_keeps_a_position_of_its_own(
    empty: Database, plugin: Callable[..., Owner]
) -> None:
    stocktake = plugin("stocktake", table("stocktake_sheet"))
    upgrade(empty, [CORE, stocktake])
    upgrade(empty, [CORE, plugin("stocktake", table("stocktake_sheet"), table("stocktake_entry"))])
    with empty.reading() as connection:
        names = sa.inspect(connection).get_table_names()
    assert {"stocktake_sheet", "stocktake_entry", "alembic_version_stocktake"} <= set(names)
    assert [state.current for state in status(empty, [stocktake])] == ["0002"]


def test_upgrade_without_a_plugin_that_left_keeps_its_tables(
    empty: Database, plugin: Callable[..., Owner]
) -> None:
    alerts = plugin("alerts", table("alerts_alert"))
    upgrade(empty, [CORE, alerts])
    assert upgrade(empty, [CORE]) == []
    with empty.reading() as connection:
        assert sa.inspect(connection).has_table("alerts_alert")
    assert upgrade(empty, [CORE, alerts]) == []


def test_upgrade_that_fails_half_way_leaves_nothing_of_that_owner(
    empty: Database, plugin: Callable[..., Owner]
) -> None:
    broken = plugin("broken", table("broken_one"), 'raise ValueError("no")')
    with pytest.raises(MigrationFailed, match=r"'broken'.*ValueError: no"):
        upgrade(empty, [CORE, broken])
    with empty.reading() as connection:
        assert not sa.inspect(connection).has_table("broken_one")
    assert pending(empty, [CORE]) == [], "owners before the broken one are up"


def test_upgrade_of_a_database_from_newer_code_is_refused(
    empty: Database, plugin: Callable[..., Owner]
) -> None:
    upgrade(empty, [plugin("alerts", table("alerts_a"), table("alerts_b"))])
    (plugin("alerts").folder / "0002_step.py").unlink()
    older = plugin("alerts")
    assert [state.known for state in status(empty, [older])] == [False]
    with pytest.raises(MigrationFailed, match="'0002', which this version does not know"):
        upgrade(empty, [older])


@pytest.mark.sqlite_only
def test_upgrade_that_rebuilds_a_table_on_sqlite_keeps_rows_that_refer_to_it(
    empty: Database, plugin: Callable[..., Owner]
) -> None:
    first = (
        'op.create_table("p_a", sa.Column("id", sa.Integer, primary_key=True))\n'
        '    op.create_table("p_b", sa.Column("a", sa.Integer, '
        'sa.ForeignKey("p_a.id", ondelete="CASCADE", name="fk_b")))\n'
        '    op.execute("INSERT INTO p_a VALUES (1)")\n'
        '    op.execute("INSERT INTO p_b VALUES (1)")'
    )
    rebuild = (
        'with op.batch_alter_table("p_a", recreate="always") as batch:\n'
        '        batch.add_column(sa.Column("n", sa.Text))'
    )
    upgrade(empty, [plugin("p", first, rebuild)])
    with empty.writing() as connection:
        assert connection.execute(sa.text("SELECT a FROM p_b")).all() == [(1,)]
        assert connection.execute(sa.text("PRAGMA foreign_keys")).scalar() == 1


def test_upgrade_by_six_servers_at_once_happens_once(empty: Database) -> None:
    code = (
        "import sys; from dianku.storage.engine import Database; "
        "from dianku.storage.migrate import upgrade; "
        "db = Database(sys.argv[1]); sys.stdin.readline(); print(len(upgrade(db)))"
    )
    url = empty.url.render_as_string(hide_password=False)
    servers = [
        subprocess.Popen(
            [sys.executable, "-c", code, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    answers = []
    for server in servers:
        assert server.stdin is not None
        server.stdin.write("go\n")
        server.stdin.flush()
    for server in servers:
        answers.append(server.communicate(timeout=60)[0].strip())
        assert server.returncode == 0
    assert sorted(answers) == ["0"] * 5 + ["1"]


@pytest.mark.parametrize(
    "step",
    [
        table("other_t"),
        'op.drop_table("kept_answer")',
        'op.add_column("product", sa.Column("mine", sa.Text))',
        'op.create_index("alerts_i", "product", ["name"])',
        'op.execute("DELETE FROM channel")',
    ],
)
def test_revision_of_a_plugin_that_strays_changes_nothing(
    empty: Database, plugin: Callable[..., Owner], step: str
) -> None:
    upgrade(empty)
    with empty.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO channel (name, kind, policy, issue_on) VALUES ('c', 'x', 'strict', 'paid')"
        )
        before = set(sa.inspect(connection).get_table_names())

    with pytest.raises(MigrationFailed, match="not its own"):
        upgrade(empty, [plugin("alerts", table("alerts_alert"), step)])

    with empty.reading() as connection:
        assert set(sa.inspect(connection).get_table_names()) == before
        assert connection.exec_driver_sql("SELECT count(*) FROM channel").scalar() == 1


@pytest.mark.parametrize(
    "end",
    [
        'op.execute("COMMIT")',
        'op.execute("ROLLBACK")',
        "op.get_bind().connection.commit()",
        "op.get_bind().connection.rollback()",
        "op.get_bind().commit()",
    ],
)
def test_revision_of_a_plugin_that_ends_the_transaction_keeps_nothing_that_strays(
    empty: Database, plugin: Callable[..., Owner], end: str
) -> None:
    upgrade(empty)
    drop = 'op.execute("DROP TABLE kept_answer")'

    with pytest.raises(MigrationFailed):
        upgrade(empty, [plugin("alerts", drop, end, drop)])

    with empty.reading() as connection:
        assert "kept_answer" in sa.inspect(connection).get_table_names()


def test_revision_of_a_plugin_may_remake_its_own_table(
    empty: Database, plugin: Callable[..., Owner]
) -> None:
    upgrade(empty)
    remake = (
        'op.execute("INSERT INTO alerts_alert (id) VALUES (1)")\n'
        '    with op.batch_alter_table("alerts_alert", recreate="always") as batch:\n'
        '        batch.add_column(sa.Column("sku", sa.Text))'
    )
    upgrade(empty, [plugin("alerts", table("alerts_alert"), remake)])
    with empty.reading() as connection:
        assert connection.exec_driver_sql("SELECT id, sku FROM alerts_alert").all() == [(1, None)]
