"""What may be done, by name, and which role holds what. What no role names is denied.

A role is a set of permissions; `owner` holds every one, those of plugins included. Plugins bring
permissions of their own and say which roles have them from the start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from dianku.errors import ConfigurationError

OWNER = "owner"
ROLES = (OWNER, "manager", "clerk", "counter", "channel", "readonly")

_SELL = ("issue", "customer_return")
_HANDLE = ("receipt", "supplier_return", "write_off", "transfer", "production")
_CORRECT = ("adjustment", "cost_adjustment")

_LOOK = frozenset(
    {
        "catalog.view",
        "stock.view",
        "document.view",
        "reservation.view",
        "exception.view",
        "event.view",
        "page.view",
        "scan",
    }
)
_CLERK = (
    _LOOK
    | {"document.post", "document.reverse", "reservation.edit", "attachment.edit", "day.close"}
    | {f"document.post.{kind}" for kind in (*_SELL, *_HANDLE)}
)
_MANAGER = (
    _CLERK
    | {f"document.post.{kind}" for kind in _CORRECT}
    | {
        "product.edit",
        "store.edit",
        "channel.edit",
        "cost.view",
        "exception.settle",
        "import.run",
        "export.run",
        "policy.override",
        "price.change",
        "return.without_sale",
        "backfill",
        "plugin.view",
        "settings.view",
        "device.edit",
    }
)
_OWNER_ONLY = frozenset(
    {
        "settings.edit",
        "backup.make",
        "user.view",
        "user.edit",
        "token.view",
        "token.edit",
        "audit.view",
    }
)
_CHANNEL = (
    frozenset({"catalog.view", "stock.view", "document.view", "event.view", "scan"})
    | {"reservation.view", "reservation.edit", "document.post", "document.reverse", "ledger.fact"}
    | {f"document.post.{kind}" for kind in _SELL}
)

KERNEL: Mapping[str, frozenset[str]] = {
    OWNER: _MANAGER | _OWNER_ONLY | {"ledger.fact"},
    "manager": _MANAGER,
    "clerk": _CLERK,
    "counter": frozenset({"scan"}),
    "channel": _CHANNEL,
    "readonly": _LOOK | {"export.run", "plugin.view"},
}
"""The kernel's permissions by role."""


@frozen
class Grant:
    """A permission a plugin brings, and the roles that hold it besides the owner."""

    permission: str
    roles: tuple[str, ...] = ()
    plugin: str = ""


class Permissions:
    """The permissions of a running shop: the kernel's and its plugins'.

    Raises:
        ConfigurationError: a plugin names a role that does not exist.
    """

    def __init__(self, grants: Iterable[Grant] = ()) -> None:
        roles = {role: set(held) for role, held in KERNEL.items()}
        for grant in grants:
            for role in (*grant.roles, OWNER):
                if role not in roles:
                    raise ConfigurationError(
                        "role_unknown",
                        plugin=grant.plugin,
                        permission=grant.permission,
                        role=role,
                        roles=", ".join(ROLES),
                    )
                roles[role].add(grant.permission)
        self._roles = {role: frozenset(held) for role, held in roles.items()}

    def of_role(self, role: str) -> frozenset[str]:
        """What a role may do; nothing for a role that is unknown."""
        return self._roles.get(role, frozenset())

    @property
    def known(self) -> frozenset[str]:
        """Every permission there is."""
        return self._roles[OWNER]
