"""The conformance suite passes a plugin that keeps the promises and fails each that breaks one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dianku.testing.conformance import PluginConformance
from dianku.testing.entry_points import Shelf

CODE = """
from dianku.api import Finding, DoctorCheck, Page, Title, hookimpl

@hookimpl
def register_pages():
    return [Page("/sample", Title("样", "Sample"), "stock.view", "sample.html")]

@hookimpl
def register_doctor(shop):
    def look():
        with shop.reading() as c:
            count = c.exec_driver_sql("SELECT count(*) FROM sample_note").scalar()
        if count:
            yield Finding("note", Title("有", "some"))
    return [DoctorCheck("notes", Title("记", "Notes"), look)]
"""
MORE = """
tables = ["sample_note"]
[settings.colour]
type = "text"
title = { zh = "色", en = "Colour" }
default = "red"
"""
REVISION = '''
"""The first tables."""
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

def upgrade():
    op.create_table("{table}", sa.Column("id", sa.BigInteger(){key}, primary_key=True))
'''
README = "\n\n# Sample\n\n`sample.colour`: red unless set.\n"


def make(
    shelf: Shelf,
    *,
    code: str = CODE,
    more: str = MORE,
    table: str = "sample_note",
    key: str = "",
    readme: str = README,
) -> None:
    home = shelf.plugin("sample", code, more=more)
    (home / "templates").mkdir()
    (home / "templates" / "sample.html").write_text("sample", encoding="utf-8")
    (home / "migrations").mkdir()
    text = REVISION.format(table=table, key=key)
    (home / "migrations" / "0001_first.py").write_text(text, encoding="utf-8")
    metadata = shelf.folder / "dianku_sample-0.3.1.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text(encoding="utf-8") + readme, encoding="utf-8")


class TestConforming(PluginConformance):
    plugin = "sample"

    @pytest.fixture(autouse=True)
    def _sample(self, plugin_shelf: Shelf) -> None:
        make(plugin_shelf)


class _Sample(PluginConformance):
    plugin = "sample"


Check = Callable[..., None]


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("promise", "broken"),
    [
        (_Sample.test_imports_stay_on_the_surface, {"code": "import dianku.ledger.tables\n"}),
        (_Sample.test_imports_stay_on_the_surface, {"code": "from dianku import host\n"}),
        (_Sample.test_imports_stay_on_the_surface, {"code": "import dianku_alerts.api\n"}),
        (_Sample.test_import_pulls_in_nothing_heavy, {"code": "import click\n"}),
        (_Sample.test_hooks_are_those_of_this_core, {"code": ""}),
        (_Sample.test_settings_are_documented, {"readme": ""}),
    ],
)
def test_conformance_fails_a_plugin_that_breaks_a_promise(
    plugin_shelf: Shelf, promise: Check, broken: dict[str, str]
) -> None:
    make(plugin_shelf, **broken)

    with pytest.raises(AssertionError):
        promise(_Sample())


@pytest.mark.parametrize(
    "broken",
    [
        {"table": "sample_other"},
        {"key": ', sa.ForeignKey("product.id", name="fk_sample")'},
    ],
)
def test_conformance_fails_tables_that_are_not_declared_or_refer_to_the_cores(
    plugin_shelf: Shelf, empty_database_url: str, broken: dict[str, str]
) -> None:
    make(plugin_shelf, **broken)

    with pytest.raises(AssertionError):
        _Sample().test_migrations_make_its_tables_and_touch_no_others(empty_database_url)


@pytest.mark.sqlite_only
def test_conformance_fails_a_plugin_whose_hook_raises_when_asked(
    plugin_shelf: Shelf, tmp_path: Path
) -> None:
    code = CODE.replace("return [Page", "raise RuntimeError\n    return [Page")
    make(plugin_shelf, code=code)

    with pytest.raises(Exception, match="RuntimeError"):
        _Sample().test_host_runs_with_it_and_collects_what_it_gives(tmp_path)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("said", ['"stock.view", "other.html"', '"stock.vieww", "sample.html"'])
def test_conformance_fails_a_page_without_its_template_or_for_nobody(
    plugin_shelf: Shelf, tmp_path: Path, said: str
) -> None:
    make(plugin_shelf, code=CODE.replace('"stock.view", "sample.html"', said))

    with pytest.raises(AssertionError):
        _Sample().test_pages_and_panels_lie_in_its_templates(tmp_path)
