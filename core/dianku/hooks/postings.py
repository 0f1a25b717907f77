"""Put a posting before the plugins' checks: the ledger's integers as the plain data they see."""

from __future__ import annotations

from collections.abc import Callable

from dianku.context import Context
from dianku.errors import Problem
from dianku.hooks.checks import DocumentChecks
from dianku.hooks.records import CheckedDocument, CheckedLine
from dianku.ledger.commands import Line, Posting
from dianku.quantity import format_amount, format_quantity


def posting_check(checks: DocumentChecks) -> Callable[[Posting, Context], Problem | None]:
    """The question the ledger asks before a posting joins its queue.

    What has happened already (`fact`) is asked of nobody: it can be posted, not prevented.
    """

    def check(posting: Posting, ctx: Context) -> Problem | None:
        if posting.fact:
            return None
        return checks.examine(_as_seen(posting, ctx), language=ctx.language)

    return check


def _as_seen(posting: Posting, ctx: Context) -> CheckedDocument:
    return CheckedDocument(
        kind=posting.kind,
        store=posting.store.code,
        lines=tuple(_line(line) for line in posting.lines),
        strict=posting.strict,
        channel=posting.channel.name if posting.channel is not None else None,
        to_store=posting.to_store.code if posting.to_store is not None else None,
        reference=posting.reference,
        actor=ctx.actor.name,
    )


def _line(line: Line) -> CheckedLine:
    return CheckedLine(
        sku=line.product.sku,
        quantity=format_quantity(line.quantity, line.product.precision),
        amount=None if line.amount is None else format_amount(line.amount),
        lot=line.lot,
    )
