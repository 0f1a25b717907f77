"""Every hook a plugin may implement: when it is called, with what, and what a failure does.

An implementation takes only the arguments it wants. `shop` is always the plugin's own
`dianku.api.Shop`. The kinds are in `dianku.hooks.kinds`. Wrappers are refused on every hook.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pluggy

from dianku.hooks.records import (
    CheckedDocument,
    Command,
    DemoData,
    DoctorCheck,
    Event,
    ExportKind,
    Given,
    Job,
    Objection,
    Page,
    Panel,
    RouteRecord,
    SiteRecord,
)

hookspec = pluggy.HookspecMarker("dianku")
hookimpl = pluggy.HookimplMarker("dianku")


@hookspec
def check_document(document: CheckedDocument, shop: Any) -> Objection | None:
    """Object to a document before it joins the poster's queue.

    Kind: check. Called on the request's side for every new document, outside any transaction, at
    most `CHECK_LIMIT_MS` long. It sees the balances of this moment and guards no race. An
    objection refuses the document and names the plugin. An exception or a time-out lets
    permissive documents pass and refuses strict ones; after three in a row the check is
    suspended until the next start, which `dianku plugin list` shows.

    Example:
        >>> from dianku.api import Objection, Title, hookimpl
        >>> @hookimpl
        ... def check_document(document):
        ...     if document.kind == "write_off" and len(document.lines) > 100:
        ...         why = Title(zh="一次报损太多", en="too much at once")
        ...         return Objection("too_many", why)
        ...     return None
    """


@hookspec
def register_routes(shop: Any) -> Iterable[RouteRecord]:  # type: ignore[empty-body]
    """Give the HTTP routes of the plugin, under `/api/v1`, as its manifest claims them.

    Kind: collect, once at start. A path outside the manifest's `routes` is refused.

    Example:
        >>> from dianku.api import hookimpl
        >>> @hookimpl
        ... def register_routes(shop):
        ...     return []  # [Route("GET", "/hello", hello, "document.view", "Say hello")]
    """


@hookspec
def register_pages(shop: Any) -> Iterable[Page]:  # type: ignore[empty-body]
    """Give pages for people: the console shows them, and has them in its menu.

    Kind: collect, once at start.

    Example:
        >>> from dianku.api import Page, Title, hookimpl
        >>> @hookimpl
        ... def register_pages():
        ...     title = Title(zh="你好", en="Hello")
        ...     return [Page("/console/hello", title, "stock.view", "hello.html", place="look")]
    """


@hookspec
def register_panels(shop: Any) -> Iterable[Panel]:  # type: ignore[empty-body]
    """Give parts of the console's own pages: cards of the home page, panels of a product's.

    Kind: collect, once at start.

    Example:
        >>> from dianku.api import Panel, Title, hookimpl
        >>> @hookimpl
        ... def register_panels(shop):
        ...     title = Title(zh="今天", en="Today")
        ...     today = lambda call: call.ask("/stock", low=True, limit=3)
        ...     return [Panel("hello.today", "home", title, "stock.view", "today.html", today)]
    """


@hookspec
def register_sites(  # type: ignore[empty-body]
    shop: Any, pages: Sequence[Given], panels: Sequence[Given]
) -> Iterable[SiteRecord]:
    """Give a place of pages at the root, outside `/api`, as the manifest's `sites` names it.

    Kind: collect, once at start. `pages` and `panels` are those of every plugin, for it to show.

    Example:
        >>> from dianku.api import Content, Route, Site, hookimpl
        >>> def refused(refusal):
        ...     return Content(refusal.detail.encode(), "text/plain")
        >>> @hookimpl
        ... def register_sites(pages):
        ...     hello = lambda call: Content(b"hello", "text/plain")
        ...     return [Site("/hello", [Route("GET", "/", hello, "public", "Hello")], refused)]
    """


@hookspec
def register_jobs(shop: Any) -> Iterable[Job]:  # type: ignore[empty-body]
    """Give the work that is done by the clock, in one process of the shop.

    Kind: collect, once at start.

    Example:
        >>> from dianku.api import Daily, Job, Title, hookimpl
        >>> @hookimpl
        ... def register_jobs(shop):
        ...     title = Title(zh="清理", en="Tidy")
        ...     return [Job("tidy", title, Daily(3), lambda: "nothing to tidy")]
    """


@hookspec
def register_commands(shop: Any) -> Iterable[Command]:  # type: ignore[empty-body]
    """Give the command groups of the plugin, as its manifest names them.

    Kind: collect, when the command line runs one of them. The click command is made by `load`.

    Example:
        >>> from dianku.api import Command, Title, hookimpl
        >>> def load():
        ...     import click
        ...     return click.Command("hello", callback=lambda: print("hello"))
        >>> @hookimpl
        ... def register_commands(shop):
        ...     return [Command("hello", Title(zh="你好", en="Say hello"), load)]
    """


@hookspec
def register_exports(shop: Any) -> Iterable[ExportKind]:  # type: ignore[empty-body]
    """Give the tables the plugin can export, beside the kernel's own.

    Kind: collect, once at start.

    Example:
        >>> from dianku.api import ExportKind, Title, hookimpl
        >>> @hookimpl
        ... def register_exports(shop):
        ...     columns = [("word", Title(zh="词", en="Word"))]
        ...     title = Title(zh="词表", en="Words")
        ...     rows = lambda ctx, **query: [("hello",)]
        ...     return [ExportKind("words", title, "stock.view", columns, rows)]
    """


@hookspec
def register_demo(shop: Any) -> Iterable[DemoData]:  # type: ignore[empty-body]
    """Give what the plugin adds to the demonstration shop.

    Kind: collect, when `dianku demo` fills a shop; called in the order plugins load.

    Example:
        >>> from dianku.api import DemoData, hookimpl
        >>> @hookimpl
        ... def register_demo(shop):
        ...     return [DemoData("greetings", lambda random: None)]
    """


@hookspec
def register_doctor(shop: Any) -> Iterable[DoctorCheck]:  # type: ignore[empty-body]
    """Give the questions `dianku doctor` should ask: orphans of the plugin's tables, say.

    Kind: collect, when the doctor is called.

    Example:
        >>> from dianku.api import DoctorCheck, Title, hookimpl
        >>> @hookimpl
        ... def register_doctor(shop):
        ...     return [DoctorCheck("orphans", Title(zh="孤儿", en="Orphans"), lambda: [])]
    """


@hookspec
def document_posted(event: Event, shop: Any) -> None:
    """Hear that a document was posted, after its commit.

    Kind: notify. At least once and in the order of commits, on a thread of the plugin's own, in
    one process of the shop. A raise is tried again with growing waits, then the event is parked
    and shown, and the next one comes. `event.data` names the document by `number`.

    Example:
        >>> from dianku.api import hookimpl
        >>> @hookimpl
        ... def document_posted(event, shop):
        ...     print(event.data["number"])
    """


@hookspec
def stock_changed(event: Event, shop: Any) -> None:
    """Hear that balances changed, after the commit: what channels and alerts wait for.

    Kind: notify, as `document_posted`. `event.data` names the products and their store.

    Example:
        >>> from dianku.api import hookimpl
        >>> @hookimpl
        ... def stock_changed(event, shop):
        ...     print(event.store)
    """
