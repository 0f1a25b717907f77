"""Secrets: made here, hashed here, compared in constant time.

Tokens, sessions and links are 256 random bits, so one round of SHA-256 keeps them; passwords are
people's, so they get argon2id at the cost OWASP names (19 MiB, 2 passes, 1 lane).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

TOKEN_PREFIX = "dk_"  # noqa: S105 - tells what a secret is, and is none
PREFIX_SHOWN = 9
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_DECOY = _hasher.hash("nobody has this password")


def new_token() -> str:
    """A token's secret, shown once."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def new_secret() -> str:
    """A session's or a link's secret."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """What is kept of a random secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf_of(session: str) -> str:
    """The form token that belongs to a session: nobody who lacks the session can tell it."""
    return hmac.new(session.encode(), b"csrf", hashlib.sha256).hexdigest()


def same(left: str, right: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(left.encode(), right.encode())


def hash_password(password: str) -> str:
    """An argon2id hash; takes some 50 ms and 19 MiB on purpose."""
    return _hasher.hash(password)


def check_password(kept: str | None, password: str) -> bool:
    """Whether a password is right; takes as long when there is none to compare with."""
    try:
        return _hasher.verify(kept or _DECOY, password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False
