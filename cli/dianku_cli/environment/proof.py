"""Whether a shop starts as well with a newcomer as without: what is worse than before, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dianku_cli.environment.trial import RUNNING, Outcome, start, told
from dianku_cli.settings import Settings
from dianku_cli.texts import say


class ProofFailed(Exception):
    """The shop would be worse off; what happened, one thing a line."""


class Proof:
    """Trials of one newcomer on one copy of the shop."""

    def __init__(
        self,
        settings: Settings,
        *,
        database: str,
        folder: Path,
        newcomers: Sequence[str],
        patience_s: int,
    ) -> None:
        self._settings = settings
        self._database = database
        self._folder = folder
        self._newcomers = newcomers
        self._patience_s = patience_s
        self._without: Outcome | None = None
        self._count = 0

    def first(self, wheels: Path) -> None:
        """Start with the newcomer's wheels beside what is installed. Raises `ProofFailed`."""
        found = self._start(wheels)
        own = found.doing in self._newcomers if found.ended else self._is_worse(found)
        if not own and list(self._wrong(found)):
            # Only now is it worth knowing how the shop is without it.
            self._without = self._start(None)
        self._judge(found)

    def again(self) -> None:
        """Start as it is installed now. Raises `ProofFailed`."""
        self._judge(self._start(None))

    def _start(self, wheels: Path | None) -> Outcome:
        self._count += 1
        return start(
            self._settings,
            database=self._database,
            folder=self._folder / f"start-{self._count}",
            wheels=wheels,
            patience_s=self._patience_s,
        )

    def _judge(self, found: Outcome) -> None:
        wrong = list(self._wrong(found))
        if wrong:
            raise ProofFailed("\n".join(wrong))

    def _is_worse(self, found: Outcome) -> bool:
        """Whether a newcomer is not well itself."""
        status = [found.states.get(name, {}).get("status") for name in self._newcomers]
        return any(one != "loaded" for one in status)

    def _wrong(self, found: Outcome) -> Iterator[str]:
        language, before = self._settings.language, self._without
        if found.ended:
            yield found.ended
            if before is not None and before.ended:
                yield say("ends_without_it", language)
            return
        if self._is_worse(found):
            yield from (self._line(name, found) for name in self._newcomers)
            return
        for name in sorted(found.states.keys() - set(self._newcomers)):
            if _rank(name, found) < _rank(name, before):
                yield say("taken_along", language, state=self._line(name, found))
        if not found.ready and (before is None or before.ready):
            yield found.error or say("not_ready", language)

    def _line(self, name: str, found: Outcome) -> str:
        language = self._settings.language
        state = found.states.get(name)
        if state is None:
            return say("newcomer_not_found", language, name=name)
        status = say(f"status_{state['status']}", language)
        return "\n  ".join([f"{name}: {status}", *told(state)])


def _rank(name: str, outcome: Outcome | None) -> int:
    """How well a plugin is; without another outcome to compare with it was switched on and well."""
    if outcome is None:
        return 2
    status = outcome.states.get(name, {}).get("status", "missing")
    if status in RUNNING:
        return 2 if status == "loaded" else 1
    return 2 if status == "disabled" else 0
