"""The page on architecture is true: its paths, modules, tests, numbers and links are there."""

from __future__ import annotations

import ast
import importlib
import re
from functools import reduce
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
TEXT = PAGE.read_text(encoding="utf-8")
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
CODE = re.findall(r"`([^`\n]+)`", TEXT)
MODULES = sorted({w for w in CODE if re.fullmatch(r"dianku(\.\w+)+", w)} - {"dianku.toml"})
LIMITS = re.findall(r"^\| ([0-9]+)( days)? \| `([\w.]+)` \|", TEXT, re.MULTILINE)
TESTS = sorted({word for word in CODE if "::" in word})
FOLDERS = sorted({w for w in CODE if w.startswith(("core/", "cli/", "plugins/")) and " " not in w})


def named(dotted: str) -> object:
    """What a dotted name means: a module, or something in one."""
    parts = dotted.split(".")
    for size in range(len(parts), 0, -1):
        try:
            module: object = importlib.import_module(".".join(parts[:size]))
        except ModuleNotFoundError:
            continue
        return reduce(getattr, parts[size:], module)
    raise AssertionError(dotted)


def test_page_is_short_enough_to_be_read() -> None:
    assert len(TEXT.splitlines()) <= 400


@pytest.mark.parametrize("dotted", MODULES)
def test_name_in_the_page_is_in_the_code(dotted: str) -> None:
    assert named(dotted) is not None


@pytest.mark.parametrize(("number", "days", "dotted"), LIMITS, ids=[x[2] for x in LIMITS])
def test_limit_is_the_codes(number: str, days: str, dotted: str) -> None:
    if dotted.count(".Limits."):
        section, _, field = dotted.rpartition(".")
        found: object = getattr(named(section)(), field)  # type: ignore[operator]
    else:
        found = named(dotted)
    assert found == int(number) * (86_400_000 if days else 1)


def test_page_names_every_bound_of_the_ledger() -> None:
    told = {dotted for _, _, dotted in LIMITS}
    for module in ("service", "posting.poster", "resolve", "requests", "verify.verification"):
        found = vars(importlib.import_module(f"dianku.ledger.{module}"))
        path = ROOT / "core/dianku/ledger" / f"{module.replace('.', '/')}.py"
        source = path.read_text(encoding="utf-8")
        own = {
            t.id
            for n in ast.parse(source).body
            if isinstance(n, ast.Assign)
            for t in n.targets
            if isinstance(t, ast.Name)
        }
        for name, value in found.items():
            if (
                name in own
                and name.isupper()
                and isinstance(value, int)
                and name[0] != "_"
                and name != "DAY_MS"
            ):
                assert f"dianku.ledger.{module}.{name}" in told


@pytest.mark.parametrize("test", TESTS)
def test_guard_of_an_invariant_exists(test: str) -> None:
    path, _, name = test.partition("::")
    assert f"\ndef {name}(" in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", FOLDERS)
def test_folder_of_the_map_exists(folder: str) -> None:
    assert (ROOT / folder).exists()


@pytest.mark.parametrize("page", [PAGE, *DECISIONS, *sorted((ROOT / "docs").glob("*.md"))], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (page.parent / link).exists(), link


def test_every_decision_is_linked() -> None:
    linked = set(re.findall(r"\(decisions/([\w-]+\.md)\)", TEXT))
    assert linked == {path.name for path in DECISIONS}


@pytest.mark.parametrize("number", range(1, 10))
def test_every_invariant_has_a_row_with_its_guard(number: int) -> None:
    (row,) = re.findall(rf"^\| I{number} \|.*$", TEXT, re.MULTILINE)
    assert "::test_" in row
