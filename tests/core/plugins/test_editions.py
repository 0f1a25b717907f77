from __future__ import annotations

from collections.abc import Callable

import pytest

from dianku.errors import ConfigurationError
from dianku.plugins.editions import KERNEL, choose, installed_editions
from dianku.plugins.set import PluginSet
from dianku.plugins.states import Status
from dianku.testing.entry_points import Shelf

BASIC = """
required = ["console", "reports"]
optional = ["extra"]
[settings.shop]
overstock_days = 30
[settings.reports]
days = 7
"""
MORE = """
extends = "basic"
required = ["extra"]
[settings.reports]
days = 14
"""


def test_edition_extending_another_has_its_plugins_and_overrides_its_settings(
    plugin_shelf: Shelf,
) -> None:
    plugin_shelf.edition("basic", BASIC)
    plugin_shelf.edition("more", MORE)

    found = installed_editions()

    assert found["more"].required == ("console", "reports", "extra")
    assert found["more"].optional == ()
    assert found["more"].settings == {"shop": {"overstock_days": 30}, "reports": {"days": 14}}
    assert choose(found, None).name == "more"
    assert choose(found, "basic").settings["reports"] == {"days": 7}


def test_edition_none_installed_requires_nothing() -> None:
    assert choose({}, None) is KERNEL


@pytest.mark.parametrize(
    ("texts", "named", "said"),
    [
        ({"a": 'extends = "gone"\n'}, None, "'gone', which is not installed"),
        ({"a": 'extends = "b"\n', "b": 'extends = "a"\n'}, None, "extends itself"),
        ({"a": "", "b": ""}, None, "none extends the others"),
        ({"a": ""}, "b", "'b' is not installed (installed: a"),
        ({"a": "plugins = []\n"}, None, "edition.toml:3: plugins"),
    ],
)
def test_edition_that_cannot_be_chosen_stops_with_what_to_do(
    plugin_shelf: Shelf, texts: dict[str, str], named: str | None, said: str
) -> None:
    for name, text in texts.items():
        plugin_shelf.edition(name, text)

    with pytest.raises(ConfigurationError) as caught:
        choose(installed_editions(), named)

    assert said in str(caught.value)


@pytest.mark.sqlite_only
def test_edition_with_an_absent_optional_plugin_shows_it_as_missing(
    plugin_shelf: Shelf, load: Callable[..., PluginSet]
) -> None:
    plugin_shelf.edition("bakery", 'optional = ["alerts"]\n')

    state = load(edition="bakery").state("alerts")

    assert state.status is Status.MISSING
    assert "not installed" in state.faults[-1].what
