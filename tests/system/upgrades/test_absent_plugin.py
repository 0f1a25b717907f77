"""A shop of which a plugin is gone: its tables stay, unread, wherever the shop is moved to."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from old_shops import NewUrl, OldShop, calling, started
from release_files import rows_of
from release_shop import follow_events, put_outsider
from shop_server import ShopFolder

from dianku.doctor import examine
from dianku.plugins.states import Status
from dianku.storage.backup import backup, restore
from dianku.storage.engine import Database
from dianku.storage.migrate import Owner, status
from dianku.testing.entry_points import shelf

NOTE = "tasting_note_of_what_a_customer_said_about_goods"

NEXT = f'''
"""What a customer would pay, which is what two more versions of the plugin brought."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("{NOTE}") as table:
        table.add_column(sa.Column("pays", sa.BigInteger(), nullable=False, server_default="7"))
        table.drop_constraint("ck_tasting_stars", type_="check")
    op.execute("UPDATE {NOTE} SET pays = 8, stars = 3 WHERE liked")
    op.execute("INSERT INTO {NOTE} (id, number, liked) VALUES (9999, \'made by 0002\', true)")
'''


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_backup_restores_without_the_plugin_and_the_plugin_finds_its_tables_again(
    latest: OldShop, new_url: NewUrl, target: str
) -> None:
    file, url = latest.folder / "shop.backup", new_url(target)
    with closing(Database(latest.url)) as shop, closing(Database(url)) as elsewhere:
        before = rows_of(shop)
        backup(shop, file, now_ms=1)
        restored = restore(file, elsewhere)
        assert restored.unknown_owners == ["tasting"]
        assert "tasting_secret: recipe" in restored.left_out
        notes = rows_of(elsewhere)[NOTE]
        assert notes == before[NOTE]
        _assert_conditions_hold(elsewhere)

    with started(latest.host(url=url, strict=False)) as host, calling(host) as counter:
        assert host.plugins.state("tasting").status is Status.MISSING
        sold = counter.post("issue", "S1", {"sku": "cola", "quantity": 1})["number"]
        [found] = [one for one in examine(host) if one.subject.startswith("tasting 0")]
        assert (found.severity, found.subject) == ("note", "tasting 0001")
        assert rows_of(host.database)[NOTE] == notes

    with shelf(latest.folder / "site") as site:
        put_outsider(site.folder)
        revisions = site.folder / "dianku_tasting" / "migrations"
        (revisions / "0002_pays.py").write_text(NEXT)
        with started(latest.host(url=url)) as host:
            assert host.plugins.state("tasting").running
            assert [s.current for s in status(host.database, [Owner("tasting", revisions)])] == [
                "0002"
            ]
            assert not [one for one in examine(host) if one.subject.startswith("tasting 0")]
            follow_events(host, to_end=True)
            _assert_found_again(host.database, sold)


def _assert_conditions_hold(database: Database) -> None:
    """A row that the plugin's tables never took is not taken now."""
    for column, value in (("said", ":x'::text"), ("stars", 4), ("number", None)):
        row = {"number": "n", "liked": True, column: value}
        insert = f"INSERT INTO {NOTE} ({', '.join(row)}) VALUES (:{', :'.join(row)})"
        with pytest.raises(sa.exc.IntegrityError), database.writing() as connection:
            connection.execute(sa.text(insert), row)


def _assert_found_again(database: Database, sold: str) -> None:
    """The plugin's rows of before, what its new revision made of them, and what it heard since."""
    with database.reading() as connection:
        notes = connection.execute(
            sa.text(
                f"SELECT id, number, liked, stars, pays, asked, thanked FROM {NOTE} ORDER BY id"
            )
        ).all()
    made = [note for note in notes if note.number == "made by 0002"]
    assert len(notes) == 104
    assert len(made) == 1
    assert notes[-2].number == sold
    assert all(note.pays == 8 for note in notes if note.liked and note not in made and note.stars)
    assert {note.stars for note in notes[:100] if not note.liked} <= {None, 1.0, 2.5, 5.0}
    assert all(note.thanked and not note.asked for note in notes)


def test_database_of_newer_code_is_what_the_doctor_finds(oldest: OldShop, tmp_path: Path) -> None:
    with closing(Database(oldest.url)) as found, found.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version_core SET version_num = '9999'")
        connection.exec_driver_sql("DROP TABLE stock_balance")

    folder = ShopFolder(tmp_path / "data", database_url=oldest.url)
    said = json.loads(folder.run("--language", "en", "doctor", "--json", check=False))

    [tables] = [one for one in said if one["severity"] == "error"]
    assert tables["subject"].startswith("core 9999 > ")
    assert "newer version" in tables["what"]
    assert "restore a backup" in tables["remedy"]


@pytest.mark.usefixtures("site")
def test_plugin_older_than_its_tables_is_refused_and_the_shop_sells(latest: OldShop) -> None:
    with closing(Database(latest.url)) as found, found.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version_tasting SET version_num = '0009'")
    with started(latest.host(strict=False)) as host, calling(host) as counter:
        assert host.plugins.state("tasting").status is Status.REFUSED
        counter.post("issue", "S1", {"sku": "cola", "quantity": 1})
        said = [one.what.en for one in examine(host) if one.subject == "tasting"]
        assert any("'0009', which this version does not know" in what for what in said)
