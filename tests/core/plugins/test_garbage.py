"""A plugin that hangs at the start, or hands over what is none, loses its own and nobody else's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dianku.hooks.calls import AT_START, described
from dianku.hooks.records import CheckedDocument
from dianku.plugins.set import PluginSet
from dianku.plugins.states import Status
from dianku.testing.entry_points import Shelf

Load = Callable[..., PluginSet]
pytestmark = pytest.mark.sqlite_only

ODD_ERROR = """
class Odd(Exception):
    def __str__(self):
        raise SystemExit(4)
"""
CHECK = """
from dianku.api import Objection, Title, hookimpl
{before}
@hookimpl
def check_document(document):
    {act}
"""
GOOD = """
from dianku.api import Page, Title, hookimpl
@hookimpl
def register_pages(shop):
    return [Page("/good", Title("a", "b"), "good.see", "good.html")]
"""
HANGS = """
import threading
from dianku.api import hookimpl
@hookimpl
def {hook}(shop):
    threading.Event().wait()
"""


def sale(*, strict: bool) -> CheckedDocument:
    return CheckedDocument(kind="issue", store="S1", lines=(), strict=strict)


@pytest.mark.parametrize(
    "act",
    [
        "raise Odd",
        'return Objection("no", "not a title")',
        'return Objection("no", Title("a", 5))',
        'return Objection(5, Title("a", "b"))',
        'return Objection("no", Title("a", "b"), "params")',
        'return Objection("no", Title("a", "b"), {"a": Odd()})',
    ],
)
def test_check_that_gives_garbage_is_a_check_that_failed(
    plugin_shelf: Shelf, load: Load, act: str
) -> None:
    plugin_shelf.plugin("bad", CHECK.format(before=ODD_ERROR, act=act))
    checks = load().checks
    assert checks is not None

    strict = checks.examine(sale(strict=True))

    assert checks.examine(sale(strict=False)) is None
    assert strict is not None
    assert strict.code == "check_failed"


@pytest.mark.parametrize(
    "record",
    [
        'Page("/bad", "no title", "bad.see", "bad.html")',
        'Page("/bad", Title("a", "b"), 5, "bad.html")',
        'Page("/bad", Title("a", None), "bad.see", "bad.html")',
        'Page("/bad", Title("a", "b"), "bad.see", None)',
        'Page("/bad", Title("a", "b"), "bad.see", "bad.html", data="none")',
        'Page("/bad", Title("a", "b"), "bad.see", "bad.html", place="cellar")',
    ],
)
def test_record_of_wrong_parts_is_its_plugins_loss(
    plugin_shelf: Shelf, load: Load, record: str
) -> None:
    plugin_shelf.plugin(
        "bad", GOOD.replace('Page("/good", Title("a", "b"), "good.see", "good.html")', record)
    )
    plugin_shelf.plugin("good", GOOD)
    plugins = load()

    assert [one.plugin for one in plugins.collect("register_pages")] == ["good"]
    assert plugins.state("bad").status is Status.DEGRADED


@pytest.mark.parametrize("hook", sorted(AT_START))
def test_hook_that_hangs_at_the_start_is_not_waited_for_long(
    plugin_shelf: Shelf, load: Load, hook: str
) -> None:
    plugin_shelf.plugin("bad", HANGS.format(hook=hook))
    plugins = load(plugin_start_seconds=0.05)

    assert "bad" not in {one.plugin for one in plugins.collect(hook)}
    assert "took longer than 0.05 s" in plugins.state("bad").faults[-1].what


def test_import_that_hangs_refuses_its_plugin_and_the_others_load(
    plugin_shelf: Shelf, load: Load
) -> None:
    # A name of its own: whoever imports it after this, in this process, waits for it.
    plugin_shelf.plugin("endless", "import threading\nthreading.Event().wait()\n")
    plugin_shelf.plugin("good", GOOD)
    plugins = load(plugin_start_seconds=2)

    assert plugins.state("endless").status is Status.REFUSED
    assert "took longer than 2 s" in plugins.state("endless").faults[-1].what
    assert plugins.state("good").status is Status.LOADED


def test_error_is_described_in_signs_every_database_keeps() -> None:
    said = described(ValueError("a\0b\ud800c\nd"))
    assert said == "ValueError: a\N{REPLACEMENT CHARACTER}b?c d"
