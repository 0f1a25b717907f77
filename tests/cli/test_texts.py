"""What the command line says itself, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dianku_cli
from dianku_cli.texts import TEXTS

PLACES = re.compile(r"\{(\w+)\}")
SOURCE = "\n".join(
    path.read_text(encoding="utf-8") for path in Path(dianku_cli.__file__).parent.rglob("*.py")
)


@pytest.mark.parametrize("key", TEXTS)
def test_text_in_both_languages_has_the_same_places(key: str) -> None:
    english, chinese = TEXTS[key]
    assert sorted(PLACES.findall(english)) == sorted(PLACES.findall(chinese))


@pytest.mark.parametrize(
    "key", [key for key in TEXTS if not key.startswith(("column_", "severity_", "status_"))]
)
def test_text_is_said_somewhere(key: str) -> None:
    assert f'"{key}"' in SOURCE.replace(f'    "{key}": (', "")
