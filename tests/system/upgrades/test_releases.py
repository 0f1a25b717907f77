"""A shop of every release comes up with the code of today: nothing is lost, and it sells on."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from old_shops import NewUrl, OldShop, calling, started
from release_files import RELEASES, counts_of, releases, rows_of, seals, shapes_of
from release_shop import PASSWORD, Counter, figures
from release_trade import REPLAYED

from dianku import __version__
from dianku.storage.backup import backup, restore
from dianku.storage.copy import copy
from dianku.storage.engine import Database
from dianku.storage.migrate import CORE, MigrationFailed, pending, status
from dianku.storage.tables import TABLES

OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}
FILLED: set[str] = set()
"""Tables to which a revision adds rows, or in which it changes columns that were there."""
DERIVED = {"counter"}
"""Rebuilding raises a counter, which tells other processes to forget what they remember."""


@pytest.mark.usefixtures("site")
def test_upgrade_keeps_every_row_and_every_answer(old: OldShop) -> None:
    with closing(Database(old.url)) as found:
        shapes = [shape for shape in shapes_of(found) if shape.name != CORE.version_table]
        before = rows_of(found, shapes)
        assert counts_of(found) == old.release.said["rows"]

    with started(old.host()) as host:
        after = rows_of(host.database, shapes)
        assert _differing(before, after) <= FILLED
        assert pending(host.database, host.owners) == []
        verified = host.ledger.verify()
        assert verified.clean
        assert verified.moves == old.release.said["rows"]["stock_move"]
        host.ledger.rebuild()
        assert _differing(after, rows_of(host.database, shapes)) <= DERIVED
        with calling(host) as counter:
            said = old.release.said["figures"]
            for asked, answered in zip(said, figures(counter), strict=True):
                assert answered == asked, asked["path"]


def _differing(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


@pytest.mark.usefixtures("site")
def test_upgraded_shop_knows_its_people_and_goes_on_with_its_papers(
    old: OldShop, new_url: NewUrl
) -> None:
    known = old.release.said["known"]
    with started(old.host()) as host:
        assert host.access.authenticate(known["token"]) is not None
        with calling(host) as counter:
            counter.make("/sessions", name="老板娘", password=PASSWORD)
            assert counter.make("/documents", key="once", **REPLAYED)["number"] == known["replayed"]
            _go_on(counter, known)
        assert host.ledger.verify().clean
        file = old.folder / "shop.backup"
        backup(host.database, file, now_ms=host.clock.now_ms())
        left = rows_of(host.database)

    url = new_url(OTHER[old.kind])
    with closing(Database(url)) as elsewhere:
        restore(file, elsewhere)
    with started(old.host(url=url)) as host:
        secrets = {name for name in left if name.endswith("_secret")}
        assert _differing(left, rows_of(host.database)) == secrets
        assert host.ledger.verify().clean


def _go_on(counter: Counter, known: dict[str, str]) -> None:
    """Sell, take back, and end what was begun before the upgrade."""
    sold = counter.post("issue", "S1", {"sku": "hamper", "quantity": 1})
    assert sold["lines"][0]["quantity"] == "1"
    back = {"sku": "cola", "quantity": 1, "of_line": 1}
    returned = counter.post("customer_return", "S1", back, of_document=known["sale"])
    assert returned["lines"][0]["amount"] == "3.50"
    counter.make(f"/documents/{known['receipt']}/reverse", reason="after the upgrade")
    for name, quantity in (("hold", "5"), ("hold_of_kits", "2")):
        issued = counter.make(f"/reservations/{known[name]}/commit")
        assert issued["lines"][0]["quantity"] == quantity
    whole = [{"line": 1}, {"line": 2}]
    for name in ("transfer_open", "transfer_half"):
        counter.make(f"/transfers/{known[name]}/receive", lines=whole)
        assert counter.call("GET", f"/documents/{known[name]}")["status"] == "received"
    counter.post("adjustment", "S1", {"sku": "cola", "counted": "100"})
    for one in counter.call("GET", "/exceptions?state=open")["items"]:
        counter.make(f"/exceptions/{one['id']}/settle", note="looked")
    counter.host.jobs.run_now("core.expire_holds")
    held = counter.call("GET", f"/reservations/{known['hold_over']}")
    assert held["status"] == "expired"


CUT_OFF = """
import os, signal, sys
import sqlalchemy as sa
from dianku.storage.engine import Database
from dianku.storage.migrate import upgrade
database = Database(sys.argv[1])
@sa.event.listens_for(database.engine, "after_cursor_execute")
def executed(connection, cursor, statement, *rest):
    if statement.startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
upgrade(database)
"""


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("at", ["ALTER TABLE", "UPDATE alembic_version_core"])
def test_upgrade_cut_off_by_kill_is_completed_by_the_next_start(oldest: OldShop, at: str) -> None:
    with closing(Database(oldest.url)) as found:
        shapes = [shape for shape in shapes_of(found) if shape.name != CORE.version_table]
        before, stood = rows_of(found, shapes), status(found)

    words = [sys.executable, "-c", CUT_OFF, oldest.url, at]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL

    with closing(Database(oldest.url)) as found:
        assert status(found) == stood
        assert rows_of(found, shapes) == before
    with started(oldest.host()) as host:
        assert pending(host.database) == []
        assert _differing(before, rows_of(host.database, shapes)) <= FILLED
        assert host.ledger.verify().clean


def test_copy_of_a_shop_that_was_not_upgraded_yet_is_as_old(
    oldest: OldShop, new_url: NewUrl
) -> None:
    url = new_url(OTHER[oldest.kind])
    with closing(Database(oldest.url)) as source, closing(Database(url)) as target:
        copied = copy(source, target)
        assert copied.unknown_owners == ["tasting"]
        assert rows_of(target) == rows_of(source)
        assert status(target) == status(source)
    with started(oldest.host(url=url, strict=False)) as host:
        assert pending(host.database) == []
        assert host.ledger.verify().clean


def test_database_of_newer_code_is_refused_and_left_as_it_is(oldest: OldShop) -> None:
    with closing(Database(oldest.url)) as found:
        with found.writing() as connection:
            connection.exec_driver_sql("UPDATE alembic_version_core SET version_num = '9999'")
        before = rows_of(found)
        host = oldest.host()
        with pytest.raises(MigrationFailed, match="'9999', which this version does not know"):
            host.start(background=False)
        host.close()
        assert rows_of(found) == before


def test_frozen_releases_are_what_they_were_when_they_were_sealed() -> None:
    frozen = {one.version: one.seal for one in releases() if one.frozen}
    assert frozen == seals()
    for release in releases():
        assert release.hashes() == release.said["files"]


def test_release_that_is_not_frozen_is_the_version_under_work() -> None:
    assert {one.version for one in releases() if not one.frozen} <= {__version__}
    assert __version__ in {one.version for one in releases()}


def test_frozen_release_is_not_made_again() -> None:
    first = releases()[0]
    words = [sys.executable, str(RELEASES / "make.py"), first.version]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is frozen" in done.stderr
    assert first.seal == seals()[first.version]


def test_everything_of_the_kernel_has_happened_in_the_shop_of_a_release(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    kit = request.config.rootpath / "tests" / "kit" / "release_shop.py"
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    words = [sys.executable, str(kit), url, str(tmp_path)]
    made = subprocess.run(words, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    with closing(Database(url)) as database:
        counts = counts_of(database)
    assert {table.name for table in TABLES if not counts[table.name]} == set()
