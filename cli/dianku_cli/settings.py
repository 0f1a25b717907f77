"""Where the shop is: options first, then `DIANKU_*` variables, then `dianku.toml`.

Nothing is opened or created here; reading the settings has no effect on the disk. The file is read
only when something in it is asked for, since `dianku --help` asks for nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

LANGUAGES = ("zh-CN", "en")
SETTINGS_FILE = "dianku.toml"


class SettingsError(Exception):
    """A settings file or variable that cannot be used: which one, and what is wrong with it."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason


class Settings:
    """What was said on the command line, completed from the environment and the settings file.

    Attributes:
        plugins: Whether plugins are loaded; `--no-plugins` says no.
    """

    def __init__(
        self,
        *,
        data: Path | None = None,
        database: str | None = None,
        language: str | None = None,
        plugins: bool = True,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._data = data
        self._database = database
        self._language = language
        self._environ = os.environ if environ is None else environ
        self.plugins = plugins

    def completed(self, variables: Mapping[str, str]) -> Settings:
        """The same, with variables besides for what neither options nor the environment say."""
        return Settings(
            data=self._data,
            database=self._database,
            language=self._language,
            plugins=self.plugins,
            environ={**variables, **self._environ},
        )

    @cached_property
    def data_dir(self) -> Path:
        """The data folder; the file cannot name it, since it lies inside."""
        if self._data is not None:
            return self._data
        named = self._environ.get("DIANKU_DATA")
        return Path(named) if named else platform_data_dir(self._environ)

    @cached_property
    def file(self) -> Mapping[str, Any]:
        """What `dianku.toml` says; empty when there is none.

        Raises:
            SettingsError: The file is there and cannot be read.
        """
        path = self.data_dir / SETTINGS_FILE
        if not path.is_file():
            return {}
        import tomllib

        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SettingsError(str(path), str(error)) from error

    @cached_property
    def database(self) -> str | None:
        """The database's address, or None for the embedded one in the data folder."""
        return self._database or self.value("database")

    @cached_property
    def language(self) -> str:
        """`zh-CN` or `en`: as said, or as the locale suggests; Chinese where it says nothing."""
        said = self._language or self.value("language")
        if said is None:
            return _language_of_locale(self._environ)
        if said not in LANGUAGES:
            source = "DIANKU_LANGUAGE" if "DIANKU_LANGUAGE" in self._environ else SETTINGS_FILE
            raise SettingsError(source, f"{said!r} is none of {', '.join(LANGUAGES)}")
        return said

    def value(self, name: str) -> str | None:
        """One setting from its variable or the file, as text; None where neither has it."""
        named = self._environ.get(f"DIANKU_{name.upper()}")
        if named:
            return named
        found = self.file.get(name)
        return None if found is None else str(found)


def platform_data_dir(environ: Mapping[str, str]) -> Path:
    """The platform's own place for a program's data."""
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "Dianku"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Dianku"
    base = environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "dianku"


def platform_cache_dir(environ: Mapping[str, str]) -> Path:
    """The platform's own place for what can be made anew."""
    if sys.platform == "win32":
        return platform_data_dir(environ) / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "Dianku"
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "dianku"


def _language_of_locale(environ: Mapping[str, str]) -> str:
    """The first of the usual variables that names a language; C and POSIX name none."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        said = environ.get(name, "").lower()
        if said and not said.startswith(("c.", "posix")) and said != "c":
            return "zh-CN" if said.startswith("zh") else "en"
    return "zh-CN"
