from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dianku.catalog.requests import NewProduct, NewStore
from dianku.clock import SetClock
from dianku.config import HostConfig, strict_from
from dianku.context import Actor, Context
from dianku.errors import ConfigurationError, Problem
from dianku.host import Host
from dianku.ledger.commands import Posted
from dianku.ledger.requests import NewDocument, NewLine
from dianku.plugins.states import Status
from dianku.testing.entry_points import Shelf, shelf

PATIENCE = 20

LISTENER = """
import threading
from dianku.api import Every, Job, Objection, Title, hookimpl

HEARD = []
CHANGED = threading.Condition()

@hookimpl
def check_document(document, shop):
    if document.kind == "write_off":
        line = document.lines[0]
        why = f"{line.sku} {line.quantity} of {shop.settings['word']}"
        return Objection("no_write_off", Title(why, why))
    return None

@hookimpl
def document_posted(event, shop):
    with CHANGED:
        HEARD.append((event.data["number"], event.store, shop.plugin))
        CHANGED.notify_all()

@hookimpl
def register_jobs(shop):
    def run():
        with CHANGED:
            HEARD.append("job")
            CHANGED.notify_all()
    return [Job("tick", Title("滴答", "Tick"), Every(3600), run)]
"""
SETTINGS = """
[settings.word]
type = "text"
title = { zh = "词", en = "Word" }
default = "hello"
"""


@pytest.fixture
def plugin_shelf(tmp_path: Path) -> Iterator[Shelf]:
    with shelf(tmp_path / "site") as found:
        yield found


@pytest.fixture
def build(
    empty_database_url: str, tmp_path: Path, clock: SetClock
) -> Iterator[Callable[..., Host]]:
    made: list[Host] = []

    def make(**choices: Any) -> Host:
        chosen: dict[str, Any] = {"data_dir": tmp_path / "data", "clock": clock, **choices}
        host = Host.build(HostConfig(database_url=empty_database_url, **chosen))
        made.append(host)
        return host

    yield make
    for host in made:
        host.close()


def owner(host: Host) -> Context:
    return Context(Actor("boss", "owner", host.access.permissions.known), language="en")


def stocked(host: Host) -> Context:
    ctx = owner(host)
    host.catalog.create_store(NewStore(code="S1", name="One"), ctx=ctx)
    host.catalog.create_product(NewProduct(sku="A", name="Tea", unit="cup"), ctx=ctx)
    return ctx


def document(kind: Any, quantity: int = 5, **more: Any) -> NewDocument:
    lines = [NewLine(sku="A", quantity=Decimal(quantity), **more)]
    return NewDocument(kind=kind, store="S1", lines=lines)


def test_data_folder_that_is_made_is_closed_to_others(
    build: Callable[..., Host], tmp_path: Path
) -> None:
    build(data_dir=tmp_path / "new" / "shop")
    assert (tmp_path / "new" / "shop").stat().st_mode & 0o007 == 0


def test_host_started_can_post_and_is_ready(build: Callable[..., Host]) -> None:
    host = build()
    host.start()

    ctx = stocked(host)
    outcome = host.ledger.post(document("receipt"), ctx=ctx)

    assert isinstance(outcome, Posted)
    ready = host.readiness()
    assert ready["ready"]
    assert ready["migrations_pending"] == []
    assert ready["leader"]


def test_host_not_started_is_not_ready_and_closes_twice(build: Callable[..., Host]) -> None:
    host = build()

    assert not host.readiness()["ready"]
    host.close()
    host.close()


def test_host_tells_plugins_asks_their_checks_and_runs_their_jobs(
    build: Callable[..., Host], plugin_shelf: Shelf
) -> None:
    plugin_shelf.plugin("listener", LISTENER, more=SETTINGS)
    host = build(strict=True)
    host.start()
    module = host.plugins.state("listener").module
    ctx = stocked(host)

    posted = host.ledger.post(document("receipt"), ctx=ctx)
    refused = host.ledger.post(document("write_off", 1, reason="lost"), ctx=ctx)

    assert isinstance(posted, Posted)
    assert isinstance(refused, Problem)
    assert refused.code == "checked_refused"
    assert refused.params["message"] == "A 1 of hello"
    told = (posted.record.number, "S1", "listener")
    with module.CHANGED:
        assert module.CHANGED.wait_for(
            lambda: told in module.HEARD and "job" in module.HEARD, PATIENCE
        )
    assert host.plugins.state("listener").status is Status.LOADED


def test_document_posted_before_a_plugin_objects_is_answered_again_with_its_key(
    build: Callable[..., Host], plugin_shelf: Shelf
) -> None:
    before = build(plugins=False)
    before.start()
    ctx = stocked(before)
    before.ledger.post(document("receipt"), ctx=ctx)
    loss = document("write_off", 1, reason="lost")
    first = before.ledger.post(loss, ctx=ctx, key="loss-1")
    assert isinstance(first, Posted)
    before.close()
    plugin_shelf.plugin("listener", LISTENER, more=SETTINGS)
    host = build(strict=True)
    host.start()

    again = host.ledger.post(loss, ctx=ctx, key="loss-1")
    other = host.ledger.post(loss, ctx=ctx, key="loss-2")

    assert isinstance(again, Posted)
    assert again.replayed
    assert again.record.number == first.record.number
    assert isinstance(other, Problem)
    assert other.code == "checked_refused"


def test_document_of_a_product_archived_since_is_answered_again_with_its_key(
    build: Callable[..., Host],
) -> None:
    host = build()
    host.start()
    ctx = stocked(host)
    gone = document("receipt")
    first = host.ledger.post(gone, ctx=ctx, key="delivery-1")
    out = host.ledger.post(document("write_off", reason="lost"), ctx=ctx)
    assert isinstance(first, Posted)
    assert isinstance(out, Posted)
    host.catalog.archive_product("A", ctx=ctx)

    again = host.ledger.post(gone, ctx=ctx, key="delivery-1")
    other = host.ledger.post(gone, ctx=ctx, key="delivery-2")

    assert isinstance(again, Posted)
    assert again.record.number == first.record.number
    assert isinstance(other, Problem)


def test_host_started_has_the_counter_and_posts_over_it_at_once(
    build: Callable[..., Host],
) -> None:
    host = build()
    host.start()
    ctx = stocked(host)
    host.ledger.post(document("receipt"), ctx=ctx)

    sold = host.ledger.post(document("issue", 1), ctx=ctx)

    assert isinstance(sold, Posted)
    assert sold.record.channel == "counter"
    assert [channel.name for channel in host.catalog.list_channels(ctx=ctx)] == ["counter"]


def test_host_without_background_tells_later_what_was_posted(
    build: Callable[..., Host], plugin_shelf: Shelf
) -> None:
    plugin_shelf.plugin("listener", LISTENER, more=SETTINGS)
    server = build()
    server.start()
    ctx = stocked(server)
    server.close()
    command = build()
    command.start(background=False)
    posted = command.ledger.post(document("receipt"), ctx=ctx)
    assert isinstance(posted, Posted)
    assert command.notifier is None
    command.close()

    server = build()
    server.start()
    module = server.plugins.state("listener").module
    with module.CHANGED:
        assert module.CHANGED.wait_for(
            lambda: (posted.record.number, "S1", "listener") in module.HEARD, PATIENCE
        )


def test_host_with_a_broken_optional_plugin_sells_and_shows_it(
    build: Callable[..., Host], plugin_shelf: Shelf
) -> None:
    plugin_shelf.plugin("bad", "raise RuntimeError('no')")
    host = build()
    host.start()

    assert isinstance(host.ledger.post(document("receipt"), ctx=stocked(host)), Posted)
    assert host.plugins.state("bad").status is Status.REFUSED


@pytest.mark.sqlite_only
def test_host_with_a_broken_required_plugin_does_not_start_and_leaves_nothing_running(
    build: Callable[..., Host], plugin_shelf: Shelf
) -> None:
    plugin_shelf.edition("bakery", 'required = ["bad"]\n')
    plugin_shelf.plugin("bad", "raise RuntimeError('no')")
    before = threading.active_count()
    host = build(edition="bakery")

    with pytest.raises(ConfigurationError, match="'bad'"), host:
        pass

    assert threading.active_count() == before
    with build(plugins=False, edition="bakery") as rescued:
        assert rescued.readiness()["ready"]


@pytest.mark.sqlite_only
def test_host_takes_an_editions_settings_as_defaults(
    build: Callable[..., Host], plugin_shelf: Shelf
) -> None:
    plugin_shelf.edition("bakery", "[settings.shop]\noverstock_days = 7\n")

    with build(edition="bakery") as host:
        assert host.settings.get("shop", "overstock_days") == 7


@pytest.mark.sqlite_only
def test_host_refuses_an_edition_whose_settings_are_wrong(
    build: Callable[..., Host], plugin_shelf: Shelf
) -> None:
    plugin_shelf.edition("bakery", "[settings.shop]\noverstock_days = 0\n")

    with pytest.raises(ConfigurationError, match=r"shop\.overstock_days: too_small"):
        build(edition="bakery")


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("yes", True), ("0", False), ("", False), ("false", False)]
)
def test_strict_is_read_from_the_environment(value: str, *, expected: bool) -> None:
    assert strict_from({"DIANKU_STRICT": value}) is expected
    assert not strict_from({})
