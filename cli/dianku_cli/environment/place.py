"""Where editions are changed: the installation of this process, and the shop it serves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from dianku_cli.environment.layout import Installation
from dianku_cli.failures import Failed
from dianku_cli.settings import Settings
from dianku_cli.shop import acting
from dianku_cli.texts import say

if TYPE_CHECKING:
    from dianku.host import Host


class Place(NamedTuple):
    """An installation with the settings of its shop."""

    installation: Installation
    settings: Settings

    @classmethod
    def here(cls, settings: Settings) -> Self:
        """The place of this process.

        Raises:
            Failed: it runs from a plain virtual environment; what to do there.
        """
        installation = Installation.here()
        if installation is None:
            raise Failed(say("upgrade_no_installation", settings.language))
        # Also where the command was called past the installation's own `bin/dianku`.
        return cls(installation, settings.completed(_variables(installation.settings)))

    def refuse_unless_usable(self, edition: str) -> None:
        """Refuse what could not be carried out, whatever the edition brings.

        Raises:
            Failed: says why and what to do.
        """
        language, settings = self.settings.language, self.settings
        if not self.installation.in_use:
            raise Failed(self.not_in_use())
        self.refuse_unless_writable()
        pinned = settings.value("edition")
        if pinned is not None and pinned != edition:
            raise Failed(say("upgrade_pinned", language, pinned=pinned, name=edition))
        if not self.has_data:
            raise Failed(say("upgrade_no_shop", language, folder=settings.data_dir))

    def refuse_unless_writable(self) -> None:
        """Refuse whoever may not write where versions lie. Raises `Failed`."""
        for folder in (self.installation.prefix, self.installation.versions):
            if not os.access(folder, os.W_OK):
                raise Failed(say("upgrade_not_writable", self.settings.language, folder=folder))

    @property
    def has_data(self) -> bool:
        """Whether there may be a shop: looking into a file that is not there would make it."""
        from dianku.config import DATABASE_FILE

        if self.settings.database is not None:
            return True
        return (self.settings.data_dir / DATABASE_FILE).is_file()

    def not_in_use(self) -> str:
        """What to say where this process runs from another version than the one in use."""
        words = {"mine": self.installation.version.name, "command": self.installation.command}
        used = self.installation.current.resolve().name
        return say("upgrade_not_in_use", self.settings.language, used=used, **words)

    def note(self, host: Host, action: str, *, before: Any, after: Any) -> None:
        """Write a change of editions into the trail."""
        from dianku.rehearsal import note_change

        subject = str(after["folder"])
        ctx = acting(host, self.settings)
        note_change(host, action, subject, ctx=ctx, before=before, after=after)


def _variables(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if line.startswith("DIANKU_"))
    return {name: value for name, _, value in pairs}
