from __future__ import annotations

import pytest

from dianku.plugins.declaration import DeclarationError
from dianku.plugins.manifest import read_manifest
from dianku.plugins.window import Window

GOOD = """\
name = "alerts"
title = { zh = "预警", en = "Alerts" }
core = ">=0.1,<0.2"
requires = ["channels"]
tables = ["alerts_alert"]
routes = ["/alerts"]
rights = ["document.post"]

[permissions."alerts.manage"]
title = { zh = "处理预警", en = "Handle alerts" }
roles = ["manager"]

[settings.hours]
type = "integer"
title = { zh = "小时", en = "Hours" }
default = 8
minimum = 0
maximum = 24

[settings.api_key]
type = "text"
title = { zh = "密钥", en = "Key" }
secret = true

[commands.alerts]
title = { zh = "预警", en = "Alerts" }
"""


def test_manifest_complete_is_read_with_its_section_and_claims() -> None:
    manifest = read_manifest(GOOD, where="plugin.toml")

    assert list(manifest.section.fields) == ["hours", "api_key"]
    assert manifest.section.fields["api_key"].secret
    assert manifest.claims("/alerts")
    assert manifest.claims("/alerts/{id}/mute")
    assert not manifest.claims("/alertsother")
    assert manifest.permissions["alerts.manage"].roles == ["manager"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "alerts"\n', "", "plugin.toml: name: "),
        ("minimum = 0", 'minimum = "none"', "plugin.toml:17: settings.minimum: Expected `int"),
        ("secret = true", "hidden = true", "plugin.toml:23: settings.hidden: "),
        (
            "secret = true",
            'secret = true\ndefault = "x"',
            "plugin.toml:20: settings.api_key: a sec",
        ),
        ("default = 8", "default = 99", "its default breaks its own rule too_large"),
        ('"alerts_alert"', '"orders"', "plugin.toml:5: tables: table 'orders' must begin"),
        ("<0.2", "", "plugin.toml:3: core: "),
        (",<0.2", "", "has no upper bound"),
        ("[commands.alerts]", "[commands.mail]", "plugin.toml:25: commands.mail: group 'mail'"),
        ('roles = ["manager"]', 'roles = ["boss"]', "plugin.toml:11: permissions.roles: "),
        ('core = ">=0.1,<0.2"', 'core = ">=0.1,<0.2', "plugin.toml:3"),
    ],
)
def test_manifest_wrong_says_file_line_and_key(old: str, new: str, said: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        read_manifest(GOOD.replace(old, new, 1), where="plugin.toml")

    assert said in str(caught.value)


def test_manifest_with_several_mistakes_names_them_all() -> None:
    wrong = GOOD.replace('"alerts_alert"', '"orders"').replace('"channels"', '"alerts"')

    with pytest.raises(DeclarationError) as caught:
        read_manifest(wrong, where="plugin.toml")

    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("window", "version", "expected"),
    [
        (">=0.1,<0.2", "0.1.0", True),
        (">=0.1,<0.2", "0.1.9rc1", True),
        (">=0.1,<0.2", "0.2.0", False),
        (">=0.1,<=1.0", "1", True),
        ("==1.0", "1.0.0", True),
        (">0.1,!=0.1.5,<1", "0.1.5", False),
        (">=0.9,<1", "0.10", True),
    ],
)
def test_window_admits_versions_as_numbers(window: str, version: str, expected: bool) -> None:  # noqa: FBT001
    assert Window.parse(window).admits(version) is expected
