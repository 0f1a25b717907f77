"""The composition root: choices in, a shop that works out.

A `Host` holds one of every service, explicitly wired; there is no other place where they meet and
no global. `start` brings it to life in an order in which each step only needs those before it;
`close` undoes it in reverse.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from dianku.access.service import Access
from dianku.catalog.service import CatalogService
from dianku.catalog.snapshot import CatalogCache
from dianku.config import HostConfig
from dianku.exchange.service import Exchange
from dianku.jobs.runner import JobRunner
from dianku.ledger.figures import Figures
from dianku.ledger.queries import StockQueries
from dianku.ledger.service import Ledger
from dianku.plugins.set import PluginSet
from dianku.settings.store import Settings
from dianku.storage.bell import Bell
from dianku.storage.engine import Database

__all__ = ["Host", "HostConfig"]


class Host:
    """One shop, open in this process.

    Example:
        `with Host.build(HostConfig(data_dir=Path("shop"))) as host: host.stock...`
    """

    config: HostConfig
    database: Database
    cache: CatalogCache
    catalog: CatalogService
    ledger: Ledger
    stock: StockQueries
    figures: Figures
    access: Access
    settings: Settings
    plugins: PluginSet
    exchange: Exchange
    jobs: JobRunner
    events_bell: Bell

    @classmethod
    def build(cls, config: HostConfig) -> Self:
        """Wire everything; nothing is migrated, loaded or running yet."""
        raise NotImplementedError

    def start(self, *, background: bool = True) -> None:
        """Migrate, load plugins, start the poster; with `background` also notifying and jobs.

        Commands that only post or read leave the background to the server.

        Raises:
            ConfigurationError: a plugin the edition requires cannot run; what, which, what to do.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Stop everything that runs and close the database; may be called twice."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
