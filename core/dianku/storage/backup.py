"""One file that holds the whole shop, taken while it sells, and the shop made again from it.

The archive is a zip file: `manifest.json`, the database, the attachments. SQLite travels as the
database file itself (its online backup: a copy of one moment), PostgreSQL as the rows of every
table read in one REPEATABLE READ transaction; either can be restored into either. What the
manifest says (size and checksum of every member, rows of every table) is checked before anything
is written. Secrets stay behind: the rows of tables called `..._secret`, the kernel's and any
plugin's, are not in the archive, which names them so that somebody can enter them again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import msgspec
import sqlalchemy as sa
from attrs import frozen

from dianku import __version__
from dianku.errors import WordedError
from dianku.storage.copy import (
    UNFINISHED,
    Copied,
    DatabaseSource,
    empty,
    finish,
    is_unfinished,
    mark_unfinished,
    refuse_unless_empty,
    transfer,
)
from dianku.storage.engine import Database
from dianku.storage.gauge import ROW_BYTES, Gauge, Gauged, Progress
from dianku.storage.migrate import CORE, Owner, positions, refuse_newer
from dianku.storage.shape import TableShape, table_names
from dianku.storage.working_folder import working_folder

FORMAT = 1
_MANIFEST = "manifest.json"
_DATABASE = "database.sqlite3"
_CHUNK = 1 << 20
_PAGES = 1000
"""Pages copied at a time from a file that nobody else has open."""
_encode = msgspec.json.Encoder().encode


class BackupRefused(WordedError):
    """A backup cannot be written or used; says which file, what is wrong, and what to do."""


class Member(msgspec.Struct, frozen=True):
    """One file in the archive: its size in bytes and its SHA-256."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What an archive holds. `left_out`: the secrets to be entered again, as table and key."""

    format: int
    version: str
    created_at: int
    dialect: str
    schema: dict[str, str]
    rows: dict[str, int]
    left_out: list[str]
    members: dict[str, Member]
    tables: list[TableShape] = []


@frozen
class Restored:
    """What was restored: rows by table, secrets to enter again, owners whose code is missing."""

    manifest: Manifest
    rows: Mapping[str, int]
    left_out: Sequence[str]
    unknown_owners: Sequence[str]


def backup(
    database: Database,
    file: Path,
    *,
    now_ms: int,
    attachments: Path | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Write the whole shop into one new file; the shop may go on selling.

    The file appears under its name only when it is complete and on the disk. `progress` is told
    how far it is.

    Raises:
        BackupRefused: The file is there already, or cannot be written.
        CopyRefused: A table has a column that cannot be carried.
    """
    if file.exists():
        raise BackupRefused("backup_exists", file=file)
    if not file.parent.is_dir():
        raise BackupRefused("backup_folder_missing", folder=file.parent)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        partial.touch(
            mode=0o600, exist_ok=False
        )  # the whole shop is for nobody else on the machine
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            writer = _Writer(archive, Gauge(progress))
            manifest = writer.write(database, now_ms=now_ms, attachments=attachments)
        _sync(partial)
        # A link fails if the name was taken meanwhile, where a rename would replace.
        os.link(partial, file)
        _sync(file.parent)
    except OSError as error:
        raise BackupRefused("backup_not_written", file=file, reason=str(error)) from error
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Writer:
    """Puts members into an archive and takes note of what they are."""

    def __init__(self, archive: zipfile.ZipFile, gauge: Gauge) -> None:
        self._archive = archive
        self._gauge = gauge
        self._members: dict[str, Member] = {}

    def write(self, database: Database, *, now_ms: int, attachments: Path | None) -> Manifest:
        held = self._sqlite if database.dialect == "sqlite" else self._rows
        manifest = held(database, now_ms)
        kept: list[Path] = []
        # After the database, so that no file is missing that a row of it names.
        if attachments is not None and attachments.is_dir():
            # What begins with a dot is still arriving; kept files are never changed or removed.
            kept = sorted(p for p in attachments.rglob("[!.]*") if p.is_file())
        self._gauge.expect(sum(path.stat().st_size for path in kept))
        for path in kept:
            name = f"attachments/{path.relative_to(attachments or path).as_posix()}"
            with path.open("rb") as data:
                self._put(name, self._gauge.bytes(iter(lambda: data.read(_CHUNK), b"")))
        manifest = msgspec.structs.replace(manifest, members=dict(self._members))
        self._archive.writestr(_MANIFEST, msgspec.json.format(_encode(manifest), indent=1))
        return manifest

    def _put(self, name: str, chunks: Iterator[bytes]) -> None:
        digest, size = hashlib.sha256(), 0
        with self._archive.open(name, "w", force_zip64=True) as member:
            for chunk in chunks:
                member.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        self._members[name] = Member(size, digest.hexdigest())

    def _sqlite(self, database: Database, now_ms: int) -> Manifest:
        with working_folder(_beside(database), "backup") as folder:
            copy = folder / _DATABASE
            online_copy(database, copy)
            left_out = _without_secrets(copy)
            with _opened(copy) as found, found.reading() as connection:
                rows = {
                    name: int(
                        connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one()
                    )
                    for name in table_names(connection)
                }
                schema = positions(connection)
            self._gauge.expect(copy.stat().st_size)
            with copy.open("rb") as data:
                self._put(_DATABASE, self._gauge.bytes(iter(lambda: data.read(_CHUNK), b"")))
        return _manifest("sqlite", now_ms, schema=schema, rows=rows, left_out=left_out)

    def _rows(self, database: Database, now_ms: int) -> Manifest:
        rows, left_out = {}, []
        with database.reading() as connection:
            source = DatabaseSource(connection)
            shapes = source.shapes()
            self._gauge.expect(ROW_BYTES * _about_rows(connection))
            for shape in shapes:
                lines = _Lines(shape)
                rows_read = self._gauge.rows(source.rows(shape))
                self._put(f"tables/{shape.name}.jsonl", lines.of(rows_read))
                rows[shape.name] = lines.count
                left_out += lines.left_out
            schema = positions(connection)
        manifest = _manifest("postgresql", now_ms, schema=schema, rows=rows, left_out=left_out)
        return msgspec.structs.replace(manifest, tables=list(shapes))


def _manifest(
    dialect: str,
    now_ms: int,
    *,
    schema: dict[str, str],
    rows: dict[str, int],
    left_out: list[str],
) -> Manifest:
    return Manifest(FORMAT, __version__, now_ms, dialect, schema, rows, left_out, {})


def _beside(database: Database) -> Path:
    """Where the copy goes before it is packed: beside the database, which has the room."""
    return Path(database.url.database or "").resolve().parent


def _about_rows(connection: sa.Connection) -> int:
    """How many rows PostgreSQL thinks there are in all: counting them takes as long as reading."""
    found = connection.exec_driver_sql(
        "SELECT COALESCE(SUM(GREATEST(n_live_tup, 0)), 0) FROM pg_stat_user_tables"
    )
    return int(found.scalar_one())


def _opened(path: Path) -> closing[Database]:
    return closing(Database(f"sqlite:///{path}"))


def online_copy(database: Database, to: Path) -> None:
    """Copy an embedded database of this moment, secrets and all; the shop may go on selling.

    Raises:
        BackupRefused: It cannot be written there: the disk is full, say.
    """
    try:
        with closing(sqlite3.connect(to)) as target, database.engine.connect() as connection:
            source = cast("sqlite3.Connection", connection.connection.driver_connection)
            source.backup(target)
    except sqlite3.Error as error:
        raise BackupRefused("backup_not_written", file=to, reason=str(error)) from error


def _without_secrets(copy: Path) -> list[str]:
    """Delete what is secret and everything ever deleted; returns what was left out."""
    left_out = []
    with closing(sqlite3.connect(copy)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for table in [name for (name,) in tables.fetchall() if _is_secret(name)]:
            columns = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
            keys = ", ".join(f'"{column[1]}"' for column in columns if column[5])
            found = connection.execute(f'SELECT {keys} FROM "{table}"')
            left_out += [_secret_name(table, row) for row in found]
            connection.execute(f'DELETE FROM "{table}"')
        connection.commit()
        # Deleted rows leave their bytes in free pages until the file is written anew.
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("VACUUM")
    return left_out


def _is_secret(table: str) -> bool:
    return table.endswith("_secret")


def _secret_name(table: str, key: Sequence[Any]) -> str:
    return f"{table}: {'.'.join(map(str, key))}"


class _Lines:
    """The rows of a table as lines of JSON; none of a table of secrets, but their names."""

    def __init__(self, shape: TableShape) -> None:
        self.count = 0
        self.left_out: list[str] = []
        self._shape = shape
        self._key = [shape.column_names.index(name) for name in shape.primary_key]

    def of(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[bytes]:
        for row in rows:
            if _is_secret(self._shape.name):
                key = [row[i] for i in self._key]
                self.left_out.append(_secret_name(self._shape.name, key))
                continue
            self.count += 1
            yield _encode(row) + b"\n"


class _Archive:
    """A PostgreSQL backup as a source of rows."""

    dialect = "postgresql"

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._archive = archive
        self._manifest = manifest

    def shapes(self) -> Sequence[TableShape]:
        return self._manifest.tables

    def rows(self, shape: TableShape) -> Iterator[tuple[Any, ...]]:
        types = {"boolean": bool, "real": float, "text": str, "bytes": bytes}
        columns = tuple(types.get(column.type, int) | None for column in shape.columns)
        row_type: Any = tuple.__class_getitem__(columns)
        decode = msgspec.json.Decoder(row_type).decode
        with self._archive.open(f"tables/{shape.name}.jsonl") as lines:
            for line in lines:
                yield decode(line)


def read_manifest(file: Path) -> Manifest:
    """What a backup says that it holds, without checking it.

    Raises:
        BackupRefused: This is no backup, or one of a newer kind.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return _read_manifest(file, archive)
    except (OSError, zipfile.BadZipFile) as error:
        raise BackupRefused("backup_unreadable", file=file, reason=str(error)) from error


def _read_manifest(file: Path, archive: zipfile.ZipFile) -> Manifest:
    try:
        manifest = msgspec.json.decode(archive.read(_MANIFEST), type=Manifest)
    except (KeyError, msgspec.DecodeError, zlib.error, zipfile.BadZipFile) as error:
        raise BackupRefused("backup_not_ours", file=file, reason=str(error)) from error
    if manifest.format > FORMAT:
        raise BackupRefused("backup_newer", file=file, version=manifest.version)
    return manifest


def restore(
    file: Path,
    database: Database,
    *,
    attachments: Path | None = None,
    owners: Sequence[Owner] = (CORE,),
    progress: Progress | None = None,
) -> Restored:
    """Make the shop of a backup again, in an empty database and an empty attachments folder.

    The schema stands afterwards where it stood; run `upgrade` to bring it up. The caller should
    let the ledger verify itself. `progress` is told how far it is.

    Raises:
        BackupRefused: The file is damaged or no backup; nothing was written.
        CopyRefused: The target is not empty (what a restore left that was cut off is emptied);
            or it does not take something, and is empty again.
        MigrationFailed: The backup was made by newer code.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _read_manifest(file, archive)
            size = sum(member.size for member in manifest.members.values())
            gauge = Gauge(progress, total=size + ROW_BYTES * sum(manifest.rows.values()))
            _verify(file, archive, manifest, gauge)
            refuse_newer(owners, manifest.schema)
            # First what only looks: the database that is half made is emptied by the other.
            _refuse_used_folder(attachments, manifest, again=is_unfinished(database))
            refuse_unless_empty(database)
            copied = _restore_database(archive, manifest, database, owners, gauge)
            try:
                _compare(manifest, copied)
                if attachments is not None:
                    _restore_attachments(archive, manifest, attachments)
                finish(database)
            except BaseException:
                empty(database)
                raise
    except (OSError, zipfile.BadZipFile) as error:
        raise BackupRefused("backup_not_restored", file=file, reason=str(error)) from error
    return Restored(manifest, copied.rows, manifest.left_out, copied.unknown_owners)


def _verify(file: Path, archive: zipfile.ZipFile, manifest: Manifest, gauge: Gauge) -> None:
    # A member nobody vouches for is as wrong as one that is missing.
    wrong = sorted(set(archive.namelist()) - {_MANIFEST} - set(manifest.members))
    for name, member in manifest.members.items():
        digest, size = hashlib.sha256(), 0
        try:
            with archive.open(name) as data:
                for chunk in gauge.bytes(iter(lambda: data.read(_CHUNK), b"")):
                    digest.update(chunk)
                    size += len(chunk)
        except (KeyError, zlib.error, zipfile.BadZipFile, OSError):
            wrong.append(name)
            continue
        if (size, digest.hexdigest()) != (member.size, member.sha256):
            wrong.append(name)
    if wrong:
        raise BackupRefused("backup_damaged", file=file, members=", ".join(wrong[:5]))


def _refuse_used_folder(attachments: Path | None, manifest: Manifest, *, again: bool) -> None:
    """Refuse a folder that holds files; `again` admits those a restore cut off has written."""
    holds = any(name.startswith("attachments/") for name in manifest.members)
    if holds and attachments is None:
        raise BackupRefused("attachments_without_folder")
    if attachments is None or not attachments.is_dir():
        return
    ours = set()
    if again:
        ours = {attachments / name.removeprefix("attachments/") for name in manifest.members}
    used = any(p for p in attachments.rglob("*") if p.is_file() and p not in ours)
    if used or (not again and any(attachments.iterdir())):
        raise BackupRefused("folder_not_empty", folder=attachments)


def _restore_database(
    archive: zipfile.ZipFile,
    manifest: Manifest,
    database: Database,
    owners: Sequence[Owner],
    gauge: Gauge,
) -> Copied:
    if manifest.dialect == "postgresql":
        source = Gauged(_Archive(archive, manifest), gauge)
        return transfer(source, database, owners=owners, more_follows=True)
    sqlite = database.dialect == "sqlite"
    where = _beside(database) if sqlite else Path(tempfile.gettempdir())
    with working_folder(where, "restore") as folder:
        path = folder / _DATABASE
        with archive.open(_DATABASE) as data, path.open("wb") as to:
            shutil.copyfileobj(data, to, _CHUNK)
        with _opened(path) as found:
            if database.dialect == "sqlite":
                return _replace_by(found, database, manifest, owners, gauge)
            with found.reading() as connection:
                rows = Gauged(DatabaseSource(connection), gauge)
                return transfer(rows, database, owners=owners, more_follows=True)


def _replace_by(
    found: Database, database: Database, manifest: Manifest, owners: Sequence[Owner], gauge: Gauge
) -> Copied:
    """Copy page by page: the file is what it was, indexes and all."""
    with found.reading() as connection:
        sound = connection.exec_driver_sql("PRAGMA quick_check").scalar()
    if sound != "ok":
        raise BackupRefused("backup_database_damaged", reason=sound)
    # The mark comes along with the pages: the file is as it was, or it is there with its mark.
    mark_unfinished(found)
    with found.engine.connect() as source, database.engine.connect() as target:
        from_ = cast("sqlite3.Connection", source.connection.driver_connection)
        from_.backup(
            cast("sqlite3.Connection", target.connection.driver_connection),
            pages=_PAGES,
            progress=gauge.pages(ROW_BYTES * sum(manifest.rows.values())),
        )
    with database.reading() as connection:
        rows = {
            name: int(connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one())
            for name in table_names(connection)
            if name != UNFINISHED
        }
    known = {owner.name for owner in owners}
    return Copied(rows, sorted(set(manifest.schema) - known))


def _compare(manifest: Manifest, copied: Copied) -> None:
    if dict(copied.rows) != manifest.rows:
        names = sorted(n for n in manifest.rows if copied.rows.get(n) != manifest.rows[n])
        raise BackupRefused("backup_rows_differ", tables=", ".join(map(repr, names)))


def _restore_attachments(archive: zipfile.ZipFile, manifest: Manifest, folder: Path) -> None:
    folders: set[Path] = set()
    for name in manifest.members:
        if not name.startswith("attachments/"):
            continue
        path = folder / name.removeprefix("attachments/")
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BackupRefused("backup_leads_out", name=name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(name) as data, path.open("wb") as to:
            shutil.copyfileobj(data, to, _CHUNK)
            to.flush()
            os.fsync(to.fileno())
        folders |= {path.parent, path.parent.parent}
    # Before the database is marked as whole: a cut of power must not leave it without its files.
    for folder_written in sorted(folders):
        _sync(folder_written)
