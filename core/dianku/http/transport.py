"""Whether a request came over HTTPS: to this server, or to a proxy before it that is trusted.

Anybody can write a header, so `X-Forwarded-Proto` counts only from an address that the setting
`http.trusted_proxies` names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network

from dianku.http.bodies import Scope

PROTO_HEADER = b"x-forwarded-proto"


def over_https(
    scope: Scope, headers: Mapping[bytes, bytes], *, trusted: Callable[[], Sequence[str]]
) -> bool:
    """Whether the caller's own connection was encrypted, as far as can be known.

    Where several proxies each added a value, the last is that of the nearest.
    """
    if scope.get("scheme") == "https":
        return True
    said = headers.get(PROTO_HEADER)
    if said is None or said.rpartition(b",")[2].strip().lower() != b"https":
        return False
    client = scope.get("client")
    return client is not None and _within(client[0], tuple(trusted()))


@lru_cache(maxsize=256)
def _within(address: str, networks: tuple[str, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:  # a socket without an address
        return False
    return any(found in ip_network(network, strict=False) for network in networks)
