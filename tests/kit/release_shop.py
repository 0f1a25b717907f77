"""A shop in which everything of the kernel and of the reports has happened.

Run as a script with the code of a release on the path (`tests/releases/make.py` does), so it uses
only what every release has: the host, its HTTP API, plugins put on a path. The clock is set and
what is drawn by chance is counted instead, so two runs make the same shop; only salts differ.
It prints what must still be so after any upgrade.
"""

from __future__ import annotations

import itertools
import json
import secrets
import shutil
import sys
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from starlette.testclient import TestClient

from dianku.access.records import NewToken
from dianku.access.sessions import Sessions
from dianku.clock import SetClock, to_ms
from dianku.config import HostConfig
from dianku.context import Context
from dianku.hooks.notify import Notifier, Pacing
from dianku.hooks.tables import plugin_cursor
from dianku.host import Host
from dianku.http.app import build_app
from dianku.storage import events

Json = Any
OUTSIDER = Path(__file__).parents[1] / "releases" / "outsider"
BEGIN = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
SALES = "/reports/sales?from=2025-01-01&to=2026-12-31&limit=1000&by="
PASSWORD = "correct horse battery"
QUESTIONS = {
    "/stock?sort=sku&limit=1000": (
        "sku store on_hand reserved available damaged kept in_transit value lots"
    ),
    "/exceptions?limit=1000": "id type store sku document settled_at",
    "/reservations?limit=1000": "id status kind expires_at due_on document",
    "/documents?limit=1000": (
        "number kind action status store occurred_at business_date actor reference"
    ),
    "/products?limit=1000": "sku name price cost archived components",
    "/stores?limit=1000": "code name timezone day_cutoff",
    "/users?limit=1000": "name role stores active can_sign_in",
    f"{SALES}product": "sku quantity amount returns cost margin",
    f"{SALES}store": "store quantity amount returns cost margin",
    f"{SALES}day": "day quantity amount returns cost margin",
    "/reports/write-offs?from=2026-03-02&to=2026-12-31&by=reason": "reason value",
}
"""What is asked, and which fields of the answer's rows must not change."""


def put_outsider(site: Path, *, reports: bool = True) -> None:
    """Lay the outsider's plugin on a folder of the path, with its entry point.

    With `reports`, also the entry point of the reports, where they are not installed.
    """
    shutil.copytree(OUTSIDER, site, dirs_exist_ok=True)
    _announce(site, "tasting")
    if reports and "reports" not in entry_points(group="dianku.plugins").names:
        _announce(site, "reports")


def _announce(site: Path, name: str) -> None:
    info = site / f"dianku_{name}-0.3.1.dist-info"
    info.mkdir()
    text = f"Metadata-Version: 2.1\nName: dianku-{name}\nVersion: 0.3.1\n"
    (info / "METADATA").write_text(text)
    points = f"[dianku.plugins]\n{name} = dianku_{name}.plugin\n"
    (info / "entry_points.txt").write_text(points)


class Counter:
    """Calls a shop over its API, as its owner unless told otherwise, and sets its clock."""

    def __init__(self, host: Host, client: TestClient, clock: SetClock) -> None:
        self.host = host
        self.clock = clock
        self._client = client

    def call(self, method: str, path: str, body: Json = None, **more: Any) -> Any:
        """One request below `/api/v1`; its decoded answer. Raises `AssertionError` on a refusal."""
        answer = self._client.request(method, f"/api/v1{path}", json=body, **more)
        assert answer.is_success, f"{method} {path} {body}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def make(self, path: str, *, key: str | None = None, **body: Json) -> Any:
        """POST."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.call("POST", path, body, headers=headers)

    def post(self, kind: str, store: str, *lines: Mapping[str, Json], **more: Json) -> Any:
        """Post a document."""
        return self.make("/documents", kind=kind, store=store, lines=list(lines), **more)

    def upload(self, path: str, name: str, content: bytes, **fields: str) -> Any:
        """Send a file."""
        return self.call("POST", path, data=fields, files={"file": (name, content)})

    def refused(self, method: str, path: str, body: Json = None) -> int:
        """A request that must be refused; its status."""
        answer = self._client.request(method, f"/api/v1{path}", json=body)
        assert not answer.is_success, f"{method} {path} {body}: {answer.text}"
        return answer.status_code

    def knows(self, path: str) -> bool:
        """Whether this release has a path."""
        return f"/api/v1{path}" in self.call("GET", "/openapi.json")["paths"]

    def wait(self, *, hours: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds=hours * 3600)


def figures(counter: Counter) -> list[dict[str, Json]]:
    """What the shop answers now to each of the questions."""
    return [_asked(counter, path, names.split()) for path, names in QUESTIONS.items()]


def _asked(counter: Counter, path: str, fields: Sequence[str]) -> dict[str, Json]:
    rows = counter.call("GET", path)["items"]
    assert rows, path
    return {"path": path, "fields": list(fields), "rows": [_picked(r, fields) for r in rows]}


def _picked(row: Mapping[str, Json], fields: Sequence[str]) -> str:
    return json.dumps([row.get(name) for name in fields], ensure_ascii=False)


def _count_what_is_drawn() -> None:
    """Let what a release draws by chance be counted instead."""
    numbers = itertools.count(1)

    def words(nbytes: int | None = None) -> str:
        del nbytes  # long enough for all
        return f"{next(numbers):06d}-of-a-release-and-no-secret"

    def digits(nbytes: int | None = None) -> str:
        del nbytes
        return f"{next(numbers):016x}"

    secrets.token_urlsafe, secrets.token_hex = words, digits


def follow_events(host: Host, *, to_end: bool) -> None:
    """Give plugins their cursors; with `to_end` tell them everything, giving up at once."""
    told = threading.Event()

    def leading() -> bool:
        """Asked before every look for more: whoever waits hears when there is none."""
        with host.database.reading() as connection:
            reached = connection.execute(sa.select(sa.func.min(plugin_cursor.c.event_id))).scalar()
            if reached == events.current(connection, "event"):
                told.set()
        return to_end

    notifier = Notifier(
        host.database,
        host.plugins.calls,
        host.plugins.arguments,
        bell=host.events_bell,
        clock=host.clock,
        leading=leading,
        pacing=Pacing(waits=(), poll_seconds=0.05),
    )
    notifier.start()
    if to_end:
        told.wait()
    notifier.close()


def main(url: str, data: Path) -> None:
    """Fill the empty database `url`; attachments go below `data`."""
    from release_trade import trade

    _count_what_is_drawn()
    site = data / "site"
    put_outsider(site)
    sys.path.insert(0, str(site))
    clock = SetClock(to_ms(BEGIN))
    host = Host.build(HostConfig(data_dir=data, database_url=url, clock=clock))
    host.start(background=False)
    try:
        broken = [s for s in host.plugins.states if s.status.value != "loaded"]
        assert not broken, broken
        follow_events(host, to_end=False)
        system = Context(host.access.actor("maker"), language="en")
        issued = host.access.create_token(NewToken(name="maker", role="owner"), ctx=system)
        headers = {"Authorization": f"Bearer {issued.token}", "Accept-Language": "en"}
        with TestClient(build_app(host), headers=headers) as client:
            counter = Counter(host, client, clock)
            link = Sessions(host.database, access=host.access, clock=clock)
            known = trade(counter, link=link)
            follow_events(host, to_end=True)
            made = {"clock_ms": clock.now_ms(), "known": known, "figures": figures(counter)}
            print(json.dumps(made))
    finally:
        host.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
