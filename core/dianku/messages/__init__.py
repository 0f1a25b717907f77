"""The wording of everything Dianku says, in Chinese and English.

Codes are stable and live in the code; words live in `zh-CN.toml` and `en.toml` beside this module
and in the catalogues plugins bring. A key is `section.code`, such as `problem.not_found`; a text
has `{name}` places that are filled with the figures of the refusal. Both languages have the same
keys with the same places, which a test holds them to.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

LANGUAGES = ("zh-CN", "en")
"""The first is what is spoken where nothing is asked for."""

_PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


class Messages:
    """The texts of the kernel and, with `add`, of plugins."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
        for language in LANGUAGES:
            source = resources.files(__package__).joinpath(f"{language}.toml")
            self._texts[language].update(flattened(source.read_text(encoding="utf-8")))

    def add(self, folder: Path) -> None:
        """Take in a plugin's catalogues, `zh-CN.toml` and `en.toml` in a folder.

        What the kernel says already stays as it is.

        Raises:
            OSError, ValueError: a catalogue cannot be read; those read before it are kept.
        """
        for language in LANGUAGES:
            path = folder / f"{language}.toml"
            if path.is_file():
                found = flattened(path.read_text(encoding="utf-8"))
                self._texts[language] = {**found, **self._texts[language]}

    def keys(self, language: str) -> Iterable[str]:
        """Every key there is a text for."""
        return self._texts[language].keys()

    def template(self, key: str, language: str) -> str | None:
        """The text with its places unfilled; None where there is none in any language."""
        found = self._texts.get(language, {}).get(key)
        return found if found is not None else self._texts[LANGUAGES[0]].get(key)

    def text(self, key: str, language: str, /, **params: Any) -> str:
        """The words for a key, its places filled; the key's code itself where no words exist.

        A place without a figure is left out rather than shown in braces.
        """
        template = self.template(key, language)
        if template is None:
            return str(params.get("message") or key.rpartition(".")[2].replace("_", " "))
        return _PLACE.sub(lambda found: _worded(params.get(found[1])), template).strip()

    def problem(self, code: str, language: str, params: Mapping[str, Any]) -> str:
        """The words for a refusal, with what it names worded too: a kind of thing, a reason."""
        return self.text(f"problem.{code}", language, **self._named(language, params))

    def field(self, code: str, language: str, params: Mapping[str, Any]) -> str:
        """The words for what is wrong with one field or cell."""
        limit = params.get("limit")
        figures = {"max": limit, "min": limit, **params}
        return self.text(f"field.{code}", language, **figures)

    def column(self, name: str, language: str) -> str:
        """What a spreadsheet calls the column of an import's field."""
        return self.text(f"column.{name}", language)

    def _named(self, language: str, params: Mapping[str, Any]) -> dict[str, Any]:
        figures = dict(params)
        if "what" in figures:
            figures["what"] = self.text(f"what.{figures['what']}", language)
        reason = self.template(f"reason.{figures.get('reason')}", language)
        if reason is not None:
            figures["reason"] = self.text(f"reason.{figures['reason']}", language, **params)
        if isinstance(figures.get("needed"), list):
            figures["needed"] = [
                "/".join(self.column(name, language) for name in group.split("/"))
                for group in figures["needed"]
            ]
        return figures


def negotiate(accept_language: str | None) -> str:
    """The language to answer in, from an Accept-Language header: `zh-CN` unless English is liked.

    The first of our languages in the order of preference wins; anything else is answered in
    Chinese.
    """
    if not accept_language:
        return LANGUAGES[0]
    wishes = []
    for position, part in enumerate(accept_language.split(",")[:20]):
        tag, _, rest = part.strip().partition(";")
        weight = rest.strip().removeprefix("q=")
        try:
            liked = float(weight) if weight else 1.0
        except ValueError:
            liked = 0.0
        wishes.append((-liked, position, tag.strip().lower()))
    for negative, _, tag in sorted(wishes):
        if negative < 0 and tag.startswith("en"):
            return "en"
        if negative < 0 and tag.startswith(("zh", "*")):
            return LANGUAGES[0]
    return LANGUAGES[0]


def flattened(source: str) -> Mapping[str, str]:
    """The texts of a TOML catalogue by dotted key."""
    texts: dict[str, str] = {}

    def visit(prefix: str, table: Mapping[str, Any]) -> None:
        for name, value in table.items():
            if isinstance(value, Mapping):
                visit(f"{prefix}{name}.", value)
            else:
                texts[f"{prefix}{name}"] = str(value)

    visit("", tomllib.loads(source))
    return texts


def places(template: str) -> frozenset[str]:
    """The names a text has places for."""
    return frozenset(_PLACE.findall(template))


def _worded(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(str, value))
    return str(value)
