"""See whether a new version starts: on a copy of the shop out of its backup, thrown away after.

Only what the command line of that version promises is used (`restore`, `serve`, `/readyz`), since
it may be older or newer than this code. Restoring verifies the backup and the whole ledger; what
is served is not heard outside: neither jobs nor notifications run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from dianku_cli.environment.programs import (
    Account,
    Program,
    ProgramFailed,
    ProgramHung,
    plain_environ,
    run,
)
from dianku_cli.settings import Settings
from dianku_cli.texts import say

_LISTENING = "listening on "
_BYTES_A_SECOND = 1_000_000
"""At least so fast is a backup restored, migrated and verified."""
_WELL = frozenset({"loaded", "disabled"})
_GONE = "missing"
"""Of a plugin that left: its tables are there, and that is as it should be."""
_DIRECT = build_opener(ProxyHandler({}))
"""Past any proxy of the surroundings: that one knows nothing of this machine's own ports."""


class NotReady(Exception):
    """The shop would not be well with that version: why, in words."""


class Stage(NamedTuple):
    """Where and how a version is tried.

    Attributes:
        folder: For the copy of the shop; it is there and empty.
        patience_s: How long a start may take.
        account: Whose rights it is tried with.
    """

    folder: Path
    patience_s: int
    account: Account | None


def try_out(
    version: Path, backup: Path, *, required: Sequence[str], settings: Settings, stage: Stage
) -> Mapping[str, str]:
    """Start a version on the shop of a backup; the plugins that are not well, and why.

    Raises:
        NotReady: it does not start, its books differ, or a required plugin is not well.
    """
    environ = _environ(settings, stage.folder)
    dianku = [*dianku_of(version), "--language", settings.language]
    patience = stage.patience_s + backup.stat().st_size / _BYTES_A_SECOND
    try:
        run(
            [*dianku, "restore", str(backup)],
            folder=stage.folder,
            patience_s=patience,
            environ=environ,
            account=stage.account,
        )
        state = _served(dianku, environ, stage)
    except ProgramFailed as error:
        raise NotReady(str(error)) from error
    except ProgramHung as error:
        said = say("trial_hung", settings.language, seconds=round(patience))
        raise NotReady("\n  ".join(filter(None, (said, str(error))))) from error
    return _judged(state, required, settings.language)


def dianku_of(version: Path) -> list[str]:
    """The command `dianku` of a version, whatever its scripts say."""
    return [str(version / "bin" / "python"), "-I", "-m", "dianku_cli"]


def _environ(settings: Settings, folder: Path) -> dict[str, str]:
    environ = plain_environ() | {
        "DIANKU_DATA": str(folder / "data"),
        "DIANKU_DATABASE": "",  # the embedded one, also where the shop's own is PostgreSQL
        "HOME": str(folder),
    }
    if edition := settings.value("edition"):
        environ["DIANKU_EDITION"] = edition
    return environ


def _served(dianku: Sequence[str], environ: Mapping[str, str], stage: Stage) -> dict[str, Any]:
    """Serve, and ask `/readyz` how it is."""
    words = [*dianku, "serve", "--port", "0", "--no-background"]
    until = time.monotonic() + stage.patience_s
    with Program(words, folder=stage.folder, environ=environ, account=stage.account) as server:
        line: str | None = ""
        while not (line or "").startswith(_LISTENING):
            line = server.line(until - time.monotonic())
            if line is None:
                server.ended()
                raise ProgramFailed(server.last_words())
        # It says that it listens when it has started: what it is then, it stays.
        state = _asked((line or "").removeprefix(_LISTENING), until - time.monotonic())
        if not state["ready"]:
            raise ProgramFailed(server.last_words())
        return state


def _asked(address: str, patience_s: float) -> dict[str, Any]:
    try:
        with _DIRECT.open(f"{address}/readyz", timeout=max(patience_s, 1)) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except (HTTPError, URLError, OSError, ValueError):
        return {"ready": False}


def _judged(state: Mapping[str, Any], required: Sequence[str], language: str) -> Mapping[str, str]:
    faults = state.get("faults", {})
    ill = {
        name: "\n  ".join([say(f"status_{status}", language), *faults.get(name, ())])
        for name, status in state["plugins"].items()
        if status not in _WELL and (status != _GONE or name in required)
    }
    wrong = [f"{name}: {ill[name]}" for name in required if name in ill]
    if wrong:
        raise NotReady("\n".join(wrong))
    return ill


def reach(version: Path, *, settings: Settings, stage: Stage) -> None:
    """See that a version reaches the shop's own database; nothing is changed there.

    Raises:
        NotReady: it does not.
    """
    try:
        states_of(version, settings=settings, stage=stage)
    except (ProgramFailed, ProgramHung) as error:
        raise NotReady(str(error)) from error


def states_of(version: Path, *, settings: Settings, stage: Stage) -> Sequence[Mapping[str, Any]]:
    """What a version says of the tables of the shop itself: owner, current, latest.

    Raises:
        ProgramFailed: it cannot tell.
        ProgramHung: it does not answer.
    """
    # An address may hold a password, which a list of processes would show.
    environ = plain_environ() | {
        "DIANKU_DATA": str(settings.data_dir.resolve()),
        "DIANKU_DATABASE": settings.database or "",
    }
    said = run(
        [*dianku_of(version), "--language", settings.language, "db", "status", "--json"],
        folder=stage.folder,
        patience_s=stage.patience_s,
        environ=environ,
        account=stage.account,
    )
    found: list[Mapping[str, Any]] = json.loads(said)
    return found
