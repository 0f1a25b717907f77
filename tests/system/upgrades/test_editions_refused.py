"""What cannot work is refused before anything is done, or gone back on; what runs goes on."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from installed import edition_environment
from made_plugins import MadePlugin
from upgrades import Prefix, broken_corner, bundle

from dianku_cli.assembly.bundle import pack, read_facts
from dianku_cli.assembly.bundle import seal as seal_bundle
from dianku_cli.environment.layout import Installation
from dianku_cli.environment.versions import (
    Origin,
    is_held,
    left_over,
    older,
    remove,
    seal,
    switch,
)

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Prefix:
    """An installation with a shop that no test of this module changes."""
    prefix = Prefix.made(tmp_path_factory.mktemp("settled"))
    prefix.shop.init()
    return prefix


def upgrade(name: str, source: Path | None = None) -> tuple[str, ...]:
    named = [] if source is None else ["--from", str(source)]
    return ("edition", "upgrade", name, *named, "--yes")


def test_dry_run_says_everything_and_does_nothing(settled: Prefix) -> None:
    done = settled.run("edition", "upgrade", "corner", "--from", str(bundle("corner")), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "From basic 0.1.0 to corner 1.0:",
        "  come: dianku-corner 1.0, dianku-loyalty 1.0",
        "  plugins that join: loyalty",
        done.stdout.splitlines()[3],
        "  the server goes on selling meanwhile and is restarted once, by you, at the end",
        "Dry run: nothing was changed.",
    ]
    assert done.stdout.splitlines()[3].startswith("  a backup is made first, at most ")
    assert (settled.current, settled.versions) == ("basic-0.1.0", ["basic-0.1.0"])
    assert not (settled.data / "backups").exists()


def test_upgrade_that_nobody_agrees_to_does_nothing(settled: Prefix) -> None:
    words = ("edition", "upgrade", "corner", "--from", str(bundle("corner")))
    assert "Go on?" in settled.refused(*words)
    assert not (settled.data / "backups").exists()


def test_upgrade_to_the_same_files_is_refused(settled: Prefix) -> None:
    assert "is in use already" in settled.refused(*upgrade("basic", bundle("basic")))


def test_upgrade_from_the_bundle_of_another_edition_is_refused_by_name(settled: Prefix) -> None:
    said = settled.refused(*upgrade("advanced", bundle("corner")))
    assert "is the bundle of corner, not of advanced" in said


def test_upgrade_from_a_bundle_with_one_altered_byte_names_the_file(
    settled: Prefix, tmp_path: Path
) -> None:
    altered = tmp_path / bundle("corner").name
    shutil.copytree(bundle("corner"), altered)
    [wheel] = altered.glob("wheels/dianku_loyalty-*.whl")
    content = bytearray(wheel.read_bytes())
    content[100] ^= 1
    wheel.write_bytes(bytes(content))
    assert f"wheels/{wheel.name}" in settled.refused(*upgrade("corner", altered))


def test_upgrade_from_where_no_bundle_is_asks_for_one(settled: Prefix, tmp_path: Path) -> None:
    said = settled.refused(*upgrade("corner", tmp_path / "gone.tar.gz"))
    assert "gone.tar.gz is not there; name a bundle, archive or folder" in said


@pytest.mark.parametrize(
    ("wheel", "said"),
    [
        (None, "holds no dianku-core, without which nothing starts"),
        (b"PK and no more", "wheels/{name} is no sound wheel: it cannot be opened"),
    ],
)
def test_upgrade_from_a_bundle_sealed_around_what_is_none_says_what_is_wrong_in_it(
    settled: Prefix, tmp_path: Path, wheel: bytes | None, said: str
) -> None:
    """Its sums agree: whoever made it made it so."""
    folder = tmp_path / bundle("corner").name
    shutil.copytree(bundle("corner"), folder)
    [core] = folder.glob("wheels/dianku_core-*.whl")
    if wheel is None:
        core.unlink()
    else:
        core.write_bytes(wheel)
    seal_bundle(folder, read_facts(folder, named=folder))
    assert said.format(name=core.name) in settled.refused(*upgrade("corner", folder))


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ("name = ", "Invalid value"),
        ('title = { zh = "角", en = "Corner" }\n', "Object missing required field `name`"),
        ('name = "corner"\nrequired = "loyalty"\n', "Expected `array`, got `str`"),
        ("\udcff", "this is no UTF-8"),
    ],
    ids=["no_toml", "no_name", "wrong_type", "other_encoding"],
)
def test_upgrade_to_an_edition_whose_manifest_cannot_be_read_says_where(
    settled: Prefix, tmp_path: Path, manifest: str, why: str
) -> None:
    folder = tmp_path / bundle("corner").name
    shutil.copytree(bundle("corner"), folder)
    [wheel] = folder.glob("wheels/dianku_corner-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["dianku_corner/edition.toml"] = manifest.encode("utf-8", "surrogateescape")
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    seal_bundle(folder, read_facts(folder, named=folder))
    said = settled.refused(*upgrade("corner", folder))
    assert f"{wheel.name}/dianku_corner/edition.toml" in said
    assert why in said
    assert "Traceback" not in said


def test_what_a_killed_upgrade_unpacked_goes_with_the_next(settled: Prefix, tmp_path: Path) -> None:
    archive = pack(bundle("corner"), tmp_path, time=1_700_000_000)
    passing = tmp_path / "passing"
    passing.mkdir()
    words = ("edition", "upgrade", "corner", "--from", str(archive))
    with subprocess.Popen(
        [str(settled.command), *words],
        env=settled.shop.environ | {"TMPDIR": str(passing)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as asking:
        assert asking.stdout is not None
        said = b""
        while not said.endswith(b"Go on?"):
            said += asking.stdout.read(1)
        asking.kill()
    [left] = passing.iterdir()
    assert (left / bundle("corner").name).is_dir()
    settled.refused(*words, TMPDIR=str(passing))
    assert list(passing.iterdir()) == []


def test_upgrade_while_another_edition_is_set_says_which_line_to_take_out(
    settled: Prefix,
) -> None:
    said = settled.refused(*upgrade("corner", bundle("corner")), DIANKU_EDITION="basic")
    assert "is set to basic" in said


def test_upgrade_of_a_folder_without_a_shop_makes_none(settled: Prefix, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    said = settled.refused(*upgrade("corner", bundle("corner")), DIANKU_DATA=str(empty))
    assert "there is no shop in" in said
    assert list(empty.iterdir()) == []


def test_upgrade_that_the_index_does_not_have_is_refused_by_name(settled: Prefix) -> None:
    said = settled.refused(*upgrade("premium"), PIP_NO_INDEX="1")
    assert "edition premium cannot be had from the index" in said


def test_way_back_where_there_was_no_upgrade_is_refused(settled: Prefix) -> None:
    said = settled.refused("edition", "back", "--yes")
    assert "there is no version before basic-0.1.0" in said


def test_upgrade_in_a_plain_environment_says_what_to_do_instead(tmp_path: Path) -> None:
    plain = edition_environment("basic", extras=["psycopg", "psycopg-binary"])
    shop = plain.shop(tmp_path, environ={"DIANKU_LANGUAGE": "en"})
    done = subprocess.run(
        [*shop.command, *upgrade("advanced")],
        env=shop.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "this is a plain virtual environment" in done.stderr
    assert "pip install --upgrade -r editions/NAME.txt" in done.stderr


@pytest.mark.long("full")
def test_version_that_does_not_start_is_gone_back_on_and_its_plugin_named(
    tmp_path: Path,
) -> None:
    prefix = Prefix.made(tmp_path)
    prefix.shop.init()
    source = broken_corner(tmp_path, code='raise RuntimeError("no milk today")\n')
    said = prefix.refused(*upgrade("corner", source))
    assert "loyalty" in said
    assert "no milk today" in said
    assert "what was in use is in use" in said
    assert not (prefix.data / "upgrade-trial").exists()


@pytest.mark.long("full")
def test_added_plugin_that_ends_the_new_version_is_a_suspect_and_switched_off_no_hindrance(
    tmp_path: Path,
) -> None:
    """Whoever ends a whole process leaves no word of who it was."""
    prefix = Prefix.made(tmp_path)
    prefix.shop.init()
    code = 'import os, sys\nif "basic-0.1.0" not in sys.prefix:\n    os._exit(3)\n'
    prefix.add([MadePlugin(name="fatal", code=code).wheel(tmp_path)])
    said = prefix.refused(*upgrade("corner", bundle("corner")))
    assert "what was in use is in use" in said
    assert "If a plugin that was added is the cause (fatal): dianku plugin disable NAME" in said
    assert prefix.run("plugin", "disable", "fatal").returncode == 0
    prefix.upgrade("corner", bundle("corner"))
    assert prefix.current == "corner-1.0"


def versions_of(folder: Path, *names: str) -> Installation:
    """An installation of empty versions, the first in use and started from."""
    for name in names:
        (folder / "versions" / name).mkdir(parents=True)
        (folder / "versions" / name / "pyvenv.cfg").touch()
        seal(folder / "versions" / name, Origin(names[0], "a.backup"), sums=b"")
    (folder / "current").symlink_to(f"versions/{names[0]}")
    found = Installation.here(folder / "versions" / names[0])
    assert found is not None
    return found


def test_current_leads_to_a_version_at_every_moment_of_a_switch(tmp_path: Path) -> None:
    installation = versions_of(tmp_path, "a", "b")
    seen: list[tuple[str, str]] = []
    looking = False

    def look(event: str, _arguments: object) -> None:
        # Before each thing that is done to files: there the process could have been killed.
        if looking and event in {"os.remove", "os.rename", "os.symlink", "os.link"}:
            seen.append((event, (tmp_path / installation.current.readlink()).name))

    sys.addaudithook(look)
    looking = True
    switch(installation, installation.versions / "b")
    looking = False
    assert ("os.rename", "a") in seen
    assert installation.current.resolve(strict=True).name == "b"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "versions"]


def test_link_that_a_killed_switch_left_goes_with_the_next_upgrade(tmp_path: Path) -> None:
    installation = versions_of(tmp_path, "a", "b")
    (tmp_path / ".current-4711").symlink_to("versions/b")
    for path in left_over(installation):
        remove(path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "versions"]
    assert sorted(path.name for path in installation.versions.iterdir()) == ["a", "b"]


def test_version_a_server_runs_from_is_never_removed(tmp_path: Path) -> None:
    import fcntl

    installation = versions_of(tmp_path, "now", "before", "old", "older")
    half = installation.versions / "half"
    half.mkdir()
    (half / "pyvenv.cfg").touch()
    with (installation.versions / "old" / "pyvenv.cfg").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        assert is_held(installation.versions / "old")
        kept = [installation.versions / "before"]
        assert [path.name for path in older(installation, but=kept)] == ["older"]
    assert [path.name for path in older(installation, but=kept)] == ["old", "older"]
    assert list(left_over(installation)) == [half]
