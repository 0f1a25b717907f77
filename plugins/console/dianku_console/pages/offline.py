"""Without a connection: what the phone keeps until the shop is there again.

What is kept is on the phone alone, so these pages have no data; their scripts fill them.
"""

from __future__ import annotations

from dianku.api import PUBLIC, SIGNED_IN, Page, Title

PAGES = (
    Page("/console/kept", Title("待送单据", "Kept here"), SIGNED_IN, "kept.html"),
    Page("/console/offline", Title("没有网络", "No connection"), PUBLIC, "without.html"),
)
KEPT_FOR_LATER = ("/", "/sell", "/receive", "/write-off", "/kept")
"""Pages, below the console, that a phone may show again when the shop cannot be reached."""
