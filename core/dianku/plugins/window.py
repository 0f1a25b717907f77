"""Windows of versions, such as `>=0.1,<0.2`: the part of the usual notation that is needed here."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from attrs import frozen

_PART = re.compile(r"(>=|<=|==|!=|>|<)\s*([0-9]+(?:\.[0-9]+)*)")
_COMPARE: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


def numbers(version: str) -> tuple[int, ...]:
    """The release numbers of a version without trailing zeros: 1.0 equals 1; `0.2.0rc1` is 0.2."""
    found = [int(n) for n in re.findall(r"[0-9]+", re.split(r"[^0-9.]", version, maxsplit=1)[0])]
    while found and found[-1] == 0:
        found.pop()
    return tuple(found)


@frozen
class Window:
    """A conjunction of comparisons."""

    text: str
    parts: tuple[tuple[str, tuple[int, ...]], ...]

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read a window.

        Raises:
            ValueError: it is none, or it has no upper bound: a plugin that claims to work with
                every later version breaks on the first that differs.
        """
        parts = []
        for piece in text.split(","):
            match = _PART.fullmatch(piece.strip())
            if match is None:
                raise ValueError(f"{text!r} is no window of versions such as '>=0.1,<0.2'")
            parts.append((match[1], numbers(match[2])))
        if not any(sign in {"<", "<=", "=="} for sign, _ in parts):
            raise ValueError(f"{text!r} has no upper bound; write one such as '>=0.1,<0.2'")
        return cls(text, tuple(parts))

    def admits(self, version: str) -> bool:
        """Whether a version lies within."""
        found = numbers(version)
        return all(_COMPARE[sign](found, bound) for sign, bound in self.parts)
