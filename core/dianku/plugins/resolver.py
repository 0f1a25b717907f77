"""Put plugins in the order they load: what one requires comes before it, names decide the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen


@frozen
class Order:
    """Names in the order to load, and the reason of each that cannot be."""

    names: Sequence[str]
    refused: Mapping[str, str]


def resolve(requires: Mapping[str, Sequence[str]]) -> Order:
    """Order plugins by what they require; only plugins that could load are given.

    A plugin in a circle, or that requires one which is not there, is refused with the names;
    so is, in turn, every plugin that requires it.
    """
    refused: dict[str, str] = {}
    for name in sorted(requires):
        absent = sorted(one for one in requires[name] if one not in requires)
        if absent:
            refused[name] = f"it requires {', '.join(absent)}, which cannot be loaded"
    _refuse_dependents(requires, refused)
    placed: list[str] = []
    waiting = sorted(name for name in requires if name not in refused)
    while waiting:
        ready = next((n for n in waiting if all(r in placed for r in requires[n])), None)
        if ready is None:
            _refuse_circle(requires, waiting, refused)
            waiting = [name for name in waiting if name not in refused]
            continue
        placed.append(ready)
        waiting.remove(ready)
    return Order(placed, refused)


def _refuse_dependents(requires: Mapping[str, Sequence[str]], refused: dict[str, str]) -> None:
    changed = True
    while changed:
        changed = False
        for name in sorted(requires):
            lost = sorted(one for one in requires[name] if one in refused)
            if lost and name not in refused:
                refused[name] = f"it requires {', '.join(lost)}, which cannot be loaded"
                changed = True


def _refuse_circle(
    requires: Mapping[str, Sequence[str]], waiting: Sequence[str], refused: dict[str, str]
) -> None:
    path = [waiting[0]]
    while True:
        following = next(r for r in requires[path[-1]] if r in waiting)
        if following in path:
            circle = path[path.index(following) :]
            break
        path.append(following)
    shown = " -> ".join([*circle, circle[0]])
    for name in circle:
        refused[name] = f"plugins require each other in a circle, {shown}"
    _refuse_dependents(requires, refused)
