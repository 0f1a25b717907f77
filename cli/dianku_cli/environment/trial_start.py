"""The process of a trial: the program behind `python -m dianku_cli.environment.trial_start ORDER`.

It puts the unpacked wheels where an installed distribution would be found, starts the shop, and
writes how every plugin stands. A plugin may end or hold up this process; who started it tells.
"""

from __future__ import annotations

import json
import logging
import site
import sys
import sysconfig
from pathlib import Path
from typing import Any

WORDS = ("where", "what", "remedy")


class _Notes(logging.Handler):
    """What is about to be done, on disk before it is done: this process may not live to tell."""

    def __init__(self, file: Path) -> None:
        super().__init__(logging.DEBUG)
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(f"{record.getMessage().rpartition(' ')[2]}\n")


def add_as_installed(folder: str) -> None:
    """Put a folder of unpacked wheels on the path, right before what is installed."""
    before = list(sys.path)
    site.addsitedir(folder)  # as Python does at its start: `.pth` files count
    new = [entry for entry in sys.path if entry not in before]
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    at = next((i for i, entry in enumerate(before) if entry in places), len(before))
    sys.path[:] = [*before[:at], *new, *before[at:]]


def _rehearsed(order: dict[str, Any]) -> dict[str, Any]:
    from dianku.operations import HostConfig
    from dianku.rehearsal import rehearse

    notes = logging.getLogger("dianku.plugins.loader")
    notes.setLevel(logging.DEBUG)
    notes.addHandler(_Notes(Path(order["notes"])))
    config = HostConfig(
        data_dir=Path(order["data"]), database_url=order["database"], edition=order["edition"]
    )
    done = rehearse(config, language=order["language"])
    states = [
        {
            "name": state.name,
            "status": state.status.value,
            "faults": [
                {word: str(getattr(fault, word)) for word in WORDS}
                for fault in reversed(state.faults)
            ],
        }
        for state in done.states
    ]
    return {"states": states, "ready": done.ready, "error": done.error}


def main() -> None:
    """Start the shop as the order says, and leave the answer."""
    order = json.loads(Path(sys.argv[1]).read_bytes())
    if order["wheels"] is not None:
        add_as_installed(order["wheels"])
    text = json.dumps(_rehearsed(order))
    if order["wheels"] is not None:
        # In the words of a manifest's fault: the file in the wheel, not where it was unpacked.
        text = text.replace(json.dumps(f"{order['wheels']}/")[1:-1], "")
    answer = Path(order["answer"])
    beside = answer.with_suffix(".part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(answer)


if __name__ == "__main__":
    main()
