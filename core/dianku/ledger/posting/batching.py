"""What of the commands that wait is posted in one transaction."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Any

from dianku.ledger.commands import Reverse
from dianku.ledger.posting.poster import Entry

BATCH_COMMANDS = 256
BATCH_LINES = 4_000
"""Where a batch ends: more would keep its callers waiting without posting any faster."""


def take_batch(queue: deque[Entry]) -> list[Entry]:
    """Take from the front what may be posted together, in order of arrival.

    A key, a document referred to and a reservation stand in a batch once: the batch ends before
    the next entry that names them, which so finds what the first did. A reversal is posted alone,
    since it undoes what others of its batch might still add to. What is posted as one is never
    parted.
    """
    batch: list[Entry] = []
    names: set[Any] = set()
    lines = 0
    while queue and len(batch) < BATCH_COMMANDS and lines < BATCH_LINES:
        entry = queue[0]
        size, own = 1, _names(entry)
        if entry.together is not None:
            size = entry.together.size
            own = own.union(*map(_names, islice(queue, 1, size)))
        alone = isinstance(entry.task.command, Reverse)
        if batch and (alone or own & names):
            break
        for _ in range(size):
            batch.append(queue.popleft())
            lines += batch[-1].lines
        names |= own
        if alone:
            break
    return batch


def _names(entry: Entry) -> set[Any]:
    """What an entry is about that may stand in a batch once."""
    return {entry.key, *entry.task.numbers, *entry.task.codes} - {None}
