"""What upgrades left that were cut off, for whoever asks whether something is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dianku_cli.environment.change import Busy, alone
from dianku_cli.environment.data_side import TRIAL
from dianku_cli.environment.layout import Installation
from dianku_cli.environment.upgrade import LOCK_FILE
from dianku_cli.environment.versions import left_over
from dianku_cli.settings import Settings


def leftovers(settings: Settings) -> Sequence[Path]:
    """The folders and links; none where this is no installation, or one is being upgraded now."""
    installation = Installation.here()
    if installation is None:
        return ()
    lock = installation.versions / LOCK_FILE
    if lock.exists():
        try:
            with alone(lock):
                return _found(installation, settings)
        except Busy:
            return ()
        except OSError:
            pass  # it is another's: whoever may not take it can still look
    return _found(installation, settings)


def _found(installation: Installation, settings: Settings) -> Sequence[Path]:
    trial = settings.data_dir / TRIAL
    return [*left_over(installation), *([trial] if trial.exists() else [])]
