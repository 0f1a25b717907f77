"""What can be exported: the kernel's own tables and what plugins give, by name.

Rows come page by page from the services that answer the same over HTTP, so store scope and the
secrecy of costs are theirs to keep; a column of costs is left out for who may not see them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
from attrs import frozen

from dianku.context import Context
from dianku.errors import FieldError, invalid, refuse
from dianku.exchange.sheet_writing import write_csv, write_xlsx

FORMATS = ("csv", "xlsx")
_TEXTS = frozenset(
    [
        "sku",
        "name",
        "spec",
        "unit",
        "barcode",
        "barcodes",
        "category",
        "category_code",
        "store",
        "to_store",
        "document",
        "number",
        "reference",
        "supplier",
        "note",
        "lot",
        "channel",
        "family",
        "actor",
        "device",
        "components",
        "reason",
        "kind",
        "display_unit",
        "promotion",
        "code",
        "of_document",
    ]
)
"""Columns that are text even where they hold figures: "007" is not 7."""


class Titled(Protocol):
    """A heading in both languages."""

    def in_language(self, language: str) -> str:
        """The heading in `zh-CN` or `en`."""
        ...


@frozen
class Heading:
    """A heading in both languages."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """The heading in `zh-CN` or `en`."""
        return self.en if language == "en" else self.zh


class ExportSource(Protocol):
    """A table that can be exported, as plugins register it (`ExportKind`).

    `rows(ctx, **query)` yields one value per column: exact strings, numbers, None.
    """

    @property
    def name(self) -> str:
        """What it is asked for by."""
        ...

    @property
    def permission(self) -> str:
        """What its reader must hold, beside `export.run`."""
        ...

    @property
    def columns(self) -> Sequence[tuple[str, Titled]]:
        """Key and heading of each column."""
        ...

    @property
    def rows(self) -> Callable[..., Iterable[Sequence[Any]]]:
        """The rows for a caller and the query parameters by name."""
        ...


@frozen
class KernelExport:
    """An export of the kernel. `costs` names the columns that need `cost.view`."""

    name: str
    permission: str
    columns: Sequence[tuple[str, Heading]]
    rows: Callable[..., Iterable[Sequence[Any]]]
    costs: frozenset[str] = frozenset()


class ExportBook:
    """All exports of a shop."""

    def __init__(
        self,
        kernel: Iterable[KernelExport],
        plugin_exports: Callable[[], Iterable[ExportSource]],
    ) -> None:
        self._kernel = {one.name: one for one in kernel}
        self._plugin_exports = plugin_exports

    def is_of_plugin(self, kind: str) -> bool:
        """Whether only plugins could have an export of this name."""
        return kind not in self._kernel

    def names(self, ctx: Context) -> list[str]:
        """What the caller may export."""
        if not ctx.may("export.run"):
            return []
        return [name for name, one in self._sources().items() if ctx.may(one.permission)]

    def stream(
        self, kind: str, *, format_: str, ctx: Context, filters: Mapping[str, Any]
    ) -> Iterator[bytes]:
        """The file in pieces. What is wrong is refused before the first of them."""
        if format_ not in FORMATS:
            raise invalid(FieldError("/format", "not_one_of", {"allowed": ", ".join(FORMATS)}))
        keys, headings, rows = self._table(kind, ctx=ctx, filters=filters)
        if format_ == "csv":
            return write_csv(headings, rows)
        return write_xlsx(headings, rows, numbers=[key not in _TEXTS for key in keys])

    def write_file(
        self,
        kind: str,
        file: Path,
        *,
        ctx: Context,
        filters: Mapping[str, Any],
        progress: Callable[[int, int], None] | None,
    ) -> int:
        """Write the file its ending asks for; returns how many rows it has."""
        keys, headings, rows = self._table(kind, ctx=ctx, filters=filters)
        count = 0

        def counted() -> Iterator[Sequence[Any]]:
            nonlocal count
            for row in rows:
                count += 1
                yield row
                if progress is not None and count % 500 == 0:
                    progress(count, count)

        if file.suffix.lower() == ".xlsx":
            pieces = write_xlsx(headings, counted(), numbers=[k not in _TEXTS for k in keys])
        elif file.suffix.lower() == ".csv":
            pieces = write_csv(headings, counted())
        else:
            raise invalid(FieldError("/file", "not_one_of", {"allowed": ".csv, .xlsx"}))
        with file.open("wb") as stream:
            for piece in pieces:
                stream.write(piece)
        return count

    def _sources(self) -> dict[str, ExportSource]:
        given = {one.name: one for one in self._plugin_exports()}
        return {**given, **self._kernel}

    def _table(
        self, kind: str, *, ctx: Context, filters: Mapping[str, Any]
    ) -> tuple[list[str], list[str], Iterable[Sequence[Any]]]:
        ctx.require("export.run")
        # The kernel's own need no plugin to be asked, which may keep its caller waiting.
        source = self._kernel.get(kind) or self._sources().get(kind)
        if source is None:
            raise refuse("not_found", what="export", name=kind)
        ctx.require(source.permission)
        columns = list(source.columns)
        rows: Iterable[Sequence[Any]] = _started(source.rows(ctx, **filters))
        hidden = source.costs if isinstance(source, KernelExport) else frozenset()
        if hidden and not ctx.may("cost.view"):
            kept = [i for i, (key, _) in enumerate(columns) if key not in hidden]
            columns = [columns[i] for i in kept]
            rows = _picked(rows, kept)
        headings = [title.in_language(ctx.language) for _, title in columns]
        return [key for key, _ in columns], headings, rows


def _started(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """Fetch the first row now, so that a wrong filter is refused before anything is sent."""
    iterator = iter(rows)
    first = next(iterator, None)

    def again() -> Iterator[Sequence[Any]]:
        if first is not None:
            yield first
            yield from iterator

    return again()


def _picked(rows: Iterable[Sequence[Any]], kept: Sequence[int]) -> Iterator[Sequence[Any]]:
    for row in rows:
        yield [row[i] for i in kept]


def asked_for(type_: type[Any], filters: Mapping[str, Any]) -> Any:
    """Query parameters as the filter of a list.

    Raises:
        Refused: `invalid`, naming every parameter that does not fit.
    """
    fields = {f.encode_name: f.type for f in msgspec.structs.fields(type_)}
    given = {
        name: [value] if _is_list(fields.get(name)) and not isinstance(value, list) else value
        for name, value in filters.items()
        if value is not None
    }
    try:
        return msgspec.convert(given, type_, strict=False)
    except msgspec.ValidationError as error:
        wrong = [fault for name in given if (fault := _fault(type_, fields, name, given[name]))]
        raise invalid(*wrong) from error


def _is_list(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) is list


def _fault(type_: type[Any], fields: Mapping[str, Any], name: str, value: Any) -> FieldError | None:
    """What is wrong with one parameter; each may be left out, so it is tried alone."""
    if name not in fields:
        return FieldError(f"/{name}", "unknown_parameter")
    try:
        msgspec.convert({name: value}, type_, strict=False)
    except msgspec.ValidationError as error:
        return FieldError(f"/{name}", "not_allowed", {"reason": str(error)})
    return None
