"""How often one token may ask: a bucket that may be emptied at once and fills evenly.

The bucket holds a minute's worth (`http.rate_limit`); each process keeps its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable

BUCKETS_MAX = 20_000


class RateLimit:
    """Buckets by caller; `per_minute` tells the limit in force, 0 for none."""

    def __init__(
        self, per_minute: Callable[[], int], *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_minute = per_minute
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_seconds(self, caller: str) -> int:
        """Take one request from a caller's bucket; 0 if there was one, else seconds to wait."""
        limit = self._per_minute()
        if limit <= 0:
            return 0
        now = self._now()
        level, at = self._buckets.get(caller, (float(limit), now))
        level = min(float(limit), level + (now - at) * limit / 60)
        if level < 1:
            self._buckets[caller] = (level, now)
            return max(1, -(-int((1 - level) * 60_000 / limit) // 1000))
        if len(self._buckets) >= BUCKETS_MAX:
            # All that were full again lose nothing by being forgotten.
            self._buckets = {k: v for k, v in self._buckets.items() if now - v[1] < 60}
        self._buckets[caller] = (level - 1, now)
        return 0
