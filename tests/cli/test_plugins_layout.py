"""Where an installation keeps what somebody added."""

from __future__ import annotations

from pathlib import Path

from dianku_cli.environment.layout import Installation


def _version(prefix: Path, name: str) -> Path:
    folder = prefix / "versions" / name
    folder.mkdir(parents=True)
    return folder


def test_layout_is_told_by_the_folders_around_an_environment(tmp_path: Path) -> None:
    old, new = _version(tmp_path, "basic-0.1.0"), _version(tmp_path, "basic-0.2.0")
    (tmp_path / "current").symlink_to("versions/basic-0.1.0")
    (tmp_path / "plugins").mkdir()
    for name in ("b-1-py3-none-any.whl", "a-1-py3-none-any.whl", "notes.txt"):
        (tmp_path / "plugins" / name).touch()

    by_link = Installation.here(tmp_path / "current")
    later = Installation.here(new)
    assert by_link is not None
    assert later is not None
    assert (by_link.version, by_link.prefix, by_link.in_use) == (old, tmp_path, True)
    assert not later.in_use
    names = [wheel.name for wheel in later.added_wheels]
    assert names == ["a-1-py3-none-any.whl", "b-1-py3-none-any.whl"]


def test_layout_of_a_plain_environment_is_none(tmp_path: Path) -> None:
    assert Installation.here(tmp_path / "venv") is None
    # Neither name alone makes one: somebody may call a folder so.
    assert Installation.here(_version(tmp_path, "mine")) is None
