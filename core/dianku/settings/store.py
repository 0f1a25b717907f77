"""Read and change settings: at once in every process, all wrong fields named together.

Every view is checked against a version counter in the database, so a change made by another
process is seen by the next look. A secret goes in and is used; it never comes out again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import sqlalchemy as sa
from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.context import Context
from dianku.errors import invalid, refuse
from dianku.settings.kernel import KERNEL_SECTIONS
from dianku.settings.schema import Field, Section
from dianku.settings.tables import setting, setting_secret
from dianku.storage import events
from dianku.storage.engine import LOCK_CATALOG, Database

MASK = "********"
"""What stands for a secret that is set; sent back, it leaves the secret as it is."""

SETTINGS_VERSION = "settings"
FRESH_SECONDS = 0.5
EDIT_PERMISSION = "settings.edit"
VIEW_PERMISSION = "settings.view"

Audit = Callable[[Connection, Context, str, str, Mapping[str, Any], Mapping[str, Any]], None]
"""Writes one line of the trail in the same transaction: action, subject, old and new values."""


@frozen
class SettingsView:
    """All settings as they were at one version: section -> key -> value, defaults filled in."""

    version: int
    values: Mapping[str, Mapping[str, Any]]

    def section(self, name: str) -> Mapping[str, Any]:
        """One section. Raises `KeyError` for one that nobody declared."""
        return self.values[name]

    def get(self, section: str, key: str) -> Any:
        """One value. Raises `KeyError` for one that nobody declared."""
        return self.values[section][key]


class Settings:
    """The settings of one shop.

    `audit` writes the trail of what was changed.
    """

    def __init__(
        self,
        database: Database,
        *,
        sections: Iterable[Section] = KERNEL_SECTIONS,
        audit: Audit | None = None,
    ) -> None:
        self._database = database
        self._sections = {section.name: section for section in sections}
        self._defaults: Mapping[str, Mapping[str, Any]] = {}
        self._audit = audit
        self._lock = threading.Lock()
        self._held = self._filled(-1, {})
        self._looked_at = -FRESH_SECONDS
        self.watched = False
        """Whether somebody calls `refresh` by the clock, so that `last` need not look itself."""

    @property
    def last(self) -> SettingsView:
        """A view for what is asked with every request: about `FRESH_SECONDS` old at most.

        While `watched` it answers from memory alone: an event loop never waits for the database.
        """
        if self.watched or time.monotonic() - self._looked_at < FRESH_SECONDS:
            return self._held
        return self.view()

    def refresh(self) -> None:
        """Look again where the last look was `FRESH_SECONDS` ago."""
        if time.monotonic() - self._looked_at >= FRESH_SECONDS:
            self.view()

    def declare(self, section: Section) -> None:
        """Add a plugin's section.

        Raises:
            ValueError: there is a section of that name.
        """
        with self._lock:
            if section.name in self._sections:
                raise ValueError(f"settings section {section.name!r} is declared already")
            self._sections[section.name] = section
            self._held = self._filled(-1, {})

    def prefer(self, defaults: Mapping[str, Mapping[str, Any]]) -> None:
        """Put an edition's defaults before those of the schema.

        Raises:
            ValueError: with every one that no section declares or that breaks its rule.
        """
        wrong = [
            f"{name}.{error.pointer[1:]}: {error.code}"
            for name, values in defaults.items()
            if name in self._sections
            for error in self._sections[name].wrong(values)
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        with self._lock:
            self._defaults = defaults
            self._held = self._filled(-1, {})

    @property
    def sections(self) -> Mapping[str, Section]:
        """What can be set, by section."""
        return MappingProxyType(self._sections)

    def view(self, connection: Connection | None = None) -> SettingsView:
        """The settings as they are now; one small query when nothing changed."""
        if connection is not None:
            return self._look(connection)
        with self._database.reading() as own:
            return self._look(own)

    def get(self, section: str, key: str) -> Any:
        """One value as it is now."""
        return self.view().get(section, key)

    def get_section(self, name: str, *, ctx: Context) -> dict[str, Any]:
        """What may be shown of a section: secrets as `MASK` where set, null where not.

        Raises:
            Refused: `not_found`, `forbidden`.
        """
        ctx.require(VIEW_PERMISSION)
        section = self._section(name)
        return _shown(section, self.view().section(name))

    def patch_section(
        self, name: str, changes: Mapping[str, Any], *, ctx: Context
    ) -> dict[str, Any]:
        """Change some values; null clears one that may be unset. All or nothing.

        Raises:
            Refused: `not_found`, `forbidden` (also for who is limited to stores: settings are the
                whole shop's), `invalid` with every wrong field.
        """
        ctx.require(EDIT_PERMISSION)
        ctx.require_all_stores()
        section = self._section(name)
        wanted = {
            key: value
            for key, value in changes.items()
            if not (value == MASK and key in section.fields and section.fields[key].secret)
        }
        wrong = section.wrong(wanted)
        if wrong:
            raise invalid(*wrong)
        if wanted:
            self._write(section, wanted, ctx)
        return _shown(section, self.view().section(name))

    def secrets(self) -> frozenset[str]:
        """Every secret that is set, to be kept out of logs."""
        return frozenset(
            str(self._held.values[section.name][field.name])
            for section in self._sections.values()
            for field in section.fields.values()
            if field.secret and self._held.values[section.name][field.name]
        )

    def _section(self, name: str) -> Section:
        if name not in self._sections:
            raise refuse("not_found", what="settings", name=name)
        return self._sections[name]

    def _write(self, section: Section, wanted: Mapping[str, Any], ctx: Context) -> None:
        with self._database.writing() as c:
            self._database.lock(c, LOCK_CATALOG)
            old = _shown(section, self._look(c).section(section.name))
            events.bump(c, SETTINGS_VERSION)
            for key, value in sorted(wanted.items()):
                _store(c, section, section.fields[key], value)
            if self._audit is not None:
                shown = {
                    key: MASK if section.fields[key].secret and value is not None else value
                    for key, value in wanted.items()
                }
                before = {key: old[key] for key in wanted}
                self._audit(c, ctx, "settings.change", section.name, before, shown)

    def _look(self, connection: Connection) -> SettingsView:
        self._looked_at = time.monotonic()
        version = events.current(connection, SETTINGS_VERSION)
        held = self._held
        if version == held.version:
            return held
        stored: dict[str, dict[str, Any]] = {}
        for table in (setting, setting_secret):
            for row in connection.execute(sa.select(table)):
                stored.setdefault(row.section, {})[row.key] = msgspec.json.decode(row.value)
        with self._lock:
            fresh = self._filled(version, stored)
            if version >= self._held.version:
                self._held = fresh
        return fresh

    def _filled(self, version: int, stored: Mapping[str, Mapping[str, Any]]) -> SettingsView:
        values = {}
        for name, section in self._sections.items():
            preferred = self._defaults.get(name, {})
            found = stored.get(name, {})
            values[name] = MappingProxyType(
                {
                    key: found.get(key, preferred.get(key, field.default))
                    for key, field in section.fields.items()
                }
            )
        return SettingsView(version, MappingProxyType(values))


class SecretFilter(logging.Filter):
    """Keeps secrets out of a log, its tracebacks included: put it on every handler."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def filter(self, record: logging.LogRecord) -> bool:
        """Put `MASK` in the place of every secret; the record is kept."""
        secrets = sorted(self._settings.secrets(), key=len, reverse=True)
        if secrets:
            try:
                message = record.getMessage()
            except Exception:  # noqa: BLE001 - figures that do not fit: whoever logs goes on
                message = f"{record.msg!r} {record.args!r}"
                record.msg, record.args = message, None
            masked = _masked(message, secrets)
            if masked != message:
                record.msg, record.args = masked, None
            if record.exc_info and not record.exc_text:
                # Formatters take the text where there is one and do not make it again.
                record.exc_text = logging.Formatter().formatException(record.exc_info)
            if record.exc_text:
                record.exc_text = _masked(record.exc_text, secrets)
        return True


def _masked(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def _shown(section: Section, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: (MASK if values[key] else None) if field.secret else values[key]
        for key, field in section.fields.items()
    }


def _store(connection: Connection, section: Section, field: Field, value: Any) -> None:
    table = setting_secret if field.secret else setting
    at = {"section": section.name, "key": field.name}
    connection.execute(
        table.delete().where(table.c.section == section.name, table.c.key == field.name)
    )
    if value is not None:
        connection.execute(table.insert(), {**at, "value": msgspec.json.encode(value).decode()})
