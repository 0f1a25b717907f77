"""At which addresses a server with a certificate of the shop's authority is reached."""

from __future__ import annotations

from collections.abc import Sequence

from dianku.config import ANY_4, Https
from dianku.trust.keeping import Held
from dianku.trust.names import address_of


def secure_addresses(https: Https, server: Held | None) -> list[str]:
    """Those of HTTPS, `https://HOST:PORT`, what phones get to by first."""
    return [f"https://{name}:{https.port}" for name in _names(https, server)]


def plain_addresses(https: Https, server: Held | None) -> list[str]:
    """Those of the plain door, which leads phones through trusting the shop."""
    return [f"http://{name}:{https.plain_port}/" for name in _names(https, server)]


def _names(https: Https, server: Held | None) -> Sequence[str]:
    known = server.names if server is not None and https.everywhere else [https.host]
    heard = [name for name in known if https.host != ANY_4 or ":" not in name]
    return [f"[{name}]" if ":" in name else name for name in sorted(heard, key=_rank)]


def _rank(name: str) -> int:
    """Addresses that lead here from elsewhere, then names, then what the machine is to itself.

    Of addresses those of version 6 come after names: nobody types them, and a page may not name
    them as what its scripts ask (the grammar of content security policies has none).
    """
    address = address_of(name)
    if name == "localhost" or (address is not None and address.is_loopback):
        return 3
    if address is None:
        return 1
    return 0 if address.version == 4 else 2
