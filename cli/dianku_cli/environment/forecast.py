"""What an upgrade would do, known before anything is done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dianku_cli.environment.candidate import Candidate
from dianku_cli.environment.carried import added_wheels
from dianku_cli.environment.layout import Installation
from dianku_cli.environment.packages import PLUGIN_GROUP, Wheel, normal, site_packages
from dianku_cli.environment.versions import MARK, older
from dianku_cli.texts import say

if TYPE_CHECKING:
    from dianku.host import Host

MEGABYTE = 1_000_000
SPARE_BYTES = 50 * MEGABYTE
"""Left free beside what is needed; pip itself takes some of it."""
_TOOLS = frozenset({"pip", "setuptools", "wheel"})


class Forecast(NamedTuple):
    """What would come of an upgrade.

    Attributes:
        name: Of the version to be made, `advanced-0.2.0`.
        leaving: Plugins that go, with their tables and the rows in them, which stay.
        added: Wheels of the administrator that go along.
        data_bytes: What the shop takes now; its backup takes at most that.
        removed: Older versions that go when all went well.
    """

    before: str
    after: str
    name: str
    coming: Mapping[str, str]
    changing: Mapping[str, tuple[str, str]]
    going: Mapping[str, str]
    joining: Sequence[str]
    leaving: Mapping[str, Mapping[str, int]]
    added: Sequence[Wheel]
    data_bytes: int
    removed: Sequence[Path]

    def told(self, language: str) -> Iterator[str]:
        """The forecast for a person, a line for each thing."""
        yield say("upgrade_from_to", language, before=self.before, after=self.after)
        moved = {name: f"{old} -> {new}" for name, (old, new) in self.changing.items()}
        for key, named in (
            ("upgrade_coming", self.coming),
            ("upgrade_changing", moved),
            ("upgrade_going", self.going),
        ):
            if named:
                names = ", ".join(f"{name} {what}" for name, what in named.items())
                yield say(key, language, names=names)
        if self.joining:
            yield say("upgrade_joining", language, names=", ".join(self.joining))
        for plugin, tables in self.leaving.items():
            rows = ", ".join(f"{table} {count}" for table, count in tables.items()) or "-"
            yield say("upgrade_leaving", language, name=plugin, tables=rows)
        if self.added:
            names = ", ".join(f"{wheel.name} {wheel.version}" for wheel in self.added)
            yield say("upgrade_added", language, names=names)
        yield say("upgrade_backup", language, size=_megabytes(self.data_bytes))
        if self.removed:
            names = ", ".join(path.name for path in self.removed)
            yield say("upgrade_removes", language, names=names)
        yield say("upgrade_restart", language)

    def as_json(self) -> dict[str, Any]:
        """The forecast for a program."""
        return {
            "before": self.before,
            "after": self.after,
            "coming": self.coming,
            "changing": self.changing,
            "going": self.going,
            "joining": self.joining,
            "leaving": self.leaving,
            "added": [wheel.name for wheel in self.added],
            "data_bytes": self.data_bytes,
            "removed": [path.name for path in self.removed],
        }


def forecast(
    candidate: Candidate, host: Host, *, installation: Installation, data_bytes: int
) -> Forecast:
    """Compare a candidate with the version in use; `host` knows its plugins by their manifests."""
    from dianku.rehearsal import tables_of

    own = _own()
    there = {name: one.version for name, one in own.items() if name not in _TOOLS}
    new = candidate.distributions
    added = added_wheels(installation.added_wheels, candidate=candidate)
    carried = {wheel.name for wheel in added}
    plugins = {e.name for o in own.values() for e in o.entry_points.select(group=PLUGIN_GROUP)}
    staying = {*candidate.plugins, *(plugin for wheel in added for plugin in wheel.plugins)}
    edition = host.plugins.edition.name
    version = there.get(normal(f"dianku-{edition}"), "")
    return Forecast(
        before=f"{edition} {version}".strip(),
        after=f"{candidate.edition} {candidate.version}",
        name=f"{candidate.edition}-{candidate.version}",
        coming={name: one for name, one in new.items() if name not in there},
        changing={n: (there[n], v) for n, v in new.items() if there.get(n, v) != v},
        going={n: v for n, v in sorted(there.items()) if n not in new and n not in carried},
        joining=sorted(staying - plugins),
        leaving={name: tables_of(host, name) for name in sorted(plugins - staying)},
        added=added,
        data_bytes=data_bytes,
        # The one in use becomes the one to go back to; who is older goes.
        removed=older(installation, but=()),
    )


def is_same(found: Forecast, candidate: Candidate, installation: Installation) -> bool:
    """Whether the version in use is made of these very wheels."""
    if found.coming or found.changing or found.going or found.before != found.after:
        return False
    mark = installation.version / MARK
    return not mark.is_file() or mark.read_bytes() == candidate.sums


def lacking(found: Forecast, candidate: Candidate, *, prefix: Path, data: Path) -> str:
    """Which disk has too little room, in words of a size each; empty where there is enough."""
    # In the data folder: the backup, the copy it is made from, and the copy that is tried.
    needs = {prefix: candidate.bytes_installed, data: 3 * found.data_bytes}
    by_disk: dict[int, int] = {}
    for folder, needed in needs.items():
        disk = folder.stat().st_dev
        by_disk[disk] = by_disk.get(disk, SPARE_BYTES) + needed
    for folder in needs:
        needed, free = by_disk[folder.stat().st_dev], shutil.disk_usage(folder).free
        if free < needed:
            return f"{folder}: {_megabytes(free)} < {_megabytes(needed)} MB"
    return ""


def _own() -> dict[str, metadata.Distribution]:
    """The distributions that lie in this environment itself, by normal name."""
    found = metadata.distributions(path=[str(site_packages())])
    return {normal(one.metadata["Name"]): one for one in found if one.metadata["Name"]}


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:,.1f}"
