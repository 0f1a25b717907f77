"""Field permissions: without `cost.view` no answer carries a cost, a value or a margin.

This is done once, at the edge, for every answer of every route, the plugins' too, so that no
handler can forget it. What is money of that kind is told by a field's name together with its
type (`wire.Numeral`): the `value` of a spreadsheet's cell is something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, get_args, get_type_hints

from msgspec import Struct, structs

from dianku.wire import Numeral

COST_VIEW = "cost.view"
COST_NAMES = frozenset(
    {
        "cost",
        "value",
        "margin",
        "last_cost",
        "unit_cost",
        "average_cost",
        "cost_of_goods_sold",
        "stock_value",
        "damaged_value",
        "in_transit_value",
        "variance",
    }
)


def without_costs(answer: Any) -> Any:
    """The answer with every cost, value and margin null; the original stays as it is."""
    if isinstance(answer, Struct):
        hidden, deeper = _fields(type(answer))
        changes: dict[str, Any] = dict.fromkeys(hidden)
        for name in deeper:
            inner = getattr(answer, name)
            if inner is not None:
                changes[name] = without_costs(inner)
        return structs.replace(answer, **changes) if changes else answer
    if isinstance(answer, Mapping):
        return {
            name: None if name in COST_NAMES and _is_money(item) else without_costs(item)
            for name, item in answer.items()
        }
    if isinstance(answer, list | tuple):
        return [without_costs(item) for item in answer]
    return answer


@lru_cache(maxsize=512)
def _fields(kind: type[Struct]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields to hide, and those that may hold others."""
    hints = get_type_hints(kind, include_extras=True)
    hidden = tuple(n for n, hint in hints.items() if n in COST_NAMES and _has_numeral(hint))
    deeper = tuple(
        n for n, hint in hints.items() if n in kind.__struct_fields__ and _may_hold(hint)
    )
    return hidden, tuple(n for n in deeper if n not in hidden)


def _has_numeral(hint: Any) -> bool:
    return hint is Numeral or hint == Numeral or any(_has_numeral(a) for a in get_args(hint))


def _may_hold(hint: Any) -> bool:
    plain = {str, int, bool, float, type(None)}
    args = get_args(hint)
    if not args:
        return hint not in plain
    if hasattr(hint, "__metadata__"):
        return _may_hold(args[0])
    return any(_may_hold(a) for a in args) or hint.__class__.__name__ == "GenericAlias"


def _is_money(value: Any) -> bool:
    return isinstance(value, str | int | float)
