"""When a job is due: pure arithmetic on the clock of the shop."""

from __future__ import annotations

from dianku.clock import day_start_ms, local_day
from dianku.hooks.records import Daily, Every


def due_at(
    schedule: Every | Daily, *, last_ms: int | None, since_ms: int, zone: str, now_ms: int
) -> int:
    """The moment from which a job is due; in the past: it is due now.

    `last_ms` is its last start, ever; None: it never ran, and is known since `since_ms`. A daily
    hour that passed while no process ran is made up for once.
    """
    if isinstance(schedule, Every):
        return now_ms if last_ms is None else last_ms + schedule.seconds * 1000
    after = since_ms if last_ms is None else last_ms
    cutoff = schedule.hour * 60
    today = day_start_ms(local_day(after, zone), zone=zone, cutoff_minutes=cutoff)
    if today > after:
        return today
    return day_start_ms(local_day(after, zone) + 1, zone=zone, cutoff_minutes=cutoff)
