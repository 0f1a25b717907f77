"""What an installer leaves half done, or an outsider hands over, hides nobody else's plugin."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dianku.plugins.discovery import discover
from dianku.plugins.set import PluginSet
from dianku.plugins.states import Status
from dianku.testing.entry_points import MANIFEST, Shelf

pytestmark = pytest.mark.sqlite_only
Load = Callable[..., PluginSet]
BAD = "dianku_bad-0.3.1.dist-info"
HUGE = f"[settings.a]\ntype = 'integer'\ntitle = {{ zh = 'a', en = 'a' }}\ndefault = {'9' * 5000}"


@pytest.mark.parametrize(
    ("file", "content", "what"),
    [
        (f"{BAD}/METADATA", None, "metadata of what brings 'bad'"),
        (f"{BAD}/METADATA", b"", "metadata of what brings 'bad'"),
        (f"{BAD}/METADATA", b"Name: \xff\xfe\nVersion: 1\n", "metadata of what brings 'bad'"),
        (f"{BAD}/METADATA", b"Metadata-Version: 2.1\nName: bad\n", "metadata of what brings 'bad'"),
        (
            "dianku_bad/plugin.toml",
            b"\xff\xfe",
            "plugin.toml:1: this is no UTF-8; save the file as UTF-8",
        ),
        (
            "dianku_bad/plugin.toml",
            (MANIFEST.format(name="bad", more=HUGE)).encode(),
            "plugin.toml",
        ),
    ],
)
def test_plugin_found_half_is_refused_and_the_others_load(
    plugin_shelf: Shelf, load: Load, file: str, content: bytes | None, what: str
) -> None:
    plugin_shelf.plugin("bad")
    plugin_shelf.plugin("good")
    path = plugin_shelf.folder / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)

    plugins = load()

    assert plugins.state("bad").status is Status.REFUSED
    assert what in plugins.state("bad").faults[-1].what
    assert plugins.state("good").status is Status.LOADED


@pytest.mark.parametrize("points", [b"[dianku.plugins]\nbad = b\xff\n", b"[any]\njust words\n"])
def test_list_of_entry_points_that_is_none_hides_its_own_only_and_is_told(
    plugin_shelf: Shelf, load: Load, points: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    plugin_shelf.plugin("bad")
    plugin_shelf.plugin("good")
    (plugin_shelf.folder / BAD / "entry_points.txt").write_bytes(points)

    plugins = load()

    assert plugins.state("good").status is Status.LOADED
    assert str(plugin_shelf.folder) in caplog.text


def test_manifest_that_is_a_pipe_is_refused_and_not_waited_for(plugin_shelf: Shelf) -> None:
    home = plugin_shelf.plugin("bad")
    (home / "plugin.toml").unlink()
    os.mkfifo(home / "plugin.toml")

    bad = next(one for one in discover() if one.name == "bad")

    assert bad.error == f"{Path(home) / 'plugin.toml'} is no file"
