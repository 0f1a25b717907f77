from __future__ import annotations

from dianku.plugins.resolver import resolve


def test_order_puts_required_plugins_first_and_is_the_same_each_time() -> None:
    requires = {"c": [], "a": ["b"], "b": ["c"], "d": []}

    order = resolve(requires)

    assert order.names == ["c", "b", "a", "d"]
    assert order.refused == {}


def test_order_with_an_absent_plugin_refuses_all_that_depend_on_it() -> None:
    order = resolve({"a": ["b"], "b": ["gone"], "c": []})

    assert order.names == ["c"]
    assert "requires gone" in order.refused["b"]
    assert "requires b" in order.refused["a"]


def test_order_with_a_circle_names_it_and_loads_the_rest() -> None:
    order = resolve({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"], "e": []})

    assert order.names == ["e"]
    assert "a -> b -> c -> a" in order.refused["b"]
    assert "requires a" in order.refused["d"]
