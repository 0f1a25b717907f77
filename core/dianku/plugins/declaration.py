"""Read a declaration (`plugin.toml`, `edition.toml`) and say where it is wrong: file, line, key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from dianku.hooks.records import Title

Kind = TypeVar("Kind")
_AT = re.compile(r" - at `(key in )?\$(?P<path>[^`]*)`$")
_FIELD = re.compile(r"(?:unknown|required) field `(?P<name>[^`]+)`")


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a declaration: unknown keys are errors."""


class Words(Strict, frozen=True):
    """A text in both languages."""

    zh: Annotated[str, Meta(min_length=1)]
    en: Annotated[str, Meta(min_length=1)]

    def title(self) -> Title:
        """The text as a record."""
        return Title(self.zh, self.en)


class DeclarationError(Exception):
    """A declaration that cannot be used: `file:line: key: what is wrong`, one per line."""


def read_declaration(path: Path) -> str:
    """The text of a declaration's file.

    Raises:
        DeclarationError: it is written in another encoding; names file and line.
        OSError: it cannot be read.
    """
    return declaration_text(path.read_bytes(), where=str(path))


def declaration_text(content: bytes, *, where: str) -> str:
    """The text that the bytes of a declaration are; raises `DeclarationError`."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DeclarationError(
            f"{where}:{line}: this is no UTF-8; save the file as UTF-8"
        ) from error
    if text.startswith("\ufeff"):
        raise DeclarationError(f"{where}:1: it begins with a byte order mark; save it without one")
    return text.replace("\r\n", "\n")


def decode_declaration(text: str, kind: type[Kind], *, where: str) -> Kind:
    """Decode TOML into a struct.

    Raises:
        DeclarationError: it is no TOML, or a key is missing, unknown or of another type.
    """
    try:
        plain = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # A `TOMLDecodeError` is a ValueError; so is what a number of too many digits raises.
        line = re.search(r"at line (\d+)", str(error))
        at = f"{where}:{line[1]}" if line else where
        raise DeclarationError(f"{at}: {error}") from error
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        message = str(error)
        keys = _keys(message)
        raise DeclarationError(f"{place(text, where, keys)}: {_AT.sub('', message)}") from error


def _keys(message: str) -> list[str]:
    at = _AT.search(message)
    path = at["path"] if at else ""
    keys = re.findall(r"[A-Za-z_][A-Za-z0-9_-]*", path)
    named = _FIELD.search(message)
    return [*keys, named["name"]] if named else keys


def place(text: str, where: str, keys: Sequence[str]) -> str:
    """`file:line: key` of the innermost of the keys that is written in the text.

    Each is looked for from where the one around it stands: another table may have one of its name.
    """
    shown = ".".join(keys)
    lines = text.splitlines()
    found = None
    for key in keys:
        name = rf"[\"']?{re.escape(key)}[\"']?"
        written = re.compile(rf"^\s*(\[.*{name}\]|([\w.\"' ]+\.)?{name}\s*=)|[{{,]\s*{name}\s*=")
        rest = range(found or 0, len(lines))
        found = next((number for number in rest if written.search(lines[number])), found)
    if found is not None:
        return f"{where}:{found + 1}: {shown}"
    return f"{where}: {shown}" if shown else where
