from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dianku.clock import to_ms
from dianku.hooks.records import Daily, Every
from dianku.jobs.schedule import due_at

ZONE = "Asia/Shanghai"


def at(text: str) -> int:
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


def test_every_is_due_at_once_then_so_long_after_the_last_start() -> None:
    now = at("2026-03-02T02:00")

    assert due_at(Every(60), last_ms=None, since_ms=now, zone=ZONE, now_ms=now) == now
    assert due_at(Every(60), last_ms=now, since_ms=now, zone=ZONE, now_ms=now) == now + 60_000


@pytest.mark.parametrize(
    ("last", "since", "zone", "expected"),
    [
        (None, "2026-03-02T02:00", ZONE, "2026-03-02T19:00"),
        (None, "2026-03-01T18:00", ZONE, "2026-03-01T19:00"),
        ("2026-03-01T19:00", "2026-03-01T00:00", ZONE, "2026-03-02T19:00"),
        ("2026-02-20T19:05", "2026-03-01T00:00", ZONE, "2026-02-21T19:00"),
        ("2026-03-28T02:00", "2026-03-01T00:00", "Europe/Berlin", "2026-03-29T01:00"),
    ],
)
def test_daily_is_due_at_the_hour_of_the_shops_clock_after_the_last_start(
    last: str | None, since: str, zone: str, expected: str
) -> None:
    found = due_at(
        Daily(3),
        last_ms=at(last) if last else None,
        since_ms=at(since),
        zone=zone,
        now_ms=at("2026-03-02T02:00"),
    )

    assert found == at(expected)
