"""The plugin author's guide is true: its blocks run, its lists are those of the code."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

import pytest

from dianku.hooks import specs
from dianku.hooks.checks import CHECK_LIMIT_MS, FAILURES_MAX
from dianku.hooks.kinds import HOOKS
from dianku.hooks.notify import Pacing
from dianku.plugins.manifest import Manifest, read_manifest
from dianku.plugins.states import Status

GUIDE = (Path(__file__).parents[3] / "docs" / "plugins.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", blocks("python"))
def test_guide_python_runs(block: str) -> None:
    exec(compile(block, "plugins.md", "exec"), {"__name__": "guide"})


def test_guide_manifest_is_one() -> None:
    text = next(block for block in blocks("toml") if block.startswith("# plugin.toml"))

    manifest = read_manifest(text, where="plugins.md")

    assert set(tomllib.loads(text)) == set(Manifest.__struct_fields__)
    assert manifest.section.fields["webhook_key"].secret


def test_guide_has_a_row_for_every_manifest_key() -> None:
    for key in Manifest.__struct_fields__:
        assert f"\n| `{key}` |" in GUIDE


def test_guide_entry_point_is_the_plugins_group() -> None:
    text = next(block for block in blocks("toml") if block.startswith("# pyproject.toml"))

    assert tomllib.loads(text)["project"]["entry-points"]["dianku.plugins"]


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_guide_lists_every_hook_with_its_signature_and_kind(name: str) -> None:
    arguments = ", ".join(inspect.signature(getattr(specs, name)).parameters)

    assert f"| `{name}({arguments})` | {HOOKS[name].kind.value} |" in GUIDE


def test_guide_states_and_limits_are_those_of_the_code() -> None:
    for status in Status:
        assert f"| `{status.value}` |" in GUIDE
    assert f"{CHECK_LIMIT_MS} ms" in GUIDE
    assert FAILURES_MAX == 3
    assert "1, 5, 30 and 120 seconds" in GUIDE
    assert tuple(Pacing().waits) == (1, 5, 30, 120)
