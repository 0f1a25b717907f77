"""Amounts by kind of payment: what was said, whether it adds up, and fair shares of it."""

from __future__ import annotations

from collections.abc import Sequence

from dianku.errors import FieldError
from dianku.ledger.commands import Line
from dianku.ledger.requests import NewDocument
from dianku.ledger.wrong_fields import Errors
from dianku.quantity import AMOUNT_MAX, MINOR_DIGITS, format_amount


def fault_of(payments: Sequence[tuple[str, int]], amount: int) -> FieldError | None:
    """What is wrong with payments for so much, in minor units; None where they come to it."""
    told = sum(part for _, part in payments)
    if told == amount:
        return None
    params = {"paid": format_amount(told), "amount": format_amount(amount)}
    return FieldError("/payments", "payments_mismatch", params)


def resolve_payments(
    new: NewDocument, lines: Sequence[Line], errors: Errors
) -> tuple[tuple[str, int], ...]:
    """What was paid by kind, in minor units; whether it adds up, where that is known by now."""
    payments = []
    for i, payment in enumerate(new.payments or ()):
        pointer = f"/payments/{i}/amount"
        amount = errors.number(pointer, payment.amount, MINOR_DIGITS, largest=AMOUNT_MAX)
        if payment.amount.is_finite() and payment.amount <= 0:
            errors.add(pointer, "not_positive")
        payments.append((payment.kind, amount))
    # What a return against its sale is worth, and what a partial sale leaves, is planned later.
    known = [line.amount for line in lines if line.amount is not None]
    if not errors.found and not new.partial and len(known) == len(new.lines):
        fault = fault_of(payments, sum(known))
        if fault is not None:
            errors.found.append(fault)
    return tuple(payments)


def shared(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` (not negative) by weights, of which one is positive, to the last minor unit.

    By largest remainder; among equals the first gets it.
    """
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda i: -(total * weights[i] % whole))
    for i in by_rest[: total - sum(shares)]:
        shares[i] += 1
    return shares
