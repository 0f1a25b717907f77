"""The three kinds of hook; the kind fixes what a failing implementation does to the rest.

A check may refuse a document and fails towards selling; a collect loses its own records; a notify
is retried, then parked. A hook's kind shows in its name: `check_...`, `register_...`, past tense.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

from attrs import frozen

from dianku.hooks.records import (
    Command,
    DemoData,
    DoctorCheck,
    ExportKind,
    Job,
    Page,
    Panel,
    RouteRecord,
    SiteRecord,
)


class Kind(Enum):
    """What a hook is for, and so what a failure does."""

    CHECK = "check"
    COLLECT = "collect"
    NOTIFY = "notify"


@frozen
class Hook:
    """One hook: its kind, what a collect returns, and what tells two such records apart.

    `event` is the type in the event log that a notify hook hears of.
    """

    name: str
    kind: Kind
    returns: type | None = None
    key: Callable[[Any], str] | None = None
    event: str | None = None


def _collect(name: str, returns: type, key: Callable[[Any], str]) -> Hook:
    return Hook(name, Kind.COLLECT, returns, key)


def _name(record: Any) -> str:
    return str(record.name)


def _route(record: Any) -> str:
    return f"{record.method} {record.path}"


HOOKS: Mapping[str, Hook] = MappingProxyType(
    {
        hook.name: hook
        for hook in (
            Hook("check_document", Kind.CHECK),
            _collect("register_routes", RouteRecord, _route),
            _collect("register_pages", Page, lambda page: str(page.path)),
            _collect("register_panels", Panel, _name),
            _collect("register_sites", SiteRecord, lambda site: str(site.path)),
            _collect("register_jobs", Job, _name),
            _collect("register_commands", Command, _name),
            _collect("register_exports", ExportKind, _name),
            _collect("register_demo", DemoData, _name),
            _collect("register_doctor", DoctorCheck, _name),
            Hook("document_posted", Kind.NOTIFY, event="document.posted"),
            Hook("stock_changed", Kind.NOTIFY, event="stock.changed"),
        )
    }
)
"""Every hook by name, in step with `dianku.hooks.specs` (a test compares them)."""

NOTIFY_EVENTS: Mapping[str, str] = MappingProxyType(
    {hook.event: hook.name for hook in HOOKS.values() if hook.event is not None}
)
"""Event type -> notify hook."""
