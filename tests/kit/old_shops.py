"""Shops of earlier releases, opened with the code of today."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from release_files import Release
from release_shop import Counter
from starlette.testclient import TestClient

from dianku.access.records import NewToken
from dianku.clock import SetClock
from dianku.config import HostConfig
from dianku.context import Context
from dianku.host import Host
from dianku.http.app import build_app

NewUrl = Callable[[str], str]
"""Of a kind of database: the address of a new one without any table."""


@dataclass(frozen=True)
class OldShop:
    """A release's shop as it lay on the disk, in a database of its own.

    Attributes:
        kind: `sqlite` or `postgresql`.
        folder: Where its data folder is, and whatever else a test puts there.
    """

    release: Release
    kind: str
    url: str
    folder: Path

    def host(self, *, url: str = "", strict: bool = True) -> Host:
        """A host on it, or on `url`, not yet started, at the time the shop was left."""
        config = HostConfig(
            data_dir=self.folder / "data",
            database_url=url or self.url,
            clock=SetClock(int(self.release.said["clock_ms"])),
            strict=strict,
        )
        return Host.build(config)


@contextmanager
def started(host: Host) -> Iterator[Host]:
    """The host, started without its threads of the background; closed at the end."""
    try:
        host.start(background=False)
        yield host
    finally:
        host.close()


@contextmanager
def calling(host: Host) -> Iterator[Counter]:
    """The API of a started host, as its owner."""
    ctx = Context(host.access.actor("upgrade"), language="en")
    issued = host.access.create_token(NewToken(name="upgrade", role="owner"), ctx=ctx)
    headers = {"Authorization": f"Bearer {issued.token}", "Accept-Language": "en"}
    assert isinstance(host.clock, SetClock)
    with TestClient(build_app(host), headers=headers) as client:
        yield Counter(host, client, host.clock)
