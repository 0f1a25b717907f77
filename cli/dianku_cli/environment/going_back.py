"""`dianku edition back`: the version before this one again, while its code can read the tables.

Migrations lead upwards only. Once a newer version has started, the one before may not know the
tables any more; then the way back is the backup made on the way up, and it is said how.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from dianku_cli.environment.change import Busy, alone
from dianku_cli.environment.data_side import hand_over, owner_of, trial_folder
from dianku_cli.environment.place import Place
from dianku_cli.environment.programs import ProgramFailed, ProgramHung
from dianku_cli.environment.tryout import Stage, states_of
from dianku_cli.environment.upgrade import LOCK_FILE
from dianku_cli.environment.versions import MARK, Origin, origin_of, switch
from dianku_cli.failures import Failed
from dianku_cli.settings import Settings
from dianku_cli.shop import bare_shop
from dianku_cli.texts import say

ACTION = "edition.back"
PATIENCE_S = 120


class WayBack(NamedTuple):
    """From the version in use to the one before it."""

    place: Place
    origin: Origin
    previous: Path

    def go(self) -> None:
        """Switch to the version before.

        Raises:
            Failed: it cannot read the tables as they are now; how to go back all the same.
        """
        place = self.place
        try:
            with alone(place.installation.versions / LOCK_FILE):
                if place.has_data:
                    self._refuse_newer_tables()
                    self._note()
                switch(place.installation, self.previous)
        except Busy:
            raise Failed(say("upgrade_under_way", place.settings.language)) from None
        finally:
            hand_over(place.settings.data_dir)

    def _refuse_newer_tables(self) -> None:
        settings = self.place.settings
        with trial_folder(settings.data_dir) as folder:
            stage = Stage(folder, PATIENCE_S, owner_of(settings.data_dir))
            try:
                states = states_of(self.previous, settings=settings, stage=stage)
            except (ProgramFailed, ProgramHung) as error:
                words = {"name": self.previous.name, "reason": error}
                raise Failed(say("back_not_asked", settings.language, **words)) from error
        behind = [s for s in states if s["current"] not in {None, s["latest"]}]
        if behind:
            raise Failed(self._by_backup(", ".join(str(one["owner"]) for one in behind)))

    def _by_backup(self, owners: str) -> str:
        """How to go back by the backup, step for step."""
        from dianku.config import DATABASE_FILE

        settings, installation = self.place.settings, self.place.installation
        key = "back_by_backup" if settings.database is None else "back_by_backup_elsewhere"
        return say(
            key,
            settings.language,
            name=self.previous.name,
            owners=owners,
            data=settings.data_dir,
            file=DATABASE_FILE,
            command=installation.command,
            settings=installation.settings,
            backup=self.origin.backup,
        )

    def _note(self) -> None:
        with bare_shop(self.place.settings) as host:
            before = {"folder": self.place.installation.version.name}
            self.place.note(host, ACTION, before=before, after={"folder": self.previous.name})


def way_back(settings: Settings) -> WayBack:
    """The way back of the installation this process runs from.

    Raises:
        Failed: there is none.
    """
    place = Place.here(settings)
    installation = place.installation
    if not installation.in_use:
        raise Failed(place.not_in_use())
    place.refuse_unless_writable()
    origin = origin_of(installation.version)
    previous = installation.versions / origin.previous if origin is not None else None
    if origin is None or previous is None or not (previous / MARK).is_file():
        raise Failed(say("back_nothing", settings.language, name=installation.version.name))
    return WayBack(place, origin, previous)
