"""What one optional plugin does wrong is its own loss: the shop starts, sells and stops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from dianku.access.records import NewToken
from dianku.clock import SetClock
from dianku.config import HostConfig
from dianku.context import Context
from dianku.doctor import examine
from dianku.host import Host
from dianku.http.app import build_app
from dianku.http.plugin_threads import PluginThreads
from dianku.operations import make_demo
from dianku.plugins.states import Status
from dianku.storage.shape import table_names
from dianku.testing.entry_points import Shelf, shelf

pytestmark = pytest.mark.sqlite_only
PERMISSION = """
routes = ["/bad"]
[permissions."bad.see"]
title = { zh = "看", en = "See" }
"""
ROUTES = """
from dianku.api import Route, hookimpl
@hookimpl
def register_routes(shop):
    return [{routes}]
"""
REVISION = """
revision = "1"
down_revision = None
from alembic import op
import sqlalchemy as sa
def upgrade():
    op.create_table("bad_t", sa.Column("id", sa.Integer))
    {step}
"""


@pytest.fixture
def plugin_shelf(tmp_path: Path) -> Iterator[Shelf]:
    with shelf(tmp_path / "site") as found:
        yield found


@pytest.fixture
def open_shop(data_folder: Path, clock: SetClock) -> Iterator[Callable[[], Host]]:
    hosts: list[Host] = []

    def start() -> Host:
        host = Host.build(HostConfig(data_dir=data_folder, clock=clock))
        hosts.append(host)
        host.start(background=False)
        return host

    yield start
    for host in hosts:
        host.close()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """An interruption that comes through would end the whole run of tests."""
    try:
        yield
    except KeyboardInterrupt:
        pytest.fail("what a plugin raised stopped the shop")


def test_catalogue_of_texts_that_cannot_be_read_degrades_its_plugin(
    plugin_shelf: Shelf, open_shop: Callable[[], Host]
) -> None:
    folder = plugin_shelf.plugin("bad") / "messages"
    folder.mkdir()
    (folder / "en.toml").write_text("a = = b")

    state = open_shop().plugins.state("bad")

    assert state.status is Status.DEGRADED
    assert state.faults[-1].where == "messages"


@pytest.mark.parametrize(
    ("route", "why"),
    [
        ('Route("GET", "/bad/x", lambda c: {}, "", "x")', "names no permission"),
        ('Route("FETCH", "/bad/x", lambda c: {}, "bad.see", "x")', "no method"),
        ('Route("GET", 5, lambda c: {}, "bad.see", "x")', "no Route"),
        ('Route("GET", "/bad/x", None, "bad.see", "x")', "cannot be called"),
        ('Route("POST", "/bad/x", lambda c: {}, "bad.see", "x", request=5)', "not supported"),
        ('Route("POST", "/bad/{a}", lambda c: {}, "bad.see", "x")', "differently"),
        ('type("R", (), dict(method="GET", path="/bad/x", permission="p"))()', "no Route"),
    ],
)
def test_route_that_cannot_be_answered_is_left_out_and_the_others_answer(
    plugin_shelf: Shelf, open_shop: Callable[[], Host], route: str, why: str
) -> None:
    good = 'Route("GET", "/bad/{b}", lambda c: {"ok": True}, "bad.see", "x")'
    code = ROUTES.format(routes=f"{good}, {route}")
    plugin_shelf.plugin("bad", code, more=PERMISSION)
    host = open_shop()

    with TestClient(build_app(host)) as client:
        answer = client.get("/api/v1/bad/1", headers=bearer(host))

    assert answer.json() == {"ok": True}
    assert host.plugins.state("bad").status is Status.DEGRADED
    assert why in host.plugins.state("bad").faults[-1].what


def test_route_in_the_place_of_anothers_is_left_out_and_the_other_answers(
    plugin_shelf: Shelf, open_shop: Callable[[], Host]
) -> None:
    mine = 'Route("GET", "/products/cola", lambda c: {}, "stock.view", "x")'
    plugin_shelf.plugin("bad", ROUTES.format(routes=mine), more='routes = ["/products"]')
    host = open_shop()

    with TestClient(build_app(host)) as client:
        answer = client.patch("/api/v1/products/cola", json={"name": "x"}, headers=bearer(host))

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    fault = host.plugins.state("bad").faults[-1]
    assert "in the place of" in fault.what
    assert "/products/{sku} of dianku" in fault.what


@pytest.mark.parametrize(
    ("raised", "seen"),
    [("next(iter([]))", "StopIteration"), ("sys.exit(3)", "SystemExit")],
)
def test_handler_that_ends_in_an_odd_way_answers_500(
    plugin_shelf: Shelf,
    open_shop: Callable[[], Host],
    caplog: pytest.LogCaptureFixture,
    raised: str,
    seen: str,
) -> None:
    route = f'Route("GET", "/bad/x", lambda c: {raised}, "bad.see", "x")'
    plugin_shelf.plugin("bad", "import sys\n" + ROUTES.format(routes=route), more=PERMISSION)
    host = open_shop()

    with TestClient(build_app(host), raise_server_exceptions=False) as client:
        answer = client.get("/api/v1/bad/x", headers=bearer(host))

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert seen in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        'Replied({}, status="200")',
        "Replied({}, status=99)",
        'Content("text", "text/plain")',
        'Problem("conflict", extra={"a": Odd()})',
        "Replied(Odd())",
    ],
)
def test_answer_that_is_none_is_500_and_the_counters_stay_readable(
    plugin_shelf: Shelf, open_shop: Callable[[], Host], answer: str
) -> None:
    code = """
from dianku.api import Content, Problem, Replied
class Odd:
    def __str__(self):
        raise ValueError
"""
    route = f'Route("GET", "/bad/x", lambda c: {answer}, "bad.see", "x")'
    plugin_shelf.plugin("bad", code + ROUTES.format(routes=route), more=PERMISSION)
    host = open_shop()

    with TestClient(build_app(host), raise_server_exceptions=False) as client:
        found = client.get("/api/v1/bad/x", headers=bearer(host))
        counters = client.get("/metrics")

    assert (found.status_code, found.json()["code"]) == (500, "internal_error")
    assert counters.status_code == 200


EXPORT = """
import sys
from dianku.api import ExportKind, Title, hookimpl
def rows(ctx, **filters):
    for number in range(20_000):
        yield [str(number)]
    sys.exit(3)
@hookimpl
def register_exports(shop):
    return [ExportKind("bad", Title("a", "b"), "bad.see", [("a", Title("a", "b"))], rows)]
"""


def test_export_whose_plugin_ends_half_way_is_cut_off_and_the_server_goes_on(
    plugin_shelf: Shelf, open_shop: Callable[[], Host]
) -> None:
    plugin_shelf.plugin("bad", EXPORT, more=PERMISSION)
    host = open_shop()

    with TestClient(build_app(host)) as client:
        headers = bearer(host)
        with pytest.raises(RuntimeError, match="SystemExit"):
            client.get("/api/v1/exports/bad", headers=headers)
        assert client.get("/api/v1/products", headers=headers).status_code == 200


def test_handlers_that_hang_keep_nobody_else_waiting(
    plugin_shelf: Shelf, open_shop: Callable[[], Host]
) -> None:
    code = """
import threading
from dianku.api import Route, hookimpl
ENTERED, LEAVE = threading.Semaphore(0), threading.Event()
def hang(call):
    ENTERED.release()
    LEAVE.wait()
    return {}
@hookimpl
def register_routes(shop):
    return [Route("GET", "/bad/x", hang, "bad.see", "x")]
"""
    plugin_shelf.plugin("bad", code, more=PERMISSION)
    host = open_shop()
    plugin = host.plugins.state("bad").module
    with TestClient(build_app(host)) as client, ThreadPoolExecutor(20) as callers:
        headers = bearer(host)
        client.get("/api/v1/me", headers=headers)
        hung = [callers.submit(client.get, "/api/v1/bad/x", headers=headers) for _ in range(20)]
        try:
            for _ in range(8):
                assert plugin.ENTERED.acquire(timeout=20)
            with ThreadPoolExecutor(1) as other:
                answer = other.submit(client.get, "/api/v1/products", headers=headers).result(20)
            assert answer.status_code == 200
        finally:
            plugin.LEAVE.set()
        assert {one.result(20).status_code for one in hung} == {200}


HANGING = """
import threading
from dianku.api import Content, ExportKind, Route, Site, Title, hookimpl
ENTERED, LEAVE = threading.Semaphore(0), threading.Event()
def hang(*_, **__):
    ENTERED.release()
    LEAVE.wait()
    return []
@hookimpl
def register_exports(shop):
    return [ExportKind("bad", Title("a", "b"), "bad.see", [("a", Title("a", "b"))], hang)]
def page(call):
    hang()
    return Content(b"", "text/html")
@hookimpl
def register_sites(shop):
    return [Site("/bad", [Route("GET", "/", page, "signed_in", "Hangs")], lambda refusal: None)]
"""


@pytest.mark.parametrize("path", ["/api/v1/exports/bad", "/bad/"])
def test_exports_and_pages_that_hang_keep_nobody_else_waiting(
    plugin_shelf: Shelf, open_shop: Callable[[], Host], path: str
) -> None:
    plugin_shelf.plugin("bad", HANGING, more=f'sites = ["/bad"]\n{PERMISSION}')
    host = open_shop()
    plugin = host.plugins.state("bad").module
    with TestClient(build_app(host)) as client, ThreadPoolExecutor(21) as callers:
        headers = bearer(host)
        hung = [callers.submit(client.get, path, headers=headers) for _ in range(20)]
        try:
            for _ in range(8):
                assert plugin.ENTERED.acquire(timeout=20)
            for sound in ("/products", "/exports/products"):
                asked = callers.submit(client.get, f"/api/v1{sound}", headers=headers)
                assert asked.result(20).status_code == 200
        finally:
            plugin.LEAVE.set()
        assert {one.result(20).status_code for one in hung} == {200}


def test_stuck_call_does_not_keep_the_threads_from_being_shut_down() -> None:
    leave, entered = threading.Event(), threading.Event()
    threads = PluginThreads(1)

    def stuck() -> None:
        entered.set()
        leave.wait()

    first = threads.submit(stuck)
    assert entered.wait(20)
    second = threads.submit(int)
    threads.shutdown(wait=False, cancel_futures=True)
    assert second.cancelled()
    assert all(one.daemon for one in threading.enumerate() if one.name == "plugin-http")
    with pytest.raises(RuntimeError):
        threads.submit(int)
    leave.set()
    assert first.result(20) is None


@pytest.mark.parametrize("name", ["shop", "http", "cost", "document", "setting", "core"])
def test_plugin_of_a_name_the_kernel_uses_is_refused_and_grants_nothing(
    plugin_shelf: Shelf, open_shop: Callable[[], Host], name: str
) -> None:
    more = f"""
[permissions."{name}.view"]
title = {{ zh = "看", en = "See" }}
roles = ["counter"]
[settings.a]
type = "integer"
title = {{ zh = "a", en = "a" }}
"""
    plugin_shelf.plugin(name, more=more)
    host = open_shop()

    assert host.plugins.state(name).status is Status.REFUSED
    assert "is the kernel's" in host.plugins.state(name).faults[-1].what
    assert f"{name}.view" not in host.access.permissions.of_role("counter")


@pytest.mark.parametrize(
    "step",
    [
        'op.create_table("other_t", sa.Column("id", sa.Integer))',
        'op.drop_table("kept_answer")',
        'op.add_column("product", sa.Column("mine", sa.Text))',
        'op.execute("DELETE FROM channel")',
        'op.execute("UPDATE counter SET value = 99")',
    ],
)
def test_revision_that_touches_what_is_not_its_plugins_is_refused_and_leaves_nothing(
    plugin_shelf: Shelf, open_shop: Callable[[], Host], step: str
) -> None:
    folder = plugin_shelf.plugin("bad", more='tables = ["bad_t"]') / "migrations"
    folder.mkdir()
    (folder / "0001.py").write_text(REVISION.format(step=step))

    host = open_shop()

    assert host.plugins.state("bad").status is Status.REFUSED
    assert "not its own" in host.plugins.state("bad").faults[-1].what
    with host.database.reading() as connection:
        names = table_names(connection)
        channels = connection.exec_driver_sql("SELECT count(*) FROM channel").scalar()
    assert "kept_answer" in names
    assert not {"bad_t", "other_t", "alembic_version_bad"} & set(names)
    assert channels == 1


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "SystemExit(1)"])
def test_revision_that_ends_the_process_refuses_its_plugin_and_leaves_nothing(
    plugin_shelf: Shelf, open_shop: Callable[[], Host], error: str
) -> None:
    folder = plugin_shelf.plugin("bad", more='tables = ["bad_t"]') / "migrations"
    folder.mkdir()
    (folder / "0001.py").write_text(REVISION.format(step=f"raise {error}"))
    plugin_shelf.plugin("good")

    with uninterrupted():
        host = open_shop()

    assert host.plugins.state("bad").status is Status.REFUSED
    assert host.plugins.state("bad").faults[-1].where == "migrations"
    assert error.partition("(")[0] in host.plugins.state("bad").faults[-1].what
    assert host.plugins.state("good").status is Status.LOADED
    with host.database.reading() as connection:
        assert not {"bad_t", "alembic_version_bad"} & set(table_names(connection))


def test_demonstration_goes_on_where_a_plugins_part_interrupts(
    plugin_shelf: Shelf, open_shop: Callable[[], Host], tmp_path: Path
) -> None:
    code = """
from pathlib import Path
from dianku.api import DemoData, hookimpl
def fill(chance):
    {filling}
@hookimpl
def register_demo(shop):
    return [DemoData("{name}", fill)]
"""
    plugin_shelf.plugin("bad", code.format(name="bad", filling="raise KeyboardInterrupt"))
    seen = f"Path({str(tmp_path / 'filled')!r}).touch()"
    plugin_shelf.plugin("good", code.format(name="good", filling=seen))
    host = open_shop()

    ctx = Context(host.access.actor("demo"), language="en")
    with uninterrupted():
        assert make_demo(host, ctx=ctx, progress=lambda _done, _of: None).token

    assert (tmp_path / "filled").exists()
    assert host.plugins.state("bad").status is Status.DEGRADED
    assert host.plugins.state("bad").faults[-1].where == "register_demo"
    assert "KeyboardInterrupt" in host.plugins.state("bad").faults[-1].what
    assert host.plugins.state("good").status is Status.LOADED


@pytest.mark.parametrize("where", ["import", "register_jobs"])
def test_cancellation_a_plugin_lets_out_is_its_own_loss(
    plugin_shelf: Shelf, open_shop: Callable[[], Host], where: str
) -> None:
    raising = "import asyncio\nraise asyncio.CancelledError\n"
    if where != "import":
        raising = (
            "import asyncio\nfrom dianku.api import hookimpl\n"
            "@hookimpl\ndef register_jobs(shop):\n    raise asyncio.CancelledError\n"
        )
    plugin_shelf.plugin("bad", raising)
    host = open_shop()

    assert host.plugins.collect("register_jobs") == []
    assert host.plugins.state("bad").faults[-1].where == where


def test_doctor_goes_on_where_a_plugins_check_gives_no_finding(
    plugin_shelf: Shelf, open_shop: Callable[[], Host]
) -> None:
    code = """
from dianku.api import DoctorCheck, Title, hookimpl
@hookimpl
def register_doctor(shop):
    return [DoctorCheck("odd", Title("a", "b"), lambda: ["all is well"])]
"""
    plugin_shelf.plugin("bad", code)
    found = examine(open_shop())
    assert [one.subject for one in found if "all is well" in one.what.en] == ["bad: odd"]


def test_doctor_goes_on_where_a_plugins_check_interrupts(
    plugin_shelf: Shelf, open_shop: Callable[[], Host]
) -> None:
    code = """
from dianku.api import DoctorCheck, Finding, Title, hookimpl
def look():
    yield Finding("warning", Title("a", "seen before"), "bad")
    raise KeyboardInterrupt
@hookimpl
def register_doctor(shop):
    return [DoctorCheck("odd", Title("a", "b"), look)]
"""
    plugin_shelf.plugin("bad", code)
    said = {one.subject: one.what.en for one in examine(open_shop())}
    assert said["bad"] == "seen before"
    assert "KeyboardInterrupt" in said["bad: odd"]


def test_doctor_tells_of_events_a_plugin_was_not_told_of(open_shop: Callable[[], Host]) -> None:
    host = open_shop()
    with host.database.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO parked_event (plugin, event_id, hook, error, attempts, parked_at) "
            "VALUES ('alerts', 7, 'document_posted', 'KeyError: x', 5, 1)"
        )
    found = [one for one in examine(host) if one.subject == "alerts"]
    assert [(one.severity, "KeyError: x" in one.what.en) for one in found] == [("warning", True)]


def bearer(host: Host) -> dict[str, Any]:
    ctx = Context(host.access.actor("test"))
    issued = host.access.create_token(NewToken(name="owner", role="owner"), ctx=ctx)
    return {"authorization": f"Bearer {issued.token}", "accept-language": "en"}
