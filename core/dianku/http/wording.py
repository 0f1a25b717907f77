"""Words for what records carry as codes: the warnings of a document, the remarks of an import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from attrs import evolve
from msgspec import Struct, structs

from dianku.catalog.snapshot import CatalogState
from dianku.errors import Problem
from dianku.messages import Messages

Record = TypeVar("Record", bound=Struct)


def worded(record: Record, messages: Messages, *, language: str, catalog: CatalogState) -> Record:
    """A document's record with its warnings in a language; the record given stays as it is.

    They call goods by the names that `catalog` holds, by their codes where it holds none.
    """
    warnings = getattr(record, "warnings", None)
    if not warnings:
        return record
    said = [
        structs.replace(
            w,
            message=messages.text(
                f"warning.{w.code}", language, **w.data, goods=_goods(w.data, catalog)
            ),
        )
        for w in warnings
    ]
    return structs.replace(record, warnings=said)


def named_in(records: Iterable[Any]) -> set[str]:
    """The codes of goods that warnings of records are about."""
    return {str(w.data["sku"]) for record in records for w in record.warnings if "sku" in w.data}


def _goods(data: Mapping[str, object], catalog: CatalogState) -> str:
    product = catalog.by_sku(str(data.get("sku")))
    if product is None:
        return str(data.get("sku"))
    return f"{product.name} {product.spec}" if product.spec else product.name


def worded_remarks(record: Record, messages: Messages, *, language: str) -> Record:
    """An import's record with its remarks on cells in a language."""
    said: Any = record
    changes: dict[str, Any] = {
        name: [_remark(remark, messages, language=language) for remark in getattr(record, name)]
        for name in ("errors", "notes")
    }
    changes["fields"] = [
        structs.replace(field, title=messages.column(field.name, language)) for field in said.fields
    ]
    return structs.replace(record, **changes)


def worded_choice(problem: Problem, messages: Messages, *, language: str) -> Problem:
    """A refusal that tells which columns there are to choose from, with the fields' titles."""
    if "fields" not in problem.extra:
        return problem
    fields = [
        {**field, "title": messages.column(field["name"], language)}
        for field in problem.extra["fields"]
    ]
    return evolve(problem, extra={**problem.extra, "fields": fields})


def _remark(remark: Any, messages: Messages, *, language: str) -> Any:
    """A remark with its words; a column that the file lacks by the name it would have there."""
    column = remark.column
    if column is not None and remark.value is None:
        column = messages.column(column, language)
    message = remark.message or messages.field(remark.code, language, remark.params)
    return structs.replace(remark, column=column, message=message)
