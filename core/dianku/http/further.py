"""What else is wrong with a document whose types are wrong: both are told in one answer.

What is right of it is resolved as ever; a wrong field is left out, and whatever would only follow
from its being left out is not said. Nothing here is run for a body that is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import structs

from dianku.context import Context
from dianku.errors import FieldError
from dianku.http.fields import ABSENT, ERRORS_MAX, WrongBody
from dianku.ledger.requests import (
    NewDocument,
    NewLine,
    NewReservation,
    NewReservationLine,
    Payment,
)

if TYPE_CHECKING:
    from dianku.host import Host

_ANY_KIND = frozenset(
    {
        "unknown_store",
        "unknown_channel",
        "unknown_product",
        "unknown_barcode",
        "ambiguous_barcode",
        "not_finite",
    }
)
"""What is wrong with a document of whatever kind."""

_MEASURED = frozenset(
    {
        ("quantity", "missing"),
        ("delta", "missing"),
        ("quantity", "only_one_of"),
        ("delta", "only_one_of"),
        ("kept", "more_than_sold"),
        ("occurred_at", "not_for_kind"),
    }
)
_FOLLOWS: Mapping[str, frozenset[tuple[str, str]]] = {
    "quantity": _MEASURED,
    "delta": _MEASURED,
    "counted": _MEASURED,
    "sku": frozenset({("barcode", "ambiguous_barcode")}),
    "barcode": frozenset({("sku", "missing")}),
    "store": frozenset(
        {
            ("barcode", "unknown_barcode"),
            ("barcode", "ambiguous_barcode"),
            ("to_store", "same_store"),
        }
    ),
    "of_document": frozenset({("of_line", "needs_of_document"), ("kept", "needs_of_document")}),
    "sent_at": frozenset({("occurred_at", "in_future"), ("occurred_at", "too_old")}),
    "fact": frozenset({("sku", "archived"), ("barcode", "archived")}),
    "kind": frozenset({("due_on", "not_for_kind"), ("expires_in", "not_for_kind")}),
}
"""By a field that was left out: what may then be said of another field and need not be so.

A label of a scale is read by its store's template; a fact may sell what is archived.
"""

_SUMMED = frozenset({"kind", "lines", "of_document", "partial", "payments", "store"})
"""Fields of a document by which its payments come to what they must, or not."""


def document_faults(host: Host, ctx: Context, wrong: WrongBody) -> Sequence[FieldError]:
    """What else is wrong with a document."""
    return list(_of_document(host, ctx, wrong.sound, wrong.problem.errors))


def reservation_faults(host: Host, ctx: Context, wrong: WrongBody) -> Sequence[FieldError]:
    """What else is wrong with a reservation."""
    sound = wrong.sound
    if not isinstance(sound, Mapping):
        return []
    lines = [_reserved(line) for line in _items(sound, "lines")]
    head = {name: value for name, value in sound.items() if name != "lines"}
    new = _built({"store": "?", **head, "lines": [{"sku": "?", "quantity": 1}]}, NewReservation)
    if new is None:
        return []
    new = structs.replace(new, store=head.get("store", ""), lines=lines)
    return list(_told(host.ledger.faults(new, ctx=ctx), wrong.problem.errors))


def batch_faults(host: Host, ctx: Context, wrong: WrongBody) -> Sequence[FieldError]:
    """What else is wrong with the documents of a batch."""
    documents = wrong.sound.get("documents") if isinstance(wrong.sound, Mapping) else None
    found: list[FieldError] = []
    for position, sound in enumerate(documents or ()):
        if len(found) >= ERRORS_MAX:
            break
        at = f"/documents/{position}"
        own = [
            _moved(e, at, "") for e in wrong.problem.errors if f"{e.pointer}/".startswith(f"{at}/")
        ]
        found += [_moved(e, "", at) for e in _of_document(host, ctx, sound, own)]
    return found


def _of_document(
    host: Host, ctx: Context, sound: Any, wrong: Sequence[FieldError]
) -> Iterator[FieldError]:
    if not isinstance(sound, Mapping):
        return
    apart = {"lines", "key", "payments"}
    head = {name: value for name, value in sound.items() if name not in apart}
    # Any kind will do to look up what is named; what only that kind minds is not told.
    new = _built({"kind": "issue", "store": "?", **head, "lines": [{}]}, NewDocument)
    if new is None:
        return
    lines = [_built(line, NewLine) or NewLine() for line in _items(sound, "lines")]
    payments = [_paid(part) for part in _items(sound, "payments")] or None
    new = structs.replace(new, store=head.get("store", ""), lines=lines, payments=payments)
    for error in _told(host.ledger.faults(new, ctx=ctx), wrong):
        if "kind" in head or error.code in _ANY_KIND:
            yield error


def _items(sound: Mapping[str, Any], name: str) -> list[Any]:
    return [{} if item is ABSENT else item for item in sound.get(name) or ()]


def _paid(sound: Mapping[str, Any]) -> Payment:
    """A payment; of any kind and amount where it does not say."""
    return _built({"kind": "other", "amount": 1, **sound}, Payment) or Payment(
        kind="other", amount=Decimal(1)
    )


def _reserved(sound: Mapping[str, Any]) -> NewReservationLine:
    quantity = sound.get("quantity", 1)
    return NewReservationLine(sku=sound.get("sku", ""), quantity=Decimal(quantity))


def _built(values: Mapping[str, Any], kind: Any) -> Any:
    """A struct of values that are sound; None where they break a rule the walk does not know."""
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError:
        return None


def _told(faults: Sequence[FieldError], wrong: Sequence[FieldError]) -> Iterator[FieldError]:
    """Those faults that are so whatever the wrong fields were meant to be."""
    pointers = {error.pointer for error in wrong}
    for fault in faults:
        parts = fault.pointer.split("/")
        if any("/".join(parts[:n]) in pointers for n in range(1, len(parts) + 1)):
            continue
        if fault.code == "payments_mismatch" and any(map(_of_the_sum, pointers)):
            continue
        causes = [name for name, told in _FOLLOWS.items() if (parts[-1], fault.code) in told]
        places = ("", "/".join(parts[:3])) if parts[1:2] == ["lines"] else ("",)
        if not any(f"{place}/{name}" in pointers for place in places for name in causes):
            yield fault


def _of_the_sum(pointer: str) -> bool:
    """Whether it may have changed what is paid, or what for, that a field was left out."""
    return not _SUMMED.isdisjoint(pointer.split("/")[1:2])


def _moved(error: FieldError, old: str, new: str) -> FieldError:
    return FieldError(new + error.pointer.removeprefix(old), error.code, error.params)
