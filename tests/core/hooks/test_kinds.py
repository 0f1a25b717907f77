"""The table of kinds, the specifications and their examples say the same."""

from __future__ import annotations

import ast
import doctest
import inspect

import pytest

from dianku.hooks import specs
from dianku.hooks.kinds import HOOKS, Kind

HOOKS_MAX = 25
SPECS = {
    name: function for name, function in vars(specs).items() if hasattr(function, "dianku_spec")
}


def test_specs_and_kinds_name_the_same_hooks() -> None:
    assert set(SPECS) == set(HOOKS)
    assert len(HOOKS) <= HOOKS_MAX


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_spec_says_its_kind_and_is_named_by_it(name: str) -> None:
    kind = HOOKS[name].kind
    documentation = inspect.getdoc(SPECS[name]) or ""

    assert f"Kind: {kind.value}" in documentation
    assert name.startswith({"check": "check_", "collect": "register_"}.get(kind.value, ""))
    if kind is Kind.NOTIFY:
        assert not name.startswith(("check_", "register_"))
        event = HOOKS[name].event
        assert event is not None
        assert event.replace(".", "_") == name


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_spec_has_an_example_that_runs_and_fits_it(name: str) -> None:
    documentation = inspect.getdoc(SPECS[name]) or ""
    example = doctest.DocTestParser().get_doctest(documentation, {}, name, None, None)
    assert example.examples

    result = doctest.DocTestRunner().run(example, clear_globs=False)

    assert result.failed == 0
    implemented = example.globs[name]
    arguments = set(inspect.signature(implemented).parameters)
    assert arguments <= set(inspect.signature(SPECS[name]).parameters)
    source = "\n".join(e.source for e in example.examples)
    assert any(isinstance(node, ast.FunctionDef) for node in ast.walk(ast.parse(source)))
