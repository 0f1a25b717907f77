"""How each plugin stands, and why: loaded, degraded, refused, disabled or missing.

A plugin never vanishes in silence: whatever kept it from working is kept with it, as what
happened and what to do, and is shown by `dianku plugin list`, `/readyz` and the console.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from enum import Enum
from typing import Any

from attrs import define, field, frozen

from dianku.plugins.manifest import Manifest

FAULTS_KEPT = 20
_PATH = re.compile(r"(?:[A-Za-z]:)?[/\\](?:[^\s:]*[/\\])([\w.-]+\.toml)")


class Status(Enum):
    """How a plugin stands."""

    LOADED = "loaded"
    DEGRADED = "degraded"
    REFUSED = "refused"
    DISABLED = "disabled"
    MISSING = "missing"


@frozen
class Fault:
    """One thing that went wrong: where, what happened, what to do."""

    where: str
    what: str
    remedy: str

    @property
    def brief(self) -> str:
        """Where, and what in a few words, for who has shown no token.

        What an error says of itself, after its colon, may hold anything, and paths are nobody's
        business: they are for the log and `dianku plugin list`.
        """
        told = _PATH.sub(r"\1", self.what).partition(": ")[0]
        return f"{self.where}: {told}"

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.remedy}"


@define(kw_only=True)
class PluginState:
    """One plugin and how it stands.

    Attributes:
        required: The edition cannot do without it.
        manifest: None where it could not be read.
        faults: What went wrong, each once, the newest last, at most `FAULTS_KEPT`.
        fault_count: How many there were in all.
    """

    name: str
    status: Status
    required: bool = False
    version: str = ""
    distribution: str = ""
    manifest: Manifest | None = None
    module: Any = None
    faults: Sequence[Fault] = ()
    fault_count: int = 0
    _lock: threading.Lock = field(factory=threading.Lock, repr=False, eq=False)

    @property
    def running(self) -> bool:
        """Whether its hooks are called."""
        return self.status in {Status.LOADED, Status.DEGRADED}

    def degrade(self, fault: Fault) -> None:
        """Note a fault of a plugin that goes on running."""
        self._note(fault, Status.DEGRADED)

    def refuse(self, fault: Fault) -> None:
        """Note the fault that keeps it from running."""
        self._note(fault, Status.REFUSED)

    def _note(self, fault: Fault, status: Status) -> None:
        with self._lock:
            self.status = status
            self.fault_count += 1
            # The same fault over and over must not push the others out.
            others = [one for one in self.faults if one != fault]
            self.faults = (*others, fault)[-FAULTS_KEPT:]
