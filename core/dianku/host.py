"""The composition root: choices in, a shop that works out.

A `Host` holds one of every service, explicitly wired; there is no other place where they meet and
no global. `start` brings it to life in an order in which each step needs only those before it;
`close` undoes it in reverse.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy.engine import Connection

from dianku.access.permissions import Grant, Permissions
from dianku.access.service import Access
from dianku.access.trail import record_change
from dianku.attachments import Attachments
from dianku.backups import Backups
from dianku.catalog.channels import ensure_defaults, has_defaults
from dianku.catalog.service import CatalogService
from dianku.catalog.snapshot import CatalogCache
from dianku.config import HostConfig, strict_from
from dianku.context import Context
from dianku.errors import ConfigurationError
from dianku.exchange.service import Exchange
from dianku.hooks.notify import Notifier
from dianku.hooks.postings import posting_check
from dianku.jobs.kernel import kernel_jobs
from dianku.jobs.leader import Leader
from dianku.jobs.runner import JobRunner
from dianku.ledger.closing import Closings
from dianku.ledger.figures.figures import Figures
from dianku.ledger.read.alert_lines import ShopLines
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.service import Ledger
from dianku.ledger.usual import Unusual
from dianku.ledger.verify.rebuild import hours_anew
from dianku.messages import Messages
from dianku.plugins.manifest import Manifest
from dianku.plugins.set import PluginSet
from dianku.plugins.shop import OwnSettings, Shop
from dianku.quantity import LINE_DIGITS
from dianku.settings.store import Settings
from dianku.storage.bell import Bell
from dianku.storage.copy import is_unfinished
from dianku.storage.engine import LOCK_CATALOG, Database
from dianku.storage.fence import FencedDatabase
from dianku.storage.migrate import CORE, Owner, pending, upgrade
from dianku.trust import keeping
from dianku.trust.keeping import Trust

__all__ = ["Host", "HostConfig", "strict_from"]

KERNEL = "core"


class Host:
    """One shop, open in this process.

    Example:
        `with Host.build(HostConfig(data_dir=Path("shop"))) as host: host.stock...`

    Raises:
        ConfigurationError: editions that cannot be read, settings of an edition that are wrong,
            permissions of a plugin that name an unknown role.
    """

    def __init__(self, config: HostConfig) -> None:
        self.config = config
        self.clock = config.clock
        config.make_folder()
        self.database = Database(config.url)
        self.messages = Messages()
        self.events_bell = Bell()
        self.plugins = PluginSet(config, database=self.database, clock=config.clock)
        self.settings = self._settings()
        grants = _grants(self.plugins)
        self.access = Access(self.database, clock=config.clock, permissions=Permissions(grants))
        self.attachments = Attachments(config.data_dir / "attachments")
        self.backups = Backups(self.database, data_dir=config.data_dir, clock=config.clock)
        self.trust = Trust(
            config.data_dir / keeping.FOLDER,
            clock=config.clock,
            further=config.https.names if config.https is not None else (),
        )
        self.cache = CatalogCache()
        self.catalog = CatalogService(
            self.database, self.cache, self.clock, zone_changed=hours_anew
        )
        self.ledger = Ledger(
            self.database,
            self.cache,
            self.clock,
            on_commit=self.events_bell.ring,
            backfill_days=lambda: int(self.settings.last.get("shop", "backfill_days")),
            hold_seconds=lambda: 60 * int(self.settings.last.get("shop", "hold_minutes")),
            unusual=self._unusual,
        )
        self.stock = StockQueries(
            self.database, self.cache, self.clock, shop_lines=self._shop_lines
        )
        self.closings = Closings(self.database, self.cache, self.clock)
        self.figures = Figures(self.database, self.cache, self.clock, tallies=self.stock.tallies)
        self.exchange = Exchange(
            self.database,
            self.cache,
            self.clock,
            catalog=self.catalog,
            ledger=self.ledger,
            stock=self.stock,
            plugin_exports=lambda: [c.record for c in self.plugins.collect("register_exports")],
        )
        self.leader = Leader(self.database)
        self.jobs = self._job_runner()
        self.notifier: Notifier | None = None
        self._fences: list[FencedDatabase] = []
        self._started = False
        self._closed = False

    def _unusual(self) -> Unusual:
        shop = self.settings.last.section("shop")
        return Unusual(int(shop["unusual_receipt_times"]), int(shop["unusual_receipt_days"]))

    def _shop_lines(self) -> ShopLines:
        shop = self.settings.last.section("shop")
        low = shop["low_stock"]
        return ShopLines(
            low_stock=None if low is None else int(Decimal(str(low)).scaleb(LINE_DIGITS)),
            overstock_days=int(shop["overstock_days"]),
        )

    @classmethod
    def build(cls, config: HostConfig) -> Self:
        """Wire everything; nothing is migrated, loaded or running yet."""
        return cls(config)

    @property
    def owners(self) -> list[Owner]:
        """Whose tables there are: the kernel's, then those of the plugins that have any."""
        return [CORE, *(Owner(name, folder) for name, folder in self.plugins.revisions.items())]

    def start(self, *, background: bool = True, afresh: bool | None = None) -> None:
        """Migrate, load plugins, start the poster; with `background` also notifying and jobs.

        Commands that only post or read leave the background to the server. `afresh` forgets what
        went wrong with plugins before, as a server does.

        Raises:
            ConfigurationError: a plugin the edition requires cannot run; what, which, what to do.
            MigrationFailed: the kernel's tables could not be brought up.
        """
        self._prepare()
        fresh = background if afresh is None else afresh
        self.plugins.load(self._shop, migrate=self._migrate, afresh=fresh)
        for name, folder in self.plugins.texts.items():
            try:
                self.messages.add(folder)
            except (OSError, ValueError) as error:
                self.plugins.calls.fail(name, "messages", f"{folder}: {error}", cause=error)
        if self.plugins.checks is not None:
            self.ledger.check = posting_check(self.plugins.checks)
        self.ledger.start()
        self._started = True
        if background and self.config.background:
            self._start_background()

    def look(self) -> None:
        """Migrate the kernel's tables and know the plugins by what they declare; none is imported.

        For what must work however broken a plugin is: see it, switch it off, take it away.

        Raises:
            MigrationFailed: the kernel's tables could not be brought up.
        """
        self._prepare()
        self.plugins.look()

    def _prepare(self) -> None:
        if is_unfinished(self.database):
            raise ConfigurationError("copy_unfinished", url=self.database.safe_url)
        upgrade(self.database, [CORE])
        self._seed()
        self.settings.view()

    def look_again(self) -> None:
        """See what others changed of settings and rights; a server does so by the clock."""
        self.settings.refresh()
        self.access.known.refresh()
        self.access.known.note_heard()

    def readiness(self) -> dict[str, Any]:
        """Whether a document can be posted now, and what stands in the way.

        Raises:
            SQLAlchemyError: the database cannot be reached or written.
        """
        behind = sorted(state.owner for state in pending(self.database, self.owners))
        with self.database.writing():
            # A transaction that may write was begun: the disk and the server allow it.
            pass
        ready = self._started and not self._closed and CORE.name not in behind
        return {"ready": ready, "migrations_pending": behind, "leader": self.leader.held}

    def _seed(self) -> None:
        """Make what exists from the start; written once in a shop's life, only looked at later."""
        with self.database.reading() as connection:
            if has_defaults(connection):
                return
        with self.database.writing() as connection:
            self.database.lock(connection, LOCK_CATALOG)
            ensure_defaults(connection)

    def close(self) -> None:
        """Stop everything that runs and close the database; may be called twice."""
        if self._closed:
            return
        self._closed = True
        self.events_bell.silence()
        if self.notifier is not None:
            self.notifier.close()
        self.jobs.close()
        self.plugins.close()
        # Imports in threads post through the ledger: they end before it does.
        self.exchange.close()
        self.ledger.close()
        self.leader.close()
        for fence in self._fences:
            fence.close()
        self.database.close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _settings(self) -> Settings:
        def audit(
            connection: Connection,
            ctx: Context,
            action: str,
            subject: str,
            before: Mapping[str, Any],
            after: Mapping[str, Any],
        ) -> None:
            record_change(
                connection,
                ctx=ctx,
                at_ms=self.clock.now_ms(),
                action=action,
                subject=subject,
                before=before,
                after=after,
            )

        settings = Settings(self.database, audit=audit)
        for section in self.plugins.sections:
            settings.declare(section)
        edition = self.plugins.edition
        try:
            settings.prefer(edition.settings)
        except ValueError as error:
            raise ConfigurationError(
                "edition_settings_wrong", edition=edition.name, reason=str(error)
            ) from error
        return settings

    def _job_runner(self) -> JobRunner:
        runner = JobRunner(
            self.database,
            clock=self.clock,
            leading=lambda: self.leader.held,
            zone=lambda: str(self.settings.last.get("shop", "timezone")),
            failed=self.plugins.job_failed,
        )
        jobs = kernel_jobs(self.database, clock=self.clock, expire_holds=self.ledger.sweep)
        for job in jobs:
            runner.add(KERNEL, job)
        return runner

    def _migrate(self, name: str, folder: Path) -> None:
        upgrade(self.database, [Owner(name, folder)])

    def _shop(self, manifest: Manifest) -> Shop:
        fence = FencedDatabase(self.database, plugin=manifest.name)
        self._fences.append(fence)
        return Shop(
            plugin=manifest.name,
            catalog=self.catalog,
            ledger=self.ledger,
            stock=self.stock,
            figures=self.figures,
            settings=OwnSettings(self.settings, manifest.name),
            clock=self.clock,
            messages=self.messages,
            log=logging.getLogger(f"dianku.plugin.{manifest.name}"),
            rights=frozenset(manifest.rights),
            tables=fence,
        )

    def _start_background(self) -> None:
        self.plugins.watch()
        for collected in self.plugins.collect("register_jobs"):
            self.jobs.add(collected.plugin, collected.record)
        self.leader.start()
        self.notifier = Notifier(
            self.database,
            self.plugins.calls,
            self.plugins.arguments,
            bell=self.events_bell,
            clock=self.clock,
            leading=lambda: self.leader.held,
        )
        self.notifier.start()
        self.jobs.start()


def _grants(plugins: PluginSet) -> list[Grant]:
    return [
        Grant(permission, tuple(entry.roles), manifest.name)
        for manifest in plugins.manifests
        for permission, entry in manifest.permissions.items()
    ]
