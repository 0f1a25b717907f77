"""Options first, then variables, then the file in the data folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from dianku_cli.settings import Settings, SettingsError


def test_database_named_everywhere_takes_the_option(tmp_path: Path) -> None:
    (tmp_path / "dianku.toml").write_text('database = "sqlite:///file"')
    environ = {"DIANKU_DATABASE": "sqlite:///variable"}
    assert Settings(data=tmp_path, database="sqlite:///option", environ=environ).database == (
        "sqlite:///option"
    )
    assert Settings(data=tmp_path, environ=environ).database == "sqlite:///variable"
    assert Settings(data=tmp_path, environ={}).database == "sqlite:///file"


def test_database_named_nowhere_is_the_embedded_one(tmp_path: Path) -> None:
    assert Settings(data=tmp_path, environ={}).database is None


def test_data_folder_takes_the_option_before_the_variable(tmp_path: Path) -> None:
    environ = {"DIANKU_DATA": str(tmp_path / "variable")}
    assert Settings(data=tmp_path, environ=environ).data_dir == tmp_path
    assert Settings(environ=environ).data_dir == tmp_path / "variable"


def test_settings_with_nothing_said_create_nothing(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "none", environ={})
    assert settings.file == {}
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "zh-CN"),
        ({"LC_ALL": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, "zh-CN"),
        ({"LANG": "zh_CN.UTF-8", "DIANKU_LANGUAGE": "en"}, "en"),
    ],
)
def test_language_not_said_follows_the_surroundings(
    environ: dict[str, str], language: str, tmp_path: Path
) -> None:
    assert Settings(data=tmp_path, environ=environ).language == language


def test_language_in_the_file_wins_over_the_locale(tmp_path: Path) -> None:
    (tmp_path / "dianku.toml").write_text('language = "en"')
    assert Settings(data=tmp_path, environ={"LANG": "zh_CN.UTF-8"}).language == "en"


def test_settings_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "dianku.toml").write_text("database = ")
    with pytest.raises(SettingsError, match=r"dianku\.toml"):
        _ = Settings(data=tmp_path, environ={}).database


def test_language_nobody_speaks_is_refused_with_its_source(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="DIANKU_LANGUAGE"):
        _ = Settings(data=tmp_path, environ={"DIANKU_LANGUAGE": "fr"}).language
