"""What this machine is called on the shop's network, and what an authority of a shop may vouch for.

Invariant: nothing outside `HOSTS_INSIDE` and `NETWORKS_INSIDE`, which nobody owns on the internet,
is ever vouched for. A machine's name alone is not, either: one is called `shop`, and `.shop` is for
sale.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from attrs import frozen

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

HOSTS_INSIDE = ("localhost", "local", "lan", "home", "internal", "home.arpa")
"""Ends of names that no public authority signs for."""
NETWORKS_INSIDE: Sequence[Network] = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
"""Private networks, those of carriers and tunnels, and the machine itself (RFC 6890)."""
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_INNER_ADAPTERS = re.compile(
    r"(docker|br-|veth|virbr|vmnet|vbox|lxc|lxd|cni|vethernet)", re.IGNORECASE
)
"""Adapters that lead to other programs of the same machine, not to the shop's phones."""


@frozen
class Names:
    """Names and addresses a server is reached by, each list with what phones get there by first."""

    hosts: Sequence[str] = ()
    addresses: Sequence[Address] = ()

    def all(self) -> list[str]:
        """Both, as text: the addresses phones use, then the names, then the machine's own."""
        far = [one for one in self.addresses if not one.is_loopback]
        near = [one for one in self.addresses if one.is_loopback]
        return [*map(str, far), *self.hosts, *map(str, near)]


def address_of(text: str) -> Address | None:
    """The address a text is; None where it is a name."""
    try:
        return ip_address(text.strip("[]"))
    except ValueError:
        return None


def is_inside(text: str) -> bool:
    """Whether a name or address is of the kind a shop's authority may vouch for."""
    address = address_of(text)
    if address is not None:
        # An address of one version is in no network of the other.
        return any(address in network for network in NETWORKS_INSIDE)
    if _HOST.fullmatch(text) is None or len(text) > 253:
        return False
    return any(text == end or text.endswith(f".{end}") for end in HOSTS_INSIDE)


def own_name() -> str:
    """The machine's name, one word; empty where it has none that stands in a certificate."""
    word = socket.gethostname().partition(".")[0].lower()
    return word if _HOST.fullmatch(word) and word != "localhost" else ""


def names_here(further: Iterable[str] = ()) -> Names:
    """Names and addresses of this machine, those of `further` first; no packet is sent to know."""
    own = own_name()
    said = [one.strip().lower() for one in further]
    given = [found for one in said if (found := address_of(one)) is not None]
    hosts = [one for one in said if address_of(one) is None]
    hosts += [f"{own}.local"] if own else []
    given += [one for one in _addresses() if is_inside(str(one)) and not one.is_loopback]
    given += [ip_address("127.0.0.1"), ip_address("::1")]
    return Names(tuple(dict.fromkeys([*hosts, "localhost"])), tuple(dict.fromkeys(given)))


def _addresses() -> list[Address]:
    """Addresses of the machine's adapters: those of real ones first, version 4 before 6."""
    import ifaddr

    found: list[tuple[bool, int, int, Address]] = []
    for adapter in ifaddr.get_adapters():
        inner = _INNER_ADAPTERS.match(adapter.nice_name) is not None
        for one in adapter.ips:
            text = one.ip if isinstance(one.ip, str) else one.ip[0]
            address = ip_address(text.partition("%")[0])
            # One of version 6 that needs its adapter's name beside it is in no link.
            if not (address.version == 6 and address.is_link_local):
                found.append((inner, address.version, len(found), address))
    return [address for *_, address in sorted(found, key=lambda one: one[:3])]
