"""The server's log: lines on standard error, without the shop's secrets.

Whoever configured logging before keeps it so; the filter is put on those handlers too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from dianku.settings.store import SecretFilter, Settings

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
OURS = "dianku"


@contextmanager
def server_log(settings: Settings) -> Iterator[None]:
    """Log to standard error while the block runs, with every secret masked."""
    root = logging.getLogger()
    own = None if root.handlers else _handler()
    if own is not None:
        root.addHandler(own)
    ours = logging.getLogger(OURS)
    level = ours.level
    if level == logging.NOTSET:
        ours.setLevel(logging.INFO)
    mask = SecretFilter(settings)
    handlers = list(root.handlers)
    for handler in handlers:
        handler.addFilter(mask)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(mask)
        ours.setLevel(level)
        if own is not None:
            root.removeHandler(own)


def _handler() -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    return handler
