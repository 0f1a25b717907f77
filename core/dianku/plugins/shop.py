"""The shop as one plugin sees it: the services, its own settings, its own tables, and no more.

Each plugin gets a `Shop` of its own. What it does through the services it does as itself, with
the rights its manifest names.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from dianku.clock import Clock
from dianku.context import Actor, Context

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from dianku.catalog.service import CatalogService
    from dianku.ledger.figures.figures import Figures
    from dianku.ledger.read.queries import StockQueries
    from dianku.ledger.service import Ledger
    from dianku.messages import Messages
    from dianku.settings.store import Settings
    from dianku.storage.fence import FencedDatabase


class OwnSettings(Mapping[str, Any]):
    """A plugin's own section as it is now, secrets included. Never keep what you read here long."""

    def __init__(self, settings: Settings, section: str) -> None:
        self._settings = settings
        self._section = section

    def __getitem__(self, key: str) -> Any:
        return self._settings.view().section(self._section)[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._settings.view().section(self._section))

    def __len__(self) -> int:
        return len(self._settings.view().section(self._section))


@frozen(kw_only=True)
class Shop:
    """What a plugin is handed.

    Attributes:
        plugin: The plugin's name.
        catalog: Products, stores, channels.
        ledger: Post documents, reserve.
        stock: Stock, stock cards, documents, exceptions.
        figures: Sales and flow totals, stock at a date.
        settings: The plugin's own section.
        clock: What tells the time; never ask the machine's.
        messages: The catalogue of texts, the plugin's own among them.
        log: A logger under the plugin's name.
    """

    plugin: str
    catalog: CatalogService
    ledger: Ledger
    stock: StockQueries
    figures: Figures
    settings: Mapping[str, Any]
    clock: Clock
    messages: Messages
    log: logging.Logger
    _rights: frozenset[str] = field(alias="rights", repr=False)
    _tables: FencedDatabase = field(alias="tables", repr=False)

    def context(self, *, language: str = "zh-CN") -> Context:
        """The plugin itself as the one who acts, with the rights its manifest names."""
        actor = Actor(name=f"plugin:{self.plugin}", role="plugin", permissions=self._rights)
        return Context(actor, language=language)

    def reading(self) -> AbstractContextManager[Connection]:
        """A read-only transaction on the database, for the plugin's own tables."""
        return self._tables.reading()

    def writing(self) -> AbstractContextManager[Connection]:
        """A write transaction that may change the plugin's own tables and nothing else.

        Raises:
            FenceBroken: another table was changed, or one that holds secrets was read; nothing
                of the transaction is kept.
        """
        return self._tables.writing()
