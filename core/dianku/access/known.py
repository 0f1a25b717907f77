"""Who a secret belongs to, remembered: no database is asked for a token seen before.

What is remembered counts for one version of the counter `access`, which every change to users,
tokens and sessions raises in any process. A server looks at the version every `LOOK_S` seconds,
off the event loop; what is `FRESH_S` old is believed no more, so a revoked token stops within a
second everywhere.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from attrs import frozen
from sqlalchemy.engine import Row

from dianku.access import store
from dianku.access.permissions import Permissions
from dianku.access.secrets import hashed
from dianku.clock import Clock
from dianku.context import Actor
from dianku.storage import events
from dianku.storage.engine import Database

ACCESS_VERSION = "access"
LOOK_S = 0.5
FRESH_S = 0.9
KNOWN_MAX = 10_000
SEEN_MS = 300_000
"""How exactly it is kept when a session was last heard of."""


@frozen
class Known:
    """An actor and the moment their secret ends, if it does. None: the secret is nobody's."""

    actor: Actor | None
    expires_at: int | None = None


class KnownActors:
    """Actors by secret, as of one version of access."""

    def __init__(self, database: Database, *, clock: Clock, permissions: Permissions) -> None:
        self._database = database
        self._clock = clock
        self._permissions = permissions
        self._lock = threading.Lock()
        self._known: dict[tuple[bool, str], Known] = {}
        self._version = -1
        self._looked_at = float("-inf")
        self._heard: set[str] = set()
        self._noted: dict[str, int] = {}

    def remembered(self, secret: str, *, session: bool) -> Known | None:
        """What is known of a secret without asking the database; None: ask with `look_up`."""
        if time.monotonic() - self._looked_at > FRESH_S:
            return None
        found = self._known.get((session, secret))
        if session:
            self._heard.add(secret)
        return None if found is None else self._in_time(found)

    def look_up(self, secret: str, *, session: bool) -> Actor | None:
        """Whose secret it is, None for nobody's (or revoked, or past its end)."""
        self.refresh(older_than_s=FRESH_S)
        # A cookie's secret is none for a header: that way would need no CSRF token.
        found = self._known.get((session, secret))
        if found is None:
            found = self._read(secret, session=session)
        return self._in_time(found).actor

    def note_heard(self) -> None:
        """Write down which sessions were heard of, those of which that was long ago."""
        heard, self._heard = self._heard, set()
        now = self._clock.now_ms()
        late = {
            secret
            for secret in heard
            if now - self._noted.get(secret, 0) >= SEEN_MS and self._is_known(secret)
        }
        if not late:
            return
        with self._database.writing() as connection:
            store.note_seen(connection, map(hashed, late), at_ms=now)
        recent = {s: at for s, at in self._noted.items() if now - at < SEEN_MS}
        self._noted = recent | dict.fromkeys(late, now)

    def _is_known(self, secret: str) -> bool:
        found = self._known.get((True, secret))
        return found is not None and found.actor is not None

    def forget(self) -> None:
        """Look at the version again at the next question: this process changed something."""
        self._looked_at = float("-inf")

    def _in_time(self, found: Known) -> Known:
        ended = found.expires_at is not None and found.expires_at <= self._clock.now_ms()
        return Known(None) if ended else found

    def refresh(self, *, older_than_s: float = LOOK_S) -> None:
        """Look at the version where the last look is older; callers at once share one look."""
        if time.monotonic() - self._looked_at <= older_than_s:
            return
        with self._lock:
            now = time.monotonic()
            if now - self._looked_at <= older_than_s:
                return
            with self._database.reading() as connection:
                version = events.current(connection, ACCESS_VERSION)
            if version != self._version:
                self._known, self._version = {}, version
            self._looked_at = now

    def _read(self, secret: str, *, session: bool) -> Known:
        known = self._known
        found = self._session(secret) if session else self._token(secret)
        # Wrong guesses are remembered too, but never at the price of forgetting the right ones.
        if len(known) >= KNOWN_MAX and found.actor is not None:
            known.clear()
        if len(known) < KNOWN_MAX:
            known[session, secret] = found
        return found

    def _token(self, secret: str) -> Known:
        with self._database.reading() as connection:
            row = store.token_by_hash(connection, hashed(secret))
        if row is None or row.revoked_at is not None:
            return Known(None)
        return Known(
            self._actor(row, row.expires_at, identity=f"token:{row.id}"),
            row.expires_at,
        )

    def _session(self, secret: str) -> Known:
        with self._database.reading() as connection:
            row = store.session_user(connection, hashed(secret))
        if row is None or not row.active:
            return Known(None)
        actor = self._actor(row, row.session_expires_at, identity=f"user:{row.id}")
        return Known(actor, row.session_expires_at)

    def _actor(self, row: Row[Any], ends_at_ms: int | None, *, identity: str) -> Actor:
        codes = store.stores_of(row.stores)
        return Actor(
            name=row.name,
            role=row.role,
            permissions=self._permissions.of_role(row.role),
            stores=None if codes is None else frozenset(codes),
            id=identity,
            ends_at_ms=ends_at_ms,
        )
