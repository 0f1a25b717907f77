"""What plugins return from hooks and what they are handed: small frozen records of plain data.

Every record that is collected has a name of its own (a route its method and path, a page its
path); two of one name are refused with both plugins named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Protocol, get_args, runtime_checkable

from attrs import field, frozen, validators

_TEXT = validators.instance_of(str)
_NAME = validators.matches_re(r"[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@frozen
class Title:
    """A name people read, in both languages."""

    zh: str = field(validator=_TEXT)
    en: str = field(validator=_TEXT)

    def in_language(self, language: str) -> str:
        """The title in `zh-CN` or `en`."""
        return self.en if language == "en" else self.zh


_TITLE = validators.instance_of(Title)
_CALLED: Callable[..., None] = validators.is_callable()


def _mapping(_record: object, _attribute: object, value: Mapping[str, Any]) -> None:
    if not isinstance(value, Mapping):
        raise TypeError(f"params are names and values, not a {type(value).__name__}")


@frozen
class Objection:
    """A check's no, as a value: a code of the plugin's own, and why, for the person who sells."""

    code: str = field(validator=_TEXT)
    message: Title = field(validator=_TITLE)
    params: Mapping[str, Any] = field(default=_NOTHING, validator=_mapping)


@frozen
class CheckedLine:
    """A line about to be posted. Quantity and amount as exact decimal strings, base units."""

    sku: str
    quantity: str
    amount: str | None = None
    lot: str | None = None


@frozen
class CheckedDocument:
    """A document about to be posted, as a check sees it: plain data, lines resolved."""

    kind: str
    store: str
    lines: Sequence[CheckedLine]
    strict: bool
    channel: str | None = None
    to_store: str | None = None
    reference: str | None = None
    actor: str = ""


@frozen
class Event:
    """Something that was committed: `data` is plain JSON. The same event may come again.

    `id` grows without gaps and is the same each time, so a plugin that must act once keeps it.
    """

    id: int
    type: str
    at_ms: int
    store: str | None
    data: Any


@runtime_checkable
class RouteRecord(Protocol):
    """What hooks need to know of a `dianku.api.Route`."""

    @property
    def method(self) -> str:
        """The HTTP method."""
        ...

    @property
    def path(self) -> str:
        """The path under `/api/v1`."""
        ...

    @property
    def permission(self) -> str | None:
        """What a caller must hold."""
        ...


Place = Literal["", "sell", "stock", "buy", "look", "manage"]
"""The job a page belongs to, and so its group in the menu; empty: it is in no menu."""


@frozen
class Page:
    """A page people open: where, under which title, who may, and what is on it.

    `path` is the whole path, below the site that shows it (`/console/...`), with parameters in
    braces. `template` lies in the plugin's folder `templates`; `data` gets the `Call` (its
    `path`, its `query` as a mapping, `ask` for the API's answers) and gives the template's
    names, on a thread that may hang without harm. `icon` is one of the site's, `order` says where
    in the menu of its `place`, the smallest first. `several_stores`: of use only where the shop
    has more than one, and in the menu only there.
    """

    path: str = field(validator=validators.matches_re(r"/[a-z0-9_/{}-]*"))
    title: Title = field(validator=_TITLE)
    permission: str = field(validator=_TEXT)
    template: str = field(validator=_TEXT)
    data: Callable[[Any], Mapping[str, Any]] | None = field(
        default=None, validator=validators.optional(_CALLED)
    )
    place: Place = field(default="", validator=validators.in_(get_args(Place)))
    icon: str = field(default="", validator=_TEXT)
    order: int = field(default=100, validator=validators.instance_of(int))
    several_stores: bool = field(default=False, validator=validators.instance_of(bool))


@frozen
class Panel:
    """A part of somebody else's page: a card at home, a panel with a product.

    As a `Page`, but shown `on` another; `order` says where, the smallest first. On the page of a
    product the `Call` has its code as `path["sku"]`. Data of None: it has nothing to say today and
    is left out.
    """

    name: str = field(validator=_NAME)
    on: Literal["home", "product"] = field(validator=validators.in_(("home", "product")))
    title: Title = field(validator=_TITLE)
    permission: str = field(validator=_TEXT)
    template: str = field(validator=_TEXT)
    data: Callable[[Any], Mapping[str, Any] | None] = field(validator=_CALLED)
    order: int = field(default=100, validator=validators.instance_of(int))


@frozen
class Given:
    """A page or panel as it is handed to the site that shows it, with the plugin it is of.

    `folder` is the plugin's package; `failed` notes that showing it went wrong, and why.
    """

    plugin: str
    record: Any
    folder: Path | None
    failed: Callable[[BaseException], None]


@runtime_checkable
class SiteRecord(Protocol):
    """What hooks need to know of a `dianku.api.Site`."""

    @property
    def path(self) -> str:
        """Where it begins."""
        ...

    @property
    def routes(self) -> Sequence[Any]:
        """What it answers."""
        ...


@frozen
class Every:
    """A schedule: again this many seconds after the last start, and at once if never run."""

    seconds: int = field(validator=[validators.instance_of(int), validators.ge(1)])


@frozen
class Daily:
    """A schedule: once a day at an hour of the shop's clock; made up for if the machine slept."""

    hour: int = field(validator=[validators.instance_of(int), validators.ge(0), validators.le(23)])


@frozen
class Job:
    """Work that one process of the shop does by the clock.

    `run` returns a short text for the job's record, or None. It runs on a thread of its
    plugin's own, never two at once; a raise is recorded and the next run comes as scheduled.
    """

    name: str = field(validator=_NAME)
    title: Title = field(validator=_TITLE)
    schedule: Every | Daily = field(validator=validators.instance_of((Every, Daily)))
    run: Callable[[], str | None] = field(validator=_CALLED)


@frozen
class Command:
    """A group of the command line: `dianku NAME ...`.

    `load` makes the click command, and is called only when somebody runs it, so that neither
    the server nor `--help` imports click for it. Its `obj` is the plugin's `Shop`.
    """

    name: str = field(validator=_NAME)
    title: Title = field(validator=_TITLE)
    load: Callable[[], Any] = field(validator=_CALLED)


def _columns(_record: object, _attribute: object, value: Sequence[tuple[str, Title]]) -> None:
    for key, title in value:
        if not (isinstance(key, str) and isinstance(title, Title)):
            raise TypeError(f"columns are keys and titles, not {key!r} and {title!r}")


@frozen
class ExportKind:
    """A table for `GET /exports/{name}` and `dianku export`.

    `columns` are keys and titles; `rows` yields one value per column, strings exact, for what
    the caller may see: it gets the `Context` and the query parameters by name.
    """

    name: str = field(validator=_NAME)
    title: Title = field(validator=_TITLE)
    permission: str = field(validator=_TEXT)
    columns: Sequence[tuple[str, Title]] = field(validator=_columns)
    rows: Callable[..., Iterable[Sequence[Any]]] = field(validator=_CALLED)


@frozen
class DemoData:
    """What a plugin adds to `dianku demo`, after the kernel's goods and months of sales.

    `fill` gets a `random.Random` seeded alike every time.
    """

    name: str = field(validator=_NAME)
    fill: Callable[[Any], None] = field(validator=_CALLED)


Severity = Literal["note", "warning", "error"]


@frozen
class Finding:
    """One thing `dianku doctor` found: how bad, what, about which record, and what to do."""

    severity: Severity = field(validator=validators.in_(("note", "warning", "error")))
    what: Title = field(validator=_TITLE)
    subject: str = field(default="", validator=_TEXT)
    remedy: Title | None = field(default=None, validator=validators.optional(_TITLE))


@frozen
class DoctorCheck:
    """A question `dianku doctor` asks; `run` yields what it found, nothing when all is well."""

    name: str = field(validator=_NAME)
    title: Title = field(validator=_TITLE)
    run: Callable[[], Iterable[Finding]] = field(validator=_CALLED)
