"""Backup, restore and copy: the same shop afterwards, on either database, or nothing at all."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from dianku.config import HostConfig
from dianku.errors import ConfigurationError
from dianku.host import Host
from dianku.storage import events
from dianku.storage.backup import BackupRefused, backup, read_manifest, restore
from dianku.storage.copy import copy
from dianku.storage.engine import Database
from dianku.storage.migrate import CORE, MigrationFailed, Owner, pending, upgrade
from dianku.storage.shape import CopyRefused, table_names
from dianku.testing.digest import table_digests
from dianku.testing.postgres import PostgresServer
from dianku.testing.shop import Shop

NOW_MS = 1_772_416_800_000
SECRET = "sk-not-to-be-found-anywhere"


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of either kind, whatever kind `database` is."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'target.sqlite3'}")
        yield database
        database.close()
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.create()
    database = Database(server.url(name))
    yield database
    database.close()
    server.drop(name)


@pytest.fixture
def sold(database: Database) -> Database:
    """A migrated shop with every kind of value, and tables of a plugin nobody has installed."""
    shop = Shop(database)
    shop.store("S1")
    shop.product("CANDLE", barcodes=["6901234567892"])
    shop.product("BOX", composition="kit", components={"CANDLE": 2})
    with database.writing() as connection:
        # A child that stands before its parent, text with quotes and line ends, wide numbers.
        for row in (
            "(1, 'drinks', '饮料 \"a\", \\n\tb', NULL, -9007199254740993, NULL, 1)",
            "(2, 'tea', '茶', NULL, 0, NULL, 1)",
        ):
            connection.exec_driver_sql(f"INSERT INTO category VALUES {row}")
        connection.exec_driver_sql("UPDATE category SET parent_id = 2 WHERE id = 1")
        if database.dialect == "postgresql":
            connection.exec_driver_sql("SELECT setval('category_id_seq', 2)")
        plugin_tables().create_all(connection)
        connection.exec_driver_sql(
            "INSERT INTO gone_note (id, kind, open, ratio, body) "
            "VALUES (7, 'a', true, 0.1, NULL), (8, 'b', false, NULL, NULL)"
        )
        connection.execute(plugin_tables().tables["gone_line"].insert(), [{"note_id": 7}])
        connection.exec_driver_sql(f"INSERT INTO gone_secret VALUES ('x.token', '{SECRET}')")
        connection.exec_driver_sql("INSERT INTO gone_setting VALUES ('x.name', 'n')")
        connection.exec_driver_sql(
            "CREATE TABLE alembic_version_gone (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
        )
        connection.exec_driver_sql("INSERT INTO alembic_version_gone VALUES ('0003')")
    return database


def plugin_tables() -> sa.MetaData:
    metadata = sa.MetaData()
    wide = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    note = sa.Table(
        "gone_note",
        metadata,
        sa.Column("id", wide, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False, server_default="a"),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("ratio", sa.Double),
        sa.Column("body", sa.LargeBinary),
        sa.CheckConstraint("kind IN ('a', 'b')", name="ck_gone_note_kind"),
    )
    condition = sa.text("kind = 'a'")
    sa.Index(
        "ux_gone_note_open", note.c.kind, unique=True,
        sqlite_where=condition, postgresql_where=condition,
    )  # fmt: skip
    sa.Table("gone_line", metadata, sa.Column("note_id", wide, sa.ForeignKey("gone_note.id")))
    for name in ("gone_setting", "gone_secret"):
        columns = sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text)
        sa.Table(name, metadata, *columns)
    return metadata


def without_secret(database: Database) -> dict[str, str]:
    with database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM gone_secret")
    return table_digests(database)


def test_restore_of_a_backup_gives_the_same_shop_on_either_database(
    sold: Database, target: Database, tmp_path: Path
) -> None:
    uploads = tmp_path / "uploads" / "ab"
    uploads.mkdir(parents=True)
    (uploads / "photo.jpg").write_bytes(bytes(range(256)))
    file = tmp_path / "shop.dianku"
    backup(sold, file, now_ms=NOW_MS, attachments=tmp_path / "uploads")
    restored = restore(file, target, attachments=tmp_path / "back")

    assert table_digests(target) == without_secret(sold)
    assert (tmp_path / "back" / "ab" / "photo.jpg").read_bytes() == bytes(range(256))
    assert restored.left_out == ["gone_secret: x.token"]
    assert restored.unknown_owners == ["gone"]
    assert restored.rows["product"] == 2
    assert pending(target) == []


CUT_OFF = """
import os, signal, sys
from pathlib import Path
from dianku.storage.backup import restore
from dianku.storage.engine import Database
def told(done, total):
    if done >= total * float(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)
restore(Path(sys.argv[1]), Database(sys.argv[2]), attachments=Path(sys.argv[3]), progress=told)
"""


@pytest.mark.parametrize("share", ["0.6"])
def test_restore_cut_off_by_kill_is_told_at_the_start_and_may_be_repeated(
    sold: Database, target: Database, tmp_path: Path, share: str
) -> None:
    uploads = tmp_path / "uploads" / "ab"
    uploads.mkdir(parents=True)
    (uploads / "photo.jpg").write_bytes(bytes(range(256)))
    file = tmp_path / "shop.dianku"
    backup(sold, file, now_ms=NOW_MS, attachments=tmp_path / "uploads")
    url = target.url.render_as_string(hide_password=False)
    words = [sys.executable, "-c", CUT_OFF, str(file), url, str(tmp_path / "back"), share]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    half_made = False
    with target.reading() as connection:
        half_made = bool(table_names(connection))
    if half_made:
        config = HostConfig(data_dir=tmp_path / "data", database_url=url)
        host = Host.build(config)
        with pytest.raises(ConfigurationError, match="run that once more"):
            host.start(background=False)
        host.close()
        (tmp_path / "back" / "ab").mkdir(parents=True, exist_ok=True)  # as far as it came
        (tmp_path / "back" / "ab" / "photo.jpg").write_bytes(b"half")

    restore(file, target, attachments=tmp_path / "back")

    assert table_digests(target) == without_secret(sold)
    assert (tmp_path / "back" / "ab" / "photo.jpg").read_bytes() == bytes(range(256))


def test_restored_database_numbers_on_and_keeps_its_conditions(
    sold: Database, target: Database, tmp_path: Path
) -> None:
    backup(sold, tmp_path / "f", now_ms=NOW_MS)
    restore(tmp_path / "f", target)
    assert Shop(target).product("NEW") == 3
    with target.writing() as connection:
        made = connection.exec_driver_sql(
            "INSERT INTO gone_note (kind, open) VALUES ('b', true) RETURNING id"
        )
        assert made.scalar() == 9
    for refused in (
        "INSERT INTO gone_note (kind, open) VALUES ('c', true)",
        "INSERT INTO gone_note (kind, open) VALUES ('a', true)",
        "INSERT INTO gone_line VALUES (99)",
        "INSERT INTO category (code, name, parent_id) VALUES ('x', 'x', 99)",
    ):
        with pytest.raises(sa.exc.IntegrityError), target.writing() as connection:
            connection.exec_driver_sql(refused)


def test_backup_holds_no_secret_not_even_a_deleted_one(sold: Database, tmp_path: Path) -> None:
    with sold.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE older_secret (name TEXT PRIMARY KEY, value TEXT)")
        connection.exec_driver_sql(f"INSERT INTO older_secret VALUES ('y', '{SECRET}')")
    with sold.writing() as connection:
        if sold.dialect == "sqlite":
            # Many builds wipe what is deleted by themselves; not all do.
            connection.exec_driver_sql("PRAGMA secure_delete=OFF")
        connection.exec_driver_sql("DROP TABLE older_secret")
    backup(sold, tmp_path / "f", now_ms=NOW_MS)
    with zipfile.ZipFile(tmp_path / "f") as archive:
        for name in archive.namelist():
            assert SECRET.encode() not in archive.read(name), name
    assert read_manifest(tmp_path / "f").left_out == ["gone_secret: x.token"]


def test_backup_is_for_nobody_else_on_the_machine(sold: Database, tmp_path: Path) -> None:
    backup(sold, tmp_path / "f", now_ms=NOW_MS)
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600


def test_backup_beside_a_writer_holds_one_moment(sold: Database, tmp_path: Path) -> None:
    """The counter and the events are written together, so a torn copy would show."""
    stop = threading.Event()
    written = []

    def sell() -> None:
        while not stop.is_set():
            with sold.writing() as connection:
                one = events.NewEvent("x", {})
                written.append(events.append(sold, connection, [one], now_ms=NOW_MS))

    seller = threading.Thread(target=sell)
    seller.start()
    try:
        manifests = [backup(sold, tmp_path / f"f{i}", now_ms=NOW_MS) for i in range(3)]
    finally:
        stop.set()
        seller.join()
    for number, manifest in enumerate(manifests):
        path = tmp_path / f"t{number}.sqlite3"
        restored = Database(f"sqlite:///{path}")
        restore(tmp_path / f"f{number}", restored)
        with restored.reading() as connection:
            assert events.current(connection, "event") == manifest.rows["event"]
        restored.close()
    print(f"{len(written)} events were written while 3 backups were taken")


def test_copy_carries_secrets_too_and_leaves_the_source_alone(
    sold: Database, target: Database
) -> None:
    before = table_digests(sold)
    copied = copy(sold, target)
    assert table_digests(target) == before == table_digests(sold)
    assert copied.unknown_owners == ["gone"]


def test_copy_into_a_database_with_tables_is_refused_and_changes_nothing(
    sold: Database, target: Database
) -> None:
    upgrade(target)
    before = table_digests(target)
    with pytest.raises(CopyRefused, match="is not empty"):
        copy(sold, target)
    assert table_digests(target) == before


def test_copy_of_a_column_that_cannot_be_carried_leaves_the_target_empty(
    sold: Database, target: Database
) -> None:
    with sold.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE odd_one (at TIMESTAMP)")
    with pytest.raises(CopyRefused, match=r"'odd_one', column 'at': type TIMESTAMP"):
        copy(sold, target)
    assert table_digests(target) == {}


def test_copy_that_fails_after_it_wrote_leaves_the_target_empty(
    sold: Database, target: Database
) -> None:
    with sold.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE store ADD COLUMN strange TEXT")
    with pytest.raises(CopyRefused, match=r"'store' has no column \['strange'\]"):
        copy(sold, target)
    assert table_digests(target) == {}


def test_restore_uses_the_revisions_of_a_plugin_that_is_installed(
    sold: Database, target: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    (folder / "0003_x.py").write_text(
        'from alembic import op\nrevision = "0003"\ndown_revision = None\n\n\ndef upgrade():\n'
        '    op.execute("CREATE TABLE gone_setting '
        '(name TEXT PRIMARY KEY, value TEXT, note TEXT)")\n'
    )
    backup(sold, tmp_path / "f", now_ms=NOW_MS)
    restored = restore(tmp_path / "f", target, owners=[CORE, Owner("gone", folder)])
    assert restored.unknown_owners == []
    with target.reading() as connection:
        columns = sa.inspect(connection).get_columns("gone_setting")
    # A SQLite file is restored into SQLite page by page, with the tables that it has.
    whole = target.dialect == sold.dialect == "sqlite"
    assert ("note" in {column["name"] for column in columns}) is not whole


def test_backup_over_a_file_is_refused(sold: Database, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("precious")
    with pytest.raises(BackupRefused, match="is there already"):
        backup(sold, tmp_path / "f", now_ms=NOW_MS)
    assert (tmp_path / "f").read_text() == "precious"
    with pytest.raises(BackupRefused, match="is no folder"):
        backup(sold, tmp_path / "no" / "f", now_ms=NOW_MS)


def _shorten(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [_shorten, _flip, lambda _: b"", lambda _: b"PK no zip"])
def test_restore_of_a_damaged_file_is_refused_and_writes_nothing(
    sold: Database, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / "f"
    backup(sold, file, now_ms=NOW_MS)
    file.write_bytes(damage(file.read_bytes()))
    target = Database(f"sqlite:///{tmp_path / 'target.sqlite3'}")
    with pytest.raises(BackupRefused):
        restore(file, target)
    assert table_digests(target) == {}
    target.close()


def _rewritten(file: Path, change: Callable[[dict[str, object]], None], *, extra: str = "") -> Path:
    changed = file.with_name("changed")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "manifest.json":
                manifest = json.loads(data)
                change(manifest)
                data = json.dumps(manifest).encode()
            new.writestr(name, data)
        if extra:
            new.writestr(extra, b"")
    return changed


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: m.update(format=2), "does not know"),
        (lambda m: m["rows"].update(product=3), "'product'"),
        (lambda m: m["members"]["database.sqlite3"].update(size=1), "is damaged: database"),
        (lambda m: m["members"].pop("database.sqlite3"), "database.sqlite3"),
    ],
)
def test_restore_of_a_file_that_lies_is_refused_and_leaves_nothing(
    sold: Database, tmp_path: Path, change: Callable[[dict[str, object]], None], says: str
) -> None:
    backup(sold, tmp_path / "f", now_ms=NOW_MS)
    target = Database(f"sqlite:///{tmp_path / 'target.sqlite3'}")
    with pytest.raises(BackupRefused, match=says):
        restore(_rewritten(tmp_path / "f", change), target)
    assert table_digests(target) == {}
    target.close()


@pytest.mark.sqlite_only
def test_restore_of_a_file_that_leads_out_of_its_folder_is_refused(
    sold: Database, tmp_path: Path
) -> None:
    backup(sold, tmp_path / "f", now_ms=NOW_MS)
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    name = "attachments/../../outside"

    def change(manifest: dict[str, object]) -> None:
        members = manifest["members"]
        assert isinstance(members, dict)
        members[name] = {"size": 0, "sha256": nothing}

    evil = _rewritten(tmp_path / "f", change, extra=name)
    target = Database(f"sqlite:///{tmp_path / 'target.sqlite3'}")
    with pytest.raises(BackupRefused, match="leads out"):
        restore(evil, target, attachments=tmp_path / "a" / "b")
    assert not (tmp_path / "outside").exists()
    assert table_digests(target) == {}
    target.close()


def test_backup_and_restore_tell_how_far_they_are(
    sold: Database, target: Database, tmp_path: Path
) -> None:
    with sold.writing() as connection:
        connection.execute(sa.text("DELETE FROM gone_line"))
    folder = tmp_path / "attachments"
    folder.mkdir()
    (folder / "a").write_bytes(b"x" * 3_000_000)
    file, kept = tmp_path / "shop.backup", tmp_path / "kept"
    for work in (
        lambda tell: backup(sold, file, now_ms=NOW_MS, attachments=folder, progress=tell),
        lambda tell: restore(file, target, attachments=kept, progress=tell),
    ):
        told: list[tuple[int, int]] = []
        work(lambda done, total, told=told: told.append((done, total)))
        done = [step for step, _ in told]
        assert len(set(done)) == len(done) > 2
        assert done == sorted(done)
        assert all(0 < step <= total for step, total in told)
        assert told[-1][0] > told[-1][1] * 0.9


def test_backup_leaves_out_what_is_still_arriving(sold: Database, tmp_path: Path) -> None:
    attachments = tmp_path / "attachments"
    (attachments / "ab").mkdir(parents=True)
    (attachments / "ab" / "abcd").write_bytes(b"whole")
    (attachments / ".new-x").write_bytes(b"ha")

    made = backup(sold, tmp_path / "b.zip", now_ms=NOW_MS, attachments=attachments)

    files = [name for name in made.members if name.startswith("attachments/")]
    assert files == ["attachments/ab/abcd"]


def test_backup_of_a_newer_version_is_refused_and_leaves_the_target_empty(
    sold: Database, target: Database, tmp_path: Path
) -> None:
    with sold.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version_core SET version_num = '9999'")
    file = tmp_path / "newer.zip"
    backup(sold, file, now_ms=NOW_MS)

    with pytest.raises(MigrationFailed, match="9999"):
        restore(file, target)

    with target.reading() as connection:
        assert table_names(connection) == []
