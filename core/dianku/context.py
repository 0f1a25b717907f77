"""Who asks: the actor, their rights and stores, the device and the language of one request."""

from __future__ import annotations

from attrs import frozen

from dianku.errors import refuse


@frozen
class Actor:
    """Somebody (or something) that acts: a user, a token, the command line, a plugin.

    `stores` None means every store. `permissions` are names such as `document.post`;
    what is not named is denied. `ends_at_ms`: when the token or session they came with ends.
    """

    name: str
    role: str
    permissions: frozenset[str]
    stores: frozenset[str] | None = None
    id: str = ""
    ends_at_ms: int | None = None

    @property
    def signed_in(self) -> bool:
        """Whether this is a person at a page of ours, not a token that another program shows."""
        return self.id.startswith("user:")


@frozen
class Context:
    """One request: its actor, device, language (`zh-CN` or `en`) and number."""

    actor: Actor
    device: str | None = None
    language: str = "zh-CN"
    request_id: str = ""

    def may(self, permission: str) -> bool:
        """Whether the actor holds a permission."""
        return permission in self.actor.permissions

    def sees_store(self, code: str) -> bool:
        """Whether a store is in the actor's scope."""
        return self.actor.stores is None or code in self.actor.stores

    def require(self, permission: str, *, store: str | None = None) -> None:
        """Refuse with 403 unless the actor holds the permission, and the store is in scope.

        Raises:
            Refused: `forbidden`.
        """
        if not self.may(permission):
            raise refuse("forbidden", permission=permission)
        if store is not None and not self.sees_store(store):
            raise refuse("forbidden", permission=permission, store=store)

    def require_all_stores(self) -> None:
        """Refuse with 403 who is limited to some stores: what follows concerns the whole shop.

        Raises:
            Refused: `forbidden`.
        """
        if self.actor.stores is not None:
            raise refuse("forbidden", permission="store")
