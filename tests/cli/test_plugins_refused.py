"""What cannot be installed: said what, where and what to do, with nothing changed."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from installed import edition_environment
from made_plugins import MadePlugin
from plugin_room import PluginRoom

from dianku.testing.postgres import reachable_folder
from dianku.testing.required import absent

BROKEN = {
    "ends": (MadePlugin(name="ends", code="import os\nos._exit(3)\n"), "ended its process with 3"),
    "hangs": (MadePlugin(name="hangs", code="while True: pass\n"), "not done after"),
    "unimportable": (MadePlugin(name="unimportable", code="import no_such\n"), "No module named"),
    "misspelt": (MadePlugin(name="misspelt", manifest="routs = []\n"), "plugin.toml:4"),
    "newer": (MadePlugin(name="newer", manifest='core = ">=9,<10"\n'), "dianku-core >=9,<10"),
    "mover": (MadePlugin(name="mover", requires=["dianku-core>=9"]), "dianku-core>=9"),
    "needy": (MadePlugin(name="needy", manifest='requires = ["absent"]\n'), "requires absent"),
    "kernel_name": (MadePlugin(name="shop"), "is the kernel's"),
    "degraded": (
        MadePlugin(
            name="degraded",
            code="from dianku.api import hookimpl\n"
            "@hookimpl\ndef register_jobs(shop):\n    raise ValueError('no jobs')\n",
        ),
        "no jobs",
    ),
    "migration": (
        MadePlugin(name="migration", manifest='tables = ["migration_a"]\n', steps=("1 / 0",)),
        "division by zero",
    ),
    "twin": (
        MadePlugin(name="reports", distribution="other-reports", files={}),
        "dianku_reports",
    ),
}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> PluginRoom:
    """One for all of them: none may change it."""
    folder = tmp_path_factory.mktemp("room")
    made = PluginRoom(edition_environment("basic").copied(folder / "env"), folder)
    made.shop.init()
    return made


SHORT = {"degraded", "twin", "a path trick", "one altered byte", "over the core", "an option"}
"""One of each way to be found out; what is found by the same steps runs where time is no matter."""


def _marked(kind: str) -> object:
    return pytest.param(kind, marks=[] if kind in SHORT else [pytest.mark.long("full")])


@pytest.mark.parametrize("kind", [_marked(kind) for kind in BROKEN])
def test_install_of_a_broken_plugin_changes_nothing_and_names_the_cause(
    kind: str, room: PluginRoom, tmp_path: Path
) -> None:
    plugin, cause = BROKEN[kind]
    words = ("--patience", "5") if kind == "hangs" else ()
    wheels = tmp_path / "wheels"
    said = room.refused(
        "plugin", "install", str(plugin.wheel(tmp_path)), "--wheels", str(wheels), *words
    )
    assert cause in said
    assert "othing was changed" in said


@pytest.mark.long("full")
def test_install_that_takes_another_plugin_along_is_refused(
    room: PluginRoom, tmp_path: Path
) -> None:
    # A second distribution that brings the plugin `reports`, in a package of its own.
    source = MadePlugin(name="rival").folder(tmp_path)
    project = source / "pyproject.toml"
    project.write_text(project.read_text().replace("rival = ", "reports = "))
    from installed import build_wheel

    said = room.refused("plugin", "install", str(build_wheel(source, tmp_path / "wheels")))
    assert "'dianku-reports' and 'dianku-rival' both bring plugin 'reports'" in said


def test_install_cannot_move_what_is_installed_even_where_it_could_be_had(
    room: PluginRoom, tmp_path: Path
) -> None:
    later = MadePlugin(name="cli", version="0.1.5", distribution="dianku-cli").wheel(tmp_path)
    mover = MadePlugin(name="mover", requires=["dianku-cli>=0.1.5"]).wheel(tmp_path)
    said = room.refused("plugin", "install", str(mover), "--wheels", str(later.parent))
    assert "dianku-cli>=0.1.5" in said


def _no_zip(folder: Path) -> str:
    wheel = folder / "dianku_x-1.0-py3-none-any.whl"
    wheel.write_bytes(b"no zip")
    return str(wheel)


def _altered(folder: Path) -> str:
    wheel = MadePlugin(name="x", code="# " + "a" * 4000).wheel(folder)
    data = bytearray(wheel.read_bytes())
    with zipfile.ZipFile(wheel) as archive:
        at = archive.getinfo("dianku_x/plugin.py").header_offset + 60
    data[at] ^= 0xFF
    wheel.write_bytes(data)
    return str(wheel)


def _misnamed(folder: Path) -> str:
    return str(MadePlugin(name="x").wheel(folder).rename(folder / "plugin.whl"))


def _leading_out(folder: Path) -> str:
    wheel = MadePlugin(name="x").wheel(folder)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("../../elsewhere.py", "")
    return str(wheel)


def _bare_folder(folder: Path) -> str:
    (folder / "bare").mkdir()
    return str(folder / "bare")


def _unbuildable(folder: Path) -> str:
    (folder / "odd").mkdir()
    (folder / "odd" / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "nowhere"\n'
    )
    return str(folder / "odd")


def _no_plugin(folder: Path) -> str:
    source = MadePlugin(name="x").folder(folder)
    project = source / "pyproject.toml"
    project.write_text(project.read_text().replace("dianku.plugins", "other.group"))
    from installed import build_wheel

    return str(build_wheel(source, folder / "wheels"))


def _over_the_core(folder: Path) -> str:
    wheel = MadePlugin(name="x").wheel(folder)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("dianku/api.py", "")
    return str(wheel)


def _over_another(folder: Path) -> str:
    wheel = MadePlugin(name="x").wheel(folder)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("click/__init__.py", "")
    return str(wheel)


BAD: dict[str, tuple[str | Callable[[Path], str], str]] = {
    "a path trick": ("../" * 30 + "etc/passwd", "is no sound wheel"),
    "an option": ("--no-such-option", "No such option"),
    "an address": ("http://127.0.0.1:9/x.whl", "is not there"),
    "words": ("no name", "is no name of a plugin"),
    "nothing there": ("nothing_like_it", "No matching distribution"),
    "no zip": (_no_zip, "is no sound wheel"),
    "one altered byte": (_altered, "is no sound wheel"),
    "another name": (_misnamed, "is no sound wheel"),
    "out of itself": (_leading_out, "leads out of it"),
    "no project": (_bare_folder, "has no pyproject.toml"),
    "not to be built": (_unbuildable, "could not be built"),
    "no plugin": (_no_plugin, "no entry point in the group dianku.plugins"),
    "over the core": (_over_the_core, "would write over dianku/api.py of dianku-core"),
    "over_another": (_over_another, "of click"),
}


@pytest.mark.parametrize("kind", [_marked(kind) for kind in BAD])
def test_install_of_what_is_no_plugin_says_what_and_changes_nothing(
    kind: str, room: PluginRoom, tmp_path: Path
) -> None:
    given, cause = BAD[kind]
    wish = given if isinstance(given, str) else given(tmp_path)
    code = 2 if wish.startswith("--") else 1
    words = ("plugin", "install", "--wheels", str(tmp_path), wish)
    assert cause in room.refused(*words, code=code)


def test_install_from_an_index_that_is_not_there_says_so(room: PluginRoom) -> None:
    room.shop.environ["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple"
    try:
        said = room.refused("plugin", "install", "bonus")
    finally:
        del room.shop.environ["PIP_INDEX_URL"]
    assert "look at the name and at the index" in said


def test_remove_of_what_the_edition_needs_is_refused(room: PluginRoom) -> None:
    assert "is needed by dianku-basic" in room.refused("plugin", "remove", "reports")


@pytest.mark.long("full")
def test_install_without_pip_says_how_to_get_it(tmp_path: Path) -> None:
    room = PluginRoom(edition_environment("basic").copied(tmp_path / "env"), tmp_path)
    shutil.rmtree(room.environment.packages / "pip")
    assert "ensurepip" in room.refused("plugin", "install", "bonus")


def test_install_on_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        absent("root", "nobody else mounts a small disk")
    room = PluginRoom(edition_environment("basic").copied(tmp_path / "env"), tmp_path)
    wheel = MadePlugin(
        name="bonus", files={"dianku_bonus/big.txt": secrets.token_hex(50_000)}
    ).wheel(tmp_path)
    disk = room.environment.folder / "dianku-change.part"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        absent("root", "this machine lets nobody mount")
    try:
        assert "No space left" in room.refused("plugin", "install", str(wheel))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_install_by_who_may_not_write_the_environment_is_refused() -> None:
    if os.geteuid() != 0:
        absent("root", "nobody else becomes another account")
    folder = reachable_folder("dianku-room-")
    try:
        room = PluginRoom(edition_environment("basic").copied(folder / "env"), folder)
        folder.chmod(0o777)
        before = room.digest()
        done = room.run("plugin", "install", "bonus", user=65_534, group=65_534, extra_groups=[])
        assert done.returncode == 1
        assert "cannot be written to" in done.stderr
        assert room.digest() == before
    finally:
        shutil.rmtree(folder)
