"""Words for what records carry as codes: the warnings of a document, the remarks of an import."""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec import Struct, structs

from dianku.messages import Messages

Record = TypeVar("Record", bound=Struct)


def worded(record: Record, messages: Messages, *, language: str) -> Record:
    """A document's record with its warnings in a language; the record given stays as it is."""
    warnings = getattr(record, "warnings", None)
    if not warnings:
        return record
    said = [
        structs.replace(w, message=messages.text(f"warning.{w.code}", language, **w.data))
        for w in warnings
    ]
    return structs.replace(record, warnings=said)


def worded_remarks(record: Record, messages: Messages, *, language: str) -> Record:
    """An import's record with its remarks on cells in a language."""
    changes: dict[str, Any] = {}
    for name in ("errors", "notes"):
        changes[name] = [
            structs.replace(
                remark,
                message=remark.message
                or messages.text(f"field.{remark.code}", language, **remark.params),
            )
            for remark in getattr(record, name)
        ]
    return structs.replace(record, **changes)
