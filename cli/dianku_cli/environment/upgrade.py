"""`dianku edition upgrade`: another edition or version beside the one in use, then a switch.

Until the switch, which is one rename, nothing of what runs is touched; whatever fails or is cut
off before leaves the shop as it is. The way down to a smaller edition is the same way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dianku_cli.environment import candidate as candidates
from dianku_cli.environment.candidate import Candidate, candidate_for
from dianku_cli.environment.carried import carry
from dianku_cli.environment.change import LOCK, Busy, alone
from dianku_cli.environment.data_side import back_up, hand_over, owner_of, trial_folder
from dianku_cli.environment.forecast import Forecast, forecast, is_same, lacking
from dianku_cli.environment.pip import PipRefused
from dianku_cli.environment.place import Place
from dianku_cli.environment.tryout import NotReady, Stage, reach, try_out
from dianku_cli.environment.versions import (
    Origin,
    free_folder,
    is_held,
    left_over,
    remove,
    seal,
    switch,
)
from dianku_cli.failures import Failed
from dianku_cli.settings import Settings
from dianku_cli.shop import bare_shop, closed_shop
from dianku_cli.texts import say

if TYPE_CHECKING:
    from dianku.host import Host

ACTION = "edition.upgrade"
UNDONE = "edition.upgrade_undone"
LOCK_FILE = ".upgrade.lock"
Tell = Callable[[str], None]


class Upgraded(NamedTuple):
    """What came of an upgrade: the version in use now, the backup, plugins that are not well."""

    version: Path
    backup: Path
    ill: Mapping[str, str]


class Upgrade:
    """An upgrade from what is in use to a candidate: seen before, then carried out."""

    def __init__(self, place: Place, candidate: Candidate, *, tell: Tell, patience_s: int) -> None:
        self._place = place
        self._installation = place.installation
        self._settings = place.settings
        self._language = place.settings.language
        self._candidate = candidate
        self._tell = tell
        self._patience_s = patience_s

    def foreseen(self) -> Forecast:
        """What it would do.

        Raises:
            Failed: it cannot work: says why and what to do; nothing was changed.
        """
        self._place.refuse_unless_usable(self._candidate.edition)
        with bare_shop(self._settings) as host:
            data_bytes = self._refuse_unless_fit(host)
        # As it lies: where the last upgrade waits for its restart, nothing is migrated under it.
        with closed_shop(self._settings) as host:
            found = forecast(
                self._candidate, host, installation=self._installation, data_bytes=data_bytes
            )
        if is_same(found, self._candidate, self._installation):
            raise Failed(say("upgrade_same", self._language, name=found.after))
        prefix, data = self._installation.prefix, self._settings.data_dir
        if lack := lacking(found, self._candidate, prefix=prefix, data=data):
            raise Failed(say("upgrade_no_room", self._language, lack=lack))
        return found

    def _refuse_unless_fit(self, host: Host) -> int:
        """Refuse a database this candidate could not work on; its size in bytes."""
        from dianku.operations import bytes_held, schema_states

        [core] = schema_states(host)
        if core.current is None:
            raise Failed(say("upgrade_no_shop", self._language, folder=self._settings.data_dir))
        if core.current not in self._candidate.revisions:
            words = {"name": self._candidate.version, "revision": core.current}
            raise Failed(say("upgrade_database_newer", self._language, **words))
        driven = "psycopg" in self._candidate.distributions
        if host.database.dialect == "postgresql" and not driven:
            raise Failed(say("upgrade_no_driver", self._language, name=self._candidate.edition))
        return bytes_held(host)

    def carry_out(self, found: Forecast) -> Upgraded:
        """Do it; one at a time.

        Raises:
            Failed: it could not be done; what was in use is in use.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(alone(self._installation.versions / LOCK_FILE))
                # The added plugins must not change meanwhile.
                stack.enter_context(alone(self._installation.version / LOCK))
            except Busy:
                raise Failed(say("upgrade_under_way", self._language)) from None
            stack.callback(hand_over, self._settings.data_dir)
            if not self._installation.in_use:
                raise Failed(self._place.not_in_use())
            self._sweep()
            with bare_shop(self._settings) as host:
                self._say("upgrade_step_backup")
                backup = back_up(host, found.name, settings=self._settings)
                self._tell(say("backed_up_to", self._language, name=backup))
                with self._going_back(backup), _umask(0o022):
                    version, ill = self._made(found, backup)
                    self._switch(host, found, version=version, backup=backup)
        for path in found.removed:
            if not is_held(path):  # a server may have been started from it meanwhile
                remove(path)
        return Upgraded(version, backup, ill)

    def _sweep(self) -> None:
        """Remove what an earlier upgrade left that was cut off."""
        for path in left_over(self._installation):
            remove(path)
            self._tell(say("upgrade_swept", self._language, name=path.name))

    @contextmanager
    def _going_back(self, backup: Path) -> Iterator[None]:
        """Leave no part of a new version where it does not come to a switch."""
        try:
            yield
        except BaseException as error:
            if self._installation.current.resolve() != self._installation.version:
                # Too late to be stopped: the new version is in use.
                self._say("upgrade_done_all_the_same", backup=backup)
                raise
            for path in left_over(self._installation):
                remove(path)
            if isinstance(error, PipRefused | NotReady | OSError):
                words = {"reason": str(error), "backup": backup}
                raise Failed(say("upgrade_went_back", self._language, **words)) from error
            self._say("upgrade_interrupted", backup=backup)
            raise

    def _made(self, found: Forecast, backup: Path) -> tuple[Path, Mapping[str, str]]:
        """Make the new version beside the others and see it start."""
        folder = free_folder(self._installation, found.name)
        self._say("upgrade_step_install", folder=folder)
        candidates.install(self._candidate, folder)
        for name, why in carry(found.added, folder, candidate=self._candidate).items():
            self._say("upgrade_not_fitting", name=name, reason=why)
        self._say("upgrade_step_try")
        data = self._settings.data_dir
        with trial_folder(data) as trial:
            stage = Stage(trial, self._patience_s, owner_of(data))
            required = self._candidate.required
            try:
                ill = try_out(
                    folder, backup, required=required, settings=self._settings, stage=stage
                )
            except NotReady as error:
                raise NotReady("\n".join([str(error), *self._suspects(found)])) from error
            reach(folder, settings=self._settings, stage=stage)
        for name, why in ill.items():
            self._say("upgrade_plugin_ill", name=name, reason=why)
        for paper in self._candidate.papers:
            (folder / paper.name).write_bytes(paper.read_bytes())
        previous = self._installation.version.name
        seal(folder, Origin(previous, str(backup)), sums=self._candidate.sums)
        return folder, ill

    def _suspects(self, found: Forecast) -> Iterator[str]:
        """What to do where a plugin somebody added ended the whole process, which tells of none."""
        if names := ", ".join(name for wheel in found.added for name in wheel.plugins):
            yield say("upgrade_suspects", self._language, names=names)

    def _switch(self, host: Host, found: Forecast, *, version: Path, backup: Path) -> None:
        """Write it into the trail, then switch: no version was ever in use untold."""
        before = {"edition": found.before, "folder": self._installation.version.name}
        after = {"edition": found.after, "folder": version.name, "backup": backup.name}
        told = False
        try:
            self._place.note(host, ACTION, before=before, after=after)
            told = True
            switch(self._installation, version)
        except BaseException:
            if self._installation.current.resolve() == self._installation.version:
                remove(version)
                if told:
                    self._place.note(host, UNDONE, before=after, after=before)
            raise

    def _say(self, key: str, **words: Any) -> None:
        self._tell(say(key, self._language, **words))


@contextmanager
def planned(
    wish: str, *, source: Path | None, settings: Settings, tell: Tell, patience_s: int
) -> Iterator[Upgrade]:
    """An upgrade of the installation this process runs from.

    Raises:
        Failed: this is none, or the candidate cannot be had.
    """
    place = Place.here(settings)
    with candidate_for(wish, source=source, language=settings.language) as candidate:
        yield Upgrade(place, candidate, tell=tell, patience_s=patience_s)


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    """Programs are for every account to run, whoever installs them."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)
