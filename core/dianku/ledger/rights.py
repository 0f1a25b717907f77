"""What a caller needs the right to, to post a document: its kind and store, what it claims."""

from __future__ import annotations

from dianku.catalog.snapshot import CatalogState
from dianku.context import Context
from dianku.errors import Problem
from dianku.ledger.requests import NewDocument
from dianku.ledger.rules import KindRule


def lacking(
    new: NewDocument, rule: KindRule, catalog: CatalogState, ctx: Context
) -> Problem | None:
    """The problem that says which permission the caller lacks; None where none is."""
    permission = f"document.post.{new.kind}"
    if not ctx.may(permission):
        return Problem("forbidden", {"permission": permission})
    if not ctx.sees_store(new.store):
        return Problem("forbidden", {"permission": permission, "store": new.store})
    if _without_sale(new) and ctx.actor.signed_in and not ctx.may("return.without_sale"):
        return Problem("forbidden", {"permission": "return.without_sale"})
    if new.fact and not ctx.may("ledger.fact"):
        return Problem("forbidden", {"permission": "ledger.fact"})
    if new.policy == "permissive" and not ctx.may("policy.override"):
        channel = (
            catalog.channels.get(new.channel or "counter") if rule.permissive_channel else None
        )
        if channel is None or channel.policy != "permissive":
            return Problem("forbidden", {"permission": "policy.override"})
    return None


def _without_sale(new: NewDocument) -> bool:
    """Whether money goes back for goods of which nobody shows that they were sold here.

    Of people it needs a right of its own; what another program tells has happened.
    """
    return new.kind == "customer_return" and new.of_document is None
